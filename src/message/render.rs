//! [`Rendering`]: a message as bytes for one server. It is measured, but not written yet.

use std::io::{self, Write};
use std::ops::Range;

use crate::message::boundary::numbered;
use crate::message::entity::{Content, Entity, Root};
use crate::message::error::{MessageError, MessageProblem};
use crate::message::header::HeaderWriter;
use crate::message::parameter::{plain_name, write_encoded_name, write_parameters};
use crate::message::source::Source;
use crate::message::transfer::{Base64Writer, Encoding, LineWriter, Offers, Scan, base64_length};

/// How many bytes the headers of a small message have.
const SMALL: usize = 1_024;
/// A text up to this length, in bytes, is encoded when it is measured.
const SHORT_TEXT: usize = 256 * 1_024;
/// A message that cannot be sent as lines is sent as a file (RFC 2046, 5.2.1, forbids encoding it
/// as a message).
const OCTETS: &str = "application/octet-stream";
/// A message with letters outside ASCII in its header (RFC 6532, 3.7).
const GLOBAL: &str = "message/global";

/// The bytes of a message in their order. Headers and delimiters are kept here, and content stays
/// where the message has it.
#[derive(Debug)]
pub(crate) struct Rendering<'m> {
    /// Headers and delimiters, one after the other.
    glue: Vec<u8>,
    segments: Vec<Segment<'m>>,
    size: u64,
    eight_bit: bool,
    binary: bool,
    smtputf8: bool,
    /// Whether it is certain that no line begins with a dot.
    clean: bool,
}

#[derive(Debug)]
enum Segment<'m> {
    Data {
        source: &'m Source,
        length: u64,
        encoding: Encoding,
    },
    Glue(Range<usize>),
    /// Lines that are not in memory.
    Lines {
        source: &'m Source,
        scan: &'m Scan,
        octets: u64,
    },
    /// Text that is sent unchanged.
    Ready(&'m [u8]),
    Text {
        text: &'m [u8],
        encoding: Encoding,
    },
}

impl<'m> Rendering<'m> {
    pub(crate) fn of(root: &'m Root, offers: Offers) -> Result<Self, MessageError> {
        let smtputf8 = root.goes_as_utf8(offers);
        if !offers.smtputf8 {
            check_ascii(root)?;
        }
        let mut renderer = Renderer {
            rendering: Self {
                glue: Vec::with_capacity(SMALL),
                segments: Vec::new(),
                size: 0,
                eight_bit: smtputf8,
                binary: false,
                smtputf8,
                clean: true,
            },
            glued: 0,
            // A server with SMTPUTF8 accepts 8-bit text (RFC 6531, 3.1).
            offers: Offers {
                eight_bit: offers.eight_bit || smtputf8,
                ..offers
            },
        };
        renderer.root(root)?;
        renderer.last_line_end(&root.body);
        renderer.end_glue();
        Ok(renderer.rendering)
    }

    /// How many bytes [`Self::write_to`] writes.
    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Whether the server must accept bytes above 127.
    pub(crate) fn is_8bit(&self) -> bool {
        self.eight_bit
    }

    /// Whether the server must accept bytes that are not lines (RFC 3030).
    pub(crate) fn is_binary(&self) -> bool {
        self.binary
    }

    /// Whether the server must accept addresses outside ASCII in headers.
    pub(crate) fn needs_smtputf8(&self) -> bool {
        self.smtputf8
    }

    /// Whether it is known that DATA can take the message unchanged: all lines end in CRLF, and
    /// none begins with a dot (RFC 5321, 4.5.2).
    pub(crate) fn is_clean(&self) -> bool {
        self.clean
    }

