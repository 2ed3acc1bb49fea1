//! [`ReplyParser`] turns lines into replies.

use crate::protocol::error::ProtocolError;
use crate::protocol::line::LineBuffer;
use crate::reply::{Code, Reply};

/// Most lines of one reply.
pub(crate) const MAX_LINES: usize = 2000;
/// Most octets of one reply.
pub(crate) const MAX_REPLY: usize = 128 * 1024;

/// How many different replies are remembered: a few more than a transaction usually has.
const RECENT: usize = 6;

/// Reads replies line by line (RFC 5321, 4.2).
///
/// It is strict: the code has three digits, and the first is 2 to 5. A hyphen follows if the reply
/// has another line. All lines have the same code. It is tolerant in two places: a code without
/// text needs no space after it (`250<CRLF>`), and the text need not be UTF-8.
#[derive(Debug, Default)]
pub(crate) struct ReplyParser {
    raw: Vec<u8>,
    code: Option<Code>,
    lines: usize,
    /// The next reply may begin with 220 and end with a refusal.
    may_turn: bool,
    recent: Recent,
}

/// The newest replies. Servers often send the same reply again, and then its memory is shared.
///
/// They form a ring in order of arrival. The next reply is usually the newest or the one after it
/// in the ring. So a new text, such as one with a queue id, replaces the one of the last
/// transaction.
#[derive(Debug, Default)]
struct Recent {
    replies: [Option<Reply>; RECENT],
    newest: usize,
}

impl ReplyParser {
    /// The next reply from the lines that have arrived; `None` means that more input is needed.
    pub(crate) fn next_reply(
        &mut self,
        input: &mut LineBuffer,
        line_limit: usize,
    ) -> Result<Option<Reply>, ProtocolError> {
        while let Some(line) = input.next_line(line_limit)? {
            if let Some(reply) = self.push(line)? {
                return Ok(Some(reply));
            }
        }
        Ok(None)
    }

    /// Lets the next reply begin with 220 and end with a refusal, which then counts. Some servers
    /// send `220-mx.example.org` before they know the client.
    pub(crate) fn expect_greeting(&mut self) {
        self.may_turn = true;
    }

    /// Makes a reply from the part that has arrived, when the rest will not come. `half` is the
    /// last line, which may not be complete.
    pub(crate) fn cut_off(&mut self, half: &[u8]) -> Option<Reply> {
        let mut raw = std::mem::take(self).raw;
        let half = half.trim_ascii_end();
        if !half.is_empty() {
            raw.extend_from_slice(half);
            raw.extend_from_slice(b"\r\n");
        }
        let code = Code::parse([*raw.first()?, *raw.get(1)?, *raw.get(2)?])?;
        let is_reply = raw
            .get(3)
            .is_some_and(|octet| matches!(octet, b' ' | b'-' | b'\r'));
        is_reply.then(|| Reply::from_checked(code, raw.into()))
    }

    /// Takes one line with its CRLF. Returns the reply if this was its last line.
    pub(crate) fn push(&mut self, line: &[u8]) -> Result<Option<Reply>, ProtocolError> {
        let (code, is_last) = parse_code(line)?;
        if is_last && self.is_idle() {
            self.may_turn = false;
            return Ok(Some(self.recent.share(code, line)));
        }
        let first = *self.code.get_or_insert(code);
        if first != code {
            let is_refusal = code.is_transient() || code.is_permanent();
            if !(self.may_turn && first == 220 && is_refusal) {
                return Err(ProtocolError::CodeMismatch);
            }
            self.code = Some(code);
        }
        self.lines += 1;
        if self.lines > MAX_LINES || self.raw.len() + line.len() > MAX_REPLY {
            return Err(ProtocolError::ReplyTooLong);
        }
        self.raw.extend_from_slice(line);
        if !is_last {
            return Ok(None);
        }
        let raw = std::mem::take(&mut self.raw);
        (self.code, self.lines, self.may_turn) = (None, 0, false);
        Ok(Some(self.recent.share(code, &raw)))
    }

    /// The lines of a reply that has begun and not ended.
    pub(crate) fn unfinished(&self) -> &[u8] {
        &self.raw
    }

