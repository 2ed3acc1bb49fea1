//! [`Envelope`]: the sender and recipients of one message.

use crate::address::Address;
use crate::parameter::{self, Parameter};

/// The sender and recipients of one message (SMTP's MAIL FROM and RCPT TO), and options for its
/// delivery.
///
/// The envelope decides who gets a message, whatever its header says. [`Envelope::parse`] makes one
/// from texts, and [`Message::envelope`](crate::Message::envelope) from a message's header.
///
/// ```
/// use smtplib::{Address, Envelope};
///
/// let envelope = Envelope::new(
///     Address::new("news", "example.com")?,
///     [Address::new("ann", "example.org")?, Address::new("bob", "example.org")?],
/// )
/// .require_all(true);
/// assert_eq!(envelope.recipients().count(), 2);
/// # Ok::<(), smtplib::error::AddressError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Envelope {
    sender: Option<Address>,
    parameters: Vec<Parameter>,
    recipients: Vec<Recipient>,
    require_all: bool,
    allow_long_lines: bool,
    allow_binary: bool,
    ignore_unsupported: bool,
    size: Option<u64>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Recipient {
    pub(crate) address: Address,
    pub(crate) parameters: Vec<Parameter>,
}

impl Envelope {
    /// Makes an envelope; the sender `None` is the null sender `<>` of bounces (RFC 5321, 4.5.5).
    pub fn new(
        sender: impl Into<Option<Address>>,
        recipients: impl IntoIterator<Item = Address>,
    ) -> Self {
        let recipient = |address| Recipient {
            address,
            parameters: Vec::new(),
        };
        Self {
            sender: sender.into(),
            parameters: Vec::new(),
            recipients: recipients.into_iter().map(recipient).collect(),
            require_all: false,
            allow_long_lines: false,
            allow_binary: false,
            ignore_unsupported: false,
            size: None,
        }
    }

    /// Adds a recipient, with parameters such as `NOTIFY=NEVER`.
    ///
    /// ```
    /// use smtplib::{Address, Envelope};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let envelope = Envelope::new(Address::new("news", "example.com")?, [])
    ///     .recipient(Address::new("ann", "example.org")?, ["NOTIFY=NEVER".parse()?]);
    /// # Ok(())
    /// # }
    /// ```
    pub fn recipient(
        mut self,
        address: Address,
        parameters: impl IntoIterator<Item = Parameter>,
    ) -> Self {
        let parameters = parameters.into_iter().collect();
        self.recipients.push(Recipient {
            address,
            parameters,
        });
        self
    }

    /// Adds a parameter of MAIL, such as `RET=HDRS`.
    ///
    /// SIZE, BODY and SMTPUTF8 are added for you where they are needed.
    pub fn parameter(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// If true, one refused recipient cancels the whole message; the default is false.
    ///
    /// By default the other recipients get it.
    pub fn require_all(mut self, yes: bool) -> Self {
        self.require_all = yes;
        self
    }

    /// If true, sends lines of more than 998 bytes; the default is false.
    ///
    /// SMTP forbids such lines (RFC 5321, 4.5.3.1.6), and servers may refuse, fold or cut them. By
    /// default such a message is [`Error::Content`](crate::Error::Content), and is not sent.
    pub fn allow_long_lines(mut self, yes: bool) -> Self {
        self.allow_long_lines = yes;
        self
    }

    /// Sets the size of a message from a reader, in bytes with CRLF line ends; by default it is
    /// unknown.
    ///
    /// The size is sent before the message (RFC 1870), so that the server can refuse early. You
    /// need this only for readers of more than 64 KiB: in all other cases the library knows the
    /// size.
    pub fn size(mut self, bytes: u64) -> Self {
        self.size = Some(bytes);
        self
    }

    /// If true, sends attachments unencoded to servers that allow it; the default is false.
    ///
    /// This is for a [`Message`](crate::Message) and servers with BINARYMIME and CHUNKING (RFC
    /// 3030), and saves a quarter of the bytes. If the next server does not offer them, this one
    /// must encode the message or return it.
    pub fn allow_binary(mut self, yes: bool) -> Self {
        self.allow_binary = yes;
        self
    }

    /// If true, leaves out parameters that the server does not offer; the default is false.
    ///
    /// [`Outcome::ignored`](crate::Outcome::ignored) lists them. By default the error is
    /// [`Error::Unsupported`](crate::Error::Unsupported), and nothing is sent.
    ///
    /// REQUIRETLS is never left out.
    pub fn ignore_unsupported(mut self, yes: bool) -> Self {
        self.ignore_unsupported = yes;
        self
    }

    /// Returns the sender; `None` is the null sender.
    #[must_use]
    pub fn sender(&self) -> Option<&Address> {
        self.sender.as_ref()
    }

    /// Returns the recipients, in the order they were given.
    pub fn recipients(&self) -> impl Iterator<Item = &Address> {
        self.recipients.iter().map(|recipient| &recipient.address)
    }

    pub(crate) fn recipients_with_parameters(&self) -> &[Recipient] {
        &self.recipients
    }

    pub(crate) fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    pub(crate) fn ignores_unsupported(&self) -> bool {
        self.ignore_unsupported
    }

    /// The same envelope for some of its recipients, by their places.
    pub(crate) fn only(&self, places: &[usize]) -> Self {
        let chosen = places
            .iter()
            .filter_map(|place| self.recipients.get(*place));
        Self {
            sender: self.sender.clone(),
            parameters: self.parameters.clone(),
            recipients: chosen.cloned().collect(),
            ..*self
        }
    }

    /// Adds a parameter to each recipient that has none with this keyword.
    pub(crate) fn for_each_recipient(
        mut self,
        keyword: &str,
        parameter: impl Fn(&Address) -> Parameter,
    ) -> Self {
        for recipient in &mut self.recipients {
            let mut known = recipient.parameters.iter();
            if known.all(|known| known.keyword() != keyword) {
                recipient.parameters.push(parameter(&recipient.address));
            }
        }
        self
    }

    /// Takes out the parameters that may not stay, those of MAIL first, each once.
    pub(crate) fn take_parameters(
        &mut self,
        may_stay: impl Fn(&Parameter) -> bool,
    ) -> Vec<Parameter> {
        let recipients = self.recipients.iter_mut();
        let lists = recipients.map(|recipient| &mut recipient.parameters);
        let mut taken: Vec<Parameter> = Vec::new();
        for list in std::iter::once(&mut self.parameters).chain(lists) {
            let (stay, leave) = std::mem::take(list).into_iter().partition(&may_stay);
            *list = stay;
            taken.extend::<Vec<_>>(leave);
        }
        let mut each_once = Vec::new();
        parameter::add_each_once(&mut each_once, taken);
        each_once
    }

    pub(crate) fn declared_size(&self) -> Option<u64> {
        self.size
    }

    pub(crate) fn is_all_required(&self) -> bool {
        self.require_all
    }

    pub(crate) fn allows_binary(&self) -> bool {
        self.allow_binary
    }

    pub(crate) fn allows_long_lines(&self) -> bool {
        self.allow_long_lines
    }
}
