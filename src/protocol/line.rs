//! [`LineBuffer`] cuts octets from the network into lines.

use crate::protocol::error::ProtocolError;

/// Longest reply line, with its CRLF. RFC 5321, 4.5.3.1.5 allows 512, but some servers send more.
pub(crate) const MAX_LINE: usize = 4096;
/// Longest line during AUTH (RFC 4954, 4), with its CRLF.
pub(crate) const MAX_AUTH_LINE: usize = 12288;

/// Octets that have arrived and have not been read as lines yet.
///
/// It never holds more than the line limit and one read. It looks at each octet once.
#[derive(Debug, Default)]
pub(crate) struct LineBuffer {
    octets: Vec<u8>,
    /// Where the newest line starts: the line that was read last, or the beginning of the next.
    line: usize,
    /// Where the next line starts.
    start: usize,
    /// Where the search for the next line feed goes on.
    scanned: usize,
}

impl LineBuffer {
    /// Appends the octets of one read.
    pub(crate) fn extend(&mut self, octets: &[u8]) {
        // Lines that were read are removed here. Waiting until the buffer is empty could take for
        // ever, if the peer never ends a piece at a line end.
        self.octets.drain(..self.start);
        (self.line, self.start, self.scanned) = (0, 0, self.scanned - self.start);
        self.octets.extend_from_slice(octets);
    }

    /// The next line with its CRLF. `None` means that more input is needed.
    ///
    /// Only CRLF ends a line. If a lone CR or LF ended one, too, two readers of the same octets
    /// could count different replies.
    pub(crate) fn next_line(&mut self, limit: usize) -> Result<Option<&[u8]>, ProtocolError> {
        self.line = self.start;
        if let Some(end) = self.clean_end().filter(|end| end - self.start <= limit) {
            let start = self.start;
            (self.start, self.scanned) = (end, end);
            return Ok(self.octets.get(start..end));
        }
        let unread = self.octets.get(self.scanned..).unwrap_or_default();
        let Some(at) = unread.iter().position(|octet| *octet == b'\n') else {
            self.scanned = self.octets.len();
            return if self.len() >= limit {
                Err(ProtocolError::LineTooLong)
            } else {
                Ok(None)
            };
        };
        let (start, end) = (self.start, self.scanned + at + 1);
        (self.start, self.scanned) = (end, end);
        let line = self.octets.get(start..end).unwrap_or_default();
        if line.len() > limit {
            return Err(ProtocolError::LineTooLong);
        }
        check_line(line)?;
        Ok(Some(line))
    }

    /// The line that [`next_line`](Self::next_line) looked at last. It may be bad or incomplete.
    pub(crate) fn newest_line(&self) -> &[u8] {
        self.octets.get(self.line..self.scanned).unwrap_or_default()
    }

    /// The octets that have arrived and have not been read.
    pub(crate) fn unread(&self) -> &[u8] {
        self.octets.get(self.start..).unwrap_or_default()
    }

    /// Whether everything that has arrived has been read.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many octets are in memory, including those that have been read.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn held(&self) -> usize {
        self.octets.len()
    }

    /// How many octets of memory the buffer takes.
    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.octets.capacity()
    }

    fn len(&self) -> usize {
        self.octets.len() - self.start
    }

    /// The end of the next line, if the first control character is its CRLF. This is a fast check
    /// that succeeds for nearly all lines.
    fn clean_end(&self) -> Option<usize> {
        if self.scanned > self.start {
            return None;
        }
        let unread = self.octets.get(self.start..)?;
        let text = before_control(unread);
        let is_end = unread.get(text..text + 2) == Some(b"\r\n");
        is_end.then_some(self.start + text + 2)
    }
}

/// How many octets come before the first control character from NUL to CR. Without one, this is the
/// number of all octets.
fn before_control(octets: &[u8]) -> usize {
    let mut rest = octets;
    while let Some((word, tail)) = rest.split_first_chunk() {
        let word = u64::from_le_bytes(*word);
        // Subtracting more than the value of an octet sets its highest bit. The borrow can disturb
        // only the octets above, and only the lowest one counts.
        let found = word.wrapping_sub(ONES * (CR + 1)) & !word & (ONES << 7);
        if found != 0 {
            return octets.len() - rest.len() + found.trailing_zeros() as usize / 8;
        }
        rest = tail;
    }
    let is_control = |octet: &u8| u64::from(*octet) <= CR;
    let text = rest.iter().position(is_control).unwrap_or(rest.len());
    octets.len() - rest.len() + text
}

/// A word of eight octets, each of them 1.
pub(super) const ONES: u64 = u64::MAX / 0xff;
const CR: u64 = 0x0d;

