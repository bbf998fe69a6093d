//! Many diagnostics, each once, in the order of the text, up to a limit.

use std::collections::HashSet;

use crate::{Diagnostic, Severity};

/// How many diagnostics a sink keeps unless told otherwise.
pub const DIAGNOSTICS_MAX: usize = 20_000;

/// Collects diagnostics: an identical one is kept once, those past the limit are only counted.
#[derive(Clone, Debug)]
pub struct Diagnostics {
    items: Vec<Diagnostic>,
    seen: HashSet<Diagnostic>,
    limit: usize,
    dropped: usize,
}

impl Default for Diagnostics {
    fn default() -> Diagnostics {
        Diagnostics::with_limit(DIAGNOSTICS_MAX)
    }
}

impl Diagnostics {
    /// An empty sink.
    pub fn new() -> Diagnostics {
        Diagnostics::default()
    }

    /// An empty sink that keeps at most `limit`.
    pub fn with_limit(limit: usize) -> Diagnostics {
        Diagnostics { items: Vec::new(), seen: HashSet::new(), limit, dropped: 0 }
    }

    /// Adds one unless it is there already.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        if self.seen.contains(&diagnostic) {
            return;
        }
        if self.items.len() >= self.limit {
            self.dropped += 1;
            return;
        }
        self.seen.insert(diagnostic.clone());
        self.items.push(diagnostic);
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.dropped == 0
    }

    /// How many are kept.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// How many were beyond the limit.
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.items.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// In the order they were added.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.items.iter()
    }

    /// All of them by source, offset, severity and code.
    pub fn into_sorted(mut self) -> Vec<Diagnostic> {
        self.items.sort_by(|a, b| {
            (a.source, a.span(), a.severity, a.code, &a.message).cmp(&(
                b.source,
                b.span(),
                b.severity,
                b.code,
                &b.message,
            ))
        });
        self.items
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<T: IntoIterator<Item = Diagnostic>>(&mut self, diagnostics: T) {
        for diagnostic in diagnostics {
            self.push(diagnostic);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Code, Span};

    #[test]
    fn keeps_each_once_in_text_order_up_to_the_limit() {
        let at = |offset| Diagnostic::error(Code("SYN001"), "no", Span::empty_at(offset));
        let mut sink = Diagnostics::with_limit(2);
        sink.extend([at(5), at(1), at(5), at(9)]);
        assert_eq!((sink.len(), sink.dropped(), sink.has_errors()), (2, 1, true));
        let starts: Vec<u32> = sink.into_sorted().iter().map(|one| one.span().start).collect();
        assert_eq!(starts, [1, 5]);
    }
}
