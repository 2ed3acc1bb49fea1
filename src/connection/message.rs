//! Sending a [`Message`]: the envelope from its header, the body as the server can take it.

use crate::connection::SmtpConnection;
use crate::envelope::Envelope;
use crate::error::{Error, Result};
use crate::exchange::admission::Facts;
use crate::exchange::error::Unsupported;
use crate::message::error::{MessageError, MessageProblem};
use crate::message::{Message, Offers};
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
        let offers = Offers {
            eight_bit: self.capabilities.has("8BITMIME"),
            smtputf8: self.capabilities.has("SMTPUTF8"),
            binary: envelope.allows_binary()
                && self.capabilities.has("BINARYMIME")
                && self.capabilities.has("CHUNKING"),
        };
        let rendering = message.render(offers).map_err(unfit)?;
        let (is_8bit, is_utf8) = (rendering.is_8bit(), rendering.needs_smtputf8());
        let mut facts = Facts::known(rendering.size(), is_8bit, is_utf8);
        if rendering.is_binary() {
            facts = facts.binary();
        }
        self.deliver(envelope, &facts, |body| rendering.write_to(body))
    }
}

/// A message that this server cannot be given, or that cannot be had.
fn unfit(error: MessageError) -> Error {
    match error.problem() {
        MessageProblem::Smtputf8 => Unsupported::Header.into(),
        _ => Error::Message(error),
    }
}
