//! How a command ends.

use std::fmt;

/// What a finished command says through its exit status.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// Nothing to complain about: 0.
    Clean,
    /// Something was found or failed: 1.
    Findings,
}

impl Outcome {
    /// The exit status.
    pub(crate) fn status(self) -> u8 {
        match self {
            Outcome::Clean => 0,
            Outcome::Findings => 1,
        }
    }

    /// `Findings` if there are any.
    pub(crate) fn of(has_findings: bool) -> Outcome {
        if has_findings { Outcome::Findings } else { Outcome::Clean }
    }
}

/// Why a command could not do its work: usage or I/O, exit status 2.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Trouble(String);

impl Trouble {
    /// A lower-case sentence that says what was expected.
    pub(crate) fn new(message: impl Into<String>) -> Trouble {
        Trouble(message.into())
    }

    /// A file that could not be read or written.
    pub(crate) fn io(doing: &str, path: &str, error: &std::io::Error) -> Trouble {
        Trouble(format!("cannot {doing} {path}: {error}"))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What every command returns.
pub(crate) type Ended = Result<Outcome, Trouble>;
