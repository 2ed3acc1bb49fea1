//! [`Head`]: the header fields of a message (RFC 5322, 3.6).

use crate::address::Address;
use crate::message::address_list::AddressList;
use crate::message::error::{MessageError, MessageProblem, check_controls};
use crate::message::header::{HeaderWriter, MAX_NAME, MAX_TOKEN};
use crate::message::id::MsgId;
use crate::message::mailbox::Mailbox;
use crate::message::posting::{Posting, RESENT, SENT, write_list};

/// Header fields that a method of the builder sets, in lower case, and that method.
const TYPED: &[(&str, &str)] = &[
    ("bcc", "bcc"),
    ("cc", "cc"),
    ("date", "date"),
    ("from", "from"),
    ("in-reply-to", "in_reply_to"),
    ("message-id", "message_id"),
    ("mime-version", "build"),
    ("references", "references"),
    ("reply-to", "reply_to"),
    ("sender", "sender"),
    ("subject", "subject"),
    ("to", "to"),
];

/// Header fields that machines read, in lower case: encoded-words have no meaning in them.
const VERBATIM: &[&str] = &[
    "archived-at",
    "authentication-results",
    "auto-submitted",
    "autocrypt",
    "delivered-to",
    "disposition-notification-options",
    "disposition-notification-to",
    "errors-to",
    "original-message-id",
    "received",
    "received-spf",
    "return-path",
    "supersedes",
    "tls-required",
];
/// Beginnings of such names.
const VERBATIM_PREFIXES: &[&str] = &["arc-", "dkim-", "list-"];

/// What the header of a message says, but for the fields that describe its body.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    pub(crate) posting: Posting,
    /// The latest comes first.
    pub(crate) resent: Vec<Posting>,
    pub(crate) reply_to: AddressList,
    pub(crate) in_reply_to: Vec<MsgId>,
    pub(crate) references: Vec<MsgId>,
    pub(crate) subject: Option<Box<str>>,
    pub(crate) others: Vec<Field>,
}

impl Head {
    /// Sender and recipients of the envelope: those of the latest resending, or of the message (RFC
    /// 5322, 3.6.6).
    pub(crate) fn envelope(&self) -> (Option<Address>, Vec<Address>) {
        let posting = self.resent.first().unwrap_or(&self.posting);
        (posting.reverse_path().cloned(), posting.forward_paths())
    }

    /// Whether an address that the header shows has letters outside ASCII: nothing can encode those
    /// (RFC 6531).
    pub(crate) fn needs_smtputf8(&self) -> bool {
        let postings = self.resent.iter().chain([&self.posting]);
        postings
            .flat_map(Posting::visible)
            .chain(self.reply_to.mailboxes())
            .map(Mailbox::address)
            .any(|address| !address.is_ascii())
    }

    /// The names of the fields that the caller named.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.others.iter().map(|field| &*field.name)
    }

    /// Writes all fields. Those of a resending come first, as a block (RFC 5322, 3.6.6).
    pub(crate) fn write(&self, writer: &mut HeaderWriter<'_>) {
        for posting in &self.resent {
            posting.write(&RESENT, writer);
        }
        self.posting.write(&SENT, writer);
        write_list(writer, "Reply-To", &self.reply_to);
        write_ids(writer, "In-Reply-To", &self.in_reply_to);
        write_ids(writer, "References", &self.references);
        if let Some(subject) = &self.subject {
            writer.unstructured("Subject", subject);
        }
        self.others.iter().for_each(|field| field.write(writer));
    }
}

fn write_ids(writer: &mut HeaderWriter<'_>, name: &str, ids: &[MsgId]) {
    if !ids.is_empty() {
        writer.begin(name);
        ids.iter().for_each(|id| id.write(writer));
        writer.end();
    }
}

/// A header field that the caller named.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    name: Box<str>,
    value: Box<str>,
    verbatim: bool,
}

impl Field {
    pub(crate) fn new(name: &str, value: &str) -> Result<Self, MessageError> {
        Self::checked(name, value).map_err(|problem| MessageError::new(name.to_owned(), problem))
    }

