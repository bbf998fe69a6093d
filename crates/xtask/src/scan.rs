//! What of a Rust text is code, and where its functions begin and end.

/// What a byte belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Code,
    Comment,
    /// A string, byte string, C string or character literal, quotes included.
    Literal,
}

/// A text with the kind of each byte.
#[derive(Debug)]
pub(crate) struct Scan<'a> {
    text: &'a str,
    kinds: Vec<Kind>,
}

/// A function with a body.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Function {
    pub(crate) name: String,
    /// 1-based line of `fn`.
    pub(crate) line: usize,
    /// Lines from `fn` to the closing brace.
    pub(crate) lines: usize,
}

impl<'a> Scan<'a> {
    pub(crate) fn of(text: &'a str) -> Scan<'a> {
        let bytes = text.as_bytes();
        let mut kinds = Vec::with_capacity(bytes.len());
        while kinds.len() < bytes.len() {
            let at = kinds.len();
            let (kind, len) = piece(bytes, at);
            kinds.resize((at + len).min(bytes.len()), kind);
        }
        Scan { text, kinds }
    }

    /// The text with all but the pieces of `kind` replaced by blanks; line breaks and byte offsets stay.
    pub(crate) fn only(&self, kind: Kind) -> String {
        let keep = |(byte, of): (u8, &Kind)| if *of == kind || byte == b'\n' { byte } else { b' ' };
        let bytes = self.text.bytes().zip(&self.kinds).map(keep).collect();
        String::from_utf8(bytes).expect("pieces begin and end at ASCII characters")
    }

    /// All functions with a body, in order of their ends.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let code = self.only(Kind::Code);
        let starts = code.match_indices("fn ").map(|(at, _)| at).filter(|&at| !code[..at].ends_with(is_word));
        starts.filter_map(|at| function_at(&code, at)).collect()
    }
}

/// Kind and length in bytes of what begins at `at`.
fn piece(bytes: &[u8], at: usize) -> (Kind, usize) {
    let rest = &bytes[at..];
    let after_word = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
    match rest[0] {
        b'/' if rest.starts_with(b"//") => (Kind::Comment, line_len(rest)),
        b'/' if rest.starts_with(b"/*") => (Kind::Comment, block_comment_len(rest)),
        b'"' => (Kind::Literal, quoted_len(rest)),
        b'\'' => match character_len(rest) {
            Some(len) => (Kind::Literal, len),
            None => (Kind::Code, 1),
        },
        b'r' | b'b' | b'c' if !after_word => match raw_len(rest) {
            Some(len) => (Kind::Literal, len),
            None => (Kind::Code, 1),
        },
        _ => (Kind::Code, 1),
    }
}

fn line_len(rest: &[u8]) -> usize {
    rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len())
}

fn block_comment_len(rest: &[u8]) -> usize {
    let mut depth = 0usize;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

fn quoted_len(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// Length of a character literal, `None` when the quote begins a lifetime or a label.
fn character_len(rest: &[u8]) -> Option<usize> {
    if rest.get(1) == Some(&b'\\') {
        let end = rest.iter().skip(3).position(|&byte| byte == b'\'')?;
        return Some(end + 4);
    }
    let first = *rest.get(1)?;
    let len = match first {
        0..0x80 => 1,
        0x80..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    };
    (rest.get(1 + len) == Some(&b'\'') && first != b'\'').then_some(len + 2)
}

/// Length of a raw string with its prefix; `None` when there is none. Plain `b"…"` is left to the quote.
fn raw_len(rest: &[u8]) -> Option<usize> {
    let prefix = rest.iter().take(2).take_while(|byte| b"bcr".contains(byte)).count();
    if !rest[..prefix].ends_with(b"r") {
        return None;
    }
    let hashes = rest[prefix..].iter().take_while(|&&byte| byte == b'#').count();
    let open = prefix + hashes;
    if rest.get(open) != Some(&b'"') {
        return None;
    }
    let mut closing = vec![b'"'];
    closing.resize(hashes + 1, b'#');
    let body = &rest[open + 1..];
    let end = body.windows(closing.len()).position(|window| window == closing);
    Some(end.map_or(rest.len(), |end| open + 1 + end + closing.len()))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn function_at(code: &str, at: usize) -> Option<Function> {
    let signature = code[at + "fn ".len()..].trim_start();
    let name: String = signature.chars().take_while(|&c| is_word(c)).collect();
    if name.is_empty() {
        return None;
    }
    let body = at + body_start(&code[at..])?;
    let end = body + braces_len(&code[body..]);
    let line_of = |offset: usize| code[..offset].matches('\n').count() + 1;
    Some(Function { name, line: line_of(at), lines: line_of(end) - line_of(at) + 1 })
}

/// Offset of the brace that opens the body; `None` of a mere declaration.
fn body_start(signature: &str) -> Option<usize> {
    let mut depth = 0i32;
    for (at, byte) in signature.bytes().enumerate() {
        match byte {
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth -= 1,
            b'{' if depth == 0 => return Some(at),
            b';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

/// Offset of the brace that closes the one at the start.
fn braces_len(body: &str) -> usize {
    let mut depth = 0i32;
    for (at, byte) in body.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' => depth -= 1,
            _ => continue,
        }
        if depth == 0 {
            return at;
        }
    }
    body.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> String {
        let code = Scan::of(text).only(Kind::Code);
        code.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn literals_and_comments_are_not_code() {
        assert_eq!(code(r##"a "x\"}{" b r#"}"{"# c b"{" d br"{\" e"##), "a b c b d e");
        assert_eq!(code("a // {\nb /* { /* } */ { */ c"), "a b c");
        assert_eq!(code(r"a '{' b '\'' c '\u{7b}' d '\\' e"), "a b c d e");
        assert_eq!(code("fn f<'a>(x: &'a str) -> 'é' 'b: loop {}"), "fn f<'a>(x: &'a str) -> 'b: loop {}");
        assert_eq!(code(r##"r#type cr#"x"# bar"y" number"##), "r#type bar number");
        assert_eq!(code("a \"never closed {"), "a");
        assert_eq!(Scan::of("/* FIXME */ x").only(Kind::Comment).trim(), "/* FIXME */");
    }

    #[test]
    fn functions_are_measured_to_their_closing_brace() {
        let text = "trait T { fn declared(&self) -> [u8; 2]; }\n\
                    pub const fn one() -> usize { 1 }\n\
                    fn outer(f: fn (u8) -> u8) {\n    let s = \"}\";\n    fn inner() {\n    }\n}\n";
        let found: Vec<_> =
            Scan::of(text).functions().into_iter().map(|f| (f.name, f.line, f.lines)).collect();
        let expected = [("one", 2, 1), ("outer", 3, 5), ("inner", 5, 2)];
        assert_eq!(found, expected.map(|(name, line, lines)| (name.to_owned(), line, lines)));
    }
}
