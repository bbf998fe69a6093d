//! The parameters of a request: `application/x-www-form-urlencoded`, from the URL and from the body.

use crate::ApiError;

/// Names and values in the order given; those of the body stand before those of the URL, as upstream reads them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Reads the query of a URL and the form of a body; either may be empty.
    ///
    /// # Errors
    /// `bad_data` for a bad escape, a semicolon, or bytes that are no UTF-8.
    pub fn parse(url_query: &[u8], form: &[u8]) -> Result<Parameters, ApiError> {
        let mut pairs = Vec::new();
        for text in [form, url_query] {
            for pair in text.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty()) {
                pairs.push(read_pair(pair)?);
            }
        }
        Ok(Parameters(pairs))
    }

    /// The first value of a parameter; empty when it is not there.
    pub fn first(&self, name: &str) -> &str {
        self.0.iter().find(|pair| pair.0 == name).map_or("", |pair| pair.1.as_str())
    }

    /// All values of a parameter.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |pair| pair.0 == name).map(|pair| pair.1.as_str())
    }
}

fn read_pair(pair: &[u8]) -> Result<(String, String), ApiError> {
    if pair.contains(&b';') {
        return Err(ApiError::bad_data("error parsing form values: invalid semicolon separator in query"));
    }
    let split = pair.iter().position(|&byte| byte == b'=');
    let (name, value) = split.map_or((pair, &b""[..]), |at| (&pair[..at], &pair[at + 1..]));
    let name = text_of(name, || "name of a parameter".to_owned())?;
    let value = text_of(value, || format!("parameter \"{name}\""))?;
    Ok((name, value))
}

fn text_of(encoded: &[u8], what: impl Fn() -> String) -> Result<String, ApiError> {
    String::from_utf8(decode(encoded, Plus::Space)?).map_err(|error| {
        let (what, at) = (what(), error.utf8_error().valid_up_to());
        ApiError::bad_data(format!("invalid {what}: expected UTF-8, found another byte at offset {at}"))
    })
}

/// What `+` stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Plus {
    /// A space, as in forms.
    Space,
    /// Itself, as in paths.
    Itself,
}

/// Resolves `%xx`.
///
/// # Errors
/// `bad_data` for a percent sign that no two hexadecimal digits follow.
pub fn decode(encoded: &[u8], plus: Plus) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    loop {
        let plain = rest.iter().take_while(|&&byte| byte != b'%' && (byte != b'+' || plus == Plus::Itself));
        let (plain, special) = rest.split_at(plain.count());
        bytes.extend_from_slice(plain);
        let [first, after @ ..] = special else { return Ok(bytes) };
        rest = after;
        match first {
            b'%' => {
                let digits =
                    after.first_chunk().and_then(|&[high, low]| Some((hex_digit(high)?, hex_digit(low)?)));
                let (high, low) = digits.ok_or_else(|| bad_escape(after))?;
                bytes.push(high << 4 | low);
                rest = &after[2..];
            }
            _ => bytes.push(b' '),
        }
    }
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

fn bad_escape(digits: &[u8]) -> ApiError {
    let digits = String::from_utf8_lossy(&digits[..digits.len().min(2)]).into_owned();
    ApiError::bad_data(format!("error parsing form values: invalid URL escape {:?}", format!("%{digits}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(query: &[u8]) -> String {
        Parameters::parse(query, b"").unwrap_err().message
    }

    #[test]
    fn the_body_stands_first() {
        let parameters = Parameters::parse(b"a=1&b=%C3%A9+x&match[]=u&c", b"a=2&match%5B%5D=v").unwrap();
        assert_eq!(parameters.first("a"), "2");
        assert_eq!(parameters.first("b"), "é x");
        assert_eq!((parameters.first("c"), parameters.first("d")), ("", ""));
        assert_eq!(parameters.all("match[]").collect::<Vec<_>>(), ["v", "u"]);
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        assert_eq!(message(b"a=%zz"), "error parsing form values: invalid URL escape \"%zz\"");
        assert_eq!(message(b"a=%1"), "error parsing form values: invalid URL escape \"%1\"");
        assert_eq!(message(b"a=1;2"), "error parsing form values: invalid semicolon separator in query");
        assert_eq!(
            message(b"query=up%ff"),
            "invalid parameter \"query\": expected UTF-8, found another byte at offset 2"
        );
    }
}
