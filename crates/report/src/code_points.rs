//! How many Unicode code points precede a byte, in constant time.

use narthex_diag::Source;

/// Distance of the checkpoints in bytes: what one query counts by hand at most.
const STRIDE_BYTES: usize = 1024;

/// Counts code points of one source. Building is linear in the text.
#[derive(Debug)]
pub(crate) struct CodePoints<'a> {
    source: &'a Source,
    /// Code points before byte `i * STRIDE_BYTES`.
    checkpoints: Vec<usize>,
}

impl<'a> CodePoints<'a> {
    pub(crate) fn of(source: &'a Source) -> CodePoints<'a> {
        let mut total = 0;
        let mut checkpoints = vec![0];
        for chunk in source.text.as_bytes().chunks(STRIDE_BYTES) {
            total += count(chunk);
            checkpoints.push(total);
        }
        CodePoints { source, checkpoints }
    }

    /// 1-based column of a byte offset that lies in the text, in code points.
    pub(crate) fn column(&self, offset: usize) -> usize {
        let byte_column = self.source.line_column(offset).column;
        self.before(offset) - self.before(offset + 1 - byte_column) + 1
    }

    fn before(&self, offset: usize) -> usize {
        let checkpoint = offset / STRIDE_BYTES;
        let bytes = self.source.text.as_bytes();
        self.checkpoints.get(checkpoint).copied().unwrap_or(0)
            + bytes.get(checkpoint * STRIDE_BYTES..offset).map_or(0, count)
    }
}

/// Code points begin at every byte that does not continue one.
fn count(bytes: &[u8]) -> usize {
    bytes.iter().filter(|&&byte| byte & 0xc0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_counting_characters() {
        let text = "é€😀a\n".repeat(400) + &"ü".repeat(3000);
        let source = Source::new("f", text.clone());
        let points = CodePoints::of(&source);
        for (offset, _) in text.char_indices() {
            let line_start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
            assert_eq!(points.column(offset), text[line_start..offset].chars().count() + 1, "at {offset}");
        }
        assert_eq!(points.column(text.len()), 3001);
    }
}
