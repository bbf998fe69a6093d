//! Any bytes as a scrape body in the Prometheus text format.

use narthex_exposition::{Format, decode};

use super::exposition::check;
use crate::input::{check_places, text};

/// See the module.
pub fn target(data: &[u8]) {
    match decode(data) {
        Ok(_) => text(data).into_iter().for_each(|body| check(body, Format::Text)),
        Err(error) => check_places(&error, &"x".repeat(data.len())),
    }
}
