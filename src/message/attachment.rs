//! [`Attachment`]: a file in a message.

use std::io::{self, Read};
use std::path::Path;
use std::sync::Arc;

use crate::message::disposition::Disposition;
use crate::message::entity::{Content, Entity};
use crate::message::error::{MessageError, MessageProblem, check_controls};
use crate::message::id::ContentId;
use crate::message::lines::{is_lines, lines};
use crate::message::media_type::MediaType;
use crate::message::source::{Source, file_length};

/// A file that a message carries: attached to it, or shown within its HTML.
///
/// The media type is guessed from the file extension, unless you set it. The content arrives byte
/// for byte, except that the lines of messages and reports, such as `.eml` files, get CRLF line ends
/// (RFC 2046, 5.2.1). Only the file name is sent, without folders.
///
/// Errors come from [`MessageBuilder::build`](crate::MessageBuilder::build). It reads text files
/// and messages once, to find their charset or line lengths.
///
/// Turn it into a [`Part`](crate::Part) to add header fields or to set its disposition.
///
/// ```
/// use smtplib::{Attachment, Message};
///
/// let logo = Attachment::new("logo.png", b"\x89PNG".to_vec()).inline("logo@example.com");
/// let message = Message::builder()
///     .from("alice@example.com")
///     .to("bob@example.org")
///     .subject("Report")
///     .html(format!("<img src=\"{}\"> The report is attached.", logo.url().unwrap_or_default()))
///     .attach(logo)
///     .attach(Attachment::new("report.csv", "day;sum\r\n1;2\r\n"))
///     .build()?;
/// # Ok::<(), smtplib::error::MessageError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Attachment {
    name: String,
    media_type: Option<String>,
    description: Option<String>,
    /// Set if HTML shows it.
    content_id: Option<String>,
    source: Source,
}

impl Attachment {
    /// Makes an attachment from bytes.
    ///
    /// ```
    /// use smtplib::Attachment;
    ///
    /// let table = Attachment::new("report.csv", "day;sum\r\n1;2\r\n");
    /// let image = Attachment::new("dot.png", vec![0x89, b'P', b'N', b'G']);
    /// ```
    #[must_use]
    pub fn new(name: impl Into<String>, data: impl Into<Vec<u8>>) -> Self {
        Self::with_source(name.into(), Source::Memory(Arc::new(data.into())))
    }

    /// Makes an attachment from the file at this path, under its file name.
    ///
    /// The file is read a little at a time while the message is sent, and again each time it is
    /// sent. If its length changes meanwhile, sending fails.
    ///
    /// ```no_run
    /// use smtplib::Attachment;
    ///
    /// let report = Attachment::from_path("/home/me/report.pdf")?; // sent as report.pdf
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// An [`io::Error`] that names the path, if there is no such file or it is not a regular file.
    pub fn from_path(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        file_length(path)?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        Ok(Self::with_source(
            name.into_owned(),
            Source::File(path.into()),
        ))
    }

    /// Reads an attachment from a reader to its end, and keeps it in memory.
    ///
    /// ```no_run
    /// use smtplib::Attachment;
    ///
    /// let log = Attachment::from_reader("log.txt", std::io::stdin())?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The reader's error.
    pub fn from_reader(name: impl Into<String>, mut reader: impl Read) -> io::Result<Self> {
        let mut data = Vec::new();
        reader.read_to_end(&mut data)?;
        Ok(Self::new(name, data))
    }

    /// Makes an attachment of `length` bytes from a reader that is opened each time the message is
    /// sent.
    ///
    /// If the reader gives more or fewer bytes, sending fails.
    ///
    /// ```no_run
    /// use std::fs::File;
    /// use smtplib::Attachment;
    ///
    /// let size = std::fs::metadata("backup.tar.gz")?.len();
    /// let backup = Attachment::streamed("backup.tar.gz", size, || File::open("backup.tar.gz"));
    /// # Ok::<(), std::io::Error>(())
    /// ```
    #[must_use]
    pub fn streamed<R: Read + 'static>(
        name: impl Into<String>,
        length: u64,
        open: impl Fn() -> io::Result<R> + Send + Sync + 'static,
    ) -> Self {
        let open = Arc::new(move || open().map(|reader| Box::new(reader) as Box<dyn Read>));
        Self::with_source(name.into(), Source::Stream { length, open })
    }

    fn with_source(name: String, source: Source) -> Self {
        Self {
            name,
            media_type: None,
            description: None,
            content_id: None,
            source,
        }
    }

    /// Sets the media type, such as `text/csv`; by default it is guessed from the file extension.
    #[must_use]
    pub fn media_type(mut self, media_type: impl Into<String>) -> Self {
        self.media_type = Some(media_type.into());
        self
    }

    /// Sets a description, which some mail programs show (RFC 2045, 8); the default is none.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Makes it part of the HTML, which shows it with this id: `<img src="cid:logo">` (RFC 2392).
    ///
    /// By default it is a separate attachment. The id can have any visible ASCII characters. Use a
    /// different id for each picture, such as `chart-42@example.com`: some mail programs mix up
    /// pictures with the same id in different messages.
    #[must_use]
    pub fn inline(mut self, content_id: impl Into<String>) -> Self {
        self.content_id = Some(content_id.into());
        self
    }

    /// Returns the address of an inline attachment for HTML: `cid:` and its id, escaped.
    ///
    /// It is `None` if the attachment is not inline.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        let id = ContentId::parse(self.content_id.as_deref()?).ok()?;
        Some(id.url())
    }

    /// Whether it belongs to the HTML.
    pub(crate) fn is_inline(&self) -> bool {
        self.content_id.is_some()
    }

    pub(crate) fn check(self) -> Result<Entity, MessageError> {
        let field = format!("attachment {}", self.name);
        self.entity()
            .map_err(|problem| MessageError::new(field, problem))
    }

    fn entity(self) -> Result<Entity, MessageProblem> {
        check_name(&self.name)?;
        let file_name = base_name(&self.name);
        let media_type = match &self.media_type {
            Some(text) => text.parse()?,
            None => guess(file_name, &self.source),
        };
        let mut entity = match media_type.top_level() {
            "multipart" => return Err(MessageProblem::MediaType),
            _ if is_lines(&media_type) => lines(media_type, self.source)?,
            _ => Entity::new(media_type, Content::Data(self.source)),
        };
        entity.content_id = self
            .content_id
            .as_deref()
            .map(ContentId::parse)
            .transpose()?;
        if let Some(description) = self.description {
            check_controls(&description)?;
            entity.description = Some(description.into());
        }
        entity.file_name = (!file_name.is_empty()).then(|| file_name.into());
        entity.disposition = Some(Disposition::known(match entity.content_id {
            Some(_) => "inline",
            None => "attachment",
        }));
        Ok(entity)
    }
}

/// The type for a file name. Text also gets a charset, because text without one is US-ASCII (RFC
/// 2046, 4.1.2).
fn guess(file_name: &str, source: &Source) -> MediaType {
    let media_type = MediaType::of_file(file_name);
    if media_type.top_level() == "text" && source.is_utf8() {
        media_type.with("charset", "utf-8")
    } else {
        media_type
    }
}

/// Checks a file name: control characters are refused, tabs included.
pub(crate) fn check_name(name: &str) -> Result<(), MessageProblem> {
    match name.chars().find(|c| c.is_control()) {
        Some(c) => Err(MessageProblem::Control(c)),
        None => Ok(()),
    }
}

/// The part after the last `/` or `\` (RFC 2183, 2.3).
pub(crate) fn base_name(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or_default()
}
