//! [`Scan`]: what decides how a text can be sent.

use crate::message::header::MAX_LINE;
use crate::message::transfer::base64::base64_length;
use crate::message::transfer::line_end::Lines;
use crate::message::transfer::{Encoding, Offers};

/// Quoted-printable may be longer than base64 by a sixteenth of the text, because people can read
/// it.
const LEGIBLE: u64 = 16;

/// What reading a text once has found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scan {
    /// The length in bytes, with CRLF line ends.
    pub(crate) length: u64,
    longest_line: usize,
    pub(crate) eight_bit: bool,
    has_nul: bool,
    /// How many bytes quoted-printable has to escape.
    escapes: u64,
    /// A line begins with `From `. Mailbox files use that as a separator, so programs may put a `>`
    /// before it.
    has_from: bool,
    /// A line ends in a space or a tab, which some servers remove.
    has_trailing_blank: bool,
    /// A line begins with a dot, which SMTP must double (RFC 5321, 4.5.2).
    pub(crate) has_dot: bool,
    /// The last line has a line end, or the text is empty.
    pub(crate) is_ended: bool,
}

impl Scan {
    pub(crate) fn of(text: &[u8]) -> Self {
        let mut scan = Self {
            eight_bit: !text.is_ascii(),
            has_nul: text.contains(&0),
            is_ended: matches!(text, [] | [.., b'\r' | b'\n']),
            ..Self::default()
        };
        if scan.eight_bit {
            scan.escapes = count(text, |octet| octet >= 0x80 || octet == b'=');
        }
        let mut separator = 0;
        for line in Lines::of(text) {
            scan.length += separator + line.len() as u64;
            separator = 2;
            scan.longest_line = scan.longest_line.max(line.len());
            scan.has_from |= line.starts_with(b"From ");
            scan.has_trailing_blank |= matches!(line, [.., b' ' | b'\t']);
            scan.has_dot |= line.starts_with(b".");
        }
        scan
    }

    /// Whether every line end of the text is CRLF already.
    pub(crate) fn is_canonical(&self, text: &[u8]) -> bool {
        // Any other line end is one byte shorter.
        self.length == text.len() as u64
    }

    /// Whether the text can be sent unencoded (RFC 2045, 2.7 and 2.8). `eight_bit` says whether the
    /// server takes 8-bit lines.
    pub(crate) fn fits(&self, eight_bit: bool) -> bool {
        !self.has_nul && self.longest_line <= MAX_LINE && (eight_bit || !self.eight_bit)
    }

    /// The same without what matters only for encoding.
    #[cfg(test)]
    pub(crate) fn of_lines(self) -> Self {
        Self { escapes: 0, ..self }
    }

    /// Whether lines that must not be encoded can be sent (RFC 2046, 5.2.1).
    pub(crate) fn goes_as_lines(&self, offers: Offers) -> bool {
        self.fits(offers.eight_bit) && !(offers.signed && self.has_trailing_blank)
    }

    /// The encoding for a text to a server with these offers.
    pub(crate) fn encoding(&self, offers: Offers) -> Encoding {
        if offers.signed && self.has_trailing_blank {
            self.encoded()
        } else {
            self.text_encoding(offers.eight_bit)
        }
    }

    /// The encoding for a text. `eight_bit` says whether the server takes 8-bit lines.
    pub(crate) fn text_encoding(&self, eight_bit: bool) -> Encoding {
        if self.fits(eight_bit) && !self.has_from {
            self.line_encoding()
        } else {
            self.encoded()
        }
    }

    /// The shorter encoding, with a preference for quoted-printable.
    fn encoded(&self) -> Encoding {
        if self.length + 2 * self.escapes <= base64_length(self.length) + self.length / LEGIBLE {
            Encoding::QuotedPrintable
        } else {
            Encoding::Base64
        }
    }

    /// The encoding of lines that are sent unencoded.
    pub(crate) fn line_encoding(&self) -> Encoding {
        if self.eight_bit {
            Encoding::EightBit
        } else {
            Encoding::SevenBit
        }
    }
}

/// Scans lines that come in pieces.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    scan: Scan,
    /// The length of the line so far, in bytes.
    line: usize,
    /// How much of `From ` the line begins with.
    from: usize,
    last: Option<u8>,
}

