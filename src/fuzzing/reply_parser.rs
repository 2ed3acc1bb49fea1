//! Replies do not depend on how their bytes arrive. The parser accepts exactly what the grammar
//! allows.

use crate::fuzzing::cutter::Cutter;
use crate::protocol::error::ProtocolError;
use crate::protocol::line::{LineBuffer, MAX_AUTH_LINE, MAX_LINE};
use crate::protocol::parser::{MAX_LINES, MAX_REPLY, ReplyParser};
use crate::reply::Reply;

/// The most bytes of a stream. It must be longer than the largest reply to reach the limits.
const MAX_STREAM: usize = MAX_REPLY + 4 * MAX_LINE;

/// The first byte chooses the line limit. The second chooses how often the stream is repeated
/// (mostly it is not, because that is slow). Four more are the lengths of the pieces in turn. The
/// rest is the stream.
pub(super) fn check(data: &[u8]) {
    let mut cutter = Cutter::new(data);
    let limit = match cutter.octet() {
        0 => MAX_LINE,
        255 => MAX_AUTH_LINE,
        octet => 8 + usize::from(octet),
    };
    let times = 1 + 8 * usize::from(cutter.octet().saturating_sub(224));
    let lengths = [0; 4].map(|_| 1 + usize::from(cutter.octet()));
    let mut stream = cutter.rest().repeat(times);
    stream.truncate(MAX_STREAM);

    let whole = replies(&stream, &[stream.len().max(1)], limit);
    assert_eq!(whole, replies(&stream, &[1], limit), "octet by octet");
    assert_eq!(whole, replies(&stream, &lengths, limit), "in pieces");
    whole.replies.iter().for_each(check_reply);
    let is_reply = whole.replies.len() == 1 && whole.end == Ok(true);
    assert_eq!(is_reply, is_grammatical(&stream, limit));
}

/// The result of parsing a stream.
#[derive(Debug, PartialEq, Eq)]
struct Parsed {
    replies: Vec<Reply>,
    /// Whether it ended with a whole reply, or the error that ended it.
    end: Result<bool, ProtocolError>,
}

/// Parses a stream in pieces of these lengths, which are repeated to its end.
fn replies(stream: &[u8], lengths: &[usize], limit: usize) -> Parsed {
    let (mut input, mut parser) = (LineBuffer::default(), ReplyParser::default());
    let (mut replies, mut rest) = (Vec::new(), stream);
    for length in lengths.iter().cycle() {
        let (piece, tail) = rest.split_at(rest.len().min(*length));
        rest = tail;
        input.extend(piece);
        assert!(
            input.held() < limit + piece.len(),
            "more is kept than the limit needs"
        );
        loop {
            match parser.next_reply(&mut input, limit) {
                Ok(Some(reply)) => replies.push(reply),
                Ok(None) => break,
                Err(error) => {
                    let end = Err(error);
                    return Parsed { replies, end };
                }
            }
        }
        if rest.is_empty() {
            break;
        }
    }
    let end = Ok(input.is_empty() && parser.is_idle());
    Parsed { replies, end }
}

fn check_reply(reply: &Reply) {
    assert!(reply.raw().len() <= MAX_REPLY && reply.lines().count() <= MAX_LINES);
    let again = replies(reply.raw(), &[MAX_REPLY], MAX_AUTH_LINE);
    assert_eq!(again.replies, std::slice::from_ref(reply), "read once more");
    for shown in [reply.to_string(), format!("{reply:?}")] {
        assert!(!shown.contains(char::is_control), "{shown:?}");
    }
    let codes = [
        reply.is_positive(),
        reply.is_transient(),
        reply.is_permanent(),
    ];
    assert!(codes.iter().filter(|is| **is).count() <= 1);
    let class = u16::from(reply.raw()[0] - b'0');
    assert_eq!(reply.code().as_u16() / 100, class);
    assert!(
        reply
            .enhanced()
            .is_none_or(|code| u16::from(code.class()) == class)
    );
}

/// Whether a stream is one reply and nothing else, by a simple reading of RFC 5321, 4.2 and
/// 4.5.3.1.5.
fn is_grammatical(stream: &[u8], limit: usize) -> bool {
    let text: String = stream.iter().map(|octet| char::from(*octet)).collect();
    let Some(text) = text.strip_suffix("\r\n") else {
        return false;
    };
    let lines: Vec<&str> = text.split("\r\n").collect();
    let last = lines.len() - 1;
    let is_code = |code: &str| {
        let digits: Vec<u32> = code.chars().filter_map(|c| c.to_digit(10)).collect();
        code.chars().count() == 3 && digits.len() == 3 && (2..=5).contains(&digits[0])
    };
    let is_line = |(number, line): (usize, &&str)| {
        let (code, rest) = line.split_at_checked(3).unwrap_or(("", ""));
        let continues = number < last;
        is_code(code)
            && lines[0].starts_with(code)
            && (rest.starts_with(if continues { '-' } else { ' ' })
                || (!continues && rest.is_empty()))
            && !line.contains(['\r', '\n', '\0'])
            && line.chars().count() + 2 <= limit
    };
    lines.len() <= MAX_LINES && stream.len() <= MAX_REPLY && lines.iter().enumerate().all(is_line)
}
