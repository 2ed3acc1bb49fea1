//! Sending one message.

use std::borrow::Cow;
use std::io::Read;

use crate::address::Address;
use crate::connection::SmtpConnection;
use crate::connection::cargo::{Consignment, Load, load_reader};
use crate::connection::run::{Progress, Run};
use crate::envelope::Envelope;
use crate::error::{Error, Result};
use crate::outcome::Outcome;
use crate::recipients::IntoRecipients;

impl SmtpConnection {
    /// Sends a message: Python's `sendmail()`.
    ///
    /// The addresses are bare (`ann@example.org`); an empty sender, or `<>`, is the null
    /// reverse-path of bounces. One recipient can be given as a text, several as any list or
    /// iterator ([`IntoRecipients`]). The message is header, empty line and body; line ends become
    /// CRLF, leading dots are protected, and nothing else is changed. SIZE, 8BITMIME and
    /// SMTPUTF8 are used where they are needed and offered.
    ///
    /// # Errors
    ///
    /// Before anything is sent: [`Error::Address`], [`Error::NoRecipients`], [`Error::Content`],
    /// [`Error::TooLarge`], [`Error::Unsupported`]. From the server: [`Error::SenderRefused`],
    /// [`Error::RecipientsRefused`] if no recipient is left, [`Error::DataRefused`].
    /// [`Error::delivery`] tells whether the message may have been taken all the same.
    pub fn sendmail<T, K>(
        &mut self,
        from: &str,
        to: T,
        message: impl AsRef<[u8]>,
    ) -> Result<Outcome>
    where
        T: IntoRecipients<K>,
    {
        let envelope = Envelope::parse(from, to)?;
        let consignment = Consignment::of_octets(Cow::Owned(envelope), message.as_ref());
        self.deliver(consignment.load(&self.capabilities)?)
    }

    /// Sends a message from any reader, with all that an [`Envelope`] can say.
    ///
    /// A message of up to 64 KiB is known to its end before MAIL, as with
    /// [`sendmail`](Self::sendmail). Of a longer one the size is not announced unless
    /// [`Envelope::size`] has it, and it counts as 8-bit where the server offers 8BITMIME. If it
    /// turns out on the way that it breaks a rule or is larger than the server takes, or the reader
    /// fails, the connection is cut without an end of data: the server has taken nothing.
    ///
    /// # Errors
    ///
    /// As [`sendmail`](Self::sendmail), and [`Error::Source`] if the reader fails.
    pub fn send(&mut self, envelope: &Envelope, mut message: impl Read) -> Result<Outcome> {
        self.deliver(load_reader(envelope, &mut message, &self.capabilities)?)
    }

    /// One message from MAIL to its result.
    pub(crate) fn deliver(&mut self, load: Load<'_>) -> Result<Outcome> {
        self.begin()?;
        if !self.has_transaction_left() {
            self.wire.leave();
            return Err(Error::Closed);
        }
        let mut run = Run::new(self, false);
        run.push_load(load);
        loop {
            match run.advance() {
                Progress::Result(result) => return result,
                Progress::Room if run.wait() => {}
                Progress::Room | Progress::Done => return Err(Error::Closed),
            }
        }
    }
}

/// A sender, or the null reverse-path.
pub(crate) fn parse_sender(text: &str) -> Result<Option<Address>> {
    if matches!(text, "" | "<>") {
        Ok(None)
    } else {
        parse_address(text).map(Some)
    }
}

pub(crate) fn parse_address(text: &str) -> Result<Address> {
    text.parse().map_err(|reason| Error::Address {
        address: text.into(),
        reason,
    })
}
