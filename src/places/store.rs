//! [`Store`]: where a session puts messages.

use std::borrow::Cow;
use std::time::Instant;

use crate::address::Address;
use crate::parameter::Parameter;

/// Where a session puts messages, one after the other.
///
/// A deadline is the one of the current step; `None` means no limit.
pub(crate) trait Store {
    /// Returns true if the server has gone away between two messages.
    fn is_down(&self) -> bool {
        false
    }

    /// Judges the sender of the next message.
    fn sender(&mut self, _sender: Option<&Address>) -> Result<(), Answer> {
        Ok(())
    }

    /// Judges a recipient of the next message.
    fn recipient(&mut self, _recipient: &Address) -> Result<(), Answer> {
        Ok(())
    }

    /// Whether a message may have more recipients than the offers say.
    fn takes_more(&self) -> bool {
        false
    }

    /// Begins a message to the recipients that were accepted.
    fn begin(&mut self, mail: &Mail) -> Result<(), Answer>;

    /// Returns true if the connection is lost before more of the message is taken.
    fn is_lost(&self) -> bool {
        false
    }

    /// Takes the next octets of the message; its lines end in CRLF.
    fn write(&mut self, octets: &[u8], deadline: Option<Instant>) -> Result<(), Halt>;

    /// Keeps the message, which is complete.
    fn end(&mut self, deadline: Option<Instant>) -> Result<Answer, Halt>;

    /// Drops a message that was begun, if there is one.
    fn abort(&mut self);
}

impl<S: Store + ?Sized> Store for Box<S> {
    fn is_down(&self) -> bool {
        (**self).is_down()
    }

    fn sender(&mut self, sender: Option<&Address>) -> Result<(), Answer> {
        (**self).sender(sender)
    }

    fn recipient(&mut self, recipient: &Address) -> Result<(), Answer> {
        (**self).recipient(recipient)
    }

    fn takes_more(&self) -> bool {
        (**self).takes_more()
    }

    fn begin(&mut self, mail: &Mail) -> Result<(), Answer> {
        (**self).begin(mail)
    }

    fn is_lost(&self) -> bool {
        (**self).is_lost()
    }

    fn write(&mut self, octets: &[u8], deadline: Option<Instant>) -> Result<(), Halt> {
        (**self).write(octets, deadline)
    }

    fn end(&mut self, deadline: Option<Instant>) -> Result<Answer, Halt> {
        (**self).end(deadline)
    }

    fn abort(&mut self) {
        (**self).abort();
    }
}

/// The envelope of a message, from MAIL and RCPT.
#[derive(Clone, Debug, Default)]
pub(crate) struct Mail {
    pub(crate) sender: Option<Address>,
    pub(crate) parameters: Vec<Parameter>,
    /// The accepted recipients.
    pub(crate) recipients: Vec<(Address, Vec<Parameter>)>,
}

impl Mail {
    /// Whether MAIL had this parameter, with this value if one is given.
    pub(crate) fn has_parameter(&self, keyword: &str, value: Option<&str>) -> bool {
        let mut parameters = self.parameters.iter();
        parameters.any(|it| it.keyword() == keyword && (value.is_none() || it.value() == value))
    }

    pub(crate) fn is_binary(&self) -> bool {
        self.has_parameter("BODY", Some("BINARYMIME"))
    }
}

/// Why a message is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    /// The server refuses it.
    Refused(Answer),
    /// The connection is lost.
    Lost,
    /// The server sends nothing more.
    TimedOut,
}

impl From<Answer> for Halt {
    fn from(answer: Answer) -> Self {
        Self::Refused(answer)
    }
}

/// A reply of the session: a code and its text, of one line or more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) code: u16,
    text: Cow<'static, str>,
}

impl Answer {
    pub(crate) fn new(code: u16, text: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            text: text.into(),
        }
    }

    /// Appends the lines of the reply (RFC 5321, 4.2.1). The text may come from a program or a test:
    /// its control characters become spaces.
    pub(crate) fn append_to(&self, out: &mut Vec<u8>) {
        let mut lines = self.text.trim_end().split('\n').peekable();
        while let Some(line) = lines.next() {
            let mark = if lines.peek().is_some() { '-' } else { ' ' };
            let line = line.trim_end_matches('\r').replace(char::is_control, " ");
            out.extend_from_slice(format!("{:03}{mark}{line}\r\n", self.code).as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_one_reply_whatever_its_text() {
        for (text, lines) in [
            ("2.0.0 ok", "250 2.0.0 ok\r\n"),
            ("", "250 \r\n"),
            ("one\ntwo\r\nthree\n", "250-one\r\n250-two\r\n250 three\r\n"),
            ("a\r250 b\0c", "250 a 250 b c\r\n"),
        ] {
            let mut out = Vec::new();
            Answer::new(250, text).append_to(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), lines);
        }
    }
}
