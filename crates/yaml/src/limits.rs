//! How much a text may ask of its reader.

/// Collections inside collections, aliases followed. Deeper text is an error; readers may therefore recurse.
pub const NESTING_MAX: u32 = 100;

/// Values a document may gain by following its aliases, every [`ALIAS_TEXT_BYTES`] of their text counted as one more. A
/// few nested anchors can stand for billions of values, a few bytes for gigabytes of text.
pub const ALIAS_VALUES_MAX: u64 = 1_000_000;

/// See [`ALIAS_VALUES_MAX`].
pub const ALIAS_TEXT_BYTES: usize = 64;

/// Syntax errors reported per text before reading stops.
pub const SYNTAX_ERRORS_MAX: usize = 100;

/// Bytes of one text: offsets are 32 bits wide.
pub const TEXT_BYTES_MAX: usize = u32::MAX as usize;

/// Bytes that may be read again because of quoted scalars that go on too far left: each costs one more reading.
pub const REREAD_BYTES_MAX: usize = 64 << 20;