    /// Whether the field has this name.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    fn checked(name: &str, value: &str) -> Result<Self, MessageProblem> {
        check_field_name(name)?;
        let lower = name.to_ascii_lowercase();
        if let Some(method) = method_for(&lower) {
            return Err(MessageProblem::Reserved(method));
        }
        check_controls(value)?;
        let verbatim = VERBATIM.contains(&lower.as_str())
            || VERBATIM_PREFIXES
                .iter()
                .any(|prefix| lower.starts_with(prefix));
        if verbatim {
            check_verbatim(value)?;
        }
        Ok(Self {
            name: name.into(),
            value: value.into(),
            verbatim,
        })
    }

    fn write(&self, writer: &mut HeaderWriter<'_>) {
        if self.verbatim {
            writer.verbatim(&self.name, &self.value);
        } else {
            writer.unstructured(&self.name, &self.value);
        }
    }
}

/// RFC 5322, 3.6.8: visible ASCII without a colon.
fn check_field_name(name: &str) -> Result<(), MessageProblem> {
    let is_name = (1..=MAX_NAME).contains(&name.len())
        && name
            .bytes()
            .all(|octet| octet.is_ascii_graphic() && octet != b':');
    if is_name {
        Ok(())
    } else {
        Err(MessageProblem::HeaderName)
    }
}

/// The method that sets a field, if there is one.
fn method_for(lower: &str) -> Option<&'static str> {
    if lower.starts_with("content-") {
        return Some("body");
    }
    if lower.starts_with("resent-") {
        return Some("resent");
    }
    TYPED
        .iter()
        .find_map(|(name, method)| (*name == lower).then_some(*method))
}

fn check_verbatim(value: &str) -> Result<(), MessageProblem> {
    if let Some(c) = value.chars().find(|c| c.is_control()) {
        return Err(MessageProblem::Control(c));
    }
    if !value.is_ascii() {
        return Err(MessageProblem::NotAscii);
    }
    if value.split(' ').any(|token| token.len() > MAX_TOKEN) {
        return Err(MessageProblem::TooLong);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(name: &str, value: &str) -> String {
        Field::new(name, value).unwrap_err().to_string()
    }

    /// 5322-03, 5322-05, 5322-23, 5322-33, H1.
    #[test]
    fn fields_that_could_become_others_are_refused() {
        for name in [
            "",
            "X Y",
            "X:",
            "X\r\nY",
            "é",
            "X\0",
            "X\t",
            &"X".repeat(77),
        ] {
            assert_eq!(
                Field::new(name, "v").unwrap_err().problem().to_string(),
                "give a name of 1 to 76 visible ASCII characters without a colon",
                "{name:?}"
            );
        }
        assert_eq!(
            problem("X-A", "a\r\nBcc: b@example.org"),
            "X-A: the character '\\r' cannot stand in a header, leave it out"
        );
        assert_eq!(problem("BCC", "x"), "BCC: set this header with `bcc`");
        assert_eq!(
            problem("Content-Type", "x"),
            "Content-Type: set this header with `body`"
        );
        assert_eq!(
            problem("Resent-To", "x"),
            "Resent-To: set this header with `resent`"
        );
        for c in [
            "\n", "\r", "\0", "\u{1b}", "\u{7}", "\u{b}", "\u{c}", "\u{7f}", "\u{85}",
        ] {
            assert!(Field::new("X-A", &format!("a{c}b")).is_err(), "{c:?}");
        }
    }

    /// 2047-09.
    #[test]
    fn fields_for_machines_are_not_encoded() {
        let url = format!("<https://example.org/{}>", "u".repeat(300));
        let mut out = Vec::new();
        Field::new(
            "List-Unsubscribe",
            &format!("{url}, <mailto:leave@example.org>"),
        )
        .unwrap()
        .write(&mut HeaderWriter::new(&mut out, false));
        assert_eq!(
            String::from_utf8(out).unwrap(),
            format!("List-Unsubscribe: {url},\r\n <mailto:leave@example.org>\r\n")
        );
        assert_eq!(
            problem("List-Id", "Zoë <list.example.org>"),
            "List-Id: this header holds ASCII only, encode the rest as its standard says"
        );
        assert_eq!(
            problem("Archived-At", &"u".repeat(998)),
            "Archived-At: a value longer than a line of 998 octets needs spaces to fold at"
        );
    }
}
