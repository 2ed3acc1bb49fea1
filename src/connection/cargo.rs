//! [`Consignment`]: a message and its envelope.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read, Write};
use std::ops::Deref;
use std::sync::Arc;

use crate::capabilities::Capabilities;
use crate::envelope::Envelope;
use crate::error::{Error, Result};
use crate::exchange::admission::Facts;
use crate::exchange::error::Unsupported;
use crate::exchange::transit::EARLY_CHUNK;
use crate::message::error::{MessageError, MessageProblem};
use crate::message::{Message, Offers, Rendering};

/// How much of a message from a reader is read before MAIL. That is all of most messages.
const HEAD: u64 = 64 * 1024;

/// One message for [`send_all`](crate::SmtpConnection::send_all): its content and its envelope.
///
/// You rarely name this type, because `send_all` takes everything that converts into it. That is a
/// [`Message`] or `&Message`, or a pair: an [`Envelope`] and a `Message`, `&Message`, `&str`,
/// `String`, `&[u8]` or `Vec<u8>`. A message without an envelope goes to the recipients in its
/// header.
///
/// ```
/// use smtplib::connection::Consignment;
/// use smtplib::{Address, Envelope};
///
/// let envelope = Envelope::new(
///     Address::new("news", "example.com")?,
///     [Address::new("ann", "example.org")?],
/// );
/// let consignment = Consignment::from((envelope, "Subject: Hi\n\nHi!\n"));
/// assert_eq!(consignment.envelope().recipients().count(), 1);
/// # Ok::<(), smtplib::error::AddressError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Consignment<'a> {
    envelope: Cow<'a, Envelope>,
    content: Goods<'a>,
}

/// Cheap to clone, because a mailer keeps messages to send them again.
#[derive(Clone)]
enum Goods<'a> {
    Message(&'a Message),
    Owned(Arc<Message>),
    Octets(Octets<'a>),
}

/// A message as bytes.
#[derive(Clone)]
pub(crate) enum Octets<'a> {
    Borrowed(&'a [u8]),
    Shared(Arc<Vec<u8>>),
}

impl<'a> Consignment<'a> {
    /// Returns the sender and the recipients of the message.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    pub(crate) fn of_message(envelope: Cow<'a, Envelope>, message: &'a Message) -> Self {
        Self {
            envelope,
            content: Goods::Message(message),
        }
    }

    pub(crate) fn of_octets(envelope: Cow<'a, Envelope>, octets: impl Into<Octets<'a>>) -> Self {
        Self {
            envelope,
            content: Goods::Octets(octets.into()),
        }
    }

    /// The same message for the recipients at these places of the envelope.
    pub(crate) fn only(&self, places: &[usize]) -> Self {
        Self {
            envelope: Cow::Owned(self.envelope.only(places)),
            content: self.content.clone(),
        }
    }

    /// Prepares the message for this server.
    pub(crate) fn load(self, offers: &Capabilities) -> Result<Load<'a>> {
        let envelope = self.envelope;
        match self.content {
            Goods::Octets(octets) => load_octets(envelope, octets, offers),
            Goods::Message(message) => {
                let rendering = message
                    .render(offers_to(&envelope, offers))
                    .map_err(unfit)?;
                Ok(Load {
                    envelope,
                    facts: facts(&rendering),
                    cargo: Cargo::Lasting(Box::new(rendering)),
                })
            }
            Goods::Owned(message) => load_owned(envelope, message, offers),
        }
    }
}

impl From<Message> for Consignment<'_> {
    fn from(message: Message) -> Self {
        let envelope = Envelope::of(&message);
        Self::from((envelope, message))
    }
}

impl<'a> From<&'a Message> for Consignment<'a> {
    fn from(message: &'a Message) -> Self {
        let envelope = Envelope::of(message);
        Self::of_message(Cow::Owned(envelope), message)
    }
}