    /// Writes the message. Content that is not in memory is read a little at a time.
    ///
    /// # Errors
    ///
    /// An error of reading or writing, or an attachment that does not have the measured length.
    /// What was written by then is not a message, and must not be ended as one.
    pub(crate) fn write_to(&self, out: &mut dyn Write) -> io::Result<()> {
        for segment in &self.segments {
            match segment {
                Segment::Data {
                    source,
                    length,
                    encoding: Encoding::Base64,
                } => {
                    let mut encoder = Base64Writer::new(out);
                    source.copy(*length, &mut encoder)?;
                    encoder.finish()?;
                }
                Segment::Data { source, length, .. } => source.copy(*length, out)?,
                Segment::Glue(range) => {
                    out.write_all(self.glue.get(range.clone()).unwrap_or_default())?;
                }
                Segment::Lines {
                    source,
                    scan,
                    octets,
                } => {
                    let mut writer = LineWriter::new(out);
                    source.copy(*octets, &mut writer)?;
                    if !writer.finish(scan) {
                        return Err(source.invalid(CHANGED));
                    }
                }
                Segment::Ready(text) => out.write_all(text)?,
                Segment::Text { text, encoding } => encoding.write_text(text, out)?,
            }
        }
        Ok(())
    }
}

/// The error for lines that have changed since they were checked.
const CHANGED: &str = "the attachment changed after the message was built";

struct Renderer<'m> {
    rendering: Rendering<'m>,
    /// How much of the glue is part of a segment.
    glued: usize,
    offers: Offers,
}

impl<'m> Renderer<'m> {
    /// Renders a message, or a message within it, without a line end after its last line.
    fn root(&mut self, root: &'m Root) -> Result<(), MessageError> {
        let is_utf8 = self.rendering.smtputf8 && root.head.has_utf8();
        let mut writer = HeaderWriter::new(&mut self.rendering.glue, is_utf8);
        root.head.write(&mut writer);
        writer.short("MIME-Version", "1.0");
        self.entity(&root.body, root, &mut 0, self.offers)
    }

    /// Renders the header of a part and its content. Multiparts are numbered in the order in which
    /// they begin.
    fn entity(
        &mut self,
        entity: &'m Entity,
        root: &'m Root,
        multiparts: &mut usize,
        offers: Offers,
    ) -> Result<(), MessageError> {
        let encoding = entity.encoding(offers);
        self.rendering.eight_bit |= encoding == Encoding::EightBit;
        self.rendering.binary |= encoding == Encoding::Binary;
        let boundary = match &entity.content {
            Content::Parts { boundary, .. } => {
                *multiparts += 1;
                let own = boundary.as_deref();
                own.map_or_else(|| numbered(&root.seed, *multiparts), str::to_owned)
            }
            _ => String::new(),
        };
        let essence = essence(entity, encoding, offers);
        self.header(entity, essence, encoding, &boundary, root);
        match &entity.content {
            Content::Data(source) => self.data(source, encoding, entity)?,
            Content::Lines { source, .. } if encoding == Encoding::Base64 => {
                self.data(source, encoding, entity)?;
            }
            Content::Lines {
                source,
                scan,
                octets,
            } => match source.octets() {
                Some(text) => self.text(text, scan, encoding),
                None => self.lines(source, scan, *octets, entity)?,
            },
            Content::Message(inner) => {
                let outer = std::mem::replace(&mut self.offers, offers);
                let rendered = self.root(inner);
                self.offers = outer;
                rendered?;
            }
            Content::Parts { parts, .. } => {
                for part in parts {
                    self.delimiter(&boundary, "");
                    self.entity(part, root, multiparts, entity.offers_within(offers))?;
                    self.glue("\r\n");
                }
                self.delimiter(&boundary, "--");
            }
            Content::Text { text, scan } => self.text(text.as_bytes(), scan, encoding),
        }
        Ok(())
    }

