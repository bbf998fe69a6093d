//! Bodies in chunks, which are handed over while the rest is still being written.

use std::fmt;

/// A chunk is handed over once it has this many bytes.
pub const CHUNK_BYTES: usize = 64 * 1024;

/// Nobody reads what is written any more.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Closed;

impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nobody reads the answer any more")
    }
}

impl std::error::Error for Closed {}

/// Where the bytes of an answer go. Taking a chunk may block: that is how a slow reader slows the writer down.
pub trait ChunkSink {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// When nobody reads them.
    fn accept(&mut self, chunk: Vec<u8>) -> Result<(), Closed>;
}

/// Collects everything.
impl ChunkSink for Vec<u8> {
    fn accept(&mut self, mut chunk: Vec<u8>) -> Result<(), Closed> {
        if self.is_empty() {
            *self = chunk;
        } else {
            self.append(&mut chunk);
        }
        Ok(())
    }
}

/// Writes into chunks. What stands between two checkpoints is in one chunk, however long.
pub(crate) struct Chunks<'a> {
    /// What is not handed over yet.
    pub(crate) buffer: Vec<u8>,
    sink: &'a mut dyn ChunkSink,
}

impl<'a> Chunks<'a> {
    pub(crate) fn new(sink: &'a mut dyn ChunkSink) -> Chunks<'a> {
        Chunks { buffer: Vec::new(), sink }
    }

    /// A place at which the chunk may end; it does if it is large enough.
    #[inline]
    pub(crate) fn checkpoint(&mut self) -> Result<(), Closed> {
        if self.buffer.len() < CHUNK_BYTES { Ok(()) } else { self.hand_over() }
    }

    #[cold]
    fn hand_over(&mut self) -> Result<(), Closed> {
        // The next chunk gets about as long: one allocation each.
        let next = Vec::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 8);
        self.sink.accept(std::mem::replace(&mut self.buffer, next))
    }

    /// Hands over what is left.
    pub(crate) fn finish(self) -> Result<(), Closed> {
        if self.buffer.is_empty() { Ok(()) } else { self.sink.accept(self.buffer) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_handed_over_on_the_way() {
        struct Lengths(Vec<usize>);
        impl ChunkSink for Lengths {
            fn accept(&mut self, chunk: Vec<u8>) -> Result<(), Closed> {
                self.0.push(chunk.len());
                if self.0.len() < 3 { Ok(()) } else { Err(Closed) }
            }
        }
        let mut lengths = Lengths(Vec::new());
        let mut out = Chunks::new(&mut lengths);
        let outcome = (0..1_000_000).try_for_each(|_| {
            out.buffer.extend_from_slice(b"0123456789");
            out.checkpoint()
        });
        assert_eq!(outcome, Err(Closed));
        assert!(lengths.0.iter().all(|length| (CHUNK_BYTES..CHUNK_BYTES + 16).contains(length)));
    }
}
