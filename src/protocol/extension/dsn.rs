//! Delivery status notifications (DSN, RFC 3461): reports to the sender about delivery.

use crate::address::Address;
use crate::command_error::CommandError;
use crate::envelope::Envelope;
use crate::parameter::Parameter;
use crate::protocol::extension::xtext;

/// Longest ENVID, encoded (RFC 3461, 4.4).
const MAX_ENVELOPE_ID: usize = 100;

/// The events on which the sender gets a report about a recipient (NOTIFY, RFC 3461, 4.1).
///
/// Without it, a server reports failures and often delays.
///
/// ```
/// use smtplib::protocol::{Notify, NotifyOn, Parameter};
///
/// let notify = Notify::on([NotifyOn::Success, NotifyOn::Failure]);
/// assert_eq!(Parameter::from(notify).to_string(), "NOTIFY=SUCCESS,FAILURE");
/// assert_eq!(Parameter::from(Notify::never()).to_string(), "NOTIFY=NEVER");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Notify {
    on_success: bool,
    on_failure: bool,
    on_delay: bool,
}

/// An event in the delivery of a message.
///
/// ```
/// use smtplib::protocol::{Notify, NotifyOn, Parameter};
///
/// let notify = Notify::on([NotifyOn::Delay]);
/// assert_eq!(Parameter::from(notify).to_string(), "NOTIFY=DELAY");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NotifyOn {
    /// The message is late, and the server keeps trying.
    Delay,
    /// The message could not be delivered.
    Failure,
    /// The message was delivered.
    Success,
}

impl Notify {
    /// Asks for a report on these events. With none of them it is the same as
    /// [`never`](Self::never).
    #[must_use]
    pub fn on(events: impl IntoIterator<Item = NotifyOn>) -> Self {
        let mut notify = Self::never();
        for event in events {
            match event {
                NotifyOn::Delay => notify.on_delay = true,
                NotifyOn::Failure => notify.on_failure = true,
                NotifyOn::Success => notify.on_success = true,
            }
        }
        notify
    }

    /// Asks for no report, not even if the message cannot be delivered.
    #[must_use]
    pub fn never() -> Self {
        Self {
            on_success: false,
            on_failure: false,
            on_delay: false,
        }
    }
}

impl From<Notify> for Parameter {
    fn from(notify: Notify) -> Self {
        let words = [
            (notify.on_success, "SUCCESS"),
            (notify.on_failure, "FAILURE"),
            (notify.on_delay, "DELAY"),
        ];
        let words: Vec<&str> = words
            .into_iter()
            .filter_map(|(is_wanted, word)| is_wanted.then_some(word))
            .collect();
        let value = match words.as_slice() {
            [] => "NEVER".to_owned(),
            words => words.join(","),
        };
        Self::known("NOTIFY", Some(value.into()))
    }
}

/// How much of the message a failure report contains (RET, RFC 3461, 4.3).
///
/// ```
/// use smtplib::protocol::ReturnContent;
/// use smtplib::{Address, Envelope};
///
/// let news = Address::new("news", "example.com")?;
/// let envelope = Envelope::new(news, []).return_content(ReturnContent::Headers);
/// # Ok::<(), smtplib::error::AddressError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReturnContent {
    /// The whole message.
    Full,
    /// Only the header.
    Headers,
}

impl From<ReturnContent> for Parameter {
    fn from(content: ReturnContent) -> Self {
        let value = match content {
            ReturnContent::Full => "FULL",
            ReturnContent::Headers => "HDRS",
        };
        Self::known("RET", Some(value.into()))
    }
}

impl Parameter {
    /// Makes ORCPT: the recipient's address as the sender wrote it (RFC 3461, 4.2). Reports repeat
    /// it.
    ///
    /// An address outside ASCII is encoded by RFC 6533, so that any server can take it.
    #[must_use]
    pub fn original_recipient(address: &Address) -> Self {
        let text = address.to_string();
        let value = match xtext::encode(&text) {
            Some(text) => format!("rfc822;{text}"),
            None => format!("utf-8;{}", xtext::utf8_address(&text)),
        };
        Self::known("ORCPT", Some(value.into()))
    }

