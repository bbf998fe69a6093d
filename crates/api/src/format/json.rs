//! What upstream answers, byte for byte.

use super::Remarked;
use crate::chunks::{ChunkSink, Closed};

pub(super) fn write(value: &Remarked<'_>, sink: &mut dyn ChunkSink) -> Result<(), Closed> {
    value.answer.write(sink)
}
