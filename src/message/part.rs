//! [`Part`]: the body of a message as a tree, for those who want more than text, HTML and
//! attachments.

use std::sync::Arc;

use crate::message::attachment::{Attachment, base_name, check_name};
use crate::message::disposition::Disposition;
use crate::message::entity::{Content, Entity, Root};
use crate::message::error::{MessageError, MessageProblem, check_controls};
use crate::message::field::Field;
use crate::message::id::ContentId;
use crate::message::lines::{has_unfit_report, is_lines, lines};
use crate::message::mailbox::Mailbox;
use crate::message::media_type::MediaType;
use crate::message::parameter::is_boundary;
use crate::message::source::Source;
use crate::message::transfer::{Offers, Scan, flow};

/// The most multiparts and messages within each other. Real mail has less than a tenth of it, and
/// no reader should have to follow more.
const MAX_DEPTH: usize = 50;
/// The name in errors for a part of a tree.
const FIELD: &str = "body";

/// A part of a message: text, a file, another message, or several parts (RFC 2046).
/// [`MessageBuilder::body`](crate::MessageBuilder::body) takes a tree of them.
///
/// Errors come from [`MessageBuilder::build`](crate::MessageBuilder::build).
///
/// ```
/// use smtplib::{Attachment, Message, Part};
///
/// let report = Part::multipart(
///     "multipart/report; report-type=disposition-notification",
///     [
///         Part::text("Your message was displayed.\n"),
///         Part::text_of(
///             "message/disposition-notification",
///             "Disposition: manual-action; displayed\n",
///         ),
///     ],
/// );
/// let message = Message::builder()
///     .from("bob@example.org")
///     .to("alice@example.com")
///     .subject("Read: Lunch?")
///     .body(report)
///     .build()?;
/// # Ok::<(), smtplib::error::MessageError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Part {
    kind: Kind,
    content_id: Option<String>,
    description: Option<String>,
    /// An empty text means no disposition at all.
    disposition: Option<String>,
    headers: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
enum Kind {
    Attachment(Attachment),
    Message(Box<Root>),
    Multipart {
        media_type: Named,
        parts: Vec<Part>,
        boundary: Option<String>,
    },
    Text {
        media_type: Named,
        text: String,
    },
}

/// A media type that the caller wrote or that this module knows.
#[derive(Clone, Debug)]
enum Named {
    Known(&'static str),
    Written(String),
}

impl Named {
    /// Whether it is this type, with any parameters.
    fn is(&self, essence: &str) -> bool {
        let text = match self {
            Self::Known(text) => text,
            Self::Written(text) => text.as_str(),
        };
        let written = text.split(';').next().unwrap_or_default();
        written.trim_matches(' ').eq_ignore_ascii_case(essence)
    }