impl Scanner {
    pub(crate) fn update(&mut self, octets: &[u8]) {
        self.scan.eight_bit |= !octets.is_ascii();
        for octet in octets.iter().copied() {
            match octet {
                b'\n' if self.last == Some(b'\r') => {}
                b'\r' | b'\n' => {
                    self.end_line();
                    self.scan.length += 2;
                }
                _ => self.octet(octet),
            }
            self.last = Some(octet);
        }
    }

    fn octet(&mut self, octet: u8) {
        const FROM: &[u8] = b"From ";
        if self.from == self.line && FROM.get(self.from) == Some(&octet) {
            self.from += 1;
            self.scan.has_from |= self.from == FROM.len();
        }
        self.scan.has_nul |= octet == 0;
        self.scan.has_dot |= self.line == 0 && octet == b'.';
        self.line += 1;
        self.scan.length += 1;
    }

    fn end_line(&mut self) {
        self.scan.longest_line = self.scan.longest_line.max(self.line);
        self.scan.has_trailing_blank |= self.line > 0 && matches!(self.last, Some(b' ' | b'\t'));
        (self.line, self.from) = (0, 0);
    }

    /// What was found.
    pub(crate) fn finish(mut self) -> Scan {
        self.end_line();
        self.scan.is_ended = matches!(self.last, None | Some(b'\r' | b'\n'));
        self.scan
    }
}

/// Counts bytes. Each chunk is counted in a `u8`, so that compilers can add many at once.
fn count(text: &[u8], is_counted: impl Fn(u8) -> bool) -> u64 {
    text.chunks(u8::MAX.into())
        .map(|chunk| {
            let count: u8 = chunk.iter().map(|octet| u8::from(is_counted(*octet))).sum();
            u64::from(count)
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2045-04, 2045-14, 2049-02, 5322-09.
    #[test]
    fn content_and_server_choose_the_encoding() {
        use Encoding::{Base64, EightBit, QuotedPrintable, SevenBit};
        let long = "x".repeat(998);
        let too_long = "x".repeat(999);
        let some = "voilà un été, tout simplement".to_owned();
        for (text, with_8bit, without) in [
            ("", SevenBit, SevenBit),
            ("plain\r\n.\r\n-- \r\n", SevenBit, SevenBit),
            (&long, SevenBit, SevenBit),
            (&too_long, QuotedPrintable, QuotedPrintable),
            ("a\nFrom here\n", QuotedPrintable, QuotedPrintable),
            ("nul\0nul", QuotedPrintable, QuotedPrintable),
            (&some, EightBit, QuotedPrintable),
            ("привет, мир", EightBit, Base64),
            (&"привет ".repeat(200), Base64, Base64),
        ] {
            let scan = Scan::of(text.as_bytes());
            assert_eq!(scan.text_encoding(true), with_8bit, "{text:?}");
            assert_eq!(scan.text_encoding(false), without, "{text:?}");
        }
    }

    /// B11: signed content is 7-bit and has no trailing space that could be lost.
    #[test]
    fn what_is_signed_cannot_change_on_the_way() {
        use Encoding::{Base64, QuotedPrintable, SevenBit};
        let offers = Offers {
            eight_bit: true,
            ..Offers::default()
        };
        for (text, encoding) in [
            ("plain\n", SevenBit),
            ("-- \nme\n", QuotedPrintable),
            ("tab\t", QuotedPrintable),
            (" \n", QuotedPrintable),
            ("voilà un été, tout simplement", QuotedPrintable),
            ("привет, мир", Base64),
        ] {
            let scan = Scan::of(text.as_bytes());
            assert_eq!(scan.encoding(offers.signed()), encoding, "{text:?}");
            assert_eq!(scan.encoding(offers), scan.line_encoding(), "{text:?}");
        }
    }

    #[test]
    fn the_length_is_that_of_the_canonical_text() {
        for (text, length) in [("", 0), ("a", 1), ("a\n", 3), ("a\rb\r\n\nc", 9)] {
            assert_eq!(Scan::of(text.as_bytes()).length, length, "{text:?}");
        }
    }

    #[test]
    fn counts_do_not_wrap() {
        assert_eq!(count(&[b'='; 1_000], |octet| octet == b'='), 1_000);
    }
}
