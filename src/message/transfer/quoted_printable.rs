//! Quoted-printable text (RFC 2045, 6.7).

use std::io::{self, Write};

use crate::message::encoded_word::hex;
use crate::message::transfer::BLOCK;
use crate::message::transfer::line_end::{Lines, prefix_length};

/// Longest encoded line (RFC 2045, 6.7 (5)), with the `=` that continues it.
const MAX_LINE: usize = 76;
/// Octets of `=3D`.
const ESCAPE: usize = 3;

/// Writes a text with lines of at most 76 octets. No line end is added behind the last line.
pub(super) fn write(text: &[u8], out: &mut dyn Write) -> io::Result<()> {
    let mut encoder = Encoder {
        block: Vec::with_capacity(BLOCK.min(text.len() * 2) + 2 * MAX_LINE),
        column: 0,
        out,
    };
    let mut lines = Lines::of(text);
    encoder.line(lines.next().unwrap_or_default())?;
    for line in lines {
        encoder.line_break();
        encoder.line(line)?;
    }
    encoder.flush()
}

/// How many octets [`write`] writes.
pub(super) fn length(text: &[u8]) -> u64 {
    let mut count = Count(0);
    // Counting does not fail.
    let _ = write(text, &mut count);
    count.0
}

struct Encoder<'w> {
    block: Vec<u8>,
    /// Octets on the line that is being written.
    column: usize,
    out: &'w mut dyn Write,
}

impl Encoder<'_> {
    /// Encodes a line of text, in as many lines as it takes.
    fn line(&mut self, line: &[u8]) -> io::Result<()> {
        let mut rest = line;
        while !rest.is_empty() {
            if self.column == 0 {
                self.flush_full()?;
                rest = self.line_start(rest);
            }
            let literal = literal_length(rest);
            rest = if literal > 0 {
                self.literals(rest, literal)
            } else {
                self.escapes(rest)
            };
        }
        Ok(())
    }

    /// Escapes what programs on the way take for their own at the beginning of a line: a dot (SMTP), and `From `
    /// (mailbox files).
    fn line_start<'t>(&mut self, line: &'t [u8]) -> &'t [u8] {
        let taken = line.starts_with(b".") || line.starts_with(b"From ");
        match line {
            [first, rest @ ..] if taken => {
                self.escape(*first);
                rest
            }
            line => line,
        }
    }

    /// Copies octets that stand for themselves, as many as fit, and hands back the others.
    fn literals<'t>(&mut self, line: &'t [u8], literal: usize) -> &'t [u8] {
        let ends = literal == line.len() && literal <= self.room(true);
        let (run, rest) = line.split_at(literal.min(self.room(ends)));
        if run.is_empty() {
            self.soft_break();
        } else {
            self.block.extend_from_slice(run);
            self.column += run.len();
        }
        rest
    }

    /// Escapes characters until one stands for itself or does not fit, and hands back the others.
    ///
    /// The octets of one character stay on one line.
    fn escapes<'t>(&mut self, line: &'t [u8]) -> &'t [u8] {
        let mut rest = line;
        while let [first, ..] = rest {
            let (character, others) = rest.split_at(character_length(*first).min(rest.len()));
            if character.len() * ESCAPE > self.room(others.is_empty()) {
                self.soft_break();
                return rest;
            }
            character.iter().for_each(|octet| self.escape(*octet));
            rest = others;
            if rest.first().is_some_and(u8::is_ascii) {
                break;
            }
        }
        rest
    }

    fn escape(&mut self, octet: u8) {
        self.block
            .extend_from_slice(&[b'=', hex(octet >> 4), hex(octet & 15)]);
        self.column += ESCAPE;
    }

    /// What the line still holds; `=` has to fit too, unless the line of text ends.
    fn room(&self, ends: bool) -> usize {
        MAX_LINE - self.column - usize::from(!ends)
    }

    fn soft_break(&mut self) {
        self.block.push(b'=');
        self.line_break();
    }

    fn line_break(&mut self) {
        self.block.extend_from_slice(b"\r\n");
        self.column = 0;
    }

    fn flush_full(&mut self) -> io::Result<()> {
        if self.block.len() < BLOCK {
            return Ok(());
        }
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.block)?;
        self.block.clear();
        Ok(())
    }
}