    /// Makes ENVID: an id that reports repeat (RFC 3461, 4.4). It may have up to 100 bytes when it
    /// is encoded.
    ///
    /// # Errors
    ///
    /// [`CommandError::Option`] if it is empty, too long, or has a character that is not printable
    /// ASCII.
    pub fn envelope_id(id: &str) -> Result<Self, CommandError> {
        let encoded = xtext::encode(id).filter(|id| matches!(id.len(), 1..=MAX_ENVELOPE_ID));
        let wanted = "ENVID must be 1 to 100 characters of printable ASCII, when it is encoded";
        let encoded = encoded.ok_or(CommandError::Option(wanted))?;
        Ok(Self::known("ENVID", Some(encoded.into())))
    }
}

/// Delivery status notifications (RFC 3461).
impl Envelope {
    /// Sets the reports for the recipients added so far; by default the server decides.
    ///
    /// Recipients with their own [`Notify`] keep it.
    ///
    /// ```
    /// use smtplib::protocol::{Notify, NotifyOn, ReturnContent};
    /// use smtplib::{Address, Envelope};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let (ann, bob): (Address, Address) = ("ann@example.org".parse()?, "bob@example.org".parse()?);
    /// let envelope = Envelope::new(Address::new("news", "example.com")?, [ann])
    ///     .notify(Notify::on([NotifyOn::Failure, NotifyOn::Delay]))
    ///     .recipient(bob, [Notify::never().into()])
    ///     .return_content(ReturnContent::Headers)
    ///     .envelope_id("2026-11-26/17")?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn notify(self, notify: Notify) -> Self {
        self.for_each_recipient("NOTIFY", |_| notify.into())
    }

    /// Adds ORCPT with its own address to each recipient added so far; by default there is none.
    ///
    /// Reports then name this address even if the mail is forwarded.
    pub fn original_recipients(self) -> Self {
        self.for_each_recipient("ORCPT", Parameter::original_recipient)
    }

    /// Sets how much of the message a failure report contains (RET); by default the server decides.
    pub fn return_content(self, content: ReturnContent) -> Self {
        self.parameter(content.into())
    }

    /// Sets an id that reports repeat (ENVID); see [`Parameter::envelope_id`].
    ///
    /// # Errors
    ///
    /// As [`Parameter::envelope_id`].
    pub fn envelope_id(self, id: &str) -> Result<Self, CommandError> {
        Ok(self.parameter(Parameter::envelope_id(id)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // 3461-02
    #[test]
    fn never_stands_alone_and_nothing_comes_twice() {
        for (events, expected) in [
            (&[][..], "NOTIFY=NEVER"),
            (&[NotifyOn::Delay], "NOTIFY=DELAY"),
            (
                &[NotifyOn::Delay, NotifyOn::Success, NotifyOn::Delay],
                "NOTIFY=SUCCESS,DELAY",
            ),
        ] {
            let notify = Notify::on(events.iter().copied());
            assert_eq!(Parameter::from(notify).to_string(), expected);
        }
    }

    // 3461-03, 3461-04, 6532-08
    #[test]
    fn the_original_recipient_by_its_type() {
        for (address, expected) in [
            ("Ann@example.org", "ORCPT=rfc822;Ann@example.org"),
            ("a+b@example.org", "ORCPT=rfc822;a+2Bb@example.org"),
            ("\"a b\"@example.org", "ORCPT=rfc822;\"a+20b\"@example.org"),
            ("zo\u{eb}@example.org", "ORCPT=utf-8;zo\\x{EB}@example.org"),
        ] {
            let parameter = Parameter::original_recipient(&address.parse().unwrap());
            assert_eq!(parameter.to_string(), expected);
        }
    }

    // 3461-06
    #[test]
    fn an_envelope_id_has_its_limits() {
        let id = |text: &str| Parameter::envelope_id(text).map(|id| id.to_string());
        assert_eq!(id("QQ 314+159").unwrap(), "ENVID=QQ+20314+2B159");
        assert!(id(&"x".repeat(100)).is_ok());
        assert!(id(&"+".repeat(33)).is_ok());
        for wrong in ["", "a\nb", "caf\u{e9}", &"x".repeat(101), &"+".repeat(34)] {
            let error = id(wrong).unwrap_err();
            assert_eq!(
                error.to_string(),
                "ENVID must be 1 to 100 characters of printable ASCII, when it is encoded"
            );
        }
    }
}