    /// Writes the fields that describe a part, and the empty line after them.
    fn header(
        &mut self,
        entity: &Entity,
        essence: &str,
        encoding: Encoding,
        boundary: &str,
        root: &Root,
    ) {
        // Descriptions and file names are encoded even if UTF-8 is allowed, because all readers can
        // decode them.
        let mut writer = HeaderWriter::new(&mut self.rendering.glue, false);
        writer.begin("Content-Type");
        write_media_type(&mut writer, entity, essence, boundary, root);
        writer.end();
        if let Some(label) = encoding.label() {
            writer.short("Content-Transfer-Encoding", label);
        }
        if let Some(disposition) = &entity.disposition {
            let name = entity.file_name().map(|name| ("filename", name));
            let others = disposition.parameters.iter();
            let others = others.map(|(name, value)| (&**name, &**value));
            writer.begin("Content-Disposition");
            write_parameters(
                &mut writer,
                &disposition.value,
                &mut name.into_iter().chain(others),
            );
            writer.end();
        }
        if let Some(id) = &entity.content_id {
            writer.begin("Content-ID");
            id.write(&mut writer);
            writer.end();
        }
        if let Some(description) = &entity.description {
            writer.unstructured("Content-Description", description);
        }
        entity
            .fields
            .iter()
            .for_each(|field| field.write(&mut writer));
        writer.end();
    }

    fn glue(&mut self, text: &str) {
        self.rendering.glue.extend_from_slice(text.as_bytes());
    }

    fn delimiter(&mut self, boundary: &str, end: &str) {
        self.glue("--");
        self.glue(boundary);
        self.glue(end);
        if end.is_empty() {
            self.glue("\r\n");
        }
    }

    fn data(
        &mut self,
        source: &'m Source,
        encoding: Encoding,
        entity: &Entity,
    ) -> Result<(), MessageError> {
        let length = source
            .length()
            .map_err(|error| of_attachment(entity, error))?;
        let size = match encoding {
            Encoding::Base64 => base64_length(length),
            _ => length,
        };
        self.rendering.clean &= encoding == Encoding::Base64;
        let segment = Segment::Data {
            source,
            length,
            encoding,
        };
        self.segment(segment, size);
        Ok(())
    }

    /// Lines from a file, which must still be those that were scanned.
    fn lines(
        &mut self,
        source: &'m Source,
        scan: &'m Scan,
        octets: u64,
        entity: &Entity,
    ) -> Result<(), MessageError> {
        let now = source
            .length()
            .map_err(|error| of_attachment(entity, error))?;
        if now != octets {
            return Err(of_attachment(entity, source.changed(now.cmp(&octets))));
        }
        // The file may change before it is sent.
        self.rendering.clean = false;
        let segment = Segment::Lines {
            source,
            scan,
            octets,
        };
        self.segment(segment, scan.length);
        Ok(())
    }

    fn text(&mut self, text: &'m [u8], scan: &Scan, encoding: Encoding) {
        // The length of quoted-printable is known only after encoding. A short text is not encoded
        // twice.
        if encoding == Encoding::QuotedPrintable && text.len() <= SHORT_TEXT {
            // Writing to memory does not fail.
            let _ = encoding.write_text(text, &mut self.rendering.glue);
            return;
        }
        let size = encoding.text_length(text, scan);
        let is_lines = matches!(encoding, Encoding::SevenBit | Encoding::EightBit);
        self.rendering.clean &= match encoding {
            Encoding::Base64 => true,
            _ => is_lines && !scan.has_dot,
        };
        let segment = match is_lines && scan.is_canonical(text) {
            true => Segment::Ready(text),
            false => Segment::Text { text, encoding },
        };
        self.segment(segment, size);
    }

    fn segment(&mut self, segment: Segment<'m>, size: u64) {
        self.end_glue();
        self.rendering.segments.push(segment);
        // A reader may be said to have any length.
        self.rendering.size = self.rendering.size.saturating_add(size);
    }

    /// Makes a segment of the glue since the last one.
    fn end_glue(&mut self) {
        let end = self.rendering.glue.len();
        if self.glued < end {
            let range = self.glued..end;
            let glue = self.rendering.glue.get(range.clone()).unwrap_or_default();
            self.rendering.clean &= !has_dot(glue);
            self.rendering.size = self.rendering.size.saturating_add(range.len() as u64);
            self.rendering.segments.push(Segment::Glue(range));
            self.glued = end;
        }
    }

