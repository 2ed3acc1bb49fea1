//! [`Message`]: what a builder has made, to be sent or written.

use std::io::{self, Write};

use crate::address::Address;
use crate::message::entity::Root;
use crate::message::error::MessageError;
use crate::message::part::Part;
use crate::message::render::Rendering;
use crate::message::transfer::Offers;

/// A complete and correct message, made by [`Message::builder`]. It can be sent any number of
/// times.
///
/// Everything in it has been checked. Text is sent as it is where the server allows that, and
/// encoded otherwise. Attachments from files are read while the message is sent.
///
/// ```
/// use smtplib::{Attachment, Message};
///
/// let message = Message::builder()
///     .from("Alice <alice@example.com>")
///     .to("Zoë Müller <zoe@example.org>")
///     .bcc("archive@example.com") // in the envelope, never in the headers
///     .subject("Résumé")
///     .text("My résumé is attached.\n")
///     .html("<p>My <b>résumé</b> is attached.</p>")
///     .attach(Attachment::new("résumé.pdf", b"%PDF-1.7".to_vec()))
///     .build()?;
/// let text = String::from_utf8(message.to_bytes()?)?;
/// assert!(text.contains("To: =?utf-8?q?Zo=C3=AB_M=C3=BCller?= <zoe@example.org>\r\n"));
/// assert!(!text.contains("archive@example.com"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Message {
    root: Root,
}

impl Message {
    pub(crate) fn new(root: Root) -> Self {
        Self { root }
    }

    /// Returns the id in angle brackets, to which answers refer.
    #[must_use]
    pub fn message_id(&self) -> String {
        let id = self.root.head.posting.id.as_ref();
        id.map(ToString::to_string).unwrap_or_default()
    }

    /// Returns the subject as it was given.
    #[must_use]
    pub fn subject(&self) -> Option<&str> {
        Some(&self.root.head.subject.as_ref()?.text)
    }

    /// Returns true if only a server that offers SMTPUTF8 (RFC 6531) can take the message, because
    /// an address has letters outside ASCII. Other text is encoded for servers without it.
    ///
    /// With the feature `idna` only the part before the `@` counts, because a domain has an ASCII
    /// form.
    #[must_use]
    pub fn needs_smtputf8(&self) -> bool {
        let (sender, recipients) = self.envelope_parts();
        let mut addresses = sender.iter().chain(&recipients);
        self.root.without_ascii().is_some() || addresses.any(|a| a.to_ascii().is_none())
    }

    /// Returns the bytes of the message, for a file or another program: 7-bit, with CRLF line ends.
    ///
    /// Only a message with addresses outside ASCII has UTF-8 in its headers (RFC 6532).
    ///
    /// # Errors
    ///
    /// An [`io::Error`] if an attachment cannot be read.
    pub fn to_bytes(&self) -> io::Result<Vec<u8>> {
        let rendering = self.render(Offers::FILE).map_err(io::Error::other)?;
        let mut octets = Vec::with_capacity(usize::try_from(rendering.size()).unwrap_or(0));
        rendering.write_to(&mut octets)?;
        Ok(octets)
    }

    /// Writes what [`to_bytes`](Self::to_bytes) returns. Attachments are read a little at a time.
    ///
    /// # Errors
    ///
    /// An [`io::Error`] if an attachment cannot be read or has changed its length, or from the
    /// writer. Part of the message may have been written then.
    pub fn write_to(&self, out: &mut impl Write) -> io::Result<()> {
        self.render(Offers::FILE)
            .map_err(io::Error::other)?
            .write_to(out)
    }

    /// The message for a server with these offers, measured.
    ///
    /// # Errors
    ///
    /// An attachment that cannot be read, or an address that the server cannot be given.
    pub(crate) fn render(&self, offers: Offers) -> Result<Rendering<'_>, MessageError> {
        Rendering::of(&self.root, offers)
    }

    /// The sender and the recipients by the rules of RFC 5322: `Resent-` fields first, `Sender`
    /// before `From`, and each recipient once.
    pub(crate) fn envelope_parts(&self) -> (Option<Address>, Vec<Address>) {
        self.root.head.envelope()
    }
}

/// A message within a message, such as one that is forwarded (RFC 2046, 5.2.1).
impl From<Message> for Part {
    fn from(message: Message) -> Self {
        Self::message(message.root)
    }
}
