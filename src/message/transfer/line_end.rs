//! The lines of a text with any line ends, and CRLF as the only line end (RFC 2046, 4.1.1).

use std::io::{self, Write};

/// How many bytes an encoder collects before it writes them.
pub(super) const BLOCK: usize = 8 * 1024;
/// How many bytes are checked together. Compilers turn this into a few comparisons.
const STRIDE: usize = 16;
/// How many bytes are searched at once for the first line end.
const WORD: usize = 8;

/// The lines of a text: CR, LF and CRLF each end one.
///
/// After a line end at the end of the text comes one more, empty line. So the lines joined by CRLF
/// are the text.
#[derive(Clone, Debug)]
pub(super) struct Lines<'t> {
    rest: Option<&'t [u8]>,
}

impl<'t> Lines<'t> {
    pub(super) fn of(text: &'t [u8]) -> Self {
        Self { rest: Some(text) }
    }
}

impl<'t> Iterator for Lines<'t> {
    type Item = &'t [u8];

    fn next(&mut self) -> Option<&'t [u8]> {
        let text = self.rest?;
        let (line, end) = text.split_at(line_length(text));
        self.rest = match end {
            [] => None,
            [b'\r', b'\n', rest @ ..] | [_, rest @ ..] => Some(rest),
        };
        Some(line)
    }
}

/// Writes the lines of a text, with CRLF between them.
pub(super) fn write_crlf(text: &[u8], out: &mut dyn Write) -> io::Result<()> {
    let mut block = Vec::with_capacity(BLOCK.min(text.len() + text.len() / 8));
    let mut lines = Lines::of(text);
    block.extend_from_slice(lines.next().unwrap_or_default());
    for line in lines {
        if block.len() + line.len() > BLOCK {
            out.write_all(&block)?;
            block.clear();
        }
        block.extend_from_slice(b"\r\n");
        block.extend_from_slice(line);
    }
    out.write_all(&block)
}

/// How many bytes come before the first line end.
fn line_length(text: &[u8]) -> usize {
    let mut seen = 0;
    for stride in text.chunks_exact(STRIDE) {
        if stride.iter().fold(false, |any, octet| any | is_end(*octet)) {
            break;
        }
        seen += STRIDE;
    }
    let (_, rest) = text.split_at(seen);
    let mut words = rest.chunks_exact(WORD);
    for (number, word) in words.by_ref().enumerate() {
        let word = word
            .first_chunk()
            .map_or(0, |octets| u64::from_le_bytes(*octets));
        let ends = matches(word, b'\n') | matches(word, b'\r');
        if ends != 0 {
            return seen + number * WORD + ends.trailing_zeros() as usize / 8;
        }
    }
    let rest = words.remainder();
    let end = rest.iter().position(|octet| is_end(*octet));
    text.len() - rest.len() + end.unwrap_or(rest.len())
}

fn is_end(octet: u8) -> bool {
    octet == b'\n' || octet == b'\r'
}

/// Compares eight bytes at once. The lowest bit that is set is in the first byte that equals
/// `octet`.
fn matches(word: u64, octet: u8) -> u64 {
    const LOW: u64 = u64::from_le_bytes([0x01; WORD]);
    const HIGH: u64 = u64::from_le_bytes([0x80; WORD]);
    let difference = word ^ (LOW * u64::from(octet));
    // A byte without its high bit borrows only if it is zero, or if a byte below it was zero.
    difference.wrapping_sub(LOW) & !difference & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crlf(text: &str) -> String {
        let mut out = Vec::new();
        write_crlf(text.as_bytes(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// 5322-08, 2046-01. Only CR and LF end a line (H3).
    #[test]
    fn every_line_end_becomes_crlf() {
        for (text, canonical) in [
            ("", ""),
            ("a", "a"),
            ("a\n", "a\r\n"),
            ("a\r\nb", "a\r\nb"),
            ("a\rb\nc\r\n", "a\r\nb\r\nc\r\n"),
            ("\r\r\n\n", "\r\n\r\n\r\n"),
            (
                "a\u{2028}b\u{85}c\u{b}d\u{c}",
                "a\u{2028}b\u{85}c\u{b}d\u{c}",
            ),
        ] {
            assert_eq!(crlf(text), canonical, "{text:?}");
        }
    }

    #[test]
    fn lines_of_every_length_are_found() {
        let mut text = String::new();
        let mut canonical = String::new();
        for length in (0..70).chain([9_000, 20_000]) {
            let line = "x".repeat(length);
            text += &format!("{line}\n");
            canonical += &format!("{line}\r\n");
        }
        assert_eq!(crlf(&text), canonical);
    }
}
