//! Any text, given to any setter, is refused by an error that names the field, or other parsers can
//! read the message and find no header field and no line that it should not have.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::thread;

use mail_parser::MessageParser;
use smtplib::message::{AddressList, Group, Resent};
use smtplib::{Address, Attachment, Message, MessageBuilder, Part};

use crate::generate::Random;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/message/names.py");
/// Random texts for each setter.
const TEXTS: u64 = 400;

/// A word that is too long for a header line.
const LONG: &str =
    "averyveryveryveryveryveryveryveryveryveryveryveryveryveryveryverylongwordwithoutblanks";

/// Pieces with which a reader could see something end, begin or vanish.
const PIECES: &[&str] = &[
    "a",
    "Zoë",
    " ",
    "  ",
    "\t",
    "\r\n",
    "\n",
    "\r",
    "\0",
    "\r\n ",
    "\u{85}",
    "\u{2028}",
    "\u{202e}",
    "\u{1b}",
    "\u{7f}",
    "<",
    ">",
    "<a@b.example>",
    "@",
    "a@b.example",
    ",",
    ";",
    ":",
    "\"",
    "\\",
    "(",
    ")",
    "[",
    "]",
    "=?utf-8?q?x?=",
    "=?utf-8?q?=0D=0ABcc:_e@x?=",
    "=?iso-2022-jp?b?GyRC?=",
    "=?",
    "?=",
    "Bcc: eve@example.net",
    "\r\nBcc: eve@example.net",
    "\r\n\r\nbody",
    "--",
    "--b",
    "=",
    "%0D%0A",
    "https://x.example/",
    "mailto:a@b.example",
    "attachment",
    "inline",
    "; size=1",
    "; filename=x",
    "text/plain",
    "multipart/mixed",
    "message/rfc822",
    LONG,
    ".",
    "..",
    "€🦀",
    "用户@例え.jp",
    "Re: ",
    "From ",
];

