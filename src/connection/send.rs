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
    /// Sends a finished message, given as text or bytes: Python's `sendmail()`.
    ///
    /// Addresses have no names: `ann@example.org`. An empty sender, or `<>`, is the null sender of
    /// bounces. Give one recipient as a text, and several as any list or iterator
    /// ([`IntoRecipients`]).
    ///
    /// The message is the header, an empty line and the body. Line ends become CRLF and leading
    /// dots are escaped; nothing else is changed. SIZE, 8BITMIME and SMTPUTF8 are used if they are
    /// needed and offered.
    ///
    /// ```no_run
    /// # fn send(smtp: &mut smtplib::SmtpConnection) -> smtplib::Result<()> {
    /// let text = "Subject: Lunch?\n\nNoon at the usual place?\n";
    /// smtp.sendmail("alice@example.com", "bob@example.org", text)?;
    /// smtp.sendmail("alice@example.com", ["ann@example.org", "bob@example.org"], text)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Before anything is sent: [`Error::Address`], [`Error::NoRecipients`], [`Error::Content`],
    /// [`Error::TooLarge`], [`Error::Unsupported`]. From the server: [`Error::SenderRefused`],
    /// [`Error::RecipientsRefused`] if it refuses all recipients, [`Error::DataRefused`].
    /// [`Error::delivery`] says whether the message may have been delivered in spite of the error.
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

    /// Sends a message from any reader, with an [`Envelope`].
    ///
    /// A message of up to 64 KiB is read to its end first, and checked as with
    /// [`sendmail`](Self::sendmail). A longer one is sent while it is read. Set [`Envelope::size`]
    /// to announce its size. A longer message counts as 8-bit if the server offers 8BITMIME.
    ///
    /// If the reader fails while the message is sent, or the message then breaks a rule or is too
    /// large, the connection is closed. The server has then accepted nothing.
    ///
    /// ```no_run
    /// use smtplib::Envelope;
    ///
    /// # fn send(smtp: &mut smtplib::SmtpConnection) -> Result<(), Box<dyn std::error::Error>> {
    /// let envelope = Envelope::parse("alice@example.com", "bob@example.org")?;
    /// let outcome = smtp.send(&envelope, std::fs::File::open("message.eml")?)?;
    /// # Ok(())
    /// # }
    /// ```
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
        self.claim_transaction()?;
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
