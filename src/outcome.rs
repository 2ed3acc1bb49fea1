//! [`Outcome`]: the result for each recipient of a message.

use std::fmt;

use crate::address::Address;
use crate::parameter::Parameter;
use crate::reply::Reply;

/// The result for each recipient of a message.
///
/// If sending returns one as `Ok`, the server has accepted the message for at least one recipient.
/// [`accepted`](Self::accepted) lists the recipients that get it, and [`refused`](Self::refused)
/// those that do not.
///
/// ```no_run
/// # fn main() -> Result<(), smtplib::Error> {
/// # let mut smtp = smtplib::SmtpConnection::connect("localhost", 25)?;
/// let outcome = smtp.sendmail("me@example.com", ["ann@example.org", "bob@example.org"], "Hi!\n")?;
/// for recipient in outcome.refused() {
///     eprintln!("{recipient}"); // bob@example.org was refused: 550 5.1.1 no such user
/// }
/// # Ok(())
/// # }
/// ```
#[must_use = "some recipients may have been refused"]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    pub(crate) recipients: Vec<RecipientOutcome>,
    pub(crate) reply: Option<Reply>,
    pub(crate) ignored: Vec<Parameter>,
    pub(crate) attempts: u32,
}

impl Outcome {
    /// Makes an outcome from its recipients and the server's last reply.
    ///
    /// Use it in tests, or in a destination that you write yourself.
    ///
    /// ```
    /// use smtplib::{Address, Error, Outcome, RecipientOutcome, RecipientStatus, Reply};
    ///
    /// let reply = Reply::new(550, "5.1.1 no such user")?;
    /// let bob = Address::new("bob", "example.org")?;
    /// let bob = RecipientOutcome::new(bob, RecipientStatus::Refused, Some(reply));
    /// let error = Error::RecipientsRefused(Box::new(Outcome::new([bob], None)));
    /// assert_eq!(
    ///     error.to_string(),
    ///     "the server refused the recipient <bob@example.org>: 550 5.1.1 no such user"
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(
        recipients: impl IntoIterator<Item = RecipientOutcome>,
        reply: Option<Reply>,
    ) -> Self {
        Self {
            recipients: recipients.into_iter().collect(),
            reply,
            ignored: Vec::new(),
            attempts: 1,
        }
    }

    /// Returns true if every recipient was accepted.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.recipients.iter().all(RecipientOutcome::is_accepted)
    }

    /// Returns all recipients, in the order they were given.
    #[must_use]
    pub fn recipients(&self) -> &[RecipientOutcome] {
        &self.recipients
    }

    /// Turns the outcome into its recipients, in the order they were given.
    #[must_use]
    pub fn into_recipients(self) -> Vec<RecipientOutcome> {
        self.recipients
    }

    /// Gives recipients that were not reached the reply that stopped the message.
    pub(crate) fn explain(&mut self, reply: &Reply) {
        for recipient in &mut self.recipients {
            if recipient.status == RecipientStatus::NotSent && recipient.reply.is_none() {
                recipient.reply = Some(reply.clone());
            }
        }
    }

    /// Returns the recipients for which the server accepted the message.
    pub fn accepted(&self) -> impl Iterator<Item = &RecipientOutcome> {
        self.recipients
            .iter()
            .filter(|recipient| recipient.is_accepted())
    }

    /// Returns every recipient that certainly does not get the message, with the server's reply.
    ///
    /// Python's `sendmail` returns the same. Nearly always the server has refused them. Some may
    /// [not have been reached](RecipientStatus::NotSent), for instance because the server closed
    /// the connection (421). In an `Ok`, every recipient is either accepted or listed here.
    pub fn refused(&self) -> impl Iterator<Item = &RecipientOutcome> {
        self.recipients.iter().filter(|recipient| {
            matches!(
                recipient.status,
                RecipientStatus::Refused | RecipientStatus::NotSent
            )
        })
    }

    /// Returns the recipients for a second try later: those refused for now, or not reached.
    ///
    /// Recipients whose result is [unknown](RecipientStatus::Unknown) are left out, because they
    /// might get the message twice.
    pub fn worth_retrying(&self) -> impl Iterator<Item = &RecipientOutcome> {
        self.recipients
            .iter()
            .filter(|recipient| recipient.is_worth_retrying())
    }

    /// Returns the server's last reply to the message, often with a queue id in its text.
    ///
    /// LMTP has a reply for each recipient instead; this is the last of them.
    #[must_use]
    pub fn reply(&self) -> Option<&Reply> {
        self.reply.as_ref()
    }

    /// Returns how many times the message was tried; more than 1 only with a
    /// [`Mailer`](crate::Mailer).
    #[must_use]
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    /// Returns the parameters that were left out because the server does not offer them, each once.
    ///
    /// It is empty unless [`Envelope::ignore_unsupported`](crate::Envelope::ignore_unsupported) is
    /// set.
    #[must_use]
    pub fn ignored(&self) -> &[Parameter] {
        &self.ignored
    }
}

