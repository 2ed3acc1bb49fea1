//! Quoted-printable text (RFC 2045, 6.7).

use std::io::{self, Write};

use crate::message::encoded_word::hex;
use crate::message::transfer::line_end::{BLOCK, Lines};

/// The longest encoded line (RFC 2045, 6.7 (5)), with the `=` that continues it.
const MAX_LINE: usize = 76;
/// The bytes of `=3D`.
const ESCAPE: u8 = 3;
/// The length of each byte when encoded: 1 if it is written unchanged.
static WIDTHS: [u8; 256] = widths();
/// Each byte when encoded. The whole slot is written, and its width is the distance to the next
/// one. This is faster than a test for each byte.
static SLOTS: [[u8; SLOT]; 256] = slots();
const SLOT: usize = 4;

/// Writes a text with lines of at most 76 characters. No line end is added after the last line.
pub(crate) fn write(text: &[u8], out: &mut dyn Write) -> io::Result<()> {
    let mut block = Vec::with_capacity(BLOCK.min(text.len() * 2) + 2 * MAX_LINE);
    let mut end: &[u8] = b"";
    for line in Lines::of(text) {
        block.extend_from_slice(end);
        end = b"\r\n";
        let mut rest = line;
        loop {
            rest = write_line(rest, &mut block);
            if block.len() >= BLOCK {
                out.write_all(&block)?;
                block.clear();
            }
            if rest.is_empty() {
                break;
            }
        }
    }
    out.write_all(&block)
}

/// How many bytes [`write()`] writes.
pub(super) fn length(text: &[u8]) -> u64 {
    let mut count = Count(0);
    // Counting does not fail.
    let _ = write(text, &mut count);
    count.0
}

/// Encodes as much of a line of text as one encoded line holds, and returns the rest.
fn write_line<'t>(text: &'t [u8], block: &mut Vec<u8>) -> &'t [u8] {
    if let Some(rest) = copy_line(text, block) {
        return rest;
    }
    let mut line = Line::new(text);
    line.fill();
    if line.count == text.len() {
        line.end();
    } else {
        line.make_room();
    }
    let (_, rest) = text.split_at(line.count);
    block.extend_from_slice(line.octets.get(..line.column).unwrap_or_default());
    if !rest.is_empty() {
        block.extend_from_slice(b"=\r\n");
    }
    rest
}

/// Copies a line if all its bytes are written unchanged.
fn copy_line<'t>(text: &'t [u8], block: &mut Vec<u8>) -> Option<&'t [u8]> {
    let (head, rest) = text.split_at(text.len().min(MAX_LINE - 1));
    let literal = head
        .iter()
        .fold(true, |all, octet| all & is_literal(*octet));
    // One more byte fits if it is the last.
    let ends = rest.len() < 2;
    if !literal || is_taken(head) || (ends && (ends_in_space(head) || !rest.is_empty())) {
        return None;
    }
    block.extend_from_slice(head);
    if !rest.is_empty() {
        block.extend_from_slice(b"=\r\n");
    }
    Some(rest)
}

/// Whether a line begins with something that programs on its way may change: a dot (SMTP), or `From
/// ` (mailbox files).
fn is_taken(text: &[u8]) -> bool {
    text.starts_with(b".") || text.starts_with(b"From ")
}

/// Whether a line ends in white space, which must be encoded (RFC 2045, 6.7 (3)).
fn ends_in_space(text: &[u8]) -> bool {
    matches!(text, [.., b' ' | b'\t'])
}

/// An encoded line that is being made.
struct Line<'t> {
    text: &'t [u8],
    /// How many bytes of the text are in it.
    count: usize,
    octets: [u8; MAX_LINE + SLOT],
    column: usize,
}

impl<'t> Line<'t> {
    fn new(text: &'t [u8]) -> Self {
        Self {
            text,
            count: 0,
            octets: [0; MAX_LINE + SLOT],
            column: 0,
        }
    }

    /// Encodes bytes until one does not fit.
    fn fill(&mut self) {
        let (mut count, mut column) = (0, 0);
        if let ([first, ..], true) = (self.text, is_taken(self.text)) {
            self.put(0, escape_slot(*first));
            (count, column) = (1, usize::from(ESCAPE));
        }
        for octet in self.text.iter().skip(count) {
            self.put(
                column,
                SLOTS.get(usize::from(*octet)).copied().unwrap_or_default(),
            );
            let next = column + width_of(*octet);
            if next > MAX_LINE {
                break;
            }
            column = next;
            count += 1;
        }
        (self.count, self.column) = (count, column);
    }

    /// Escapes white space at the end of the text, or moves it to the next line.
    fn end(&mut self) {
        if let ([.., last], true) = (self.text, ends_in_space(self.text)) {
            self.column -= 1;
            if self.column + usize::from(ESCAPE) > MAX_LINE {
                self.count -= 1;
            } else {
                self.put(self.column, escape_slot(*last));
                self.column += usize::from(ESCAPE);
            }
        }
    }

    /// Removes bytes until `=` fits and no character is divided.
    fn make_room(&mut self) {
        let full = self.column == MAX_LINE;
        let before = self.text.get(..self.count).unwrap_or_default();
        let mut taken = before.iter().rev();
        let mut next = self.text.get(self.count);
        for back in 0..SLOT {
            let divides = next.is_some_and(|octet| matches!(octet, 0x80..=0xbf));
            if !divides && (back > 0 || !full) {
                break;
            }
            next = taken.next();
            self.count -= 1;
            self.column -= next.map_or(0, |octet| width_of(*octet));
        }
    }

    /// Writes a slot. The next one overwrites the part of it that does not count.
    fn put(&mut self, column: usize, slot: [u8; SLOT]) {
        let place = self.octets.get_mut(column..);
        if let Some(place) = place.and_then(|rest| rest.first_chunk_mut()) {
            *place = slot;
        }
    }
}

fn width_of(octet: u8) -> usize {
    usize::from(WIDTHS.get(usize::from(octet)).copied().unwrap_or(ESCAPE))
}

const fn is_literal(octet: u8) -> bool {
    (matches!(octet, b' '..=b'~') && octet != b'=') || octet == b'\t'
}

const fn escape_slot(octet: u8) -> [u8; SLOT] {
    [b'=', hex(octet >> 4), hex(octet & 15), 0]
}

#[allow(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler, which would refuse an index that is too large"
)]
const fn widths() -> [u8; 256] {
    let mut widths = [ESCAPE; 256];
    let mut octet = 0_u8;
    while octet < 0x80 {
        if is_literal(octet) {
            widths[octet as usize] = 1;
        }
        octet += 1;
    }
    widths
}

#[allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated by the compiler; the number of an octet is below 256"
)]
const fn slots() -> [[u8; SLOT]; 256] {
    let mut slots = [[0; SLOT]; 256];
    let mut number = 0;
    while number < slots.len() {
        let octet = number as u8;
        slots[number] = if is_literal(octet) {
            [octet, 0, 0, 0]
        } else {
            escape_slot(octet)
        };
        number += 1;
    }
    slots
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

    /// The longest piece that is written at once.
    #[derive(Default)]
    struct Longest(usize);

    impl Write for Longest {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0 = self.0.max(octets.len());
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_text_is_written_in_pieces_whatever_its_lines_are() {
        for text in ["\n", "é", "\né\n\n", "x"] {
            let mut longest = Longest::default();
            write(text.repeat(100_000).as_bytes(), &mut longest).unwrap();
            assert!(longest.0 < BLOCK + 2 * MAX_LINE, "{text:?}: {}", longest.0);
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
