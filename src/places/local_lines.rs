//! [`LocalLines`]: LF line ends, for files and programs.

use crate::places::dots::length_through;

/// Turns CRLF into LF. Any other CR or LF stays. The text may come in pieces, cut anywhere.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct LocalLines {
    /// The last byte was a CR, which is held back.
    owes_cr: bool,
}

impl LocalLines {
    /// Appends the next piece to `out`.
    pub(crate) fn convert(&mut self, input: &[u8], out: &mut Vec<u8>) {
        let mut rest = input;
        while !rest.is_empty() {
            let piece;
            (piece, rest) = rest.split_at(length_through(rest, b'\r'));
            match piece.split_last() {
                Some((b'\r', text)) => {
                    self.append(text, out);
                    self.finish(out);
                    self.owes_cr = true;
                }
                _ => self.append(piece, out),
            }
        }
    }

    /// Appends a CR that is still held back.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        if std::mem::take(&mut self.owes_cr) {
            out.push(b'\r');
        }
    }

    fn append(&mut self, piece: &[u8], out: &mut Vec<u8>) {
        let Some(first) = piece.first() else { return };
        if self.owes_cr && *first != b'\n' {
            out.push(b'\r');
        }
        self.owes_cr = false;
        out.extend_from_slice(piece);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(pieces: &[&[u8]]) -> Vec<u8> {
        let (mut lines, mut out) = (LocalLines::default(), Vec::new());
        for piece in pieces {
            lines.convert(piece, &mut out);
        }
        lines.finish(&mut out);
        out
    }

    #[test]
    fn only_crlf_is_changed_however_it_is_cut() {
        for text in [
            "",
            "a\r\nb\r\n",
            "\r\n\r\n",
            "a\rb\nc\r\r\nd\r",
            "\r",
            "\n\r",
            "\r\r\r\n",
        ] {
            let expected = text.replace("\r\n", "\n");
            for at in 0..=text.len() {
                let (head, tail) = text.as_bytes().split_at(at);
                let made = converted(&[head, tail]);
                assert_eq!(made, expected.as_bytes(), "{text:?} at {at}");
            }
            let octets: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
            assert_eq!(converted(&octets), expected.as_bytes(), "{text:?}");
        }
    }
}
