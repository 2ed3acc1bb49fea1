//! Sending one message.

use std::borrow::Cow;
use std::io::Read;

use crate::address::Address;
use crate::connection::SmtpConnection;
use crate::connection::cargo::{Load, load_octets, load_reader};
use crate::connection::run::{Progress, Run};
use crate::envelope::Envelope;
use crate::error::{Error, Result};
use crate::outcome::Outcome;
use crate::recipients::IntoRecipients;

impl SmtpConnection {
    /// Sends a message that is text or bytes: Python's `sendmail()`.
    ///
    /// Addresses are bare, as `ann@example.org`. An empty sender, or `<>`, is the null sender of
    /// bounces. One recipient can be given as a text, several as any list or iterator
    /// ([`IntoRecipients`]).
    ///
    /// The message is header, empty line and body. Line ends become CRLF and leading dots are
    /// protected; nothing else is changed. SIZE, 8BITMIME and SMTPUTF8 are used where they are
    /// needed and offered.
    ///
    /// # Errors
    ///
    /// Before anything is sent: [`Error::Address`], [`Error::NoRecipients`], [`Error::Content`],
    /// [`Error::TooLarge`], [`Error::Unsupported`]. From the server: [`Error::SenderRefused`],
    /// [`Error::RecipientsRefused`] if it refuses everybody, [`Error::DataRefused`].
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
        let envelope = Cow::Owned(envelope);
        let load = load_octets(envelope, message.as_ref().into(), &self.capabilities)?;
        self.deliver(load)
    }

    /// Sends a message from any reader, with all that an [`Envelope`] can say.
    ///
    /// A message of up to 64 KiB is read to its end first, and checked as with
    /// [`sendmail`](Self::sendmail). A longer one is sent while it is read. The server learns its
    /// size only from [`Envelope::size`], and it counts as 8-bit where the server offers 8BITMIME.
    ///
    /// The connection is cut if the reader fails on the way, or if the message breaks a rule or is
    /// too large. The server has taken nothing then.
    ///
    /// # Errors
    ///
    /// As [`sendmail`](Self::sendmail), and [`Error::Source`] if the reader fails.
    pub fn send(&mut self, envelope: &Envelope, mut message: impl Read) -> Result<Outcome> {
        self.deliver(load_reader(envelope, &mut message, &self.capabilities)?)
    }

    /// One message from MAIL to its result.
    pub(crate) fn deliver(&mut self, load: Load<'_>) -> Result<Outcome> {
        self.begin_message()?;
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
