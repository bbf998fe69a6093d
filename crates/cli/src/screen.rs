//! Where a command writes: results to standard output, everything about them to standard error.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use clap::ValueEnum;
use narthex_diag::{Diagnostic, SourceMap};
use narthex_report::{ColorChoice, Format, RenderOptions, render};

use crate::exit::{Ended, Trouble};

/// When to use colours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Standard output and error.
pub(crate) struct Screen {
    color: Color,
}

impl Screen {
    /// A screen that uses colours as asked.
    pub(crate) fn new(color: Color) -> Screen {
        Screen { color }
    }

    /// Writes a result. A reader that went away (`| head`) is no trouble.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(crate) fn print(&self, text: &str) -> Result<(), Trouble> {
        self.print_bytes(text.as_bytes())
    }

    /// As [`Screen::print`], for results that are no text.
    ///
    /// # Errors
    /// When standard output cannot be written.
    pub(crate) fn print_bytes(&self, bytes: &[u8]) -> Result<(), Trouble> {
        let mut out = io::stdout().lock();
        let written = out.write_all(bytes).and_then(|()| out.flush());
        match written {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Trouble::io("write", "standard output", &error))
            }
            _ => Ok(()),
        }
    }

    /// Draws diagnostics about a result on standard error.
    pub(crate) fn complain(&self, diagnostics: &[Diagnostic], sources: &SourceMap) {
        let options = RenderOptions { color: self.color_of(&io::stderr()), ..RenderOptions::plain() };
        self.note(&render(Format::Full, diagnostics, sources, &options));
    }

    /// Writes a remark to standard error.
    pub(crate) fn note(&self, text: &str) {
        // Nobody is left to tell when standard error is gone.
        let _ = io::stderr().lock().write_all(text.as_bytes());
    }

    /// Whether results on standard output may have colours.
    pub(crate) fn output_color(&self) -> ColorChoice {
        self.color_of(&io::stdout())
    }

    fn color_of(&self, stream: &impl IsTerminal) -> ColorChoice {
        let wants_none = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        match self.color {
            Color::Always => ColorChoice::Always,
            Color::Auto if stream.is_terminal() && !wants_none => ColorChoice::Always,
            Color::Auto | Color::Never => ColorChoice::Never,
        }
    }

    /// The exit status of a command, its trouble told.
    pub(crate) fn finish(&self, ended: Ended) -> ExitCode {
        match ended {
            Ok(outcome) => ExitCode::from(outcome.status()),
            Err(trouble) => {
                self.note(&format!("error: {trouble}\n"));
                ExitCode::from(2)
            }
        }
    }
}
