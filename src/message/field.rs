//! [`Field`]: a header field that the caller added by name.

use crate::message::address_list::AddressList;
use crate::message::error::{MessageError, MessageProblem, check_controls};
use crate::message::header::{HeaderWriter, MAX_LINE, MAX_NAME, blank_tokens};
use crate::message::mailbox::Mailbox;
use crate::message::phrase::Phrase;
use crate::message::posting::write_list;

/// Header fields that a method of the builder sets, in lower case, and that method.
const TYPED: &[(&str, &str)] = &[
    ("bcc", "bcc"),
    ("cc", "cc"),
    ("content-description", "Part::description"),
    ("content-disposition", "Part::disposition"),
    ("content-id", "Part::content_id"),
    ("content-type", "body"),
    ("date", "date"),
    ("from", "from"),
    ("in-reply-to", "in_reply_to"),
    ("message-id", "message_id"),
    ("references", "references"),
    ("reply-to", "reply_to"),
    ("sender", "sender"),
    ("subject", "subject"),
    ("to", "to"),
];

/// Header fields that only the library can set, in lower case.
const AUTOMATIC: &[&str] = &["content-transfer-encoding", "mime-version"];

/// Header fields that programs read, in lower case. Encoded-words have no meaning in them.
const VERBATIM: &[&str] = &[
    "archived-at",
    "authentication-results",
    "auto-submitted",
    "autocrypt",
    "delivered-to",
    "disposition-notification-options",
    "original-message-id",
    "received",
    "received-spf",
    "supersedes",
    "tls-required",
];
/// The beginnings of more such names.
const VERBATIM_PREFIXES: &[&str] = &["arc-", "content-", "dkim-", "list-"];
/// Header fields of mailboxes, in lower case. Names in them are encoded (RFC 2047, 5 (3)).
const MAILBOXES: &[&str] = &[
    "disposition-notification-to",
    "errors-to",
    "mail-followup-to",
    "mail-reply-to",
    "return-receipt-to",
];

/// A header field that the caller added by name.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    name: Box<str>,
    value: Value,
}

#[derive(Clone, Debug)]
enum Value {
    Mailboxes(AddressList),
    /// A name for people, and after it an id for programs (RFC 2919, 2).
    Named(Phrase, Box<str>),
    Text(Box<str>),
    Verbatim(Box<str>),
}

impl Field {
    pub(crate) fn new(name: &str, value: &str) -> Result<Self, MessageError> {
        Self::checked(name, value).map_err(|problem| MessageError::new(name.to_owned(), problem))
    }

    /// Makes a field of mailboxes, with a name from the library.
    pub(crate) fn mailboxes(name: &str, list: AddressList) -> Self {
        Self {
            name: name.into(),
            value: Value::Mailboxes(list),
        }
    }

    /// Makes a field of a name for people and an id in brackets, with a field name from the library.
    pub(crate) fn named(field: &'static str, name: &str, id: &str) -> Result<Self, MessageError> {
        let name = Phrase::new(name).map_err(MessageProblem::from);
        match name.and_then(|name| Value::named(name, id)) {
            Ok(value) => Ok(Self {
                name: field.into(),
                value,
            }),
            Err(problem) => Err(MessageError::new(field, problem)),
        }
    }

