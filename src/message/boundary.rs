//! Boundaries of multiparts: those that a message makes, and whether they occur in the content (RFC
//! 2046, 5.1.1).

use crate::message::entity::{Content, Entity, Root};
use crate::message::field::Field;
use crate::message::source::Source;
use crate::message::transfer::Encoding;

/// The boundary of a multipart. A message numbers its own, and none is the beginning of another
/// (RFC 2046, 5.1.2).
pub(crate) fn numbered(seed: &str, number: usize) -> String {
    format!("{}{number}_=", family(seed))
}

/// The text with which all boundaries that a message makes begin.
///
/// Neither quoted-printable nor base64 has `=_`, so no encoded content can look like one (RFC 2045,
/// 6.7).
fn family(seed: &str) -> String {
    format!("=_{seed}.")
}

impl Root {
    /// Whether a boundary from the caller could be taken for another, or occurs in the content.
    pub(crate) fn confuses(&self) -> bool {
        !self.body.is_clear(&mut Vec::new(), &self.seed)
    }

    fn has(&self, boundaries: &[&str]) -> bool {
        self.head
            .names()
            .any(|name| occurs(boundaries, name.as_bytes()))
            || self.body.has(boundaries)
    }
}

impl Entity {
    /// Whether the content has a text that could be taken for a delimiter of the multiparts around
    /// it.
    pub(crate) fn collides(&self, seed: &str) -> bool {
        self.has(&[&family(seed)])
    }

    /// Whether the content has a delimiter with one of these boundaries. Attachments count only if
    /// they are in memory.
    fn has(&self, boundaries: &[&str]) -> bool {
        if boundaries.is_empty() {
            return false;
        }
        self.fields
            .iter()
            .map(Field::name)
            .any(|name| occurs(boundaries, name.as_bytes()))
            || match &self.content {
                Content::Data(source) => source.octets().is_some_and(|o| occurs(boundaries, o)),
                Content::Lines { source, .. } => is_in(boundaries, source),
                Content::Message(root) => {
                    let family = family(&root.seed);
                    boundaries.iter().any(|other| begins(other, &family))
                        || root.body.shares(boundaries)
                        || root.has(boundaries)
                }
                Content::Parts { parts, .. } => parts.iter().any(|part| part.has(boundaries)),
                Content::Text { text, .. } => is_in_text(boundaries, text),
            }
    }

    /// Whether a multipart has a boundary from the caller that could be taken for one of these. Those
    /// of enclosed messages do not count.
    fn shares(&self, boundaries: &[&str]) -> bool {
        let Content::Parts { parts, boundary } = &self.content else {
            return false;
        };
        let mut own = boundary.iter();
        own.any(|own| boundaries.iter().any(|other| begins(own, other)))
            || parts.iter().any(|part| part.shares(boundaries))
    }

    /// Whether each boundary from the caller is unique: none is the beginning of another, and none
    /// is in the content.
    fn is_clear<'e>(&'e self, around: &mut Vec<&'e str>, seed: &str) -> bool {
        match &self.content {
            Content::Message(root) => root.body.is_clear(around, &root.seed),
            Content::Parts {
                parts,
                boundary: None,
            } => parts.iter().all(|part| part.is_clear(around, seed)),
            Content::Parts {
                parts,
                boundary: Some(own),
            } => {
                let is_taken = begins(own, &family(seed))
                    || around.iter().any(|other| begins(own, other))
                    || parts.iter().any(|part| part.has(&[own]));
                around.push(own);
                let is_clear = !is_taken && parts.iter().all(|part| part.is_clear(around, seed));
                around.pop();
                is_clear
            }
            Content::Data(_) | Content::Lines { .. } | Content::Text { .. } => true,
        }
    }
}

/// Whether one is the beginning of the other. Readers do not compare further (RFC 2046, 5.1.2).
fn begins(one: &str, other: &str) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

fn occurs(boundaries: &[&str], octets: &[u8]) -> bool {
    boundaries.iter().any(|boundary| {
        let delimiter = format!("--{boundary}");
        octets
            .windows(delimiter.len())
            .any(|window| window == delimiter.as_bytes())
    })
}

/// Whether a text has a delimiter, as it is or in quoted-printable. Encoded characters are `=` and
/// digits, which a boundary may have, too.
fn is_in_text(boundaries: &[&str], text: &str) -> bool {
    let is_encoded = || {
        let mut encoded = Vec::new();
        let written = Encoding::QuotedPrintable.write_text(text.as_bytes(), &mut encoded);
        written.is_err() || occurs(boundaries, &encoded)
    };
    occurs(boundaries, text.as_bytes())
        || boundaries
            .iter()
            .any(|b| b.contains('=') && !b.starts_with("=_"))
            && is_encoded()
}

/// Whether lines from a source have a delimiter. A source that cannot be read may have one.
fn is_in(boundaries: &[&str], source: &Source) -> bool {
    let longest = boundaries.iter().map(|b| b.len() + 2).max().unwrap_or(0);
    let mut window = Vec::new();
    let mut found = false;
    let read = source.read(&mut |octets| {
        window.extend_from_slice(octets);
        found |= occurs(boundaries, &window);
        // Keep a part that the next bytes may complete.
        window.drain(..window.len().saturating_sub(longest));
        Ok(())
    });
    found || read.is_err()
}
