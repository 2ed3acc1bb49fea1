//! [`Scan`]: what a text asks of the way it is sent.

use crate::message::header::MAX_LINE;
use crate::message::transfer::Encoding;
use crate::message::transfer::base64::base64_length;
use crate::message::transfer::line_end::Lines;

/// Quoted-printable may be longer than base64 by a sixteenth of the text, because it can be read as
/// it is.
const LEGIBLE: u64 = 16;

/// What one look at a text found.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Scan {
    /// Octets with CRLF line ends.
    pub(crate) length: u64,
    longest_line: usize,
    pub(crate) eight_bit: bool,
    has_nul: bool,
    /// Octets that quoted-printable has to escape.
    escapes: u64,
    /// A line begins with `From `, which mailbox files tell messages by: on the way one may put a
    /// `>` before it.
    has_from: bool,
}

impl Scan {
    pub(crate) fn of(text: &[u8]) -> Self {
        let mut scan = Self {
            eight_bit: !text.is_ascii(),
            has_nul: text.contains(&0),
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
        }
        scan
    }

    /// Whether it can go out as it is, given whether the server takes 8-bit lines (RFC 2045, 2.7
    /// and 2.8).
    pub(crate) fn fits(&self, eight_bit: bool) -> bool {
        !self.has_nul && self.longest_line <= MAX_LINE && (eight_bit || !self.eight_bit)
    }

    /// The encoding for a text, given whether the server takes 8-bit lines.
    pub(crate) fn text_encoding(&self, eight_bit: bool) -> Encoding {
        if self.fits(eight_bit) && !self.has_from {
            self.line_encoding()
        } else if self.length + 2 * self.escapes
            <= base64_length(self.length) + self.length / LEGIBLE
        {
            Encoding::QuotedPrintable
        } else {
            Encoding::Base64
        }
    }

    /// The label for lines that are sent as they are.
    pub(crate) fn line_encoding(&self) -> Encoding {
        if self.eight_bit {
            Encoding::EightBit
        } else {
            Encoding::SevenBit
        }
    }
}

/// Counts octets; within a chunk in one octet each, so that compilers can add many at once.
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