impl From<(Envelope, Message)> for Consignment<'_> {
    fn from((envelope, message): (Envelope, Message)) -> Self {
        Self {
            envelope: Cow::Owned(envelope),
            content: Goods::Owned(Arc::new(message)),
        }
    }
}

impl<'a> From<(Envelope, &'a Message)> for Consignment<'a> {
    fn from((envelope, message): (Envelope, &'a Message)) -> Self {
        Self::of_message(Cow::Owned(envelope), message)
    }
}

impl From<(Envelope, Vec<u8>)> for Consignment<'_> {
    fn from((envelope, octets): (Envelope, Vec<u8>)) -> Self {
        Self::of_octets(Cow::Owned(envelope), octets)
    }
}

impl From<(Envelope, String)> for Consignment<'_> {
    fn from((envelope, text): (Envelope, String)) -> Self {
        Self::from((envelope, text.into_bytes()))
    }
}

impl<'a> From<(Envelope, &'a [u8])> for Consignment<'a> {
    fn from((envelope, octets): (Envelope, &'a [u8])) -> Self {
        Self::of_octets(Cow::Owned(envelope), octets)
    }
}

impl<'a> From<(Envelope, &'a str)> for Consignment<'a> {
    fn from((envelope, text): (Envelope, &'a str)) -> Self {
        Self::from((envelope, text.as_bytes()))
    }
}

impl fmt::Debug for Goods<'_> {
    /// Does not show what messages contain.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Message(_) => "Message(..)",
            Self::Owned(_) => "Owned(..)",
            Self::Octets(_) => "Octets(..)",
        })
    }
}

impl<'a> From<&'a [u8]> for Octets<'a> {
    fn from(octets: &'a [u8]) -> Self {
        Self::Borrowed(octets)
    }
}

impl From<Vec<u8>> for Octets<'_> {
    fn from(octets: Vec<u8>) -> Self {
        Self::Shared(Arc::new(octets))
    }
}

impl Deref for Octets<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Borrowed(octets) => octets,
            Self::Shared(octets) => octets,
        }
    }
}

/// A message that is prepared for one server.
#[derive(Debug)]
pub(crate) struct Load<'a> {
    pub(crate) envelope: Cow<'a, Envelope>,
    pub(crate) facts: Facts,
    pub(crate) cargo: Cargo<'a>,
}

impl Load<'_> {
    /// Renders a small message now. A file that cannot be read is then an error of this message alone,
    /// and does not cut the connection while others wait for their results.
    pub(crate) fn firm(mut self) -> Result<Self> {
        let size = self.facts.size.filter(|size| *size <= EARLY_CHUNK);
        if let (Some(size), Cargo::Lasting(source)) = (size, &self.cargo) {
            self.cargo = rendered(&**source, size)?;
        }
        Ok(self)
    }
}

/// The bytes of a message, from any source.
pub(crate) enum Cargo<'a> {
    Octets(Octets<'a>),
    /// A trait object, so that a program that composes no message does not contain the code for it.
    Lasting(Box<dyn Lasting + 'a>),
    /// The part that was already read, and the rest.
    Reader(Vec<u8>, &'a mut dyn Read),
}

/// The content of a message, which can be written more than once.
pub(crate) trait Lasting {
    fn write_to(&self, out: &mut dyn Write) -> io::Result<()>;
}

impl Lasting for Rendering<'_> {
    fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        Rendering::write_to(self, out)
    }
}

/// A large message, which is rendered only when it is written.
struct Unrendered(Arc<Message>, Offers);

impl Lasting for Unrendered {
    fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        let rendering = self.0.render(self.1).map_err(io::Error::other)?;
        rendering.write_to(out)
    }
}

impl Cargo<'_> {
    /// Writes the message.
    pub(crate) fn write_to(&mut self, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Octets(octets) => out.write_all(octets),
            Self::Lasting(source) => source.write_to(out),
            Self::Reader(head, rest) => {
                out.write_all(head)?;
                io::copy(rest, out).map(drop)
            }
        }
    }

    /// Whether it can be written more than once.
    pub(crate) fn is_lasting(&self) -> bool {
        !matches!(self, Self::Reader(..))
    }
}

