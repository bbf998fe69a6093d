//! The content of a file, wherever it lies.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use super::map::Mapping;

/// Bytes of a file that nobody changes; a clone shares them.
#[derive(Clone)]
pub struct FileBytes(Content);

#[derive(Clone)]
enum Content {
    Copied(Arc<[u8]>),
    Mapped(Arc<Mapping>),
}

impl FileBytes {
    pub(super) fn mapped(mapping: Mapping) -> FileBytes {
        FileBytes(Content::Mapped(Arc::new(mapping)))
    }
}

impl From<Vec<u8>> for FileBytes {
    fn from(bytes: Vec<u8>) -> FileBytes {
        FileBytes(Content::Copied(bytes.into()))
    }
}

impl Deref for FileBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Content::Copied(bytes) => bytes,
            Content::Mapped(mapping) => mapping.bytes(),
        }
    }
}

impl fmt::Debug for FileBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FileBytes({} bytes)", self.len())
    }
}
