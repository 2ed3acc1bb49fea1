//! Messages, byte for byte, with a fixed date, ids and boundaries. A person has read the files in
//! `golden` and found them right. `SMTPLIB_BLESS=1` writes them again.

use std::env;
use std::fs;
use std::path::Path;
use std::time::{Duration, UNIX_EPOCH};

use smtplib::message::{Date, Group, Resent};
use smtplib::{Attachment, Message, MessageBuilder, Part};

/// What all messages here have in common.
fn message(subject: &str) -> MessageBuilder {
    let moment = UNIX_EPOCH + Duration::from_secs(1_700_000_000);
    Message::builder()
        .date(Date::from(moment).offset(60).unwrap())
        .message_id("<golden@example.com>")
        .boundary("golden")
        .from("Alice Liddell <alice@example.com>")
        .to("bob@example.org")
        .subject(subject)
}

#[track_caller]
fn assert_golden(name: &str, builder: MessageBuilder) {
    let octets = builder.build().unwrap().to_bytes().unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/message/golden")
        .join(name);
    if env::var_os("SMTPLIB_BLESS").is_some() {
        fs::write(&path, &octets).unwrap();
    }
    let golden = fs::read(&path).unwrap();
    assert!(
        octets == golden,
        "{name} has become\n{}",
        String::from_utf8_lossy(&octets)
    );
}

/// 2045-01, 2045-03, 2046-02, 2049-01, 5322-14, 5322-15, 5322-21, 5322-22, 5322-38, H6.
#[test]
fn plain() {
    assert_golden(
        "plain.eml",
        message("Lunch?").text("Noon at the usual place?\n.\n-- \nAlice"),
    );
}

/// 5322-38: an empty body is legal.
#[test]
fn empty() {
    assert_golden("empty.eml", message(""));
}

/// 2047-01 to 2047-13, 5322-02, 5322-10 to 5322-13, 5322-16 to 5322-18, 5322-34, 5322-35, H2.
#[test]
fn headers() {
    let builder = message("Grüße aus Köln — und noch einiges mehr, das auf eine Zeile nicht passen würde")
        .sender(("Doe, Jane \"JD\"", "jane@example.com"))
        .to("Zoë Müller <zoe@example.org>")
        .to(("J. R. Hacker", "\"john doe\"@example.net"))
        .to(Group::new("Friends, old", ["carol@[192.0.2.1]".parse().unwrap(), "Dan <dan@example.net>".parse().unwrap()]).unwrap())
        .cc(Group::new("undisclosed-recipients", []).unwrap())
        .cc(("=?utf-8?q?eve?= <x@example.net>", "mallory@example.net"))
        .bcc("unseen@example.net")
        .reply_to("list@example.com")
        .header("X-Mailer", "smtplib")
        .header("x-NOTE", "one")
        .header("x-NOTE", "{\"two\":  \"spaces and a =?utf-8?q?look-alike?=\"}")
        .header("Comments", "two  spaces and a =?utf-8?q?look-alike?=")
        .header("List-Unsubscribe", "<https://example.com/unsubscribe/0123456789012345678901234567890123456789?who=bob>, <mailto:leave@example.com>")
        .header("Keywords", "x".repeat(1_200));
    assert_golden("headers.eml", builder.text("See above.\n"));
}

/// 5322-29, 5322-30, 5322-31: a reply in a long thread.
#[test]
fn answer() {
    let references: Vec<String> = (1..9)
        .map(|n| format!("<{n}.thread@example.org>"))
        .collect();
    let builder = message("").reply_to_message(
        "<9.thread@example.org>",
        &references.join(" "),
        "re: RE: Lunch?",
    );
    assert_golden("answer.eml", builder.text("> Noon?\nYes.\n"));
}

/// 2045-07 to 2045-11, 2049-02, 3676-02: mostly ASCII, so people can read the encoded text.
#[test]
fn quoted_printable() {
    let text = "Voilà: 1 + 1 = 2 \nFrom here on\n.\n-- \n".to_owned()
        + &"Une ligne très longue. ".repeat(12);
    assert_golden("quoted-printable.eml", message("text").text(text));
}