impl fmt::Debug for Cargo<'_> {
    /// Does not show what messages contain.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Octets(_) => "Octets(..)",
            Self::Lasting(_) => "Lasting(..)",
            Self::Reader(..) => "Reader(..)",
        })
    }
}

/// A message as bytes.
pub(crate) fn load_octets<'a>(
    envelope: Cow<'a, Envelope>,
    octets: Octets<'a>,
    offers: &Capabilities,
) -> Result<Load<'a>> {
    let facts = Facts::of(&octets, offers);
    facts.check(&envelope)?;
    Ok(Load {
        envelope,
        facts,
        cargo: Cargo::Octets(octets),
    })
}

/// A message from a reader, of which the beginning is read.
pub(crate) fn load_reader<'a>(
    envelope: &'a Envelope,
    message: &'a mut dyn Read,
    offers: &Capabilities,
) -> Result<Load<'a>> {
    let mut head = Vec::new();
    // One more byte shows whether there is a rest.
    let read = (&mut *message).take(HEAD + 1).read_to_end(&mut head);
    read.map_err(Error::Source)?;
    if head.len() as u64 <= HEAD {
        return load_octets(Cow::Borrowed(envelope), head.into(), offers);
    }
    let facts = Facts::of_head(&head, offers);
    facts.check(envelope)?;
    Ok(Load {
        envelope: Cow::Borrowed(envelope),
        facts,
        cargo: Cargo::Reader(head, message),
    })
}

/// Renders a small message at once. A large one is only measured, and rendered when it is written.
fn load_owned<'a>(
    envelope: Cow<'a, Envelope>,
    message: Arc<Message>,
    offers: &Capabilities,
) -> Result<Load<'a>> {
    let offers = offers_to(&envelope, offers);
    let rendering = message.render(offers).map_err(unfit)?;
    let facts = facts(&rendering);
    let cargo = if rendering.size() > EARLY_CHUNK {
        drop(rendering);
        Cargo::Lasting(Box::new(Unrendered(message, offers)))
    } else {
        rendered(&rendering, rendering.size())?
    };
    Ok(Load {
        envelope,
        facts,
        cargo,
    })
}

/// A small message of this size as bytes.
fn rendered<'c>(message: &dyn Lasting, size: u64) -> Result<Cargo<'c>> {
    let mut octets = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    message.write_to(&mut octets).map_err(Error::Source)?;
    Ok(Cargo::Octets(octets.into()))
}

/// The offers of the server, as far as the envelope allows their use.
fn offers_to(envelope: &Envelope, offers: &Capabilities) -> Offers {
    // A message that is not encoded yet can be made as the caller's BODY says.
    let mut given = envelope.parameters().iter();
    let body = given.find(|parameter| parameter.keyword() == "BODY");
    let is_7bit = body.is_some_and(|body| body.value() == Some("7BIT"));
    let may_be_binary = body.is_none() && envelope.allows_binary();
    Offers {
        eight_bit: offers.eight_bit() && !is_7bit,
        smtputf8: offers.smtputf8(),
        binary: may_be_binary && offers.binarymime() && offers.chunking(),
        signed: false,
    }
}

fn facts(rendering: &Rendering<'_>) -> Facts {
    let (is_8bit, is_utf8) = (rendering.is_8bit(), rendering.needs_smtputf8());
    let facts = Facts::known(rendering.size(), is_8bit, is_utf8);
    if rendering.is_binary() {
        facts.binary()
    } else if rendering.is_clean() {
        facts.clean()
    } else {
        facts
    }
}

/// The error for a message that this server cannot be given or that cannot be read.
fn unfit(error: MessageError) -> Error {
    match error.problem() {
        MessageProblem::Smtputf8(address) => Error::Unsupported(Unsupported::Utf8Header {
            field: error.field().into(),
            address: address.clone(),
        }),
        _ => Error::Message(error),
    }
}
