//! [`LineWriter`]: writes lines that come in pieces, with CRLF line ends.

use std::io::{self, Write};

use crate::message::transfer::Scan;
use crate::message::transfer::scan::Scanner;

/// Writes lines with CRLF line ends, and checks that they are the lines that were measured.
pub(crate) struct LineWriter<'w> {
    out: &'w mut dyn Write,
    block: Vec<u8>,
    scanner: Scanner,
    after_cr: bool,
}

impl<'w> LineWriter<'w> {
    pub(crate) fn new(out: &'w mut dyn Write) -> Self {
        Self {
            out,
            block: Vec::new(),
            scanner: Scanner::default(),
            after_cr: false,
        }
    }

    /// Ends the lines, and returns whether they are the lines that were measured.
    pub(crate) fn finish(self, measured: &Scan) -> bool {
        self.scanner.finish() == *measured
    }
}

impl Write for LineWriter<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.scanner.update(octets);
        self.block.clear();
        let mut rest = octets;
        if self.after_cr {
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(end) = rest.iter().position(|octet| matches!(octet, b'\r' | b'\n')) {
            let (line, behind) = rest.split_at(end);
            self.block.extend_from_slice(line);
            self.block.extend_from_slice(b"\r\n");
            rest = match behind {
                [b'\r', b'\n', rest @ ..] | [_, rest @ ..] => rest,
                [] => behind,
            };
        }
        self.block.extend_from_slice(rest);
        if let Some(last) = octets.last() {
            self.after_cr = *last == b'\r';
        }
        self.out.write_all(&self.block)?;
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// D4: wherever the text is cut, the lines are the same.
    #[test]
    fn lines_in_pieces_are_the_same_lines() {
        let text = b"a\r\nb\rc\n\n\r\r\nFrom x \n\xc3\xa9\t\r\nend";
        let whole = Scan::of(text);
        for one in 0..text.len() {
            for two in one..text.len() {
                let mut out = Vec::new();
                let mut writer = LineWriter::new(&mut out);
                for piece in [&text[..one], &text[one..two], &text[two..]] {
                    writer.write_all(piece).unwrap();
                }
                assert!(writer.finish(&whole.of_lines()));
                assert_eq!(out.len() as u64, whole.length);
                assert!(out == b"a\r\nb\r\nc\r\n\r\n\r\n\r\nFrom x \r\n\xc3\xa9\t\r\nend");
            }
        }
        let mut out = Vec::new();
        let mut writer = LineWriter::new(&mut out);
        writer.write_all(b"something else").unwrap();
        assert!(!writer.finish(&whole.of_lines()));
    }
}
