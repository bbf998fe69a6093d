//! How much a text may ask of its reader.

/// Collections inside collections, aliases followed. Deeper text is an error; readers may therefore recurse.
pub const NESTING_MAX: u32 = 100;

/// Nodes a document may gain by following its aliases. A few nested anchors can stand for billions of nodes.
pub const ALIAS_NODES_MAX: u64 = 4_000_000;

/// Syntax errors reported per text before reading stops.
pub const SYNTAX_ERRORS_MAX: usize = 100;

/// Bytes of one text: offsets are 32 bits wide.
pub const TEXT_BYTES_MAX: usize = u32::MAX as usize;

/// Bytes that may be read again because of quoted scalars that go on too far left: each costs one more reading.
pub const REREAD_BYTES_MAX: usize = 64 << 20;
