//! The files that tests name, each read and parsed once however many tests name it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use narthex_diag::{Diagnostic, Source};
use narthex_rulefmt::{Dialect, Input, NameValidation, Options, RuleFileParse};
use narthex_rules::GroupDefinition;

use crate::options::RunOptions;

/// Where files come from.
pub trait Files: Sync {
    /// The text of a file.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn read(&self, path: &str) -> Result<String, String>;

    /// The paths that a pattern means, sorted: those that exist, for a path without wildcards itself. `base` is the path
    /// of the file that the pattern stands in, whose folder relative patterns start from.
    ///
    /// # Errors
    /// When it is no pattern.
    fn matching(&self, base: &str, pattern: &str) -> Result<Vec<String>, String>;
}

/// Files that are texts in memory. Patterns are names.
#[derive(Clone, Debug, Default)]
pub struct FilesInMemory(BTreeMap<String, String>);

impl FilesInMemory {
    /// From names and texts.
    pub fn new<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> FilesInMemory {
        FilesInMemory(files.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect())
    }
}

impl Files for FilesInMemory {
    fn read(&self, path: &str) -> Result<String, String> {
        self.0.get(path).cloned().ok_or_else(|| "no such file".to_owned())
    }

    fn matching(&self, _base: &str, pattern: &str) -> Result<Vec<String>, String> {
        Ok(self.0.keys().filter(|name| *name == pattern).cloned().collect())
    }
}

/// A rule file as tests use it.
#[derive(Debug)]
pub struct RuleSource {
    /// Its path and text.
    pub source: Source,
    /// What it says, and what a server would refuse it for.
    pub parse: RuleFileParse,
    /// Its groups, ready to run.
    pub groups: Vec<Arc<GroupDefinition>>,
}

/// A rule file or why it could not be read.
pub(crate) type Loaded = Result<Arc<RuleSource>, String>;

/// The rule files of a run. Shared between threads.
pub struct RuleLibrary<'a> {
    files: &'a dyn Files,
    options: RunOptions,
    loaded: Mutex<HashMap<String, Arc<OnceLock<Loaded>>>>,
}

impl<'a> RuleLibrary<'a> {
    /// Without any file yet.
    pub fn new(files: &'a dyn Files, options: RunOptions) -> RuleLibrary<'a> {
        RuleLibrary { files, options, loaded: Mutex::default() }
    }

    /// How tests are run.
    pub fn options(&self) -> &RunOptions {
        &self.options
    }

    /// The paths that a pattern of a test file means.
    pub(crate) fn matching(&self, base: &str, pattern: &str) -> Result<Vec<String>, String> {
        self.files.matching(base, pattern)
    }

    /// The file, read and parsed by whoever asks first.
    pub(crate) fn load(&self, path: &str) -> Loaded {
        let cell = {
            let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(loaded.entry(path.to_owned()).or_default())
        };
        cell.get_or_init(|| self.read(path)).clone()
    }

    fn read(&self, path: &str) -> Loaded {
        let text = self.files.read(path)?;
        let options = Options {
            promql: self.options.promql,
            names: NameValidation::Utf8,
            dialect: Dialect::Prometheus,
            unknown_fields: self.options.unknown_fields,
            input: Input::RuleFile,
        };
        let parse = narthex_rulefmt::parse(&text, &options);
        let groups = parse.file.groups.iter().map(|group| Arc::new(GroupDefinition::new(group))).collect();
        Ok(Arc::new(RuleSource { source: Source::new(path, text), parse, groups }))
    }
}

impl RuleSource {
    /// What a server refuses the file for.
    pub fn refusals(&self) -> impl Iterator<Item = &Diagnostic> {
        let is_error = |diagnostic: &&Diagnostic| diagnostic.severity == narthex_diag::Severity::Error;
        self.parse.diagnostics.iter().filter(is_error)
    }
}
