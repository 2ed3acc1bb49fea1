//! Sending a [`Message`]: the envelope from its header, the body as the server can take it.

use std::borrow::Cow;

use crate::connection::SmtpConnection;
use crate::connection::cargo::Consignment;
use crate::envelope::Envelope;
use crate::error::Result;
use crate::message::Message;
use crate::outcome::Outcome;

impl Envelope {
    /// The envelope that a message's header asks for (RFC 5322, 3.6): the sender is `Sender` or
    /// else `From`, the recipients are `To`, `Cc` and `Bcc`, each once; if the message was
    /// resent, the newest `Resent-` fields instead.
    pub fn of(message: &Message) -> Self {
        let (sender, recipients) = message.envelope_parts();
        Self::new(sender, recipients)
    }
}

impl SmtpConnection {
    /// Sends a message to everybody its header names: Python's `send_message()`.
    ///
    /// `Bcc` is in the envelope and never in the message. What the server cannot take as it is, is
    /// encoded for it; an attachment from a file is read while it is sent.
    ///
    /// # Errors
    ///
    /// [`Error::Message`] if an attachment cannot be read before anything is sent,
    /// [`Error::Source`] if that happens on the way, which cuts the connection; otherwise as
    /// [`sendmail`](Self::sendmail).
    pub fn send_message(&mut self, message: &Message) -> Result<Outcome> {
        self.send_message_to(&Envelope::of(message), message)
    }

    /// Sends a message to those on the envelope, whatever its header says.
    ///
    /// # Errors
    ///
    /// As [`send_message`](Self::send_message).
    pub fn send_message_to(&mut self, envelope: &Envelope, message: &Message) -> Result<Outcome> {
        let consignment = Consignment::of_message(Cow::Borrowed(envelope), message);
        self.deliver(consignment.load(&self.capabilities)?)
    }
}