/// A way to give a text to a message, and the field it may add.
type Setter = (&'static str, fn(MessageBuilder, &str) -> MessageBuilder);

const SETTERS: &[Setter] = &[
    ("to", |b, text| b.to(text)),
    ("to", |b, text| b.to([text, "b@x.example"])),
    ("to", |b, text| b.to((text, "b@x.example"))),
    ("to", |b, text| match text.parse::<AddressList>() {
        Ok(list) => b.to(list),
        Err(_) => b,
    }),
    ("to", |b, text| match Group::new(text, []) {
        Ok(group) => b.to(group),
        Err(_) => b,
    }),
    ("to", |b, text| match Address::new(text, "x.example") {
        Ok(address) => b.to(address),
        Err(_) => b,
    }),
    ("sender", |b, text| b.sender("a@x.example").from(text)),
    ("sender", |b, text| b.sender(text)),
    ("cc", |b, text| b.cc(text)),
    ("cc", |b, text| b.cc(text.split(','))),
    ("", |b, text| b.bcc(text)),
    ("reply-to", |b, text| b.reply_to(text)),
    ("subject", |b, text| b.subject(text)),
    ("", |b, text| b.message_id(text)),
    ("in-reply-to", |b, text| b.in_reply_to(text)),
    ("references", |b, text| b.references([text, text])),
    ("in-reply-to references subject", |b, text| {
        b.reply_to_message(text, text, text)
    }),
    ("x-a", |b, text| b.header("X-A", text)),
    ("comments", |b, text| b.header("Comments", text)),
    ("list-id", |b, text| b.header("List-Id", text)),
    ("errors-to", |b, text| b.header("Errors-To", text)),
    ("in-reply-to", |b, text| b.header("In-Reply-To", text)),
    ("content-language", |b, text| {
        b.header("Content-Language", text)
    }),
    ("list-unsubscribe", |b, text| {
        b.list_unsubscribe(text, false)
    }),
    ("list-id", |b, text| b.list_id(text, "l.x.example")),
    ("list-id", |b, text| b.list_id("name", text)),
    ("list-help list-owner list-post list-archive", |b, text| {
        let b = b.list_help(text).list_owner([text, text]);
        b.list_post(text).list_archive(Some(text))
    }),
    ("list-subscribe", |b, text| b.list_subscribe(text)),
    ("list-subscribe", |b, text| {
        b.list_subscribe(["https://x.example/", text])
    }),
    ("list-unsubscribe list-unsubscribe-post", |b, text| {
        b.list_unsubscribe(["https://x.example/", text], true)
    }),
    ("disposition-notification-to", |b, text| {
        b.disposition_notification_to(text)
    }),
    (
        "resent-date resent-from resent-to resent-message-id",
        |b, text| b.resent(Resent::new().from("r@x.example").to(text)),
    ),
    (
        "resent-date resent-from resent-sender resent-cc resent-message-id",
        |b, text| {
            let resent = Resent::new().from(text).sender("r@x.example");
            b.resent(resent.cc(text).bcc(text))
        },
    ),
    ("resent-date resent-from resent-message-id", |b, text| {
        b.resent(Resent::new().from("r@x.example").message_id(text))
    }),
    ("", |b, text| b.text(text)),
    ("", |b, text| b.text_flowed(text)),
    ("", |b, text| b.html(text)),
    ("", |b, text| b.calendar(text, text)),
    ("", |b, text| b.boundary(text)),
    ("", |b, text| b.attach(Attachment::new(text, text))),
    ("", |b, text| {
        b.outlook_file_names(true)
            .attach(Attachment::new(text, text))
    }),
    ("", |b, text| {
        b.attach(Attachment::new("f", "x").media_type(text))
    }),
    ("", |b, text| {
        b.attach(Attachment::new("f", "x").inline(text))
    }),
    ("", |b, text| {
        b.attach(Attachment::new("f", "x").description(text))
    }),
    ("x-b", |b, text| b.body(Part::text("x").header("X-B", text))),
    ("errors-to", |b, text| {
        b.body(Part::text("x").header("Errors-To", text))
    }),
    ("content-description", |b, text| {
        b.body(Part::text("x").description(text))
    }),
    ("content-disposition", |b, text| {
        b.body(Part::text("x").disposition(text))
    }),
    ("content-id", |b, text| {
        b.body(Part::text("x").content_id(text))
    }),
    ("", |b, text| b.body(Part::text_of(text, text))),
    ("", |b, text| b.body(Part::text_of("message/rfc822", text))),
    ("", |b, text| {
        b.body(Part::mixed([Part::text(text)]).boundary(text))
    }),
    ("", |b, text| {
        b.body(Part::multipart(text, [Part::text(text)]))
    }),
];

/// The fields that every message has.
const ALWAYS: [&str; 5] = ["content-type", "date", "from", "message-id", "mime-version"];

/// Every message that the texts give, with the fields that it may have.
fn messages() -> impl Iterator<Item = (usize, Vec<u8>)> {
    (0..TEXTS).flat_map(|seed| {
        let mut random = Random::new(seed + 77);
        let count = 1 + random.below(6);
        let text: String = (0..count)
            .map(|_| PIECES[random.below(PIECES.len())])
            .collect();
        (0..SETTERS.len()).filter_map(move |number| Some((number, message(number, &text)?)))
    })
}

fn message(number: usize, text: &str) -> Option<Vec<u8>> {
    let builder = Message::builder().from("a@x.example");
    let message = match SETTERS[number].1(builder, text).build() {
        Ok(message) => message,
        Err(error) => {
            let sentence = error.to_string();
            assert!(!error.field().is_empty(), "{sentence}");
            assert!(!sentence.contains(char::is_control), "{sentence:?}");
            return None;
        }
    };
    if message.needs_smtputf8() {
        return None;
    }
    let octets = message.to_bytes().unwrap();
    assert_lines(&octets, text);
    Some(octets)
}

fn assert_lines(octets: &[u8], given: &str) {
    let text = std::str::from_utf8(octets).unwrap();
    assert!(text.ends_with("\r\n"), "{given:?}");
    assert!(text.is_ascii() && !text.contains('\0'), "{given:?}\n{text}");
    let is_line = |line: &str| line.len() <= 998 && !line.contains(['\r', '\n']);
    assert!(text.split("\r\n").all(is_line), "{given:?}\n{text}");
}

/// Asserts that the fields are those of every message, and no other than the setter's.
fn assert_names(number: usize, names: &[String], octets: &[u8], reader: &str) {
    let shown = String::from_utf8_lossy(octets);
    let distinct: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(distinct.len(), names.len(), "{reader}: {names:?}\n{shown}");
    let allowed = SETTERS[number].0.split(' ').chain(ALWAYS);
    let allowed: BTreeSet<&str> = allowed.chain(["content-transfer-encoding"]).collect();
    assert!(distinct.is_subset(&allowed), "{reader}: {names:?}\n{shown}");
    assert!(
        ALWAYS.iter().all(|name| distinct.contains(name)),
        "{reader}: {names:?}\n{shown}"
    );
}

/// A1 to B17: with mail-parser.
#[test]
fn any_text_is_refused_by_name_or_leaves_a_message() {
    let mut count = 0;
    for (number, octets) in messages() {
        let parsed = MessageParser::default().parse(&octets).unwrap();
        let names: Vec<String> = parsed
            .headers()
            .iter()
            .map(|h| h.name().to_lowercase())
            .collect();
        assert_names(number, &names, &octets, "mail-parser");
        assert!(parsed.bcc().is_none());
        count += 1;
    }
    assert!(count > 2_000, "{count} messages");
}

/// The same with Python's `email`, with both of its policies.
#[test]
#[ignore = "needs python3"]
fn python_finds_no_other_field_either() {
    let mut python = Command::new("python3")
        .arg(SCRIPT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = python.stdin.take().unwrap();
    let writer = thread::spawn(move || {
        for (_, octets) in messages() {
            let length = u32::try_from(octets.len()).unwrap();
            input.write_all(&length.to_be_bytes()).unwrap();
            input.write_all(&octets).unwrap();
        }
    });
    let mut lines = BufReader::new(python.stdout.take().unwrap()).lines();
    for (number, octets) in messages() {
        for policy in ["default", "compat32"] {
            let line = lines.next().unwrap().unwrap();
            let names: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert_names(number, &names, &octets, policy);
        }
    }
    writer.join().unwrap();
    assert!(python.wait().unwrap().success());
}
