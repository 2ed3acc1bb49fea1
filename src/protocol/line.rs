//! [`LineBuffer`]: octets from the network, cut into lines.

use crate::protocol::error::ProtocolError;

/// Longest reply line, with its CRLF. RFC 5321, 4.5.3.1.5 promises 512; servers are more talkative.
pub(crate) const MAX_LINE: usize = 4096;
/// Longest line during AUTH (RFC 4954, 4), with its CRLF.
pub(crate) const MAX_AUTH_LINE: usize = 12288;

/// Octets that have arrived and were not read yet.
///
/// It never holds more than one read behind the line limit, and looks at each octet once.
#[derive(Debug, Default)]
pub(crate) struct LineBuffer {
    octets: Vec<u8>,
    /// Where the newest line starts: the last that was read, or what there is of the next.
    line: usize,
    /// Where the next line starts.
    start: usize,
    /// Up to where no line feed was found yet.
    scanned: usize,
}

impl LineBuffer {
    /// Takes what one read brought.
    pub(crate) fn extend(&mut self, octets: &[u8]) {
        // What was read has to go now: a peer whose pieces never end with a line leaves no better
        // moment.
        self.octets.drain(..self.start);
        (self.line, self.start, self.scanned) = (0, 0, self.scanned - self.start);
        self.octets.extend_from_slice(octets);
    }

    /// The next line with its CRLF; `None` means that more input is needed.
    ///
    /// A line ends with CRLF and nothing else: were a lone CR or LF an end too, two readers of the
    /// same octets could count different replies.
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

    /// The line that [`next_line`](Self::next_line) was about last, be it a bad one or half of one.
    pub(crate) fn newest_line(&self) -> &[u8] {
        self.octets.get(self.line..self.scanned).unwrap_or_default()
    }

    /// What arrived and was not read.
    pub(crate) fn unread(&self) -> &[u8] {
        self.octets.get(self.start..).unwrap_or_default()
    }

    /// Whether everything that arrived was read.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many octets are kept, read or not.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn held(&self) -> usize {
        self.octets.len()
    }

    /// How much memory it takes.
    #[cfg(test)]
    pub(crate) fn capacity(&self) -> usize {
        self.octets.capacity()
    }

    fn len(&self) -> usize {
        self.octets.len() - self.start
    }

    /// The end of the next line, if one short look finds it, as for nearly all lines.
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

/// How many octets stand before the first control character up to CR; all if there is none.
fn before_control(octets: &[u8]) -> usize {
    let mut rest = octets;
    while let Some((word, tail)) = rest.split_first_chunk() {
        let word = u64::from_le_bytes(*word);
        // Taking more than an octet has sets its highest bit. What that borrows from the octets
        // above does not matter, since the lowest is asked for.
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

/// A word of eight octets that are 1.
const ONES: u64 = u64::MAX / 0xff;
const CR: u64 = 0x0d;

/// CRLF at the end, and no CR or NUL before it.
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

    // R1: every piece ends amid a line, so the buffer is never empty.
    #[test]
    fn what_was_read_is_not_kept() {
        let mut buffer = buffer(b"250-");
        for _ in 0..1000 {
            buffer.extend(b"a\r\n250-");
            assert_eq!(buffer.next_line(MAX_LINE), Ok(Some(&b"250-a\r\n"[..])));
            assert!(buffer.held() <= 12);
        }
    }

    // R6, R11: only CRLF ends a line, and NUL has no place in one.
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

    // What a trace shows of a reply that is none.
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

    // R1: the limit holds with and without an end in sight.
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