    fn media_type(&self) -> Result<MediaType, MessageProblem> {
        match self {
            Self::Known(essence) => Ok(MediaType::known(*essence)),
            Self::Written(text) => text.parse(),
        }
    }
}

impl Part {
    /// Makes a part of plain text, `text/plain`.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::new(Kind::Text {
            media_type: Named::Known("text/plain"),
            text: text.into(),
        })
    }

    /// Makes a part of HTML, `text/html`.
    #[must_use]
    pub fn html(html: impl Into<String>) -> Self {
        Self::new(Kind::Text {
            media_type: Named::Known("text/html"),
            text: html.into(),
        })
    }

    /// Makes a part of plain text with one line for each paragraph; mail programs wrap them (RFC
    /// 3676).
    #[must_use]
    pub fn flowed(text: &str) -> Self {
        Self::text_of("text/plain; format=flowed", flow(text))
    }

    /// Makes a `text/calendar` part with the calendar's method, such as `REQUEST` (RFC 6047).
    #[must_use]
    pub fn calendar(method: &str, calendar: impl Into<String>) -> Self {
        Self::text_of(&format!("text/calendar; method={method}"), calendar)
    }

    /// Makes a part of text of any media type, with CRLF line ends and the charset UTF-8.
    ///
    /// A message (`message/rfc822`) or a report (`message/delivery-status`) may not be encoded (RFC
    /// 2046, 5.2.1). Where 8-bit lines cannot be sent, an 8-bit message is sent as
    /// `application/octet-stream`: to a server without 8BITMIME, in a signed part, and in a file. So is
    /// a message with a blank at the end of a line in a signed part. A report must be 7-bit, and may
    /// have no such blank in a signed part.
    #[must_use]
    pub fn text_of(media_type: &str, text: impl Into<String>) -> Self {
        Self::new(Kind::Text {
            media_type: Named::Written(media_type.to_owned()),
            text: text.into(),
        })
    }

    /// Makes a multipart of the same content in several forms, the plainest first (RFC 2046,
    /// 5.1.4).
    ///
    /// Mail programs show the last form that they support.
    #[must_use]
    pub fn alternative(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::known_multipart("multipart/alternative", parts.into_iter().collect())
    }

    /// Makes a multipart of parts one after the other, such as text and attachments.
    #[must_use]
    pub fn mixed(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::known_multipart("multipart/mixed", parts.into_iter().collect())
    }

    /// Makes a multipart of HTML and its inline pictures (RFC 2387).
    #[must_use]
    pub fn related(parts: impl IntoIterator<Item = Self>) -> Self {
        Self::known_multipart("multipart/related", parts.into_iter().collect())
    }

    /// Makes a multipart of any type, such as `multipart/report; report-type=delivery-status`.
    #[must_use]
    pub fn multipart(media_type: &str, parts: impl IntoIterator<Item = Self>) -> Self {
        Self::new(Kind::Multipart {
            media_type: Named::Written(media_type.to_owned()),
            parts: parts.into_iter().collect(),
            boundary: None,
        })
    }

    /// Sets the boundary of a multipart, a text that occurs nowhere in the content.
    ///
    /// By default it is random. It can have 1 to 70 letters, digits, `'()+_,-./:=?` and inner
    /// spaces. Attachments that are read from files are not searched for it.
    #[must_use]
    pub fn boundary(mut self, text: impl Into<String>) -> Self {
        match &mut self.kind {
            Kind::Multipart { boundary, .. } => *boundary = Some(text.into()),
            // `build` refuses this.
            _ => self.headers.push(("boundary".to_owned(), String::new())),
        }
        self
    }

    /// Sets how mail programs show the part (RFC 2183), such as `inline` or `attachment; size=12`.
    ///
    /// By default attachments are `attachment`, attachments with a content id are `inline`, and
    /// other parts have none. An empty text means no disposition. The file name stays, unless you
    /// give a parameter `filename`.
    ///
    /// ```
    /// use smtplib::{Attachment, Part};
    ///
    /// let picture = Part::from(Attachment::new("photo.jpg", b"\xff\xd8".to_vec()))
    ///     .disposition("inline; creation-date=\"Wed, 12 Feb 1997 16:29:51 -0500\"")
    ///     .header("X-Attachment-Id", "f_l0abc123");
    /// ```
    #[must_use]
    pub fn disposition(mut self, disposition: impl Into<String>) -> Self {
        self.disposition = Some(disposition.into());
        self
    }

    /// Adds a header field to the part, such as `Content-Location` or `X-Attachment-Id`.
    ///
    /// The value is checked and encoded as in
    /// [`MessageBuilder::header`](crate::MessageBuilder::header). An address in it may not need
    /// SMTPUTF8.
    ///
    /// ```
    /// use smtplib::Part;
    ///
    /// let part = Part::html("<p>Hi!</p>\n").header("Content-Location", "https://example.com/");
    /// ```
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sets the id by which other parts refer to this one (RFC 2045, 7); the default is none.
    ///
    /// An attachment with an id belongs to the HTML, as with
    /// [`Attachment::inline`](crate::Attachment::inline), unless you give it another
    /// [`disposition`](Self::disposition).
    #[must_use]
    pub fn content_id(mut self, id: impl Into<String>) -> Self {
        self.content_id = Some(id.into());
        self
    }

    /// Sets a description, which some mail programs show (RFC 2045, 8); the default is none.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    fn known_multipart(essence: &'static str, parts: Vec<Self>) -> Self {
        Self::new(Kind::Multipart {
            media_type: Named::Known(essence),
            parts,
            boundary: None,
        })
    }

    /// Makes a part of a message within a message.
    pub(crate) fn message(root: Root) -> Self {
        Self::new(Kind::Message(Box::new(root)))
    }

    fn new(kind: Kind) -> Self {
        Self {
            kind,
            content_id: None,
            description: None,
            disposition: None,
            headers: Vec::new(),
        }
    }

    /// Whether HTML shows it.
    pub(crate) fn is_inline(&self) -> bool {
        match &self.kind {
            Kind::Attachment(attachment) => attachment.is_inline() || self.is_referred_to(),
            _ => false,
        }
    }

    /// Whether it has an id for the HTML. An id beside another disposition is only a name.
    fn is_referred_to(&self) -> bool {
        let value = self.disposition.as_deref().unwrap_or("inline");
        let value = value.split(';').next().unwrap_or_default();
        self.content_id.is_some() && value.trim_matches(' ').eq_ignore_ascii_case("inline")
    }

    /// Puts inline pictures beside the first HTML of the tree. Signed parts are not changed.
    pub(crate) fn show(&mut self, shown: &mut Vec<Self>) {
        match &mut self.kind {
            Kind::Multipart { media_type, .. }
                if media_type.is("multipart/signed") || media_type.is("multipart/encrypted") => {}
            Kind::Multipart {
                media_type, parts, ..
            } if media_type.is("multipart/related")
                && parts.first().is_some_and(Self::has_html) =>
            {
                parts.append(shown);
            }
            Kind::Multipart { parts, .. } => parts.iter_mut().for_each(|part| part.show(shown)),
            Kind::Text { media_type, .. } if media_type.is("text/html") && !shown.is_empty() => {
                let mut parts = vec![std::mem::replace(self, Self::text(""))];
                parts.append(shown);
                *self = Self::related(parts);
            }
            _ => {}
        }
    }

    fn has_html(&self) -> bool {
        match &self.kind {
            Kind::Multipart { parts, .. } => parts.iter().any(Self::has_html),
            Kind::Text { media_type, .. } => media_type.is("text/html"),
            _ => false,
        }
    }

    pub(crate) fn check(self) -> Result<Entity, MessageError> {
        self.check_below(MAX_DEPTH)
    }

    fn check_below(self, depth: usize) -> Result<Entity, MessageError> {
        let below = depth
            .checked_sub(1)
            .ok_or_else(|| refused(MessageProblem::Nesting))?;
        let mut entity = self.kind.check(below)?;
        if let Some(id) = self.content_id {
            entity.content_id = Some(ContentId::parse(&id).map_err(refused)?);
            // No other part has a disposition of its own.
            if entity.disposition.is_some() {
                entity.disposition = Some(Disposition::known("inline"));
            }
        }
        if let Some(description) = self.description {
            check_controls(&description).map_err(refused)?;
            entity.description = Some(description.into());
        }
        if let Some(disposition) = self.disposition {
            dispose(&mut entity, &disposition).map_err(refused)?;
        }
        let fields = self.headers.iter();
        entity.fields = fields
            .map(|(name, value)| match (name.as_str(), value.as_str()) {
                ("boundary", "") => Err(refused(MessageProblem::PartBoundary)),
                (name, value) => field(name, value),
            })
            .collect::<Result<_, _>>()?;
        Ok(entity)
    }
}

