//! What a vector is to be like, so that what is around it has something to work on.

/// Whether the values of an expression are integers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Exactness {
    /// Integers, infinities and NaN: the same in every evaluator.
    Integer,
    /// Any number, perhaps rounded.
    Any,
}

/// The kind of samples.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Plain numbers.
    Float,
    /// Classic histograms: series with `le`.
    Buckets,
    /// Native histograms.
    Native,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Wish {
    pub(super) exactness: Exactness,
    pub(super) kind: Kind,
}

impl Wish {
    pub(super) const ANY: Wish = Wish { exactness: Exactness::Any, kind: Kind::Float };
    pub(super) const INTEGER: Wish = Wish { exactness: Exactness::Integer, kind: Kind::Float };

    pub(super) fn of(self, kind: Kind) -> Wish {
        Wish { kind, ..self }
    }

    pub(super) fn is_exact(self) -> bool {
        self.exactness == Exactness::Integer
    }
}
