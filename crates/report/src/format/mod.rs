//! Which output formats there are.
//!
//! A new format is one file here, one variant of [`Format`] and one row of [`FORMATS`]; the command line and the
//! documentation read the table.

use std::fmt;
use std::str::FromStr;

use narthex_diag::{Diagnostic, SourceMap};

use crate::RenderOptions;

mod concise;
mod full;
mod github;
mod json;
mod sarif;

/// Names an output format.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Format {
    /// Frames around the source lines, for terminals.
    Full,
    /// One line each.
    Concise,
    /// One array of objects.
    Json,
    /// Workflow commands of GitHub Actions.
    Github,
    /// SARIF 2.1.0.
    Sarif,
}

/// What there is to know of a format.
#[derive(Clone, Copy, Debug)]
pub struct FormatSpec {
    /// Which one.
    pub format: Format,
    /// The word on the command line.
    pub name: &'static str,
    /// Half a sentence for help pages.
    pub summary: &'static str,
    /// Renders all diagnostics of a run.
    pub render: fn(&[Diagnostic], &SourceMap, &RenderOptions) -> String,
}

/// Every format, the default one first.
pub const FORMATS: &[FormatSpec] = &[
    FormatSpec {
        format: Format::Full,
        name: "full",
        summary: "source lines with marks, notes and fixes, for people",
        render: full::render,
    },
    FormatSpec {
        format: Format::Concise,
        name: "concise",
        summary: "path:line:column: severity[CODE] message, one line each",
        render: concise::render,
    },
    FormatSpec {
        format: Format::Json,
        name: "json",
        summary: "one array of objects with positions, notes and edits",
        render: json::render,
    },
    FormatSpec {
        format: Format::Github,
        name: "github",
        summary: "workflow commands that GitHub Actions shows as annotations",
        render: github::render,
    },
    FormatSpec {
        format: Format::Sarif,
        name: "sarif",
        summary: "SARIF 2.1.0 for code scanning",
        render: sarif::render,
    },
];

impl Format {
    /// The row of the table.
    pub fn spec(self) -> &'static FormatSpec {
        FORMATS.iter().find(|spec| spec.format == self).expect("a test compares the table with the enum")
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.spec().name)
    }
}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Format, UnknownFormat> {
        let spec = FORMATS.iter().find(|spec| spec.name == name);
        spec.map(|spec| spec.format).ok_or_else(|| UnknownFormat { name: name.to_owned() })
    }
}

/// A name that is no format's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownFormat {
    name: String,
}

impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = FORMATS.iter().map(|spec| spec.name).collect();
        write!(f, "unknown format {:?}, expected one of {}", self.name, names.join(", "))
    }
}

impl std::error::Error for UnknownFormat {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_has_one_row_and_is_found_by_its_name() {
        let all = [Format::Full, Format::Concise, Format::Json, Format::Github, Format::Sarif];
        assert_eq!(FORMATS.iter().map(|spec| spec.format).collect::<Vec<_>>(), all);
        for format in all {
            assert_eq!(format.to_string().parse(), Ok(format));
        }
        let error = "xml".parse::<Format>().unwrap_err();
        assert!(error.to_string().ends_with("full, concise, json, github, sarif"));
    }
}
