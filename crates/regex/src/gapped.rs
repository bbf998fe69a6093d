//! Patterns made of literals and stretches of arbitrary text, such as `api-.*`, `5..` or `.*a.*b`.

use crate::tree::{Kind, Look, NodeId, Tree};

/// Arbitrary text of `min` to `max` characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Gap {
    min: u32,
    max: Option<u32>,
}

/// `prefix gap text gap text … gap suffix`, where each gap is stored with the text that follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gapped {
    prefix: String,
    middle: Vec<(Gap, String)>,
    last: Gap,
    suffix: String,
}

impl Gapped {
    /// Reads the pattern rooted at `id` as such a sequence, if it is one.
    ///
    /// Several gaps are allowed only if all are unbounded: then taking each text where it first occurs is right.
    pub(crate) fn of(tree: &Tree, id: NodeId) -> Option<Gapped> {
        let mut reader = Reader { tree, prefix: String::new(), parts: Vec::new(), ended: false };
        reader.read(id)?;
        let Reader { prefix, mut parts, .. } = reader;
        if parts.len() > 1 && parts.iter().any(|(gap, _)| gap.max.is_some()) {
            return None;
        }
        let (last, suffix) = parts.pop()?;
        Some(Gapped { prefix, middle: parts, last, suffix })
    }

    /// Whether every text matches.
    pub(crate) fn is_all(&self) -> bool {
        let ends_free = self.prefix.is_empty() && self.suffix.is_empty() && self.middle.is_empty();
        ends_free && self.last == Gap { min: 0, max: None }
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    pub(crate) fn is_match(&self, haystack: &str) -> bool {
        if !starts_with(haystack, &self.prefix) {
            return false;
        }
        let mut rest = &haystack[self.prefix.len()..];
        for (gap, text) in &self.middle {
            let Some(found) = skip(rest, gap.min).and_then(|after| after.split_once(text.as_str())) else {
                return false;
            };
            rest = found.1;
        }
        ends_with(rest, &self.suffix) && self.last.admits(&rest[..rest.len() - self.suffix.len()])
    }
}

/// [`str::starts_with`] for texts that are often empty: comparing nothing at the dangling address of an empty string
/// costs some 40 ns on processors with masked loads.
pub(crate) fn starts_with(haystack: &str, prefix: &str) -> bool {
    prefix.is_empty() || haystack.starts_with(prefix)
}

/// [`str::ends_with`], likewise.
pub(crate) fn ends_with(haystack: &str, suffix: &str) -> bool {
    suffix.is_empty() || haystack.ends_with(suffix)
}

impl Gap {
    fn admits(self, text: &str) -> bool {
        match (self.min, self.max) {
            (0, None) => true,
            (1, None) => !text.is_empty(),
            (min, max) => skip(text, min).is_some_and(|after| at_most(after, max.map(|max| max - min))),
        }
    }

    fn then(self, next: Gap) -> Gap {
        let max = self.max.zip(next.max).map(|(a, b)| a.saturating_add(b));
        Gap { min: self.min.saturating_add(next.min), max }
    }
}

/// What follows the first `chars` characters, if there are that many.
fn skip(text: &str, chars: u32) -> Option<&str> {
    let mut rest = text.chars();
    for _ in 0..chars {
        rest.next()?;
    }
    Some(rest.as_str())
}

fn at_most(text: &str, chars: Option<u32>) -> bool {
    chars.is_none_or(|chars| skip(text, chars).is_none_or(str::is_empty))
}

struct Reader<'t> {
    tree: &'t Tree,
    prefix: String,
    parts: Vec<(Gap, String)>,
    /// Whether an end of text was asserted, after which nothing more may come.
    ended: bool,
}

impl Reader<'_> {
    fn read(&mut self, id: NodeId) -> Option<()> {
        if let Kind::Look(look) = self.tree.kind(id) {
            return self.look(look);
        }
        if self.ended {
            return None;
        }
        match self.tree.kind(id) {
            Kind::Empty => {}
            Kind::Literal { text, fold: false } => self.text(self.tree.text(text)),
            Kind::Any { newline: true } => self.gap(Gap { min: 1, max: Some(1) }),
            Kind::Repeat { min, max, .. } => {
                let sub = *self.tree.children(id).first()?;
                (self.tree.kind(sub) == Kind::Any { newline: true }).then(|| self.gap(Gap { min, max }))?;
            }
            Kind::Concat | Kind::Capture { .. } => {
                for &sub in self.tree.children(id) {
                    self.read(sub)?;
                }
            }
            _ => return None,
        }
        Some(())
    }

    /// Assertions about the ends of the text are redundant at those ends.
    fn look(&mut self, look: Look) -> Option<()> {
        match look {
            Look::TextStart => (self.prefix.is_empty() && self.parts.is_empty()).then_some(()),
            Look::TextEnd => {
                self.ended = true;
                Some(())
            }
            _ => None,
        }
    }

    fn text(&mut self, text: &str) {
        self.parts.last_mut().map_or(&mut self.prefix, |(_, after)| after).push_str(text);
    }

    fn gap(&mut self, gap: Gap) {
        match self.parts.last_mut() {
            Some((before, text)) if text.is_empty() => *before = before.then(gap),
            _ => self.parts.push((gap, String::new())),
        }
    }
}
