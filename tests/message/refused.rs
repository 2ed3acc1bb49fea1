//! Values that a message cannot have: `build()` returns an error that names the field, in whichever
//! way the value was given.

use std::fs;

use smtplib::message::Resent;
use smtplib::{Attachment, Message, MessageBuilder, Part};

fn message() -> MessageBuilder {
    Message::builder().from("a@example.org")
}

#[track_caller]
fn assert_refused(builder: MessageBuilder, sentence: &str) {
    assert_eq!(builder.build().unwrap_err().to_string(), sentence);
}

/// Characters that end a line, or that some program takes for its end.
const CONTROLS: [char; 9] = [
    '\r', '\n', '\0', '\u{1b}', '\u{7}', '\u{b}', '\u{c}', '\u{7f}', '\u{85}',
];

/// 5322-05, 5322-09, H1, H3: everything that ends a line, in every header field.
#[test]
fn controls_are_refused_in_every_field() {
    for c in CONTROLS {
        let bad = format!("a{c}Bcc: eve@example.net");
        let id = format!("<{bad}@example.org>");
        let resent = Resent::new;
        for (builder, field) in [
            (message().from((&*bad, "a@example.org")), "From"),
            (message().to(&*bad), "To"),
            (message().cc(format!("{bad} <a@example.org>")), "Cc"),
            (message().bcc(format!("\"{bad}\" <a@example.org>")), "Bcc"),
            (
                message().sender(("x", format!("{bad}@example.org"))),
                "Sender",
            ),
            (message().reply_to(format!("a@{bad}")), "Reply-To"),
            (message().subject(&*bad), "Subject"),
            (message().message_id(&id), "Message-ID"),
            (message().in_reply_to(&id), "In-Reply-To"),
            (message().references(format!("<a@b> {id}")), "References"),
            (message().header("X-A", &bad), "X-A"),
            (message().header("List-Id", &bad), "List-Id"),
            (message().header(&bad, "v"), &bad),
            (message().resent(resent().to(&*bad)), "Resent-To"),
            (
                message().resent(resent().message_id(&id)),
                "Resent-Message-ID",
            ),
        ] {
            assert_names_field(builder, field);
        }
    }
}

/// 5322-05, 2046-03, H1, H5: and in every value that describes a part.
#[test]
fn controls_are_refused_in_every_part() {
    for c in CONTROLS {
        let bad = format!("a{c}Bcc: eve@example.net");
        let id = format!("{bad}@example.org");
        let quoted = format!("text/plain; x=\"{bad}\"");
        let file = || Attachment::new("f.bin", "x");
        let named = format!("attachment {bad}");
        for (builder, field) in [
            (message().boundary(&*bad), "boundary"),
            (message().calendar(&bad, "BEGIN:VCALENDAR\n"), "body"),
            (message().body(Part::text_of(&quoted, "x")), "body"),
            (
                message().body(Part::multipart(&bad, [Part::text("x")])),
                "body",
            ),
            (message().body(Part::text("x").content_id(&*id)), "body"),
            (message().body(Part::text("x").description(&*bad)), "body"),
            (
                message().attach(file().media_type(&*quoted)),
                "attachment f.bin",
            ),
            (message().attach(file().inline(&*id)), "attachment f.bin"),
            (
                message().attach(file().description(&*bad)),
                "attachment f.bin",
            ),
            (message().attach(Attachment::new(&*bad, "x")), &*named),
        ] {
            assert_names_field(builder, field);
        }
    }
}

/// Asserts that the error names the field and shows control characters only escaped.
#[track_caller]
fn assert_names_field(builder: MessageBuilder, field: &str) {
    let error = builder.build().unwrap_err();
    assert_eq!(error.field(), field);
    let sentence = error.to_string();
    assert!(!sentence.contains(char::is_control), "{sentence:?}");
}

/// The first error is returned, and it names its field.
#[test]
fn the_first_error_is_told() {
    let builder = message().subject("a\nb").to("nobody").header("To", "x");
    assert_refused(
        builder,
        "Subject: the character '\\n' cannot stand in a header, leave it out",
    );
    assert_refused(
        message().to("nobody").subject("a\nb"),
        "To: the address has no @",
    );
}

