//! Finding what the event parser does not report: where quotes close, blocks begin and nothing stands.

/// Past blanks, line breaks, comments and byte order marks.
fn skip_trivia(bytes: &[u8], mut at: usize) -> usize {
    while let Some(byte) = bytes.get(at) {
        match byte {
            b' ' | b'\t' | b'\n' | b'\r' => at += 1,
            b'#' => at = line_end(bytes, at),
            0xEF if bytes.get(at..at + 3) == Some(b"\xEF\xBB\xBF") => at += 3,
            _ => break,
        }
    }
    at
}

/// Past blanks and line breaks before `at`, backwards.
pub(crate) fn trim_end(bytes: &[u8], start: usize, mut end: usize) -> usize {
    while end > start && matches!(bytes.get(end - 1), Some(b' ' | b'\t' | b'\n' | b'\r')) {
        end -= 1;
    }
    end
}

/// The offset of the line break that ends the line of `at`, or of the end of the text.
pub(crate) fn line_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or(&[]);
    at + rest.iter().take_while(|byte| !matches!(byte, b'\n' | b'\r')).count()
}

/// The start of the line after that of `at`.
pub(crate) fn next_line(bytes: &[u8], at: usize) -> usize {
    let end = line_end(bytes, at);
    match bytes.get(end) {
        Some(b'\r') if bytes.get(end + 1) == Some(&b'\n') => end + 2,
        Some(_) => end + 1,
        None => end,
    }
}

/// Past trivia and the anchors and tags of a node.
pub(crate) fn skip_properties(bytes: &[u8], mut at: usize) -> usize {
    loop {
        at = skip_trivia(bytes, at);
        match bytes.get(at) {
            Some(b'&' | b'!') => at = word_end(bytes, at),
            _ => return at,
        }
    }
}

fn word_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or(&[]);
    at + rest.iter().take_while(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count()
}

/// From the end of the node before: where the next value starts, past `:`, `-`, `?`, `,`, anchors and tags.
pub(crate) fn skip_indicators(bytes: &[u8], mut at: usize) -> usize {
    loop {
        at = skip_properties(bytes, at);
        match bytes.get(at) {
            Some(b':' | b'-' | b'?' | b',') => at += 1,
            _ => return at,
        }
    }
}

/// Where a value that is not there would stand: just past the `:`, `-` or `?` that asks for it.
pub(crate) fn empty_place(bytes: &[u8], after: usize) -> usize {
    let at = skip_trivia(bytes, after);
    match bytes.get(at) {
        Some(b':' | b'-' | b'?') => at + 1,
        _ => after,
    }
}

/// Where the `-` of a block sequence stands that follows `after`.
pub(crate) fn first_dash(bytes: &[u8], after: usize) -> usize {
    let mut at = skip_properties(bytes, after);
    while matches!(bytes.get(at), Some(b':' | b'?')) {
        at = skip_properties(bytes, at + 1);
    }
    at
}

/// Just past the quote that closes the one at `at`.
pub(crate) fn quoted_end(bytes: &[u8], at: usize) -> usize {
    let quote = bytes.get(at).copied();
    let mut at = at + 1;
    while let Some(&byte) = bytes.get(at) {
        let next = bytes.get(at + 1).copied();
        match byte {
            b'\\' if quote == Some(b'"') => at += 2,
            b'\'' if quote == Some(b'\'') && next == quote => at += 2,
            _ if Some(byte) == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Spaces that indent the lines of a block: what the first line with more than blanks has more than its value.
pub(crate) fn block_indent(raw: &str, text: &str) -> usize {
    let leading = |whole: &str| {
        let line = whole.split(['\n', '\r']).find(|line| line.bytes().any(|byte| byte != b' '));
        line.map(|line| line.len() - line.trim_start_matches(' ').len())
    };
    leading(raw).zip(leading(text)).map_or(0, |(raw, text)| raw.saturating_sub(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_between_nodes() {
        assert_eq!(skip_indicators(b"a: &x|y !t # c > d\n  |-", 1), 21);
        assert_eq!(skip_indicators(b"a:\n- - >", 1), 7);
        assert_eq!(empty_place(b"a : # none\nb:", 1), 3);
        assert_eq!(first_dash(b"a: # -\n  - x", 1), 9);
        assert_eq!(quoted_end(br#""a\"b" c"#, 0), 6);
        assert_eq!(quoted_end(b"'a''b' c", 0), 6);
        assert_eq!(quoted_end(b"'a", 0), 2);
        assert_eq!(block_indent("\n     x", "\n   x"), 2);
    }
}
