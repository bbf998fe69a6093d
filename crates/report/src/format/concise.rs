//! `path:line:column: severity[CODE] message`, one line each.

use std::fmt::Write;

use narthex_diag::{Diagnostic, SourceMap};

use crate::RenderOptions;
use crate::place::Place;
use crate::printable::one_line;

pub(super) fn render(diagnostics: &[Diagnostic], sources: &SourceMap, _: &RenderOptions) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        if let Some(place) = Place::of(sources, diagnostic.source, diagnostic.span()) {
            let start = place.start();
            let _ = write!(out, "{}:{}:{}: ", one_line(place.file()), start.line, start.column);
        }
        let (severity, code) = (diagnostic.severity.as_str(), diagnostic.code);
        let _ = writeln!(out, "{severity}[{code}] {}", one_line(&diagnostic.message));
    }
    out
}