/// The result for one recipient. `Display` writes it as a sentence, with the server's reply.
///
/// ```
/// use smtplib::{Address, RecipientOutcome, RecipientStatus, Reply};
///
/// let bob = Address::new("bob", "example.org")?;
/// let reply = Reply::new(550, "5.1.1 no such user")?;
/// let bob = RecipientOutcome::new(bob, RecipientStatus::Refused, Some(reply));
/// assert_eq!(bob.to_string(), "bob@example.org was refused: 550 5.1.1 no such user");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipientOutcome {
    pub(crate) address: Address,
    pub(crate) status: RecipientStatus,
    pub(crate) reply: Option<Reply>,
}

impl RecipientOutcome {
    /// Makes the result for one recipient.
    ///
    /// Use it in tests, or in a destination that you write yourself.
    #[must_use]
    pub fn new(address: Address, status: RecipientStatus, reply: Option<Reply>) -> Self {
        Self {
            address,
            status,
            reply,
        }
    }

    /// A recipient about whom nothing is known yet.
    pub(crate) fn unanswered(address: Address) -> Self {
        Self {
            address,
            status: RecipientStatus::NotSent,
            reply: None,
        }
    }

    /// Returns the recipient.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Returns the status of the message for this recipient.
    #[must_use]
    pub fn status(&self) -> RecipientStatus {
        self.status
    }

    /// Returns the last reply about this recipient, to RCPT or to the message, if there was one.
    #[must_use]
    pub fn reply(&self) -> Option<&Reply> {
        self.reply.as_ref()
    }

    /// Splits the result into the recipient, the status and the reply.
    #[must_use]
    pub fn into_parts(self) -> (Address, RecipientStatus, Option<Reply>) {
        (self.address, self.status, self.reply)
    }

    /// Returns true if the server accepted the message for this recipient.
    #[must_use]
    pub fn is_accepted(&self) -> bool {
        self.status == RecipientStatus::Accepted
    }

    /// Returns true if a second try for this recipient makes sense; see
    /// [`Outcome::worth_retrying`].
    #[must_use]
    pub fn is_worth_retrying(&self) -> bool {
        match self.status {
            RecipientStatus::NotSent => !self.reply.as_ref().is_some_and(Reply::is_permanent),
            RecipientStatus::Refused => self.reply.as_ref().is_some_and(Reply::is_transient),
            RecipientStatus::Accepted | RecipientStatus::Unknown => false,
        }
    }
}

impl fmt::Display for RecipientOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = &self.address;
        let reply = self.reply.as_ref().map(|reply| format!(": {reply}"));
        let reply = reply.unwrap_or_default();
        match self.status {
            RecipientStatus::Accepted => write!(f, "{address} was accepted{reply}"),
            RecipientStatus::NotSent => write!(f, "{address} was not reached{reply}"),
            RecipientStatus::Refused => write!(f, "{address} was refused{reply}"),
            RecipientStatus::Unknown => {
                write!(f, "{address} may have been accepted: no reply came")
            }
        }
    }
}

/// The status of a message for one recipient.
///
/// ```
/// use smtplib::{Outcome, RecipientStatus};
///
/// fn print(outcome: &Outcome) {
///     for recipient in outcome.recipients() {
///         match recipient.status() {
///             RecipientStatus::Accepted => println!("{} gets it", recipient.address()),
///             _ => println!("{recipient}"),
///         }
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RecipientStatus {
    /// The server accepted the message for this recipient.
    Accepted,
    /// The message was certainly not sent to this recipient, for a reason that is not the
    /// recipient's.
    NotSent,
    /// The server refused the recipient, or the message for this recipient.
    Refused,
    /// The whole message was sent, and no reply came: the server may have accepted it or not.
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::parser::ReplyParser;

    #[test]
    fn a_recipient_in_a_sentence() {
        let mut recipient = RecipientOutcome::unanswered("ann@example.org".parse().unwrap());
        assert_eq!(recipient.to_string(), "ann@example.org was not reached");
        recipient.status = RecipientStatus::Unknown;
        recipient.reply = ReplyParser::default().push(b"250 ok\r\n").unwrap();
        assert_eq!(
            recipient.to_string(),
            "ann@example.org may have been accepted: no reply came"
        );
        recipient.status = RecipientStatus::Accepted;
        assert_eq!(
            recipient.to_string(),
            "ann@example.org was accepted: 250 ok"
        );
        recipient.status = RecipientStatus::Refused;
        recipient.reply = ReplyParser::default()
            .push(b"550 5.1.1 no \x1b[1mann\r\n")
            .unwrap();
        assert_eq!(
            recipient.to_string(),
            "ann@example.org was refused: 550 5.1.1 no \\u{1b}[1mann"
        );
    }
}
