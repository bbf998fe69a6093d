//! Any text as a scrape body in OpenMetrics.

use narthex_exposition::Format;

use super::exposition::check;
use crate::input::text;

/// See the module.
pub fn target(data: &[u8]) {
    if let Some(body) = text(data) {
        check(body, Format::OpenMetrics);
    }
}
