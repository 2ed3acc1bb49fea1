//! [`Envelope`]: who sends to whom, as the server is told.

use crate::address::Address;
use crate::parameter::Parameter;

/// Who sends to whom, as the server is told: what MAIL and RCPT carry, whatever the message's
/// header says.
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
/// # Ok::<(), smtplib::AddressError>(())
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
    /// An envelope; without a sender (`None`) it is the null reverse-path `<>` of bounces (RFC
    /// 5321, 4.5.5).
    pub fn new(
        sender: impl Into<Option<Address>>,
        recipients: impl IntoIterator<Item = Address>,
    ) -> Self {
        let envelope = Self {
            sender: sender.into(),
            parameters: Vec::new(),
            recipients: Vec::new(),
            require_all: false,
            allow_long_lines: false,
            allow_binary: false,
            ignore_unsupported: false,
            size: None,
        };
        recipients.into_iter().fold(envelope, |envelope, address| {
            envelope.recipient(address, [])
        })
    }

    /// Adds a recipient with parameters of its own, such as `NOTIFY=NEVER`.
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

    /// Adds a parameter of MAIL, such as `RET=HDRS`. SIZE, BODY and SMTPUTF8 come by themselves
    /// where they are needed.
    pub fn parameter(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// Whether one refused recipient calls the whole message off; by default the others get it.
    pub fn require_all(mut self, yes: bool) -> Self {
        self.require_all = yes;
        self
    }

    /// Sends lines of more than 998 octets as they are, although SMTP forbids them (RFC 5321,
    /// 4.5.3.1.6).
    ///
    /// Servers may refuse, fold or cut them; by default such a message is an error before it is
    /// sent.
    pub fn allow_long_lines(mut self, yes: bool) -> Self {
        self.allow_long_lines = yes;
        self
    }

    /// Says how many bytes a message from a reader will have, counted with CRLF line ends.
    ///
    /// The server is told before the message is sent (RFC 1870), so that it can refuse early. It is
    /// not needed for messages that are in memory, and for readers of up to 64 KiB: their size is
    /// known.
    pub fn size(mut self, bytes: u64) -> Self {
        self.size = Some(bytes);
        self
    }

    /// Sends the attachments of a [`Message`](crate::Message) unencoded to a server that offers
    /// BINARYMIME and CHUNKING (RFC 3030), which saves a quarter of the octets.
    ///
    /// A server behind that one may lack them, and has to encode the message or give it up.
    pub fn allow_binary(mut self, yes: bool) -> Self {
        self.allow_binary = yes;
        self
    }

    /// Sends the message without those parameters that the server does not offer, instead of not
    /// at all. [`Outcome::ignored`](crate::Outcome::ignored) lists them.
    ///
    /// REQUIRETLS is never left out.
    pub fn ignore_unsupported(mut self, yes: bool) -> Self {
        self.ignore_unsupported = yes;
        self
    }

    /// The sender; `None` is the null reverse-path.
    #[must_use]
    pub fn sender(&self) -> Option<&Address> {
        self.sender.as_ref()
    }

    /// The recipients, in the order they were given.
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
            let (kept, gone): (Vec<_>, Vec<_>) = list.drain(..).partition(&may_stay);
            *list = kept;
            for parameter in gone {
                if !taken.contains(&parameter) {
                    taken.push(parameter);
                }
            }
        }
        taken
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