    fn checked(name: &str, value: &str) -> Result<Self, MessageProblem> {
        check_field_name(name)?;
        let lower = name.to_ascii_lowercase();
        check_reserved(&lower)?;
        check_controls(value)?;
        Ok(Self {
            name: name.into(),
            value: Value::of(&lower, value)?,
        })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The mailboxes in the field, if the library has read them.
    pub(crate) fn shown(&self) -> impl Iterator<Item = &Mailbox> {
        let list = match &self.value {
            Value::Mailboxes(list) => Some(list),
            _ => None,
        };
        list.into_iter().flat_map(AddressList::mailboxes)
    }

    pub(crate) fn write(&self, writer: &mut HeaderWriter<'_>) {
        match &self.value {
            Value::Mailboxes(list) => write_list(writer, &self.name, list),
            Value::Named(name, id) => {
                writer.begin(&self.name);
                if !name.is_empty() {
                    name.write(writer, "");
                }
                writer.token(id);
                writer.end();
            }
            Value::Text(text) => writer.unstructured(&self.name, text),
            Value::Verbatim(text) => writer.verbatim(&self.name, text),
        }
    }
}

impl Value {
    fn of(lower: &str, value: &str) -> Result<Self, MessageProblem> {
        let has_mailboxes = MAILBOXES.contains(&lower);
        let is_verbatim = has_mailboxes
            || VERBATIM.contains(&lower)
            || VERBATIM_PREFIXES
                .iter()
                .any(|prefix| lower.starts_with(prefix));
        if has_mailboxes && !value.is_ascii() {
            return Ok(Self::Mailboxes(value.parse()?));
        }
        if lower == "list-id" && !value.is_ascii() {
            return Self::read_named(value);
        }
        // Fields of private use are for programs, which seldom decode encoded-words.
        if is_verbatim || lower.starts_with("x-") && value.is_ascii() {
            check_verbatim(value)?;
            return Ok(Self::Verbatim(value.into()));
        }
        Ok(Self::Text(value.into()))
    }

    /// Reads `name <id>`, with a name that needs encoding.
    fn read_named(value: &str) -> Result<Self, MessageProblem> {
        let (name, id) = value.rsplit_once('<').ok_or(MessageProblem::NotAscii)?;
        let name = name.trim_matches(' ');
        let name = if name.starts_with('"') {
            Phrase::read_words(name)?
        } else {
            Phrase::new(name)?
        };
        Self::named(name, &format!("<{}", id.trim_matches(' ')))
    }

