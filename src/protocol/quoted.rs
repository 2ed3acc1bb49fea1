//! Makes a [`Reply`] from text, for your tests and for destinations that you write yourself.

use std::str::FromStr;

use crate::address::try_from_text;
use crate::protocol::error::ProtocolError;
use crate::protocol::line::{LineBuffer, MAX_LINE};
use crate::protocol::parser::ReplyParser;
use crate::reply::Reply;

impl Reply {
    /// Makes a reply from a code and a text. Each line of the text becomes a line of the reply.
    ///
    /// Use it in tests, or in a destination that you write yourself.
    ///
    /// ```
    /// use smtplib::Reply;
    ///
    /// let reply = Reply::new(550, "5.1.1 no such user\nask postmaster@example.org")?;
    /// assert_eq!(reply.raw(), b"550-5.1.1 no such user\r\n550 ask postmaster@example.org\r\n");
    /// # Ok::<(), smtplib::error::ProtocolError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ProtocolError`] for a code below 200 or over 599, a CR or NUL in the text, or a text that
    /// is too long.
    pub fn new(code: u16, text: &str) -> Result<Self, ProtocolError> {
        let mut octets = String::with_capacity(text.len() + 6);
        let mut lines = text.split('\n').peekable();
        while let Some(line) = lines.next() {
            let separator = if lines.peek().is_some() { '-' } else { ' ' };
            octets.push_str(&format!("{code}{separator}{line}\r\n"));
        }
        let mut input = LineBuffer::default();
        input.extend(octets.as_bytes());
        let reply = ReplyParser::default().next_reply(&mut input, MAX_LINE)?;
        reply.ok_or(ProtocolError::BadCode)
    }
}

impl FromStr for Reply {
    type Err = ProtocolError;

    /// Reads a reply as a server writes it, with the code before each line. The code may be
    /// followed by a space, a hyphen or nothing.
    fn from_str(text: &str) -> Result<Self, ProtocolError> {
        let mut code = None;
        let mut lines = Vec::new();
        for line in text.lines() {
            let (digits, rest) = line.split_at_checked(3).ok_or(ProtocolError::BadCode)?;
            if *code.get_or_insert(digits) != digits {
                return Err(ProtocolError::CodeMismatch);
            }
            match rest.strip_prefix([' ', '-']) {
                Some(rest) => lines.push(rest),
                None if rest.is_empty() => lines.push(rest),
                None => return Err(ProtocolError::BadCode),
            }
        }
        let code = code.unwrap_or_default().parse();
        Self::new(code.map_err(|_| ProtocolError::BadCode)?, &lines.join("\n"))
    }
}

try_from_text!(Reply, ProtocolError);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_made_of_text() {
        for (text, raw) in [
            ("250 ok", "250 ok\r\n"),
            ("250", "250 \r\n"),
            ("250-mx\r\n250 SIZE 10\r\n", "250-mx\r\n250 SIZE 10\r\n"),
            (
                "550 5.1.1 no\n550 such user",
                "550-5.1.1 no\r\n550 such user\r\n",
            ),
            ("450 \u{e9}", "450 \u{e9}\r\n"),
        ] {
            let reply: Reply = text.parse().unwrap();
            assert_eq!(reply.raw(), raw.as_bytes());
            assert_eq!(raw.parse::<Reply>().unwrap(), reply);
            let code = reply.code().as_u16();
            assert_eq!(Reply::new(code, &reply.text()).unwrap(), reply);
        }
    }

    #[test]
    fn what_no_server_may_say_is_refused() {
        for (text, error) in [
            ("", ProtocolError::BadCode),
            ("ok", ProtocolError::BadCode),
            ("+25 ok", ProtocolError::BadCode),
            ("199 ok", ProtocolError::BadCode),
            ("600 ok", ProtocolError::BadCode),
            ("2500 ok", ProtocolError::BadCode),
            ("25\u{e9} ok", ProtocolError::BadCode),
            ("250 a\n550 b", ProtocolError::CodeMismatch),
            ("250 a\rb", ProtocolError::BadLine),
            ("250 a\0b", ProtocolError::BadLine),
        ] {
            assert_eq!(text.parse::<Reply>(), Err(error), "{text:?}");
        }
        let long = "x".repeat(MAX_LINE);
        assert_eq!(Reply::new(250, &long), Err(ProtocolError::LineTooLong));
        let many = "\n".repeat(3000);
        assert_eq!(Reply::new(250, &many), Err(ProtocolError::ReplyTooLong));
        assert_eq!(Reply::new(1000, "ok"), Err(ProtocolError::BadCode));
    }
}
