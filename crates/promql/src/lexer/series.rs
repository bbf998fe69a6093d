//! Tokens of series descriptions: `a{b="c"} 1+2x5 _ stale {{schema:1 buckets:[1 2]}}`.

use super::number::{self, Dialect, Scanned};
use super::{Lexed, Lexer, Stop, rune, stop};
use crate::token::{TokenKind, quoted};

/// Where in a description the text is.
enum Place {
    Values,
    Histogram,
    Buckets,
}

pub(super) fn lex(text: &str) -> Lexed {
    let lexed = Lexed { tokens: Vec::with_capacity(text.len() / 2 + 2), ..Lexed::default() };
    let mut lexer = Lexer::new(text, lexed);
    let end = lexer.metric().and_then(|()| lexer.values());
    lexer.finish(end)
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

impl Lexer<'_> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_while(&mut self, is_wanted: impl Fn(u8) -> bool) {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|byte| is_wanted(**byte)).count();
    }

    /// A single character as a token.
    fn push_one(&mut self, kind: TokenKind) {
        self.push(kind, self.at, self.at + 1);
        self.at += 1;
    }

    /// One token for any run of spaces.
    fn space(&mut self) {
        self.push_one(TokenKind::Space);
        self.skip_while(is_space);
    }

    fn character(&self) -> String {
        rune(self.text[self.at..].chars().next())
    }

    fn metric(&mut self) -> Result<(), Stop> {
        self.skip_while(is_space);
        if self.byte().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_' || byte == b':') {
            let start = self.at;
            self.skip_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':');
            self.word(start, self.at);
        }
        if self.byte() == Some(b'{') {
            self.push_one(TokenKind::LeftBrace);
            self.inside()?;
        }
        Ok(())
    }

    fn values(&mut self) -> Result<(), Stop> {
        let mut place = Place::Values;
        while self.at < self.text.len() {
            place = match place {
                Place::Values => self.value()?,
                Place::Histogram => self.histogram()?,
                Place::Buckets => self.buckets()?,
            };
        }
        match place {
            Place::Values => Ok(()),
            Place::Histogram => Err(self.incomplete()),
            Place::Buckets => Err(self.invalid_in_buckets()),
        }
    }

    fn value(&mut self) -> Result<Place, Stop> {
        let rest = &self.text[self.at..];
        match rest.as_bytes()[0] {
            b'{' if rest.starts_with("{{") => {
                self.push(TokenKind::OpenHistogram, self.at, self.at + 2);
                self.at += 2;
                return Ok(Place::Histogram);
            }
            byte if is_space(byte) => self.space(),
            b'+' => self.push_one(TokenKind::Add),
            b'-' => self.push_one(TokenKind::Sub),
            b'x' => self.push_one(TokenKind::Times),
            b'_' => self.push_one(TokenKind::Blank),
            b'0'..=b'9' => self.plain_number()?,
            b'.' if rest[1..].starts_with(|next: char| next.is_ascii_digit()) => self.plain_number()?,
            byte if byte.is_ascii_alphabetic() => {
                let start = self.at;
                self.skip_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':');
                self.word(start, self.at);
            }
            _ => {
                let character = self.character();
                return Err(stop(format!("unexpected character in series sequence: {character}"), self.at));
            }
        }
        Ok(Place::Values)
    }

    fn plain_number(&mut self) -> Result<(), Stop> {
        match number::scan(self.text, self.at, Dialect::Series) {
            Scanned::Number(end) | Scanned::Duration(end) => {
                self.push(TokenKind::Number, self.at, end);
                self.at = end;
                Ok(())
            }
            Scanned::Neither(end) => {
                Err(stop(format!("bad number syntax: {}", quoted(&self.text[self.at..end])), self.at))
            }
        }
    }

    fn incomplete(&self) -> Stop {
        stop(format!("histogram description incomplete unexpected: {}", self.character()), self.at)
    }

    fn histogram(&mut self) -> Result<Place, Stop> {
        let rest = &self.text[self.at..];
        match rest.as_bytes()[0] {
            byte if is_space(byte) => self.space(),
            byte if byte.is_ascii_alphabetic() || byte == b'_' => self.descriptor()?,
            b':' => self.push_one(TokenKind::Colon),
            b'-' => self.push_one(TokenKind::Sub),
            b'0'..=b'9' => self.plain_number()?,
            b'[' => {
                self.push_one(TokenKind::LeftBracket);
                return Ok(Place::Buckets);
            }
            b'}' if rest.starts_with("}}") => {
                self.push(TokenKind::CloseHistogram, self.at, self.at + 2);
                self.at += 2;
                return Ok(Place::Values);
            }
            _ => return Err(self.incomplete()),
        }
        Ok(Place::Histogram)
    }

    fn descriptor(&mut self) -> Result<(), Stop> {
        let start = self.at;
        self.skip_while(|byte| byte.is_ascii_alphabetic() || byte == b'_');
        let word = &self.text[start..self.at];
        let lower = word.to_ascii_lowercase();
        let kind = match key(&lower) {
            Some(kind) if self.byte() == Some(b':') => kind,
            Some(_) => return Err(stop("missing `:` for histogram descriptor", start)),
            None => match hint(&lower) {
                Some(kind) => kind,
                None => return Err(stop(format!("bad histogram descriptor found: {}", quoted(word)), start)),
            },
        };
        self.push(kind, start, self.at);
        Ok(())
    }

    fn invalid_in_buckets(&self) -> Stop {
        stop(format!("invalid character in buckets description: {}", self.character()), self.at)
    }

    fn buckets(&mut self) -> Result<Place, Stop> {
        let rest = &self.text[self.at..];
        match rest.as_bytes()[0] {
            byte if is_space(byte) => self.space(),
            b'-' => self.push_one(TokenKind::Sub),
            b'0'..=b'9' => self.plain_number()?,
            b']' => {
                self.push_one(TokenKind::RightBracket);
                return Ok(Place::Histogram);
            }
            _ => {
                let word = rest.get(..3).unwrap_or("");
                if TokenKind::of_word(word) != Some(TokenKind::Number) {
                    return Err(self.invalid_in_buckets());
                }
                self.push(TokenKind::Number, self.at, self.at + word.len());
                self.at += word.len();
            }
        }
        Ok(Place::Buckets)
    }
}

/// What a histogram description may set.
fn key(word: &str) -> Option<TokenKind> {
    Some(match word {
        "sum" => TokenKind::SumKey,
        "count" => TokenKind::CountKey,
        "schema" => TokenKind::SchemaKey,
        "offset" => TokenKind::OffsetKey,
        "n_offset" => TokenKind::NegativeOffsetKey,
        "buckets" => TokenKind::BucketsKey,
        "n_buckets" => TokenKind::NegativeBucketsKey,
        "z_bucket" => TokenKind::ZeroBucketKey,
        "z_bucket_w" => TokenKind::ZeroBucketWidthKey,
        "custom_values" => TokenKind::CustomValuesKey,
        "counter_reset_hint" => TokenKind::CounterResetHintKey,
        _ => return None,
    })
}

/// Values of `counter_reset_hint`, and the numbers that are words.
fn hint(word: &str) -> Option<TokenKind> {
    Some(match word {
        "unknown" => TokenKind::HintUnknown,
        "reset" => TokenKind::HintReset,
        "not_reset" => TokenKind::HintNotReset,
        "gauge" => TokenKind::HintGauge,
        "inf" | "nan" => TokenKind::Number,
        _ => return None,
    })
}
