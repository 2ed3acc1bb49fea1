//! [`DotDecoder`]: reads the message that follows DATA.

use std::io::BufRead;

/// Removes the dots that [`DataEncoder`](crate::protocol::data::DataEncoder) added, and finds the
/// end of data (RFC 5321, 4.5.2).
///
/// Only CRLF ends a line. The data may come in pieces, cut anywhere.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum DotDecoder {
    /// At the start of a line.
    #[default]
    LineStart,
    /// After a dot at the start of a line; the dot is not part of the message.
    Dot,
    /// The same, and a CR after it.
    DotCr,
    /// Within a line.
    Text,
    /// Within a line, after a CR.
    Cr,
}

impl DotDecoder {
    /// Decodes the next piece into `sink`. Returns how many octets were taken, and whether the last
    /// of them ended the data.
    pub(crate) fn decode(&mut self, input: &[u8], mut sink: impl FnMut(&[u8])) -> (usize, bool) {
        let mut rest = input;
        while let Some((&octet, tail)) = rest.split_first() {
            match (*self, octet) {
                (Self::LineStart, b'.') => {
                    *self = Self::Dot;
                    rest = tail;
                }
                (Self::Dot, b'\r') => {
                    *self = Self::DotCr;
                    rest = tail;
                }
                (Self::DotCr, b'\n') => return (input.len() - tail.len(), true),
                (Self::DotCr, _) => {
                    sink(b"\r");
                    *self = Self::Cr;
                }
                _ => rest = self.pass(rest, &mut sink),
            }
        }
        (input.len(), false)
    }

    /// Passes on the part without dots at a line start; returns the rest.
    fn pass<'a>(&mut self, input: &'a [u8], sink: &mut impl FnMut(&[u8])) -> &'a [u8] {
        let (mut end, mut rest) = (0, input);
        while !rest.is_empty() {
            let line;
            (line, rest) = rest.split_at(length_through(rest, b'\n'));
            let begins_behind_cr = end == 0 && *self == Self::Cr;
            let is_first = end == 0;
            if !is_first && *self == Self::LineStart && line.first() == Some(&b'.') {
                break;
            }
            end += line.len();
            *self = match line {
                [.., b'\r', b'\n'] => Self::LineStart,
                [b'\n'] if begins_behind_cr => Self::LineStart,
                [.., b'\r'] => Self::Cr,
                _ => Self::Text,
            };
        }
        let (passed, rest) = input.split_at(end);
        sink(passed);
        rest
    }
}

/// The length up to and with the first such octet, or of everything. The search is std's, because
/// reading octet by octet takes most of the time of a large message.
pub(super) fn length_through(octets: &[u8], octet: u8) -> usize {
    let mut rest = octets;
    // A slice has all there is, and reading from it cannot fail.
    let _ = rest.skip_until(octet);
    octets.len() - rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::data::DataEncoder;

    /// The message in these pieces, and what stands behind its end.
    fn decoded(pieces: &[&[u8]]) -> Option<(Vec<u8>, Vec<u8>)> {
        let mut decoder = DotDecoder::default();
        let (mut message, mut behind, mut is_over) = (Vec::new(), Vec::new(), false);
        for piece in pieces {
            let mut taken = 0;
            if !is_over {
                (taken, is_over) = decoder.decode(piece, |octets| message.extend(octets));
            }
            behind.extend_from_slice(&piece[taken..]);
        }
        is_over.then_some((message, behind))
    }

    const CASES: [(&str, &str); 12] = [
        (".\r\n", ""),
        ("Hi!\r\n.\r\n", "Hi!\r\n"),
        ("..\r\n.\r\n", ".\r\n"),
        ("..x\r\n...\r\n.\r\n", ".x\r\n..\r\n"),
        (".x\r\n.\r\n", "x\r\n"),
        ("a\n.\r\nb\r\n.\r\n", "a\n.\r\nb\r\n"),
        ("a\r.\r\nb\r\n.\r\n", "a\r.\r\nb\r\n"),
        (".\rx\r\n.\r\n", "\rx\r\n"),
        (".\r\r\n.\r\n", "\r\r\n"),
        (".\n\r\n.\r\n", "\n\r\n"),
        ("a\r\r\n.\r\n", "a\r\r\n"),
        ("\r\n\r\n.\r\n", "\r\n\r\n"),
    ];

    #[test]
    fn the_message_comes_out_however_it_is_cut() {
        for (data, message) in CASES {
            let data = format!("{data}NOOP\r\n");
            for at in 0..=data.len() {
                let (head, tail) = data.as_bytes().split_at(at);
                let expected = (message.into(), b"NOOP\r\n".to_vec());
                assert_eq!(decoded(&[head, tail]), Some(expected), "{data:?} at {at}");
            }
            let octets: Vec<&[u8]> = data.as_bytes().chunks(1).collect();
            assert_eq!(decoded(&octets).unwrap().0, message.as_bytes(), "{data:?}");
        }
    }

    #[test]
    fn nothing_else_is_an_end() {
        for data in [".\n", ".\r", "x.\r\n", "\n.\r\n", "\r.\r\n", "..\r\n"] {
            assert_eq!(decoded(&[data.as_bytes()]), None, "{data:?}");
        }
    }

    #[test]
    fn it_undoes_what_the_encoder_does() {
        for message in [
            "",
            ".",
            "..\r\n.\r\n",
            "a\n.\nb\r.\rc",
            "\r\n.\r\n.\r\n",
            "...",
        ] {
            let (mut encoder, mut data) = (DataEncoder::new(), Vec::new());
            encoder.encode(message.as_bytes(), &mut data);
            encoder.finish(&mut data);
            let (mut chunk, mut plain) = (DataEncoder::chunked(), Vec::new());
            chunk.encode(message.as_bytes(), &mut plain);
            chunk.finish(&mut plain);
            assert_eq!(decoded(&[&data]), Some((plain, vec![])), "{message:?}");
        }
    }
}
