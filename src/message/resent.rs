//! [`Resent`]: the header fields of a resending.

use crate::message::date::Date;
use crate::message::error::{MailboxError, MessageError};
use crate::message::first_error::FirstError;
use crate::message::id::MsgId;
use crate::message::into_address_list::IntoAddressList;
use crate::message::mailbox::Mailbox;
use crate::message::posting::{Posting, RESENT};

/// A resending: a message that goes out again, unchanged, to others (RFC 5322, 3.6.6).
///
/// ```
/// use smtplib::Message;
/// use smtplib::message::Resent;
///
/// let message = Message::builder()
///     .from("alice@example.com")
///     .to("bob@example.org")
///     .resent(Resent::new().from("bob@example.org").to("carol@example.net"))
///     .build()?;
/// # Ok::<(), smtplib::error::MessageError>(())
/// ```
#[derive(Debug, Default)]
#[must_use = "give it to a message"]
pub struct Resent {
    posting: Posting,
    error: FirstError,
}

impl Resent {
    /// Begins a resending. It needs a [`from`](Self::from).
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds who resends the message.
    pub fn from<T, K>(mut self, from: T) -> Self
    where
        T: IntoAddressList<K>,
    {
        self.error.add(RESENT.from, &mut self.posting.from, from);
        self
    }

    /// Sets who sends it. By default it is the one who resends it.
    pub fn sender<T>(mut self, sender: T) -> Self
    where
        T: TryInto<Mailbox>,
        MailboxError: From<T::Error>,
    {
        let sender = sender.try_into().map_err(MailboxError::from);
        self.posting.sender = self.error.keep(RESENT.sender, sender);
        self
    }

    /// Adds recipients.
    pub fn to<T, K>(mut self, to: T) -> Self
    where
        T: IntoAddressList<K>,
    {
        self.error.add(RESENT.to, &mut self.posting.to, to);
        self
    }

    /// Adds recipients of a copy.
    pub fn cc<T, K>(mut self, cc: T) -> Self
    where
        T: IntoAddressList<K>,
    {
        self.error.add(RESENT.cc, &mut self.posting.cc, cc);
        self
    }

    /// Adds recipients who are hidden from the other recipients.
    pub fn bcc<T, K>(mut self, bcc: T) -> Self
    where
        T: IntoAddressList<K>,
    {
        self.error.add(RESENT.bcc, &mut self.posting.bcc, bcc);
        self
    }

    /// Sets the date. The default is the moment when it is given to the message.
    pub fn date(mut self, date: impl Into<Date>) -> Self {
        self.posting.date = Some(date.into());
        self
    }

    /// Sets the id of the resending. By default one is made.
    pub fn message_id(mut self, id: &str) -> Self {
        self.posting.id = self.error.keep(RESENT.id, MsgId::parse(id));
        self
    }

    pub(crate) fn check(mut self) -> Result<Posting, MessageError> {
        self.error.check()?;
        self.posting.complete(&RESENT)
    }
}