/// 2045-02, 2046-07, 2046-12, 2183-02, 5322-22, 5322-25, 5322-29, 5322-32.
#[test]
fn what_would_not_be_a_message_is_refused() {
    assert_refused(
        Message::builder().to("b@example.org"),
        "From: the message needs one, set it",
    );
    assert_refused(
        message().from("b@example.org"),
        "Sender: several authors need a sender, set one of them with `sender`",
    );
    assert_refused(
        message().resent(Resent::new().to("b@example.org")),
        "Resent-From: the message needs one, set it",
    );
    assert_refused(
        message().message_id("id"),
        "Message-ID: give an id of the form <unique@example.org>",
    );
    assert_refused(
        message().body(Part::mixed([])),
        "body: a multipart needs at least one part",
    );
    assert_refused(
        message().text("x").body(Part::text("y")),
        "body: give either a tree of parts or text and HTML, not both",
    );
    let media_type = "give a media type that can be used here, such as application/pdf";
    assert_refused(
        message().attach(data().media_type("pdf")),
        &format!("attachment f.bin: {media_type}"),
    );
    assert_refused(
        message().attach(data().media_type("multipart/mixed")),
        &format!("attachment f.bin: {media_type}"),
    );
    for part in [
        Part::multipart("text/plain", [Part::text("x")]),
        Part::multipart("multipart/mixed; boundary=b", [Part::text("x")]),
        Part::text_of("multipart/mixed", "x"),
        Part::text_of("text/plain; charset=iso-8859-1", "x"),
        Part::text_of("text/plain; charset=us-ascii", "é"),
    ] {
        assert_refused(message().body(part), &format!("body: {media_type}"));
    }
    let deep = (0..50).fold(Part::text("x"), |part, _| Part::mixed([part]));
    assert_refused(
        message().body(deep),
        "body: the parts are nested too deep, use fewer levels",
    );
    let messages = (0..50).try_fold(message().build().unwrap(), |inner, _| {
        message().body(inner).build()
    });
    assert_eq!(
        messages.unwrap_err().to_string(),
        "body: the parts are nested too deep, use fewer levels"
    );
    assert_refused(
        message().date(std::time::UNIX_EPOCH - std::time::Duration::from_secs(3_000_000_000)),
        "Date: give a year from 1900 to 9999 and an offset of less than a day",
    );
}

/// H7: only files that the caller gave as a path are read.
#[test]
fn files_are_read_only_where_a_path_was_given() {
    let file = Attachment::new("/etc/hostname", "not the file");
    let message = message()
        .text("file:///etc/hostname")
        .attach(file)
        .build()
        .unwrap();
    let text = String::from_utf8(message.to_bytes().unwrap()).unwrap();
    assert!(text.contains("filename=hostname\r\n\r\nbm90IHRoZSBmaWxl\r\n"));
    let error = Attachment::from_path("/no/such/file").unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
    assert!(error.to_string().starts_with("/no/such/file: "), "{error}");
    let folder = std::env::temp_dir();
    let error = Attachment::from_path(&folder).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    let why = "only a regular file can be attached";
    assert_eq!(error.to_string(), format!("{}: {why}", folder.display()));
}

#[test]
fn a_file_that_is_gone_is_an_error() {
    let path = std::env::temp_dir().join(format!("smtplib-gone-{}", std::process::id()));
    fs::write(&path, "x").unwrap();
    let message = message()
        .attach(Attachment::from_path(&path).unwrap())
        .build()
        .unwrap();
    assert!(message.to_bytes().is_ok());
    fs::remove_file(&path).unwrap();
    let error = message.to_bytes().unwrap_err().to_string();
    assert!(error.starts_with("attachment smtplib-gone-"), "{error}");
    let named = format!(": the file cannot be read: {}: ", path.display());
    assert!(error.contains(&named), "{error}");
}

fn data() -> Attachment {
    Attachment::new("f.bin", "x")
}
