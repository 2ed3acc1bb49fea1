//! Round trips through mail-parser.

use std::env;
use std::thread;

use mail_parser::{
    Address, HeaderName, HeaderValue, Message, MessageParser, MimeHeaders, PartType,
};

use crate::facts::{Facts, assert_same};
use crate::generate::Sample;

/// How many messages a run makes by default.
const MESSAGES: u64 = 10_000;

/// How many random messages to make: `SMTPLIB_MESSAGES`, or ten thousand.
pub(crate) fn message_count() -> u64 {
    env::var("SMTPLIB_MESSAGES").map_or(MESSAGES, |count| count.parse().unwrap())
}

/// 2045-09, 2046-06, 2047-12, 2231-02, 5322-06, 5322-23, H1, H2: the parser finds what was put in,
/// and no other field.
#[test]
fn ten_thousand_messages_mean_what_was_composed() {
    let count = message_count();
    thread::scope(|scope| {
        for half in 0..2 {
            scope.spawn(move || (half..count).step_by(2).for_each(check));
        }
    });
}

fn check(seed: u64) {
    let sample = Sample::new(seed);
    let octets = sample.message.to_bytes().unwrap();
    assert_lines(&octets);
    let parsed = MessageParser::new()
        .with_date_headers()
        .with_address_headers()
        .with_message_ids()
        .with_mime_headers()
        .default_header_text()
        .parse(&octets)
        .unwrap();
    let mut read = Facts::default();
    read_message(&parsed, &mut read);
    let reader = format!("mail-parser, message {seed},");
    assert_same(&read, &sample.facts, &octets, &reader);
}

/// 5322-01, 5322-08, 5322-09: ASCII lines of at most 998 bytes, each with CRLF at its end.
fn assert_lines(octets: &[u8]) {
    let text = std::str::from_utf8(octets).unwrap();
    assert!(text.is_ascii() && !text.contains('\0'));
    assert!(text.ends_with("\r\n"));
    for line in text.split("\r\n") {
        assert!(
            line.len() <= 998 && !line.contains(['\r', '\n']),
            "{line:?}"
        );
    }
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    for line in head.split("\r\n") {
        // A line is longer only if it has no space for folding, or if the space is in quotes.
        let value = line.split_once(": ").map_or(line, |(_, value)| value);
        let folds = value.trim_start().contains(' ') && !value.contains('"');
        assert!(line.len() <= 78 || !folds, "{line:?}");
        assert!(!line.trim().is_empty());
    }
}

fn read_message(message: &Message<'_>, facts: &mut Facts) {
    for (field, address) in [
        ("from", message.from()),
        ("sender", message.sender()),
        ("to", message.to()),
        ("cc", message.cc()),
        ("reply-to", message.reply_to()),
    ] {
        if let Some(address) = address {
            read_address(field, address, facts);
        }
    }
    facts.push("message-id", &[message.message_id().unwrap()]);
    match message.references() {
        HeaderValue::Text(id) => facts.push("references", &[id]),
        HeaderValue::TextList(ids) => facts.push(
            "references",
            &ids.iter().map(AsRef::as_ref).collect::<Vec<_>>(),
        ),
        _ => {}
    }
    let mut names = Vec::new();
    for header in message.headers() {
        let name = header.name().to_lowercase();
        let value = match header.value() {
            HeaderValue::Text(text) => text.to_string(),
            _ => String::new(),
        };
        if matches!(header.name, HeaderName::Subject) || name == "other" {
            facts.push(&name, &[&value]);
        }
        if !name.starts_with("content-") {
            names.push(name);
        }
    }
    read_part(message, 0, facts);
    facts.push("names", &[&names.join(" ")]);
}

fn read_address(field: &str, address: &Address<'_>, facts: &mut Facts) {
    match address {
        Address::List(mailboxes) => {
            for mailbox in mailboxes {
                facts.push(
                    field,
                    &[
                        mailbox.name().unwrap_or_default(),
                        mailbox.address().unwrap(),
                    ],
                );
            }
        }
        Address::Group(groups) => {
            for group in groups {
                if let Some(name) = &group.name {
                    facts.push("group", &[name]);
                }
                for mailbox in &group.addresses {
                    facts.push(
                        field,
                        &[
                            mailbox.name().unwrap_or_default(),
                            mailbox.address().unwrap(),
                        ],
                    );
                }
            }
        }
    }
}

fn read_part(message: &Message<'_>, number: u32, facts: &mut Facts) {
    let part = message.part(number).unwrap();
    match &part.body {
        PartType::Multipart(parts) => {
            return parts
                .iter()
                .for_each(|part| read_part(message, *part, facts));
        }
        PartType::Message(message) => {
            facts.push("message", &[]);
            return read_message(message, facts);
        }
        _ => {}
    }
    let media_type = part.content_type().unwrap();
    facts.push(
        "leaf",
        &[&format!(
            "{}/{}",
            media_type.ctype(),
            media_type.subtype().unwrap()
        )],
    );
    if let Some(disposition) = part.content_disposition() {
        facts.push(
            "file",
            &[
                disposition.ctype(),
                part.attachment_name().unwrap_or_default(),
            ],
        );
    }
    if let Some(id) = part.content_id() {
        facts.push("content-id", &[id]);
    }
    facts.push_data(part.contents());
}