/// Checks that a line ends in CRLF and has no other CR and no NUL.
fn check_line(line: &[u8]) -> Result<(), ProtocolError> {
    match line.strip_suffix(b"\r\n") {
        Some(text) if !text.contains(&b'\r') && !text.contains(&0) => Ok(()),
        _ => Err(ProtocolError::BadLine),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buffer(octets: &[u8]) -> LineBuffer {
        let mut buffer = LineBuffer::default();
        buffer.extend(octets);
        buffer
    }

    #[test]
    fn lines_come_out_whole_however_they_came_in() {
        let mut buffer = LineBuffer::default();
        for octet in b"220 a\r" {
            buffer.extend(&[*octet]);
            assert_eq!(buffer.next_line(MAX_LINE), Ok(None));
        }
        buffer.extend(b"\n250 b\r\n25");
        assert_eq!(buffer.next_line(MAX_LINE), Ok(Some(&b"220 a\r\n"[..])));
        assert!(!buffer.is_empty());
        assert_eq!(buffer.next_line(MAX_LINE), Ok(Some(&b"250 b\r\n"[..])));
        assert_eq!(buffer.next_line(MAX_LINE), Ok(None));
        buffer.extend(b"0 c\r\n");
        assert_eq!(buffer.next_line(MAX_LINE), Ok(Some(&b"250 c\r\n"[..])));
        assert!(buffer.is_empty());
    }

    #[test]
    fn controls_are_found_wherever_they_stand() {
        let text = [0xff_u8; 40];
        assert_eq!(before_control(&text), 40);
        for at in 0..40 {
            for control in 0..=u8::MAX {
                let mut text = text;
                text[at] = control;
                let expected = if control <= b'\r' { at } else { 40 };
                assert_eq!(before_control(&text), expected, "{control} at {at}");
            }
            let mut text = text;
            text[at..].fill(0x0d);
            assert_eq!(before_control(&text), at);
        }
        assert_eq!(before_control(b""), 0);
    }

    // R1: every piece ends in the middle of a line, so the buffer is never empty.
    #[test]
    fn what_was_read_is_not_kept() {
        let mut buffer = buffer(b"250-");
        for _ in 0..1000 {
            buffer.extend(b"a\r\n250-");
            assert_eq!(buffer.next_line(MAX_LINE), Ok(Some(&b"250-a\r\n"[..])));
            assert!(buffer.held() <= 12);
        }
    }

    // R6, R11: only CRLF ends a line, and a line must not contain NUL.
    #[test]
    fn lone_cr_lone_lf_and_nul_are_errors() {
        for octets in [
            &b"250 a\n"[..],
            b"250 a\rb\r\n",
            b"250 a\0b\r\n",
            b"\n",
            b"250 a\r\r\n",
        ] {
            assert_eq!(
                buffer(octets).next_line(MAX_LINE),
                Err(ProtocolError::BadLine),
                "{octets:?}"
            );
        }
    }

    // A trace shows this line if it is not a valid reply.
    #[test]
    fn the_newest_line_can_be_seen() {
        let mut buffer = buffer(b"250 a\r\n250 b\nc");
        assert_eq!(buffer.next_line(MAX_LINE), Ok(Some(&b"250 a\r\n"[..])));
        assert_eq!(buffer.newest_line(), b"250 a\r\n");
        assert_eq!(buffer.next_line(MAX_LINE), Err(ProtocolError::BadLine));
        assert_eq!(buffer.newest_line(), b"250 b\n");
        assert_eq!(buffer.next_line(MAX_LINE), Ok(None));
        assert_eq!(buffer.newest_line(), b"c");
        buffer.extend(b"d\r\n");
        assert_eq!(buffer.next_line(MAX_LINE), Ok(Some(&b"cd\r\n"[..])));
        assert_eq!(buffer.newest_line(), b"cd\r\n");
    }

    // R1: the limit holds with and without a line end in the buffer.
    #[test]
    fn a_line_has_a_limit() {
        let line = |len: usize| [vec![b'x'; len - 2], b"\r\n".to_vec()].concat();
        assert!(
            buffer(&line(MAX_LINE))
                .next_line(MAX_LINE)
                .is_ok_and(|line| line.is_some())
        );
        assert_eq!(
            buffer(&line(MAX_LINE + 1)).next_line(MAX_LINE),
            Err(ProtocolError::LineTooLong)
        );
        assert_eq!(
            buffer(&[b'x'; MAX_LINE]).next_line(MAX_LINE),
            Err(ProtocolError::LineTooLong)
        );
        assert_eq!(buffer(&[b'x'; MAX_LINE - 1]).next_line(MAX_LINE), Ok(None));
    }
}
