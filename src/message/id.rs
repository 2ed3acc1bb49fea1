//! [`MsgId`] and [`ContentId`]: the identifiers of messages and of their parts.

use std::fmt;

use crate::address::is_address_literal;
use crate::message::error::{MessageProblem, check_controls};
use crate::message::header::{HeaderWriter, is_atext};
use crate::message::random;
use crate::message::unfold::unfolded;

/// An id is never folded (RFC 5322, 3.6.4), so it must fit on a line, after the longest name of a
/// field that has one.
const MAX_ID: usize = 998 - "Resent-Message-ID: <>".len();

/// A msg-id (RFC 5322, 3.6.4), without its angle brackets.
///
/// An id of a message from this crate is `unique@example.org` in ASCII, without quotes. An id from
/// another message is kept unchanged: many have no `@`, or characters that no domain has.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct MsgId(Box<str>);

impl MsgId {
    /// Makes a unique id in this domain.
    pub(crate) fn random(domain: &str) -> Self {
        Self(random::with_token(&["@", domain]).into())
    }

    /// Reads one id, with or without its angle brackets.
    pub(crate) fn parse(text: &str) -> Result<Self, MessageProblem> {
        let id = without_brackets(text);
        let (left, right) = id.split_once('@').ok_or(MessageProblem::MsgId)?;
        if is_dot_atom(left) && (is_dot_atom(right) || is_literal(right)) && id.len() <= MAX_ID {
            Ok(Self(id.into()))
        } else {
            Err(MessageProblem::MsgId)
        }
    }

    /// Reads the ids of other messages: each `<` printable ASCII `>`, unchanged, whatever is around
    /// it. Without any brackets, words of the strict form are ids, too.
    ///
    /// Everything else is left out. A control character that is not folding is an error.
    pub(crate) fn given(text: &str) -> Result<Vec<Self>, MessageProblem> {
        let text = unfolded(text);
        if !text.contains('<') {
            check_controls(&text.replace(['\r', '\n'], " "))?;
            let words = text.split_ascii_whitespace();
            return Ok(words.filter_map(|word| Self::parse(word).ok()).collect());
        }
        let mut ids = Vec::new();
        for (number, piece) in text.split('<').enumerate() {
            let (id, behind) = piece.split_once('>').unwrap_or((piece, ""));
            check_controls(&behind.replace(['\r', '\n'], " "))?;
            // The text before the first bracket is not an id.
            if number == 0 {
                check_controls(&id.replace(['\r', '\n'], " "))?;
                continue;
            }
            check_controls(id)?;
            if id.len() < piece.len() {
                ids.extend(Self::as_it_came(id));
            }
        }
        Ok(ids)
    }

    fn as_it_came(id: &str) -> Option<Self> {
        let id = id.replace('\t', " ");
        let is_id = (1..=MAX_ID).contains(&id.len())
            && !id.trim_matches(' ').is_empty()
            && id.bytes().all(|octet| matches!(octet, b' '..=b'~'));
        is_id.then(|| Self(id.into()))
    }

    /// Writes the id, in brackets, into a header.
    pub(crate) fn write(&self, writer: &mut HeaderWriter<'_>) {
        writer.parts(["<", &self.0, ">"]);
    }
}

impl fmt::Display for MsgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.0)
    }
}

/// The id of a part, without its angle brackets (RFC 2045, 7).
///
/// RFC 2045 requires a msg-id. But mail programs write names such as `ii_l0abc123` and
/// `image001.png`, and HTML made for them refers to those.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ContentId(Box<str>);

impl ContentId {
    /// Reads an id of visible ASCII, with or without angle brackets.
    pub(crate) fn parse(text: &str) -> Result<Self, MessageProblem> {
        if let Some(c) = text.chars().find(|c| c.is_control()) {
            return Err(MessageProblem::Control(c));
        }
        let id = without_brackets(text);
        let is_id = (1..=MAX_ID).contains(&id.len())
            && id
                .bytes()
                .all(|octet| octet.is_ascii_graphic() && !matches!(octet, b'<' | b'>'));
        if is_id {
            Ok(Self(id.into()))
        } else {
            Err(MessageProblem::ContentId)
        }
    }

    /// Writes the id, in brackets, into a header.
    pub(crate) fn write(&self, writer: &mut HeaderWriter<'_>) {
        writer.parts(["<", &self.0, ">"]);
    }

    /// The `cid:` address of a part with this id: without brackets, and escaped (RFC 2392, 2).
    pub(crate) fn url(&self) -> String {
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

/// The id in a text that may have angle brackets around it.
fn without_brackets(text: &str) -> &str {
    let text = text.trim_matches(' ');
    text.strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'))
        .unwrap_or(text)
}

/// RFC 5322, dot-atom-text.
fn is_dot_atom(text: &str) -> bool {
    text.split('.')
        .all(|atom| !atom.is_empty() && atom.bytes().all(is_atext))
}

/// RFC 5322, no-fold-literal. Only address literals are in use.
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

    /// 2387-03, B2.
    #[test]
    fn a_content_url_has_no_brackets_and_no_reserved_characters() {
        for (id, url) in [
            ("<50%#1@example.org>", "cid:50%25%231@example.org"),
            ("logo", "cid:logo"),
            ("<ii_l0abc123>", "cid:ii_l0abc123"),
            (" image001.png ", "cid:image001.png"),
        ] {
            assert_eq!(ContentId::parse(id).unwrap().url(), url);
        }
        for id in [
            "",
            "<>",
            "a b",
            "a>b",
            "a\r\nX: y",
            "é",
            &"a".repeat(MAX_ID + 1),
        ] {
            assert!(ContentId::parse(id).is_err(), "{id:?}");
        }
    }

    /// B1: ids of other messages are sent unchanged, and everything else is left out.
    #[test]
    fn given_ids_are_taken_as_they_came() {
        let long = format!("<{}>", "a".repeat(MAX_ID + 1));
        for (text, ids) in [
            (
                "<20220720005922.0000000004E@>",
                "<20220720005922.0000000004E@>",
            ),
            ("<a b@c.example>", "<a b@c.example>"),
            ("<no-at-sign>", "<no-at-sign>"),
            ("<a@[odd literal]>", "<a@[odd literal]>"),
            ("<a@b.example> (by hand)", "<a@b.example>"),
            ("<a@b.example><c@d.example>", "<a@b.example><c@d.example>"),
            ("<x.1@[mail-host]>", "<x.1@[mail-host]>"),
            ("<a@b>\r\n\t<c@d>,\n <e@f>\r\n", "<a@b><c@d><e@f>"),
            ("<a@\r\n b>", "<a@ b>"),
            ("<\"a..b\"@c> <é@d> <e@f>", "<\"a..b\"@c><e@f>"),
            ("Your message of \"today\" <a@b>", "<a@b>"),
            ("<a@b> <c@d", "<a@b>"),
            ("<a<b@c>", "<b@c>"),
            ("a@b.example c@d.example", "<a@b.example><c@d.example>"),
            ("nothing of the kind", ""),
            ("", ""),
            ("<> < >", ""),
            (&long, ""),
        ] {
            let given = MsgId::given(text).unwrap();
            let given: Vec<String> = given.iter().map(ToString::to_string).collect();
            assert_eq!(given.concat(), ids, "{text:?}");
        }
        for text in [
            "<a\rb@c>",
            "<a\nBcc: x@c>",
            "<a@b>\0",
            "\u{1b}<a@b>",
            "a\u{7f}@b",
        ] {
            assert!(MsgId::given(text).is_err(), "{text:?}");
        }
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
