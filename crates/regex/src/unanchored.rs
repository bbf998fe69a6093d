//! [`UnanchoredRegex`]: a pattern with the semantics of Go's `regexp.MustCompile`, as templates use it.

use std::fmt;
use std::sync::{Arc, OnceLock};

use regex_automata::{Input, meta};

use crate::captures::Captures;
use crate::engine;
use crate::error::{Error, ErrorKind};
use crate::lower::{Extent, Groups, lower};
use crate::matcher::check_cost;
use crate::parse::{Flags, parse};

/// A pattern that may match anywhere in a text, the dot not matching newlines unless `(?s)` says so.
///
/// The engine is built when first needed and shared by all clones. Equality is equality of the patterns.
#[derive(Clone)]
pub struct UnanchoredRegex {
    inner: Arc<Inner>,
}

struct Inner {
    pattern: Box<str>,
    group_names: Vec<Option<Box<str>>>,
    engine: OnceLock<Option<meta::Regex>>,
}

impl UnanchoredRegex {
    /// Parses `pattern` in Go's syntax.
    ///
    /// # Errors
    ///
    /// The faults Go reports, and [`ErrorKind::TooLarge`] as for [`crate::Regex::new`].
    pub fn new(pattern: &str) -> Result<UnanchoredRegex, Error> {
        let mut tree = parse(pattern, Flags::default())?;
        check_cost(pattern, &tree)?;
        let group_names = std::mem::take(&mut tree.names);
        let inner = Inner { pattern: pattern.into(), group_names, engine: OnceLock::new() };
        let height = tree.node(tree.root()).height;
        if engine::needs_stack(height) && inner.engine().is_none() {
            return Err(Error::new(ErrorKind::NestingDepth, pattern, 0..pattern.len()));
        }
        Ok(UnanchoredRegex { inner: Arc::new(inner) })
    }

    /// The pattern as given.
    pub fn pattern(&self) -> &str {
        &self.inner.pattern
    }

    /// Whether some part of `haystack` matches.
    pub fn is_match(&self, haystack: &str) -> bool {
        self.inner.engine().is_some_and(|engine| engine.is_match(haystack))
    }

    /// `text` with every match replaced by the expansion of `template`: Go's `ReplaceAllString`.
    ///
    /// For the template see [`Captures::expand`]. An empty match that touches the match before it is passed over.
    pub fn replace_all(&self, text: &str, template: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let (mut copied, mut search_from) = (0, 0);
        while search_from <= text.len() {
            let Some((start, end, captures)) = self.inner.find(text, search_from) else { break };
            out.push_str(&text[copied..start]);
            if end > copied || start == 0 {
                captures.expand(template, &mut out);
            }
            copied = end;
            // At least one character is passed, or the end of the text.
            let step = text[search_from..].chars().next().map_or(1, char::len_utf8);
            search_from = end.max(search_from + step);
        }
        out.push_str(&text[copied..]);
        out
    }
}

impl Inner {
    fn engine(&self) -> Option<&meta::Regex> {
        let build = || {
            let tree = parse(&self.pattern, Flags::default()).ok()?;
            let hir = lower(&tree, Groups::Kept, Extent::Anywhere);
            engine::compile(tree.node(tree.root()).height, || engine::capturing(&hir))
        };
        self.engine.get_or_init(build).as_ref()
    }

    /// The first match at or after byte `from`; assertions see the text before it.
    fn find<'r, 'h>(&'r self, text: &'h str, from: usize) -> Option<(usize, usize, Captures<'r, 'h>)> {
        let input = Input::new(text).range(from..);
        let slots = engine::groups(self.engine()?, &input, self.group_names.len())?;
        let (start, end) = (*slots.first()?)?;
        Some((start, end, Captures::new(text, &self.group_names, slots)))
    }
}

impl fmt::Debug for UnanchoredRegex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UnanchoredRegex").field(&self.pattern()).finish()
    }
}

impl PartialEq for UnanchoredRegex {
    fn eq(&self, other: &UnanchoredRegex) -> bool {
        self.pattern() == other.pattern()
    }
}

impl Eq for UnanchoredRegex {}