/// How many octets at the beginning of a line of text stand for themselves; more than a line is not looked at.
///
/// White space does, but not at the end of the line (RFC 2045, 6.7 (3)).
fn literal_length(line: &[u8]) -> usize {
    let window = line.get(..MAX_LINE).unwrap_or(line);
    let length = prefix_length(window, is_literal);
    match line {
        [.., b' ' | b'\t'] if length == line.len() => length - 1,
        _ => length,
    }
}

fn is_literal(octet: u8) -> bool {
    (matches!(octet, b' '..=b'~') && octet != b'=') || octet == b'\t'
}

/// How many octets a character has that begins with this one.
fn character_length(first: u8) -> usize {
    match first {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    }
}

/// Counts what is written to it.
struct Count(u64);

impl Write for Count {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0 += octets.len() as u64;
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(text: &str) -> String {
        let mut out = Vec::new();
        write(text.as_bytes(), &mut out).unwrap();
        assert_eq!(out.len() as u64, length(text.as_bytes()));
        String::from_utf8(out).unwrap()
    }

    /// Decodes by the letter of RFC 2045.
    fn decode(encoded: &str) -> Vec<u8> {
        let mut out = Vec::new();
        let joined = encoded.replace("=\r\n", "");
        let mut octets = joined.bytes();
        while let Some(octet) = octets.next() {
            if octet != b'=' {
                out.push(octet);
                continue;
            }
            let digits = [octets.next().unwrap(), octets.next().unwrap()];
            let digits = std::str::from_utf8(&digits).unwrap();
            assert_eq!(digits, digits.to_uppercase());
            out.push(u8::from_str_radix(digits, 16).unwrap());
        }
        out
    }

    /// 2045-07, 2045-08, 2045-09, 2049-02, 3676-02.
    #[test]
    fn what_is_not_literal_is_escaped() {
        for (text, encoded) in [
            ("", ""),
            ("1 + 1 = 2", "1 + 1 =3D 2"),
            ("é\n", "=C3=A9\r\n"),
            ("end \nend\t\n  \n", "end=20\r\nend=09\r\n =20\r\n"),
            ("-- \nme", "--=20\r\nme"),
            ("a\0b\u{7f}\u{c}", "a=00b=7F=0C"),
            ("From here\nFrom\n From x", "=46rom here\r\nFrom\r\n From x"),
            (".\n..\n.x\n", "=2E\r\n=2E.\r\n=2Ex\r\n"),
            ("a\rb\r\nc", "a\r\nb\r\nc"),
        ] {
            assert_eq!(encode(text), encoded, "{text:?}");
        }
    }

    /// 2045-10, 2045-11.
    #[test]
    fn long_lines_are_broken_between_characters() {
        let x = |n: usize| "x".repeat(n);
        for (text, encoded) in [
            (x(76), x(76)),
            (x(77), format!("{}=\r\nxx", x(75))),
            (x(151), format!("{}=\r\n{}", x(75), x(76))),
            (format!("{}é", x(70)), format!("{}=C3=A9", x(70))),
            (format!("{}é", x(71)), format!("{}=\r\n=C3=A9", x(71))),
            (format!("{}éx", x(70)), format!("{}=\r\n=C3=A9x", x(70))),
            (
                format!("{}🦀", x(65)),
                format!("{}=\r\n=F0=9F=A6=80", x(65)),
            ),
            (format!("{} ", x(75)), format!("{}=\r\n=20", x(75))),
            (format!("{} y", x(75)), format!("{}=\r\n y", x(75))),
            (format!("{}. ", x(75)), format!("{}=\r\n=2E=20", x(75))),
            (
                format!("{}From x", x(75)),
                format!("{}=\r\n=46rom x", x(75)),
            ),
        ] {
            assert_eq!(encode(&text), encoded, "{text:?}");
        }
    }

    #[test]
    fn every_text_comes_back() {
        let pieces = [
            "x", " ", "é", "=", "\n", ".", "From ", "🦀", "\t", "\0", "word ",
        ];
        let mut state = 7_u32;
        for length in 0..400 {
            let mut text = String::new();
            for _ in 0..length {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                text += pieces[(state >> 16) as usize % pieces.len()];
            }
            let encoded = encode(&text);
            assert_eq!(decode(&encoded), text.replace('\n', "\r\n").as_bytes());
            for line in encoded.split("\r\n") {
                assert!(line.len() <= MAX_LINE, "{line}");
                assert!(!line.ends_with([' ', '\t']), "{line:?}");
                assert!(!line.starts_with("From ") && !line.starts_with('.'));
            }
        }
    }
}