    fn named(name: Phrase, id: &str) -> Result<Self, MessageProblem> {
        check_controls(id)?;
        check_verbatim(id)?;
        if id.contains([' ', '\t']) {
            return Err(MessageProblem::ContentId);
        }
        Ok(Self::Named(name, id.into()))
    }
}

/// Checks a field name: visible ASCII without a colon (RFC 5322, 3.6.8).
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

/// Refuses fields that have their own method.
fn check_reserved(lower: &str) -> Result<(), MessageProblem> {
    if lower == "return-path" {
        return Err(MessageProblem::ReturnPath);
    }
    if AUTOMATIC.contains(&lower) {
        return Err(MessageProblem::Automatic);
    }
    if lower.starts_with("resent-") {
        return Err(MessageProblem::Reserved("resent"));
    }
    match TYPED.iter().find(|(name, _)| *name == lower) {
        Some((_, method)) => Err(MessageProblem::Reserved(method)),
        None => Ok(()),
    }
}

fn check_verbatim(value: &str) -> Result<(), MessageProblem> {
    if !value.is_ascii() {
        return Err(MessageProblem::NotAscii);
    }
    if blank_tokens(value).any(|token| token.len() >= MAX_LINE) {
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

    fn written(name: &str, value: &str) -> String {
        let mut out = Vec::new();
        let field = Field::new(name, value).unwrap();
        field.write(&mut HeaderWriter::new(&mut out, false));
        String::from_utf8(out).unwrap()
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

    /// B3, B4: each refusal says what to do instead, and that works.
    #[test]
    fn every_refusal_has_a_way_round() {
        assert_eq!(
            problem("Return-Path", "<bounce@x.example>"),
            "Return-Path: the server writes this header: give the address for bounces to `Envelope::new(sender, …)`"
        );
        assert_eq!(
            problem("content-transfer-encoding", "8bit"),
            "content-transfer-encoding: the library writes this header, leave it out"
        );
        assert_eq!(
            problem("Content-ID", "<a@b>"),
            "Content-ID: set this header with `Part::content_id`"
        );
        for (name, value) in [
            ("Content-Language", "de"),
            ("Content-Location", "https://example.org/a%20b"),
            ("Content-Class", "urn:content-classes:message"),
            ("Content-MD5", "Q2hlY2sgSW50ZWdyaXR5IQ=="),
            ("Content-Duration", "33"),
        ] {
            assert_eq!(written(name, value), format!("{name}: {value}\r\n"));
        }
    }

    /// B8: a field that begins with `X-` and is ASCII is for programs.
    #[test]
    fn fields_of_private_use_stay_as_they_are() {
        for value in [
            "{\"to\":  [\"a@example.org\"],  \"category\": \"x\"}",
            "=?utf-8?q?x?=",
            "two  blanks",
            &"v".repeat(997),
        ] {
            let text = written("x-SMTPAPI", value);
            assert_eq!(
                text.replace("\r\n ", " ").replacen("  v", " v", 1),
                format!("x-SMTPAPI: {value}\r\n")
            );
        }
        assert_eq!(
            problem("X-SMTPAPI", &"v".repeat(998)),
            "X-SMTPAPI: a value longer than a line of 998 bytes needs spaces to fold at"
        );
        assert_eq!(
            written("X-Note", "Grüße"),
            "X-Note: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n"
        );
    }

    /// B14: names for people are encoded, and what programs read is not.
    #[test]
    fn names_in_fields_for_machines_are_encoded() {
        for (name, value, expected) in [
            (
                "List-Id",
                "Zoë's list <l.x.example>",
                "=?utf-8?q?Zo=C3=AB=27s_list?= <l.x.example>",
            ),
            (
                "List-Id",
                "\"Zoë\" <l.x.example>",
                "=?utf-8?q?Zo=C3=AB?= <l.x.example>",
            ),
            (
                "List-Id",
                "Ann's list <l.x.example>",
                "Ann's list <l.x.example>",
            ),
            (
                "Disposition-Notification-To",
                "Zoë <z@x.example>, b@x.example",
                "=?utf-8?q?Zo=C3=AB?= <z@x.example>, b@x.example",
            ),
            (
                "Disposition-Notification-To",
                "\"Bob  Builder\" <b@x.example>",
                "\"Bob  Builder\" <b@x.example>",
            ),
            (
                "errors-to",
                "Zoë <z@x.example>",
                "=?utf-8?q?Zo=C3=AB?= <z@x.example>",
            ),
        ] {
            assert_eq!(written(name, value), format!("{name}: {expected}\r\n"));
        }
        assert_eq!(
            problem("Errors-To", "Zoë"),
            "Errors-To: \"Zoë\" in the list: the address has no @"
        );
        let sentence = "this header holds ASCII only: write letters outside it as %C3%AB in an address of the web, and as xn-- in a domain";
        for (name, value) in [
            ("List-Id", "Zoë"),
            ("List-Id", "<zoë.x.example>"),
            ("List-Post", "<mailto:zoë@x.example>"),
        ] {
            assert_eq!(problem(name, value), format!("{name}: {sentence}"));
        }
    }

    /// B14: quotes around the name of a list are not part of it, and its id is one word.
    #[test]
    fn a_name_and_an_id_are_told_apart() {
        for (value, expected) in [
            (
                "\"Zoë \\\"Z\\\" news\" <l.x.example>",
                "=?utf-8?q?Zo=C3=AB_=22Z=22_news?= <l.x.example>",
            ),
            (
                "\"Zoë\" \"news\" <l.x.example>",
                "=?utf-8?q?Zo=C3=AB_news?= <l.x.example>",
            ),
        ] {
            let text = written("List-Id", value);
            assert_eq!(text, format!("List-Id: {expected}\r\n"));
        }
        for id in ["<l x>", "<l\tx>"] {
            assert_eq!(
                problem("List-Id", &format!("Zoë {id}")),
                "List-Id: give an id of visible ASCII characters, such as logo@example.org"
            );
        }
    }

    /// 2047-09.
    #[test]
    fn fields_for_machines_are_not_encoded() {
        let url = format!("<https://example.org/{}>", "u".repeat(300));
        let text = written(
            "List-Unsubscribe",
            &format!("{url}, <mailto:leave@example.org>"),
        );
        assert_eq!(
            text,
            format!("List-Unsubscribe: {url},\r\n <mailto:leave@example.org>\r\n")
        );
        assert!(
            problem("Archived-At", "<https://example.org/é>")
                .starts_with("Archived-At: this header holds ASCII only")
        );
        assert_eq!(
            problem("Archived-At", &"u".repeat(998)),
            "Archived-At: a value longer than a line of 998 bytes needs spaces to fold at"
        );
    }
}
