//! `narthex lint`: what is wrong or unwise in rule files.

use narthex_report::Format;

use crate::args::LintArgs;
use crate::exit::{Ended, Outcome};
use crate::screen::Screen;

/// Reads the name of an output format.
pub(crate) fn parse_format(name: &str) -> Result<Format, String> {
    name.parse().map_err(|error: narthex_report::UnknownFormat| error.to_string())
}

/// Runs the command.
pub(crate) fn run(_args: &LintArgs, _screen: &Screen) -> Ended {
    Ok(Outcome::Clean)
}