impl Kind {
    fn check(self, below: usize) -> Result<Entity, MessageError> {
        match self {
            Self::Attachment(attachment) => attachment.check(),
            Self::Message(root) => {
                if root.body.depth() > below {
                    return Err(refused(MessageProblem::Nesting));
                }
                let media_type = MediaType::known("message/rfc822");
                Ok(Entity::new(media_type, Content::Message(root)))
            }
            Self::Multipart {
                media_type,
                parts,
                boundary,
            } => multipart(&media_type, parts, boundary, below),
            Self::Text { media_type, text } => self::text(&media_type, text).map_err(refused),
        }
    }
}

impl From<Attachment> for Part {
    fn from(attachment: Attachment) -> Self {
        Self::new(Kind::Attachment(attachment))
    }
}

fn refused(problem: MessageProblem) -> MessageError {
    MessageError::new(FIELD, problem)
}

/// A field of a part. Addresses outside ASCII are for the header of a message, which decides whether
/// the server must offer SMTPUTF8.
fn field(name: &str, value: &str) -> Result<Field, MessageError> {
    let field = Field::new(name, value)?;
    let mut shown = field.shown().map(Mailbox::address);
    let refused = shown.find(|address| address.to_ascii().is_none()).cloned();
    drop(shown);
    match refused {
        Some(address) => {
            let problem = MessageProblem::Smtputf8(Box::new(address));
            Err(MessageError::new(name.to_owned(), problem))
        }
        None => Ok(field),
    }
}