    /// Whether the last reply was complete and no other has begun.
    pub(crate) fn is_idle(&self) -> bool {
        self.code.is_none()
    }
}

impl Recent {
    /// The reply with these lines. If it was received before, the old value is cloned.
    fn share(&mut self, code: Code, raw: &[u8]) -> Reply {
        let places = (0..RECENT).map(|ahead| (self.newest + ahead) % RECENT);
        let known = |place: usize| self.replies.get(place)?.as_ref();
        let same = |reply: &Reply| reply.code() == code && reply.raw() == raw;
        for place in places {
            if let Some(reply) = known(place).filter(|reply| same(reply)) {
                self.newest = place;
                return reply.clone();
            }
        }
        let reply = Reply::from_checked(code, raw.into());
        self.newest = (self.newest + 1) % RECENT;
        if let Some(place) = self.replies.get_mut(self.newest) {
            *place = Some(reply.clone());
        }
        reply
    }
}

/// The code at the start of a line, and whether the line is the last of its reply.
fn parse_code(line: &[u8]) -> Result<(Code, bool), ProtocolError> {
    let &[a, b, c, separator, ..] = line else {
        return Err(ProtocolError::BadCode);
    };
    let code = Code::parse([a, b, c]).ok_or(ProtocolError::BadCode)?;
    match separator {
        b'-' => Ok((code, false)),
        b' ' | b'\r' => Ok((code, true)),
        _ => Err(ProtocolError::BadCode),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::line::MAX_LINE;

    fn parse(octets: &[u8]) -> Result<Option<Reply>, ProtocolError> {
        let mut input = LineBuffer::default();
        input.extend(octets);
        ReplyParser::default().next_reply(&mut input, MAX_LINE)
    }

    fn reply(octets: &[u8]) -> Reply {
        parse(octets).unwrap().expect("a whole reply")
    }

    // 5321-41, 5321-42, R7
    #[test]
    fn well_formed_replies() {
        for (octets, shown) in [
            (
                &b"220 mx.example.org ESMTP\r\n"[..],
                "220 mx.example.org ESMTP",
            ),
            (b"250\r\n", "250"),
            (b"250 \r\n", "250"),
            (b"250-\r\n250-b\r\n250 c\r\n", "250 b / c"),
            (b"250-a\r\n250\r\n", "250 a"),
            (b"599 x\r\n", "599 x"),
            (
                b"550 5.1.1 no \x1b[31mway\x07\r\n",
                "550 5.1.1 no \\u{1b}[31mway\\u{7}",
            ),
            (b"550 caf\xe9\r\n", "550 caf\u{fffd}"),
        ] {
            assert_eq!(reply(octets).to_string(), shown);
            assert_eq!(reply(octets).raw(), octets);
        }
    }

    // 5321-45, R4
    #[test]
    fn lax_codes_are_refused() {
        for octets in [
            &b"2500 ok\r\n"[..],
            b" 250 ok\r\n",
            b"+25 ok\r\n",
            b"25 ok\r\n",
            b"25\r\n",
            b"\r\n",
            b"abc\r\n",
            b"150 x\r\n",
            b"650 x\r\n",
            b"000 x\r\n",
            b"2\xd9\xa15 x\r\n",
            b"250_x\r\n",
            b"250\tx\r\n",
            b"HTTP/1.1 400 Bad Request\r\n",
        ] {
            assert_eq!(parse(octets), Err(ProtocolError::BadCode), "{octets:?}");
        }
    }

    // 5321-46, R5
    #[test]
    fn all_lines_have_one_code() {
        assert_eq!(
            parse(b"250-a\r\n550 b\r\n"),
            Err(ProtocolError::CodeMismatch)
        );
        assert_eq!(
            parse(b"250-a\r\n251-b\r\n"),
            Err(ProtocolError::CodeMismatch)
        );
    }

    // Field C4
    #[test]
    fn a_greeting_can_turn_into_a_refusal() {
        let greeting = |octets: &[u8]| {
            let mut input = LineBuffer::default();
            input.extend(octets);
            let mut parser = ReplyParser::default();
            parser.expect_greeting();
            parser.next_reply(&mut input, MAX_LINE)
        };
        let reply = greeting(b"220-mx\r\n521-5.7.1 blocked\r\n521 5.7.1 by list\r\n");
        assert_eq!(
            reply.unwrap().unwrap().to_string(),
            "521 mx / blocked / by list"
        );
        for octets in [
            &b"220-mx\r\n250 x\r\n"[..],
            b"250-mx\r\n521 x\r\n",
            b"220-mx\r\n521-x\r\n220 x\r\n",
            b"521-mx\r\n220 x\r\n",
        ] {
            assert_eq!(greeting(octets), Err(ProtocolError::CodeMismatch));
        }
    }

    // Field E5
    #[test]
    fn half_a_reply() {
        let half = |octets: &[u8]| {
            let mut input = LineBuffer::default();
            input.extend(octets);
            let mut parser = ReplyParser::default();
            assert_eq!(parser.next_reply(&mut input, MAX_LINE), Ok(None));
            let reply = parser.cut_off(input.newest_line());
            reply.map(|reply| reply.to_string())
        };
        for (octets, shown) in [
            (&b"421 going d"[..], Some("421 going d")),
            (b"421-going\r\n421", Some("421 going")),
            (b"421-going\r\n", Some("421 going")),
            (b"421\r", Some("421")),
            (b"421", Some("421")),
            (b"42", None),
            (b"4212", None),
            (b"going", None),
            (b"", None),
        ] {
            assert_eq!(half(octets).as_deref(), shown, "{octets:?}");
        }
    }

    // 5321-53, R1
    #[test]
    fn a_reply_has_limits() {
        let lines = |n: usize| [b"250-x\r\n".repeat(n - 1), b"250 x\r\n".to_vec()].concat();
        assert_eq!(reply(&lines(MAX_LINES)).lines().count(), MAX_LINES);
        assert_eq!(
            parse(&lines(MAX_LINES + 1)),
            Err(ProtocolError::ReplyTooLong)
        );

        let long = [b"250-".to_vec(), vec![b'x'; MAX_LINE - 6], b"\r\n".to_vec()].concat();
        assert_eq!(parse(&long.repeat(MAX_REPLY / MAX_LINE)), Ok(None));
        assert_eq!(
            parse(&long.repeat(MAX_REPLY / MAX_LINE + 1)),
            Err(ProtocolError::ReplyTooLong)
        );
    }

    #[test]
    fn unfinished_is_a_value() {
        assert_eq!(parse(b""), Ok(None));
        assert_eq!(parse(b"250"), Ok(None));
        assert_eq!(parse(b"250-a\r\n250 b"), Ok(None));
    }

    // 2034-01, 2034-03, 2034-06
    #[test]
    fn enhanced_codes() {
        let shown = |octets: &[u8]| reply(octets).enhanced().map(|code| code.to_string());
        assert_eq!(
            shown(b"550 5.1.1 no such user\r\n"),
            Some("5.1.1".to_owned())
        );
        assert_eq!(shown(b"550 5.999.123\r\n"), Some("5.999.123".to_owned()));
        assert_eq!(
            shown(b"550-first\r\n550 5.7.1 last\r\n"),
            Some("5.7.1".to_owned())
        );
        assert_eq!(shown(b"552 4.3.1 class differs\r\n"), None);
        assert_eq!(shown(b"250 2.1\r\n"), None);
        assert_eq!(shown(b"250 2.1.0.0 x\r\n"), None);
        assert_eq!(shown(b"250 2.1.1000 x\r\n"), None);
        assert_eq!(shown(b"354 3.0.0 x\r\n"), None);
    }

    // Z3
    #[test]
    fn secrets_can_be_masked() {
        let reply = reply(b"535 5.7.8 bad password tanstaaf for tim\r\n").masked(&["", "tanstaaf"]);
        assert_eq!(reply.to_string(), "535 5.7.8 bad password *** for tim");
        assert_eq!(reply.raw(), b"535 5.7.8 bad password *** for tim\r\n");
    }
}
