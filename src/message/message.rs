//! [`Message`]: a message that a builder made.

use std::io::{self, Write};

use crate::address::Address;
use crate::message::entity::Root;
use crate::message::error::MessageError;
use crate::message::part::Part;
use crate::message::render::Rendering;
use crate::message::transfer::Offers;

/// A complete and correct message, made by [`Message::builder`].
///
/// You can send it any number of times.
///
/// Everything in it has been checked. Text is sent unencoded if the server allows it. Attachments
/// from files are read while the message is sent.
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

    /// Returns the message id, with its angle brackets.
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

    /// Returns true if an address has letters outside ASCII, so that the server must offer
    /// SMTPUTF8.
    ///
    /// Other text is encoded, and every server can take it. With the feature `idna`, only the part
    /// before the `@` counts, because domains have an ASCII form.
    #[must_use]
    pub fn needs_smtputf8(&self) -> bool {
        let (sender, recipients) = self.envelope_parts();
        let mut addresses = sender.iter().chain(&recipients);
        self.root.without_ascii().is_some() || addresses.any(|a| a.to_ascii().is_none())
    }

    /// Returns the bytes of the message, for a file or another program.
    ///
    /// They are 7-bit, with CRLF line ends. Only a message with addresses outside ASCII has UTF-8
    /// in its header (RFC 6532).
    ///
    /// # Errors
    ///
    /// An [`io::Error`] if an attachment cannot be read, or the message does not fit into memory.
    pub fn to_bytes(&self) -> io::Result<Vec<u8>> {
        let rendering = self.render(Offers::FILE).map_err(io::Error::other)?;
        let mut octets = Vec::new();
        octets.try_reserve_exact(usize::try_from(rendering.size()).unwrap_or(usize::MAX))?;
        rendering.write_to(&mut octets)?;
        Ok(octets)
    }

    /// Writes the message in the form of [`to_bytes`](Self::to_bytes), reading attachments a little
    /// at a time.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let message = smtplib::Message::builder().from("alice@example.com").build()?;
    /// message.write_to(&mut std::fs::File::create("message.eml")?)?;
    /// # Ok(())
    /// # }
    /// ```
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

    /// Renders the message for a server with these offers.
    ///
    /// # Errors
    ///
    /// If an attachment cannot be read, or the server cannot be given an address.
    pub(crate) fn render(&self, offers: Offers) -> Result<Rendering<'_>, MessageError> {
        Rendering::of(&self.root, offers)
    }

    /// The sender and the recipients by the rules of RFC 5322: `Resent-` fields before others,
    /// `Sender` before `From`, and each recipient once.
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
