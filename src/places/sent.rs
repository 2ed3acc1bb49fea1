//! [`Sent`]: a message in an outbox.

use crate::address::Address;
use crate::envelope::Envelope;
use crate::message::decode::decoded;
use crate::message::unfold::unfolded;
use crate::parameter::Parameter;
use crate::places::store::Mail;

/// A message that an [`Outbox`](crate::Outbox) has accepted, as a server would have got it.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (mailer, outbox) = smtplib::Mailer::outbox();
/// mailer.sendmail("a@example.com", "b@example.org", "Subject: Lunch?\n\nAt noon?\n")?;
///
/// let sent = outbox.take().remove(0);
/// assert_eq!(sent.subject(), "Lunch?");
/// assert_eq!(sent.envelope().sender(), Some(&"a@example.com".parse()?));
/// assert!(sent.text().ends_with("At noon?\n"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    envelope: Envelope,
    parameters: Vec<Parameter>,
    octets: Vec<u8>,
}

impl Sent {
    pub(super) fn new(mail: Mail, octets: Vec<u8>) -> Self {
        let parameters = mail.parameters;
        // The program did not ask for the parameters that the library adds.
        let is_asked_for = |it: &&Parameter| !matches!(it.keyword(), "BODY" | "SIZE" | "SMTPUTF8");
        let asked_for = parameters.iter().filter(is_asked_for).cloned();
        let envelope = asked_for.fold(Envelope::new(mail.sender, []), Envelope::parameter);
        let recipients = mail.recipients.into_iter();
        let envelope = recipients.fold(envelope, |envelope, (address, parameters)| {
            envelope.recipient(address, parameters)
        });
        Self {
            envelope,
            parameters,
            octets,
        }
    }

    /// Returns the sender and the accepted recipients.
    ///
    /// It has the parameters of MAIL and RCPT that the program asked for, such as `RET=HDRS`. So a
    /// test can compare it with an envelope.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// Returns the sender; `None` is the null sender.
    #[must_use]
    pub fn sender(&self) -> Option<&Address> {
        self.envelope.sender()
    }

    /// Returns the recipients that were accepted, in the order they were given.
    pub fn recipients(&self) -> impl Iterator<Item = &Address> {
        self.envelope.recipients()
    }

    /// Returns all parameters of MAIL, `SIZE`, `BODY` and `SMTPUTF8` among them.
    #[must_use]
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// Returns the message as it came, with CRLF line ends.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.octets
    }

    /// Returns the message as text with LF line ends; bytes that are not UTF-8 are replaced.
    ///
    /// Encoded parts stay encoded: an attachment is base64, and so may be a text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.octets).replace("\r\n", "\n")
    }

    /// Returns the subject, decoded; empty if there is none.
    #[must_use]
    pub fn subject(&self) -> String {
        self.header("Subject").unwrap_or_default()
    }

    /// Returns the first header field with this name, in upper or lower case; `None` if there is
    /// none.
    ///
    /// The value is unfolded, and its encoded-words are decoded.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<String> {
        let text = String::from_utf8_lossy(&self.octets);
        let header = text.split("\r\n\r\n").next();
        let header = header.filter(|header| !header.starts_with("\r\n"))?;
        let value = field(header, name)?;
        let value = unfolded(value);
        Some(decoded(&value).unwrap_or_else(|| value.into_owned()))
    }
}

/// The value of the first field of this name, with its continuation lines.
fn field<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let mut rest = header;
    while !rest.is_empty() {
        let end = end_of_field(rest);
        let (field, after) = rest.split_at(end);
        rest = after;
        match field.split_once(':') {
            Some((key, value)) if key.trim_end().eq_ignore_ascii_case(name) => return Some(value),
            _ => {}
        }
    }
    None
}

/// Where the next field begins: after the first line end without a space or tab after it.
fn end_of_field(text: &str) -> usize {
    let ends = text.match_indices("\r\n").map(|(at, end)| at + end.len());
    let mut starts =
        ends.filter(|at| !text.get(*at..).unwrap_or_default().starts_with([' ', '\t']));
    starts.next().unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(message: &str) -> Sent {
        Sent::new(Mail::default(), message.as_bytes().to_vec())
    }

    #[test]
    fn the_subject_is_decoded() {
        for (message, subject) in [
            ("Subject: Lunch?\r\n\r\nHi", "Lunch?"),
            ("subject:Lunch?", "Lunch?"),
            ("To: a\r\nSUBJECT : a\r\n b\r\nCc: c\r\n", "a b"),
            (
                "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n =?utf-8?q?_aus?= Bonn\r\n\r\n",
                "Grüße aus Bonn",
            ),
            ("Subject: =?x-none?q?a?=\r\n\r\n", "=?x-none?q?a?="),
            ("Subject: Grüße\r\n\r\n", "Grüße"),
            ("Subject: one\r\nSubject: two\r\n\r\n", "one"),
            ("To: a\r\n Subject: no\r\n\r\nSubject: no\r\n", ""),
            ("\r\n\r\nSubject: no\r\n", ""),
            ("\r\nSubject: no\r\n", ""),
            ("", ""),
        ] {
            assert_eq!(sent(message).subject(), subject, "{message:?}");
        }
    }

    #[test]
    fn the_envelope_is_that_of_the_caller() {
        let address = |text: &str| text.parse::<Address>().unwrap();
        let parameter = |text: &str| text.parse::<Parameter>().unwrap();
        let mail = Mail {
            sender: Some(address("a@b.example")),
            parameters: ["SIZE=1", "RET=HDRS", "BODY=8BITMIME", "SMTPUTF8"]
                .map(parameter)
                .into(),
            recipients: vec![(address("c@d.example"), vec![parameter("NOTIFY=NEVER")])],
        };
        let sent = Sent::new(mail, Vec::new());
        let envelope = Envelope::new(address("a@b.example"), [])
            .parameter(parameter("RET=HDRS"))
            .recipient(address("c@d.example"), [parameter("NOTIFY=NEVER")]);
        assert_eq!(sent.envelope(), &envelope);
        assert_eq!(sent.parameters().len(), 4);
        assert_eq!(sent.sender(), Some(&address("a@b.example")));
        assert!(sent.recipients().eq([&address("c@d.example")]));
    }
}
