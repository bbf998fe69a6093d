//! Diagnostics as text for people and machines.
//!
//! ```
//! use narthex_diag::{Code, Diagnostic, SourceMap, Span};
//! use narthex_report::{Format, RenderOptions, render};
//!
//! let mut sources = SourceMap::new();
//! let file = sources.add("rules.yml", "expr: rate(x)");
//! let finding = Diagnostic::error(Code("TYP001"), "expected a range vector", Span::new(11, 12)).in_source(file);
//! let text = render(Format::Concise, &[finding], &sources, &RenderOptions::plain());
//! assert_eq!(text, "rules.yml:1:12: error[TYP001] expected a range vector\n");
//! ```
//!
//! **Columns** are 1-based everywhere. `full`, `concise`, `github` and `json` count bytes, as Prometheus does in its own
//! messages; `json` adds byte offsets, which need no counting rule at all. `sarif` counts Unicode code points and says
//! so (`columnKind`). Ends are exclusive: the column after the last one covered.
//!
//! Rendering is linear in the texts and in the number of diagnostics (except that `full` pays for the line number of
//! each mark in a line too long to be drawn whole), never panics on a span outside its text (it is moved to the end),
//! and leaves out the place of a diagnostic whose source is unknown.
//!
//! Reading order: [`mod@format`] (the table of formats), then one file per format; [`summary`]. `place` and `code_points`
//! are what the formats share; `canvas`, `preview`, `printable` and `color_switches` serve `full`.

mod canvas;
mod code_points;
mod color_switches;
pub mod format;
mod place;
mod preview;
mod printable;
pub mod summary;

pub use format::{FORMATS, Format, FormatSpec, UnknownFormat};
pub use summary::Summary;

use narthex_diag::{Code, Diagnostic, SourceMap};

/// Whether escape codes for colours may be written. Deciding it (terminal, `NO_COLOR`) is the caller's business.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ColorChoice {
    /// Plain text.
    Never,
    /// ANSI escape codes, in the formats meant for terminals.
    Always,
}

/// What a rendering depends on besides the diagnostics.
#[derive(Clone, Copy, Debug)]
pub struct RenderOptions {
    /// Colours in `full`; the other formats have none.
    pub color: ColorChoice,
    /// One sentence on what a code stands for, where a format lists its codes (`sarif`).
    pub describe: fn(Code) -> Option<&'static str>,
}

impl RenderOptions {
    /// No colours, no descriptions.
    pub fn plain() -> RenderOptions {
        RenderOptions { color: ColorChoice::Never, describe: |_| None }
    }
}

/// The diagnostics in that format, in the order given, ending in a line break unless empty.
pub fn render(
    format: Format,
    diagnostics: &[Diagnostic],
    sources: &SourceMap,
    options: &RenderOptions,
) -> String {
    (format.spec().render)(diagnostics, sources, options)
}
