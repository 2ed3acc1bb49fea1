//! [`Entity`]: a part of a message that has been checked and can be rendered (RFC 2045, 2.4).

use crate::address::Address;
use crate::message::disposition::Disposition;
use crate::message::field::Field;
use crate::message::head::Head;
use crate::message::id::ContentId;
use crate::message::media_type::MediaType;
use crate::message::source::Source;
use crate::message::transfer::{Encoding, Offers, Scan};

/// Multiparts whose content must not change on its way (RFC 1847).
const SIGNED: [&str; 2] = ["multipart/signed", "multipart/encrypted"];

/// What a message consists of: its header, and the entity that is its body.
#[derive(Clone, Debug)]
pub(crate) struct Root {
    pub(crate) head: Head,
    pub(crate) body: Entity,
    /// A text that is in all boundaries of the body and nowhere else.
    pub(crate) seed: Box<str>,
    /// Old versions of Outlook want file names in encoded-words.
    pub(crate) has_encoded_names: bool,
    /// A header here or in an enclosed message has an address outside ASCII.
    has_utf8: bool,
}

impl Root {
    /// Makes a message whose boundaries are not chosen yet.
    pub(crate) fn new(head: Head, body: Entity, has_encoded_names: bool) -> Self {
        Self {
            has_utf8: head.has_utf8() || body.messages().any(|enclosed| enclosed.has_utf8),
            head,
            body,
            seed: "".into(),
            has_encoded_names,
        }
    }

    /// The first address without an ASCII form, here or in an enclosed message, and its field.
    pub(crate) fn without_ascii(&self) -> Option<(&str, &Address)> {
        if !self.has_utf8 {
            return None;
        }
        let enclosed = || self.body.messages().find_map(Self::without_ascii);
        self.head.without_ascii().or_else(enclosed)
    }

    /// Whether the header is sent in UTF-8: if it needs to be, and the server accepts that.
    pub(crate) fn goes_as_utf8(&self, offers: Offers) -> bool {
        offers.smtputf8 && self.has_utf8
    }

    fn domain(&self, offers: Offers) -> Encoding {
        let body = self.body.encoding(offers).domain();
        if offers.smtputf8 && self.head.has_utf8() {
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
    pub(crate) file_name: Option<Box<str>>,
    pub(crate) content_id: Option<ContentId>,
    pub(crate) description: Option<Box<str>>,
    /// Fields that the caller added.
    pub(crate) fields: Vec<Field>,
}

#[derive(Clone, Debug)]
pub(crate) enum Content {
    /// Bytes that arrive unchanged.
    Data(Source),
    /// A message or report that was given as bytes: lines that must not be encoded (RFC 2046,
    /// 5.2.1).
    Lines {
        source: Source,
        scan: Scan,
        /// How many bytes there were when they were scanned.
        octets: u64,
    },
    /// A message that this crate built.
    Message(Box<Root>),
    Parts {
        parts: Vec<Entity>,
        /// The caller's boundary, if there is one.
        boundary: Option<Box<str>>,
    },
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
            file_name: None,
            content_id: None,
            description: None,
            fields: Vec::new(),
        }
    }

    pub(crate) fn is_multipart(&self) -> bool {
        matches!(self.content, Content::Parts { .. })
    }

    /// How deeply entities are nested here.
    pub(crate) fn depth(&self) -> usize {
        let below = match &self.content {
            Content::Message(root) => root.body.depth(),
            Content::Parts { parts, .. } => parts.iter().map(Self::depth).max().unwrap_or(0),
            Content::Data(_) | Content::Lines { .. } | Content::Text { .. } => 0,
        };
        below + 1
    }

    pub(crate) fn file_name(&self) -> Option<&str> {
        self.file_name.as_deref()
    }

    /// The offers that the parts within this one may use.
    pub(crate) fn offers_within(&self, offers: Offers) -> Offers {
        if SIGNED.contains(&self.media_type.essence()) {
            offers.signed()
        } else {
            offers
        }
    }

    /// The encoding of the content for a server with these offers; a multipart has that of its most
    /// demanding part.
    pub(crate) fn encoding(&self, offers: Offers) -> Encoding {
        match &self.content {
            Content::Data(_) if offers.binary => Encoding::Binary,
            Content::Data(_) => Encoding::Base64,
            Content::Lines { scan, .. } if scan.goes_as_lines(offers) => scan.line_encoding(),
            Content::Lines { .. } => Encoding::Base64,
            Content::Message(root) => root.domain(offers),
            Content::Parts { parts, .. } => parts
                .iter()
                .map(|part| part.encoding(self.offers_within(offers)).domain())
                .max()
                .unwrap_or(Encoding::SevenBit),
            Content::Text { scan, .. } => scan.encoding(offers),
        }
    }

    /// The messages within this part, but not those within them.
    fn messages(&self) -> Box<dyn Iterator<Item = &Root> + '_> {
        match &self.content {
            Content::Message(root) => Box::new(std::iter::once(&**root)),
            Content::Parts { parts, .. } => Box::new(parts.iter().flat_map(Self::messages)),
            Content::Data(_) | Content::Lines { .. } | Content::Text { .. } => {
                Box::new(std::iter::empty())
            }
        }
    }
}