    /// Ends the last line of the message, unless the message does not consist of lines.
    fn last_line_end(&mut self, body: &Entity) {
        let ended = match &body.content {
            Content::Data(_) if self.rendering.binary => true,
            Content::Data(_) | Content::Parts { .. } => false,
            Content::Lines { scan, .. } => {
                scan.is_ended && body.encoding(self.offers) != Encoding::Base64
            }
            Content::Message(root) => return self.last_line_end(&root.body),
            Content::Text { text, scan } => {
                // The line end of a text in base64 is encoded with it.
                let encoding = scan.encoding(self.offers);
                text.is_empty() || (scan.is_ended && encoding != Encoding::Base64)
            }
        };
        if !ended {
            self.glue("\r\n");
        }
    }
}

/// Whether a line begins with a dot. The loop has no early end, so that compilers can compare many
/// bytes at once.
fn has_dot(lines: &[u8]) -> bool {
    let behind = lines.iter().skip(1);
    let pairs = lines.iter().zip(behind);
    let is_dotted = pairs.fold(false, |any, (end, first)| {
        any | (*end == b'\n' && *first == b'.')
    });
    is_dotted || lines.starts_with(b".")
}

/// Checks that a server without SMTPUTF8 can be given the header.
fn check_ascii(root: &Root) -> Result<(), MessageError> {
    match root.without_ascii() {
        Some((field, address)) => {
            let problem = MessageProblem::Smtputf8(Box::new(address.clone()));
            Err(MessageError::new(field.to_owned(), problem))
        }
        None => Ok(()),
    }
}

fn of_attachment(entity: &Entity, error: io::Error) -> MessageError {
    let name = entity.file_name().unwrap_or_default();
    MessageError::new(format!("attachment {name}"), error)
}

/// Writes the value of `Content-Type`.
///
/// Readers that do not know RFC 2231 find the file name here: with `_` for what they cannot read,
/// or as encoded-words if the caller asked for that.
fn write_media_type(
    writer: &mut HeaderWriter<'_>,
    entity: &Entity,
    essence: &str,
    boundary: &str,
    root: &Root,
) {
    let media_type = &entity.media_type;
    let is_named = media_type.parameter("name").is_some();
    let file_name = entity.file_name().filter(|_| !is_named);
    let plain = file_name.map(plain_name);
    let encoded = file_name
        .filter(|name| root.has_encoded_names && (!name.is_ascii() || name.contains("=?")));
    let name = plain.as_deref().filter(|_| encoded.is_none());
    let boundary = entity.is_multipart().then_some(("boundary", boundary));
    let parameters = media_type.parameters();
    let mut parameters = parameters
        .chain(name.map(|name| ("name", name)))
        .chain(boundary);
    write_parameters(writer, essence, &mut parameters);
    if let Some(name) = encoded {
        writer.end_token(";");
        write_encoded_name(writer, name);
    }
}

