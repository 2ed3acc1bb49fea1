//! [`MsgId`]: the identifier of a message or of a part.

use std::fmt;

use crate::address::is_address_literal;
use crate::message::error::MessageProblem;
use crate::message::header::{HeaderWriter, is_atext};
use crate::message::random;

/// An id is never folded (RFC 5322, 3.6.4), so it has to fit a line with its brackets and a space.
const MAX_ID: usize = 998 - 3;

/// A msg-id (RFC 5322, 3.6.4), without its angle brackets: `unique@example.org`, ASCII, in the form
/// without quotes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct MsgId(Box<str>);

impl MsgId {
    /// An id that no other message has, in a domain of the caller's.
    pub(crate) fn random(domain: &str) -> Self {
        Self(random::with_token(&["@", domain]).into())
    }

    /// Reads one id, with or without its angle brackets.
    pub(crate) fn parse(text: &str) -> Result<Self, MessageProblem> {
        let text = text.trim_matches(' ');
        let id = text
            .strip_prefix('<')
            .and_then(|rest| rest.strip_suffix('>'))
            .unwrap_or(text);
        let (left, right) = id.split_once('@').ok_or(MessageProblem::MsgId)?;
        if is_dot_atom(left) && (is_dot_atom(right) || is_literal(right)) && id.len() <= MAX_ID {
            Ok(Self(id.into()))
        } else {
            Err(MessageProblem::MsgId)
        }
    }

    /// Reads ids with white space between them, as `References` holds them.
    pub(crate) fn parse_list(text: &str) -> Result<Vec<Self>, MessageProblem> {
        text.split_ascii_whitespace().map(Self::parse).collect()
    }

    /// Writes the id, in brackets, into a header.
    pub(crate) fn write(&self, writer: &mut HeaderWriter<'_>) {
        writer.parts(["<", &self.0, ">"]);
    }

    /// The `cid:` address of a part with this id: without brackets, and escaped (RFC 2392, 2).
    pub(crate) fn content_url(&self) -> String {
        let mut url = "cid:".to_owned();
        for octet in self.0.bytes() {
            if octet.is_ascii_alphanumeric() || b"!$&'*+-./=@_~".contains(&octet) {
                url.push(char::from(octet));
            } else {
                url.push_str(&format!("%{octet:02X}"));
            }
        }
        url
    }
}

impl fmt::Display for MsgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.0)
    }
}

/// RFC 5322 dot-atom-text.
fn is_dot_atom(text: &str) -> bool {
    text.split('.')
        .all(|atom| !atom.is_empty() && atom.bytes().all(is_atext))
}

/// RFC 5322 no-fold-literal; only addresses have users.
fn is_literal(text: &str) -> bool {
    is_address_literal(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_with_or_without_brackets() {
        for text in [
            "<a.b+c@example.org>",
            "a.b+c@example.org",
            " <a.b+c@example.org> ",
        ] {
            assert_eq!(
                MsgId::parse(text).unwrap().to_string(),
                "<a.b+c@example.org>"
            );
        }
        assert_eq!(
            MsgId::parse("a@[192.0.2.1]").unwrap().to_string(),
            "<a@[192.0.2.1]>"
        );
    }

    /// 2387-03.
    #[test]
    fn a_content_url_has_no_brackets_and_no_reserved_characters() {
        let id = MsgId::parse("<50%#1@example.org>").unwrap();
        assert_eq!(id.content_url(), "cid:50%25%231@example.org");
    }

    /// 5322-29.
    #[test]
    fn what_is_not_an_id_is_refused() {
        let long = format!("{}@example.org", "a".repeat(MAX_ID));
        for text in [
            "",
            "<>",
            "a",
            "<a@b",
            "a@b>",
            "a b@c",
            "a@b c",
            "a@@b",
            "a@b@c",
            "@b",
            "a@",
            ".a@b",
            "a..b@c",
            "a@b.",
            "\"a b\"@c",
            "a@b\r\nX: y",
            "a\0@b",
            "é@b",
            "<a@b><c@d>",
            "a@[b c]",
            "=?utf-8?q?a?= @b",
            &long,
        ] {
            assert!(MsgId::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_random_id_is_an_id() {
        let id = MsgId::random("example.org");
        assert_eq!(MsgId::parse(&id.to_string()).unwrap(), id);
        assert_ne!(id, MsgId::random("example.org"));
    }
}
