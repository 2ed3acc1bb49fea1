//! [`HeaderWatch`]: checks the header of a message while it is sent.

use crate::exchange::error::{ContentError, Inadmissible, Unsupported};

/// Checks the header of a message while it is sent. Characters outside ASCII must be UTF-8, and
/// MAIL must have said SMTPUTF8 (RFC 6531, 3.4; RFC 6532).
#[derive(Debug)]
pub(crate) struct HeaderWatch {
    letters: Letters,
    is_over: bool,
    line: Line,
    after_cr: bool,
    /// The beginning of a character whose end has not come yet.
    cut: Vec<u8>,
}

/// What a header may contain besides ASCII.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Letters {
    /// UTF-8: MAIL has said SMTPUTF8.
    Declared,
    /// Nothing: MAIL has not said SMTPUTF8, although the server offers it.
    Undeclared,
    /// Nothing: the server does not offer SMTPUTF8.
    NotOffered,
}

/// What the current line is so far.
#[derive(Clone, Copy, Debug)]
enum Line {
    /// The line is empty so far.
    Empty,
    /// The first line of the message, without a colon so far.
    First,
    Text,
}

impl HeaderWatch {
    pub(crate) fn new(letters: Letters) -> Self {
        Self {
            letters,
            is_over: false,
            line: Line::First,
            after_cr: false,
            cut: Vec::new(),
        }
    }

    /// Takes the next piece of the message, and says whether it may be sent.
    pub(crate) fn update(&mut self, piece: &[u8]) -> Result<(), Inadmissible> {
        if self.is_over {
            return Ok(());
        }
        let end = self.end_in(piece);
        let part = piece.get(..end).unwrap_or(piece);
        if part.is_ascii() && self.cut.is_empty() {
            return Ok(());
        }
        match self.letters {
            Letters::Declared => self.check_utf8(part),
            Letters::Undeclared => Err(ContentError::HeaderNotAscii.into()),
            Letters::NotOffered => Err(Unsupported::Header.into()),
        }
    }

    /// Where the header ends in this piece: at the first empty line, with any kind of line end. If
    /// the first line is not a field, the message has no header, and nothing of the piece is in it.
    fn end_in(&mut self, piece: &[u8]) -> usize {
        for (place, octet) in piece.iter().enumerate() {
            let is_second = *octet == b'\n' && self.after_cr;
            self.after_cr = *octet == b'\r';
            self.line = match (octet, self.line) {
                (b'\n', line) if is_second => line,
                (b'\r' | b'\n', line @ (Line::Empty | Line::First)) => {
                    self.is_over = true;
                    let is_header = matches!(line, Line::Empty);
                    return if is_header { place } else { 0 };
                }
                (b'\r' | b'\n', Line::Text) => Line::Empty,
                (b':', Line::First) | (_, Line::Empty) => Line::Text,
                (_, line) => line,
            };
        }
        piece.len()
    }

    fn check_utf8(&mut self, part: &[u8]) -> Result<(), Inadmissible> {
        self.cut.extend_from_slice(part);
        let whole = match std::str::from_utf8(&self.cut) {
            Ok(text) => text.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => return Err(ContentError::HeaderNotUtf8.into()),
        };
        self.cut.drain(..whole);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched(letters: Letters, pieces: &[&[u8]]) -> Result<(), Inadmissible> {
        let mut watch = HeaderWatch::new(letters);
        pieces.iter().try_for_each(|piece| watch.update(piece))
    }

    // E8, D2: whatever the pieces of the message are.
    #[test]
    fn letters_in_the_header_are_seen_wherever_it_is_cut() {
        use Letters::{Declared, NotOffered, Undeclared};
        let not_utf8 = || Err(ContentError::HeaderNotUtf8.into());
        let undeclared = || Err(ContentError::HeaderNotAscii.into());
        for (message, letters, expected) in [
            (
                "Subject: x\r\n\r\n\u{e9}\u{fc}".as_bytes(),
                Undeclared,
                Ok(()),
            ),
            (b"Subject: x\n\ncaf\xe9", NotOffered, Ok(())),
            (b"Subject: x\r\rcaf\xe9", Undeclared, Ok(())),
            (b"\r\ncaf\xe9", Undeclared, Ok(())),
            (
                "Subject: \u{e9}\u{20ac}\u{1f980}\r\n\r\n".as_bytes(),
                Declared,
                Ok(()),
            ),
            (
                "Subject: \u{e9}\r\n\r\n".as_bytes(),
                Undeclared,
                undeclared(),
            ),
            (
                "A: b\r\nSubject: \u{e9}".as_bytes(),
                NotOffered,
                Err(Unsupported::Header.into()),
            ),
            (b"Subject: caf\xe9\r\n\r\n", Declared, not_utf8()),
            (b"Subject: caf\xe9 \r\n\r\n", Declared, not_utf8()),
            (b"Subject: x\r\nA: \xc3\r\n\r\n", Declared, not_utf8()),
            (b"Subject: x\r\n\r\n\xe9", Declared, Ok(())),
            (b"Subject : x\r\n caf\xe9 x", Declared, not_utf8()),
            // A message without fields has no header.
            (b"Dear all\r\n: caf\xe9\r\n", Undeclared, Ok(())),
        ] {
            for one in 0..=message.len() {
                for two in one..=message.len() {
                    let pieces = [&message[..one], &message[one..two], &message[two..]];
                    assert_eq!(watched(letters, &pieces), expected, "{pieces:?}");
                }
            }
        }
    }
}
