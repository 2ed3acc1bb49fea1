//! Sending a [`Message`]: the envelope from its header, the body as the server can take it.

use std::borrow::Cow;

use crate::connection::SmtpConnection;
use crate::connection::cargo::Consignment;
use crate::envelope::Envelope;
use crate::error::{Error, Result};
use crate::message::Message;
use crate::outcome::Outcome;
use crate::recipients::IntoRecipients;

impl Envelope {
    /// Makes an envelope from texts.
    ///
    /// An empty sender, or `<>`, is the null sender. Recipients can have any form that
    /// [`IntoRecipients`] lists.
    ///
    /// ```
    /// use smtplib::Envelope;
    ///
    /// let envelope = Envelope::parse("news@example.com", ["ann@example.org", "bob@example.org"])?;
    /// assert_eq!(envelope.recipients().count(), 2);
    /// # Ok::<(), smtplib::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Address`], which holds the text that is not an address.
    pub fn parse<T, K>(sender: &str, recipients: T) -> Result<Self>
    where
        T: IntoRecipients<K>,
    {
        let mut addresses = Vec::new();
        let sender = match sender {
            "" | "<>" => None,
            sender => {
                sender.add_to(&mut addresses).map_err(Error::address)?;
                addresses.pop()
            }
        };
        recipients.add_to(&mut addresses).map_err(Error::address)?;
        Ok(Self::new(sender, addresses))
    }

    /// Makes the envelope of a message from its header (RFC 5322, 3.6).
    ///
    /// The sender is `Sender` or else `From`. The recipients are `To`, `Cc` and `Bcc`, each once.
    /// If the message was resent, the newest `Resent-` fields count instead.
    pub fn of(message: &Message) -> Self {
        let (sender, recipients) = message.envelope_parts();
        Self::new(sender, recipients)
    }
}

impl Message {
    /// Returns the envelope from the header, like [`Envelope::of`].
    pub fn envelope(&self) -> Envelope {
        Envelope::of(self)
    }
}

impl SmtpConnection {
    /// Sends a message to all recipients in its header: Python's `send_message()`.
    ///
    /// `Bcc` is in the envelope and never in the message. Text that the server cannot take is
    /// encoded. An attachment from a file is read while it is sent.
    ///
    /// # Errors
    ///
    /// [`Error::Message`] if an attachment cannot be read before anything is sent.
    /// [`Error::Source`] if that happens on the way, which cuts the connection. Otherwise as
    /// [`sendmail`](Self::sendmail).
    pub fn send_message(&mut self, message: &Message) -> Result<Outcome> {
        self.send_message_to(&Envelope::of(message), message)
    }

    /// Sends a message to the recipients in the envelope, whatever the header says.
    ///
    /// # Errors
    ///
    /// As [`send_message`](Self::send_message).
    pub fn send_message_to(&mut self, envelope: &Envelope, message: &Message) -> Result<Outcome> {
        let consignment = Consignment::of_message(Cow::Borrowed(envelope), message);
        self.deliver(consignment.load(&self.capabilities)?)
    }
}
