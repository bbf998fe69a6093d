//! How many Unicode code points precede a byte, in constant time.

use narthex_diag::Source;

/// Distance of the checkpoints in bytes: what one query counts by hand at most.
const STRIDE_BYTES: usize = 1024;

/// Counts code points of one text, which every call is given again. Building is linear in the text.
#[derive(Debug)]
pub(crate) struct CodePoints {
    /// Code points before byte `i * STRIDE_BYTES`.
    checkpoints: Vec<usize>,
}

impl CodePoints {
    pub(crate) fn of(text: &str) -> CodePoints {
        let mut total = 0;
        let mut checkpoints = vec![0];
        for chunk in text.as_bytes().chunks(STRIDE_BYTES) {
            total += count(chunk);
            checkpoints.push(total);
        }
        CodePoints { checkpoints }
    }

    /// Number of code points before a byte offset that lies in the text.
    pub(crate) fn before(&self, text: &str, offset: usize) -> usize {
        let checkpoint = offset / STRIDE_BYTES;
        self.checkpoints.get(checkpoint).copied().unwrap_or(0)
            + text.as_bytes().get(checkpoint * STRIDE_BYTES..offset).map_or(0, count)
    }

    /// 1-based column of a byte offset that lies in the text, in code points.
    pub(crate) fn column(&self, source: &Source, offset: usize) -> usize {
        let byte_column = source.line_column(offset).column;
        self.before(&source.text, offset) - self.before(&source.text, offset + 1 - byte_column) + 1
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
        let points = CodePoints::of(&text);
        for (offset, _) in text.char_indices() {
            let line_start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
            assert_eq!(
                points.column(&source, offset),
                text[line_start..offset].chars().count() + 1,
                "at {offset}"
            );
        }
        assert_eq!(points.column(&source, text.len()), 3001);
    }
}