/// The type and subtype with which the content is sent.
fn essence(entity: &Entity, encoding: Encoding, offers: Offers) -> &str {
    match &entity.content {
        Content::Lines { .. } if encoding == Encoding::Base64 => OCTETS,
        Content::Message(root) if root.goes_as_utf8(offers) => GLOBAL,
        _ => entity.media_type.essence(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Message;
    use crate::message::attachment::Attachment;
    use crate::message::builder::MessageBuilder;

    const NOTHING: Offers = Offers {
        eight_bit: false,
        smtputf8: false,
        binary: false,
        signed: false,
    };
    const EIGHT_BIT: Offers = Offers {
        eight_bit: true,
        ..NOTHING
    };
    const BINARY: Offers = Offers {
        binary: true,
        ..EIGHT_BIT
    };

    fn builder() -> MessageBuilder {
        Message::builder().from("a@example.org").boundary("b")
    }

    fn rendered(message: &Message, offers: Offers) -> String {
        let rendering = message.render(offers).unwrap();
        let mut out = Vec::new();
        rendering.write_to(&mut out).unwrap();
        assert_eq!(out.len() as u64, rendering.size());
        String::from_utf8_lossy(&out).into_owned()
    }

    /// 2045-05, 2045-06: a multipart has the encoding of its most demanding part.
    #[test]
    fn text_goes_out_as_the_server_takes_it() {
        let file = Attachment::new("f.bin", vec![0xff, 0, b'\n']);
        let message = builder()
            .text("Viele Grüße aus Köln\n")
            .attach(file)
            .build()
            .unwrap();
        for (offers, labels) in [
            (NOTHING, ["quoted-printable", "base64"].as_slice()),
            (EIGHT_BIT, &["8bit", "8bit", "base64"]),
            (BINARY, &["binary", "8bit", "binary"]),
        ] {
            let text = rendered(&message, offers);
            let found: Vec<&str> = text
                .lines()
                .filter_map(|line| line.strip_prefix("Content-Transfer-Encoding: "))
                .collect();
            assert_eq!(found, labels);
            let rendering = message.render(offers).unwrap();
            assert_eq!(rendering.is_8bit(), offers.eight_bit);
            assert_eq!(rendering.is_binary(), offers.binary);
        }
    }

    #[test]
    fn an_address_outside_ascii_needs_smtputf8() {
        let message = builder().to("zoë@example.org").text("x").build().unwrap();
        let error = message.render(EIGHT_BIT).unwrap_err();
        assert_eq!(
            error.to_string(),
            "To: a server without SMTPUTF8 cannot be given the address <zoë@example.org>, use another"
        );
        let offers = Offers {
            smtputf8: true,
            ..EIGHT_BIT
        };
        assert!(message.render(offers).unwrap().needs_smtputf8());
        // Hidden recipients need nothing in the header.
        let message = builder().bcc("zoë@example.org").text("x").build().unwrap();
        assert!(!message.render(offers).unwrap().needs_smtputf8());
    }

    /// 2046-11: the lines of a message are not encoded. What is not lines is sent as a file.
    #[test]
    fn a_message_in_a_file_goes_out_as_lines_or_as_a_file() {
        let attached = |octets: &[u8]| {
            let file = Attachment::new("m.eml", octets.to_vec());
            builder().attach(file).build().unwrap()
        };
        let eight = attached("From: a@example.org\n\né\n".as_bytes());
        assert!(rendered(&eight, EIGHT_BIT).contains("Content-Type: message/rfc822"));
        assert!(rendered(&eight, EIGHT_BIT).contains("\r\n\r\né\r\n"));
        assert!(rendered(&eight, NOTHING).contains("Content-Type: application/octet-stream"));
        let long = attached(&[b'x'; 999]);
        assert!(rendered(&long, EIGHT_BIT).contains("Content-Type: application/octet-stream"));
    }

    /// 2046-03, 2046-04: a boundary from the caller that occurs in the content is refused.
    #[test]
    fn a_boundary_is_not_in_the_content() {
        let refused = |builder: MessageBuilder| builder.build().unwrap_err().to_string();
        let sentence =
            "boundary: give 1 to 40 letters and digits that occur nowhere in the content";
        assert_eq!(refused(builder().text("x\n--=_b.1_=\n")), sentence);
        let inner = builder().boundary("i").header("--=_b.1_=", "x");
        assert_eq!(refused(builder().attach(inner.build().unwrap())), sentence);
        let file = Attachment::new("f.bin", b"\r\n--=_b.2_=--".to_vec());
        assert_eq!(refused(builder().text("x").attach(file)), sentence);
        let inner = builder().text("x").build().unwrap();
        assert_eq!(refused(builder().attach(inner)), sentence);
        for seed in ["", "a b", "a\r\nb", "é", "a.b", &"a".repeat(41)] {
            assert_eq!(refused(builder().boundary(seed)), sentence, "{seed:?}");
        }
        assert!(numbered(&"a".repeat(40), usize::MAX).len() <= 70);
    }

    /// H5: 128 random bits.
    #[test]
    fn boundaries_are_drawn_for_each_message() {
        let drawn = || {
            let file = Attachment::new("f.bin", "x");
            let message = Message::builder().from("a@example.org").attach(file);
            let text = rendered(&message.build().unwrap(), NOTHING);
            let (_, rest) = text.split_once("boundary=\"=_").unwrap();
            rest.split_once(".1_=\"").unwrap().0.to_owned()
        };
        let (one, other) = (drawn(), drawn());
        assert_ne!(one, other);
        assert_eq!((one.len(), other.len()), (26, 26));
    }
}
