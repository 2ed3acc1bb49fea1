//! [`Entity`]: a part of a message that has been checked and can be rendered (RFC 2045, 2.4).

use crate::message::head::Head;
use crate::message::id::ContentId;
use crate::message::media_type::MediaType;
use crate::message::source::Source;
use crate::message::transfer::{Encoding, Offers, Scan};

/// What a message consists of: its header, and the entity that is its body.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    pub(crate) head: Head,
    pub(crate) body: Entity,
    /// What the boundaries of the body have in common, and nothing else has.
    pub(crate) seed: Box<str>,
}

impl Root {
    /// Whether a header here or in an enclosed message has an address outside ASCII.
    pub(crate) fn needs_smtputf8(&self) -> bool {
        self.head.needs_smtputf8() || self.body.needs_smtputf8()
    }

    /// Whether the message has what could be taken for a delimiter of a multipart around it.
    pub(crate) fn collides(&self, seed: &str) -> bool {
        self.head
            .names()
            .any(|name| name.contains(&delimiter(seed)))
            || self.body.collides(seed)
    }

    fn domain(&self, offers: Offers) -> Encoding {
        let body = self.body.encoding(offers).domain();
        if self.head.needs_smtputf8() {
            body.max(Encoding::EightBit)
        } else {
            body
        }
    }
}

/// A header and what it describes.
#[derive(Clone, Debug)]
pub(crate) struct Entity {
    pub(crate) media_type: MediaType,
    pub(crate) content: Content,
    pub(crate) disposition: Option<Disposition>,
    pub(crate) content_id: Option<ContentId>,
    pub(crate) description: Option<Box<str>>,
}

/// What a reader should do with a part (RFC 2183).
#[derive(Clone, Debug)]
pub(crate) struct Disposition {
    pub(crate) inline: bool,
    pub(crate) file_name: Option<Box<str>>,
}

#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// Octets that arrive as they are.
    Data(Source),
    /// A message that was given as octets: lines that may not be encoded (RFC 2046, 5.2.1).
    Lines {
        source: Source,
        scan: Scan,
    },
    /// A message that was built here.
    Message(Box<Root>),
    Parts(Vec<Entity>),
    Text {
        text: Box<str>,
        scan: Scan,
    },
}

impl Entity {
    pub(crate) fn new(media_type: MediaType, content: Content) -> Self {
        Self {
            media_type,
            content,
            disposition: None,
            content_id: None,
            description: None,
        }
    }

    pub(crate) fn is_multipart(&self) -> bool {
        matches!(self.content, Content::Parts(_))
    }

    /// How many entities are within each other here.
    pub(crate) fn depth(&self) -> usize {
        let below = match &self.content {
            Content::Message(root) => root.body.depth(),
            Content::Parts(parts) => parts.iter().map(Self::depth).max().unwrap_or(0),
            Content::Data(_) | Content::Lines { .. } | Content::Text { .. } => 0,
        };
        below + 1
    }

    pub(crate) fn file_name(&self) -> Option<&str> {
        self.disposition.as_ref()?.file_name.as_deref()
    }

    /// The encoding of the content for a server with these offers; a multipart has that of its most
    /// demanding part.
    pub(crate) fn encoding(&self, offers: Offers) -> Encoding {
        match &self.content {
            Content::Data(_) if offers.binary => Encoding::Binary,
            Content::Data(_) => Encoding::Base64,
            Content::Lines { scan, .. } if scan.fits(offers.eight_bit) => scan.line_encoding(),
            Content::Lines { .. } => Encoding::Base64,
            Content::Message(root) => root.domain(offers),
            Content::Parts(parts) => parts
                .iter()
                .map(|part| part.encoding(offers).domain())
                .max()
                .unwrap_or(Encoding::SevenBit),
            Content::Text { scan, .. } => scan.text_encoding(offers.eight_bit),
        }
    }

    pub(crate) fn needs_smtputf8(&self) -> bool {
        match &self.content {
            Content::Message(root) => root.needs_smtputf8(),
            Content::Parts(parts) => parts.iter().any(Self::needs_smtputf8),
            Content::Data(_) | Content::Lines { .. } | Content::Text { .. } => false,
        }
    }

    /// Whether content in memory has what could be taken for a delimiter of the multiparts around
    /// it.
    pub(crate) fn collides(&self, seed: &str) -> bool {
        match &self.content {
            Content::Data(source) | Content::Lines { source, .. } => {
                source.octets().is_some_and(|octets| occurs(seed, octets))
            }
            Content::Message(root) => *root.seed == *seed || root.collides(seed),
            Content::Parts(parts) => parts.iter().any(|part| part.collides(seed)),
            Content::Text { text, .. } => text.contains(&delimiter(seed)),
        }
    }
}

/// What all delimiters of a message's own multiparts begin with.
///
/// Neither quoted-printable nor base64 has `=_`, so no encoded content can look like one (RFC 2045,
/// 6.7).
fn delimiter(seed: &str) -> String {
    format!("--=_{seed}.")
}

/// The boundary of a multipart: a message numbers its own. None is the beginning of another (RFC
/// 2046, 5.1.2).
pub(crate) fn boundary(seed: &str, number: usize) -> String {
    format!("=_{seed}.{number}_=")
}

fn occurs(seed: &str, octets: &[u8]) -> bool {
    let delimiter = delimiter(seed);
    octets
        .windows(delimiter.len())
        .any(|window| window == delimiter.as_bytes())
}
