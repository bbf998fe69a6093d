//! A file of OpenMetrics in pieces that are read like files.

use std::io::Read;

use crate::exit::Trouble;

/// A piece has about so many bytes.
const PIECE_BYTES: usize = 1 << 20;
/// No line is longer.
const LINE_BYTES_MAX: usize = 64 << 20;
/// Up to so many lines in front of a piece are made up so that a place in it has its number.
const LINES_MADE_UP: usize = 1 << 22;
/// What a file ends with, and so does each of its pieces.
const END: &[u8] = b"# EOF\n";
/// What the names of labels depend on in the lines behind it.
const TYPE: &[u8] = b"# TYPE ";

/// Reads whole lines, many at a time.
pub(super) struct Pieces<R> {
    from: R,
    name: String,
    piece_bytes: usize,
    /// The line of the last type in front of the piece, the piece, and the beginning of the next one.
    bytes: Vec<u8>,
    /// Length of the first of these.
    lead: usize,
    /// Where the piece ends in `bytes`.
    end: usize,
    /// What stood in the place of the mark that the piece was given as its end.
    covered: Vec<u8>,
    /// Lines in front of the piece.
    lines: usize,
    offset: usize,
    is_at_end: bool,
}

/// Some lines of the file. To be read like a file, with lines in front and behind that are made up.
pub(super) struct Piece<'a> {
    name: &'a str,
    text: &'a str,
    /// Whether the first line is made up.
    has_lead: bool,
    /// Lines in front of it in the file.
    lines: usize,
}

impl<R: Read> Pieces<R> {
    pub(super) fn new(from: R, name: &str) -> Pieces<R> {
        Pieces {
            from,
            name: name.to_owned(),
            piece_bytes: PIECE_BYTES,
            bytes: Vec::new(),
            lead: 0,
            end: 0,
            covered: Vec::new(),
            lines: 0,
            offset: 0,
            is_at_end: false,
        }
    }

    /// The next piece; at least one, and of an empty file an empty one.
    ///
    /// # Errors
    /// When the file cannot be read, is no UTF-8 or has a line that is too long.
    pub(super) fn next(&mut self) -> Result<Option<Piece<'_>>, Trouble> {
        if self.is_at_end {
            return Ok(None);
        }
        self.leave_piece();
        self.fill()?;
        let piece = &self.bytes[self.lead..self.end];
        if let Err(error) = std::str::from_utf8(piece) {
            let at = self.offset + error.valid_up_to();
            let message = format!("{}: expected UTF-8, found another byte at offset {at}", self.name);
            return Err(Trouble::new(message));
        }
        if !self.is_at_end {
            self.covered.clear();
            self.covered.extend_from_slice(&self.bytes[self.end..]);
            self.bytes.truncate(self.end);
            self.bytes.extend_from_slice(END);
        }
        // The lead was a part of a piece.
        let text = std::str::from_utf8(&self.bytes).map_err(|error| Trouble::new(error.to_string()))?;
        Ok(Some(Piece { name: &self.name, text, has_lead: self.lead > 0, lines: self.lines }))
    }

    /// Keeps of the piece what the next one needs.
    fn leave_piece(&mut self) {
        let piece = &self.bytes[self.lead..self.end];
        self.lines += piece.iter().filter(|&&byte| byte == b'\n').count();
        self.offset += piece.len();
        let of_type = last_type(&self.bytes[..self.end]).map(<[u8]>::to_vec).unwrap_or_default();
        self.lead = of_type.len();
        self.bytes = of_type;
        self.bytes.append(&mut self.covered);
        self.end = self.lead;
    }

    /// Reads until there are whole lines, as many as belong to a piece, or the file ends.
    fn fill(&mut self) -> Result<(), Trouble> {
        let mut wanted = self.piece_bytes;
        loop {
            let held = self.bytes.len() - self.lead;
            if held < wanted {
                let missing = (wanted - held) as u64;
                let mut source = (&mut self.from).take(missing);
                let read = source.read_to_end(&mut self.bytes);
                let read = read.map_err(|error| Trouble::io("read", &self.name, &error))?;
                self.is_at_end = (read as u64) < missing;
            }
            if self.is_at_end {
                self.end = self.bytes.len();
                return Ok(());
            }
            // Something is left for another piece, so that the last one is known to be.
            let whole = &self.bytes[self.lead..self.bytes.len() - 1];
            if let Some(at) = whole.iter().rposition(|&byte| byte == b'\n') {
                self.end = self.lead + at + 1;
                return Ok(());
            }
            if wanted >= LINE_BYTES_MAX {
                let (name, line) = (&self.name, self.lines + 1);
                return Err(Trouble::new(format!("{name}: line {line} has more than {wanted} bytes")));
            }
            wanted *= 2;
        }
    }
}

/// The last line with a type.
fn last_type(bytes: &[u8]) -> Option<&[u8]> {
    let mut end = bytes.len();
    while end > 0 {
        let start = bytes[..end - 1].iter().rposition(|&byte| byte == b'\n').map_or(0, |at| at + 1);
        if bytes[start..end].starts_with(TYPE) {
            return Some(&bytes[start..end]);
        }
        end = start;
    }
    None
}

impl Piece<'_> {
    /// What to read.
    pub(super) fn text(&self) -> &str {
        self.text
    }

    /// A name, a text in which the lines have their numbers in the file, and how much further behind a place of
    /// [`Piece::text`] is in it.
    pub(super) fn in_file(&self) -> (String, String, usize) {
        if self.lines > LINES_MADE_UP {
            let name = format!("{} behind line {}", self.name, self.lines);
            return (name, self.text.to_owned(), 0);
        }
        // The line of a type is one of those in front.
        let made_up = self.lines.saturating_sub(usize::from(self.has_lead));
        (self.name.to_owned(), "\n".repeat(made_up) + self.text, made_up)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str, piece_bytes: usize) -> Vec<(String, usize)> {
        let mut pieces = Pieces { piece_bytes, ..Pieces::new(text.as_bytes(), "x") };
        let mut found = Vec::new();
        while let Some(piece) = pieces.next().expect("a text") {
            found.push((piece.text().to_owned(), piece.lines));
        }
        found
    }

    #[test]
    fn a_file_is_the_sum_of_its_pieces() {
        let text = "# TYPE a counter\na_total 1 2\na_total 2 3\n# TYPE b gauge\nb 5 6\nb 7 8\n# EOF\n";
        for piece_bytes in 1..text.len() + 2 {
            let found = pieces(text, piece_bytes);
            let mut joined = String::new();
            for (number, (piece, lines)) in found.iter().enumerate() {
                let is_last = number + 1 == found.len();
                let own = if is_last { piece } else { piece.strip_suffix("# EOF\n").expect("an end") };
                // What is made up in front is the last type so far.
                let lead = last_type(joined.as_bytes()).map_or(0, <[u8]>::len);
                assert_eq!(&own.as_bytes()[..lead], last_type(joined.as_bytes()).unwrap_or_default());
                joined.push_str(&own[lead..]);
                assert_eq!(*lines, joined.matches('\n').count() - own[lead..].matches('\n').count());
            }
            assert_eq!(joined, text, "pieces of {piece_bytes}");
        }
        assert_eq!(pieces("", 10), [(String::new(), 0)]);
    }
}