/// Sets the disposition that the caller wrote. An empty text removes it.
fn dispose(entity: &mut Entity, text: &str) -> Result<(), MessageProblem> {
    if text.is_empty() {
        entity.disposition = None;
        return Ok(());
    }
    let (disposition, name) = Disposition::parse(text)?;
    entity.disposition = Some(disposition);
    if let Some(name) = name {
        check_name(&name)?;
        let name = base_name(&name);
        entity.file_name = (!name.is_empty()).then(|| name.into());
    }
    Ok(())
}

fn text(media_type: &Named, text: String) -> Result<Entity, MessageProblem> {
    let mut media_type = media_type.media_type()?;
    let is_true = match media_type.parameter("charset") {
        None => true,
        Some(charset) if charset.eq_ignore_ascii_case("us-ascii") => text.is_ascii(),
        Some(charset) => charset.eq_ignore_ascii_case("utf-8"),
    };
    if !is_true || media_type.top_level() == "multipart" {
        return Err(MessageProblem::MediaType);
    }
    if media_type.top_level() == "text" {
        media_type = media_type.with("charset", "utf-8");
    }
    if is_lines(&media_type) {
        let is_sendable = Scan::of(text.as_bytes()).fits(true);
        let entity = lines(media_type, Source::Memory(Arc::new(text.into_bytes())))?;
        return is_sendable.then_some(entity).ok_or(MessageProblem::Lines);
    }
    let scan = Scan::of(text.as_bytes());
    let text = text.into_boxed_str();
    Ok(Entity::new(media_type, Content::Text { text, scan }))
}

fn multipart(
    media_type: &Named,
    parts: Vec<Part>,
    boundary: Option<String>,
    depth: usize,
) -> Result<Entity, MessageError> {
    if boundary.as_deref().is_some_and(|text| !is_boundary(text)) {
        return Err(refused(MessageProblem::PartBoundary));
    }
    let boundary = boundary.map(Into::into);
    let mut media_type = media_type.media_type().map_err(refused)?;
    if media_type.top_level() != "multipart" || media_type.parameter("boundary").is_some() {
        return Err(refused(MessageProblem::MediaType));
    }
    let parts = parts
        .into_iter()
        .map(|part| part.check_below(depth))
        .collect::<Result<Vec<_>, _>>()?;
    let Some(first) = parts.first() else {
        return Err(refused(MessageProblem::Empty));
    };
    // RFC 2387, 3.1: the type of the part that shows the others.
    if media_type.essence() == "multipart/related" {
        media_type = media_type.with("type", first.media_type.essence().to_owned());
    }
    let entity = Entity::new(media_type, Content::Parts { parts, boundary });
    let offers = entity.offers_within(Offers::default());
    if offers.signed && has_unfit_report(&entity, offers) {
        return Err(refused(MessageProblem::SevenBit));
    }
    Ok(entity)
}