/// 2045-12, 2045-13: mostly outside ASCII.
#[test]
fn base64_text() {
    assert_golden(
        "base64-text.eml",
        message("текст").text("Съешь же ещё\nэтих мягких французских булок.\n"),
    );
}

/// 2046-05 to 2046-09, 2387-01, 2387-03, 2183-02, 2183-04, 2045-06, 2045-15.
#[test]
fn everything() {
    let logo =
        Attachment::new("logo.png", b"\x89PNG\r\n\x1a\n".to_vec()).inline("logo@example.com");
    let html = format!("<p>See <img src=\"{}\"></p>\n", logo.url().unwrap());
    let inner = message("Fwd").text("The first message.\n").build().unwrap();
    let builder = message("everything")
        .boundary("outer")
        .text("See.\n")
        .html(html)
        .attach(logo)
        .calendar(
            "REQUEST",
            "BEGIN:VCALENDAR\nMETHOD:REQUEST\nEND:VCALENDAR\n",
        )
        .attach(Attachment::new("report.pdf", b"%PDF-1.7".to_vec()).description("Größe: klein"))
        .attach(inner)
        .attach(Attachment::new(
            "original.eml",
            "From: a@example.org\n\nkept as lines\n",
        ));
    assert_golden("everything.eml", builder);
}

/// 2231-01 to 2231-06, 2183-01.
#[test]
fn file_names() {
    let long = format!("{}.pdf", "a rather long name ".repeat(6).trim_end());
    let names = [
        "/home/alice/plain.txt",
        "C:\\Users\\alice\\two words.bin",
        "quo\"te.bin",
        "résumé.pdf",
        "日本語のとても長いファイル名です.docx",
        "=?utf-8?q?x?=.zip",
        "it's 50%.csv",
        &long,
        "",
    ];
    let builder = names.into_iter().fold(message("names"), |builder, name| {
        builder.attach(Attachment::new(name, "x").media_type("application/octet-stream"))
    });
    assert_golden("file-names.eml", builder);
}

/// 5322-27, 5322-32, H4: a block before the other fields, and no `Resent-Bcc`.
#[test]
fn resent() {
    let moment = UNIX_EPOCH + Duration::from_secs(1_700_086_400);
    let resent = Resent::new()
        .date(moment)
        .message_id("<resent@example.org>")
        .from("bob@example.org")
        .to("Carol <carol@example.net>")
        .cc("dan@example.net")
        .bcc("unseen@example.net");
    assert_golden(
        "resent.eml",
        message("Lunch?").text("Noon?\n").resent(resent),
    );
}

/// 3676-01.
#[test]
fn flowed() {
    let text = "A paragraph that is long enough to be wrapped, so that a reader can wrap it to its own width.\n> quoted\n From\n-- \nAlice\n";
    assert_golden("flowed.eml", message("flowed").text_flowed(text));
}

/// 6532-01, 6532-05, 6532-06: only addresses outside ASCII make headers UTF-8.
#[test]
fn smtputf8() {
    let inner = Message::builder()
        .date(UNIX_EPOCH)
        .message_id("<inner@example.com>")
        .from("用户@例え.jp")
        .text("x\n")
        .build()
        .unwrap();
    let builder = message("Grüße")
        .to("Zoë <zoë@bücher.example>")
        .text("ASCII\n")
        .attach(inner);
    assert_golden("smtputf8.eml", builder);
}

/// 2046-05, 2046-08, 2046-10: any nesting. No boundary is the beginning of another.
#[test]
fn nested() {
    let deep = (0..12).fold(Part::text("innermost"), |part, _| Part::mixed([part]));
    let report = Part::multipart(
        "multipart/report; report-type=delivery-status",
        [
            Part::text("Sorry.\n"),
            Part::text_of(
                "message/delivery-status",
                "Reporting-MTA: dns; example.org\n",
            ),
            deep,
        ],
    );
    assert_golden("nested.eml", message("nested").body(report));
}
