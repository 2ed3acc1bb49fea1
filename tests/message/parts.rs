//! Parts in the form that mail programs and standards require.

use std::fs;
use std::io::Cursor;

use smtplib::{Attachment, Message, MessageBuilder, Part};

fn message() -> MessageBuilder {
    Message::builder().from("a@example.org").boundary("b")
}

#[track_caller]
fn text(builder: MessageBuilder) -> String {
    String::from_utf8(builder.build().unwrap().to_bytes().unwrap()).unwrap()
}

#[track_caller]
fn refused(builder: MessageBuilder) -> String {
    builder.build().unwrap_err().to_string()
}

#[track_caller]
fn assert_has(text: &str, expected: &str) {
    assert!(text.contains(expected), "no {expected:?} in\n{text}");
}

fn picture() -> Attachment {
    Attachment::new("photo.png", b"\x89PNG".to_vec())
}

/// B2.
#[test]
fn content_ids_are_taken_as_they_are() {
    for id in ["logo", "ii_l0abc123", "image001.png", "a@b", "<a@b>"] {
        let logo = picture().inline(id);
        let bare = id.trim_matches(['<', '>']);
        assert_eq!(logo.url().unwrap(), format!("cid:{bare}"));
        let text = text(message().html("<img>").attach(logo));
        assert_has(&text, &format!("\r\nContent-ID: <{bare}>\r\n"));
    }
    let text = text(message().body(Part::text("x").content_id("root")));
    assert_has(&text, "\r\nContent-ID: <root>\r\n");
    assert_eq!(
        refused(message().attach(picture().inline("two words"))),
        "attachment photo.png: give an id of visible ASCII characters, such as logo@example.org"
    );
}

/// B5.
#[test]
fn a_part_has_header_fields_and_a_disposition_of_its_own() {
    let part = |disposition: &str| {
        Part::from(picture())
            .disposition(disposition)
            .header("X-Attachment-Id", "f_l0abc123")
            .header("Content-Location", "https://example.org/a%20b")
    };
    let inline = text(message().body(Part::mixed([part("inline")])));
    assert_has(
        &inline,
        "--=_b.1_=\r\nContent-Type: image/png; name=photo.png\r\n\
         Content-Transfer-Encoding: base64\r\n\
         Content-Disposition: inline; filename=photo.png\r\n\
         X-Attachment-Id: f_l0abc123\r\n\
         Content-Location: https://example.org/a%20b\r\n\r\n",
    );
    let none = text(message().attach(part("")));
    assert!(!none.contains("Content-Disposition"), "{none}");
    assert_has(&none, "name=photo.png");
    let date = "creation-date=\"Wed, 12 Feb 1997 16:29:51 -0500\"";
    let full = text(message().attach(part(&format!("attachment; {date}; size=4"))));
    assert_has(
        &full,
        &format!("Content-Disposition: attachment; filename=photo.png;\r\n {date}; size=4\r\n"),
    );
    let named = Part::text("x").disposition("attachment; filename=\"dir/résumé.txt\"");
    let named = text(message().body(named));
    assert_has(
        &named,
        "Content-Disposition: attachment; filename*=utf-8\'\'r%C3%A9sum%C3%A9.txt\r\n",
    );
    for bad in [
        "in line",
        "inline; size",
        "inline; size=a\r\nBcc: x",
        "; size=1",
    ] {
        assert!(message().attach(part(bad)).build().is_err(), "{bad:?}");
    }
    for (name, sentence) in [
        ("Bcc", "Bcc: set this header with `bcc`"),
        ("Content-Type", "Content-Type: set this header with `body`"),
        (
            "X Y",
            "X Y: give a name of 1 to 76 visible ASCII characters without a colon",
        ),
    ] {
        let part = Part::text("x").header(name, "v");
        assert_eq!(refused(message().body(part)), sentence);
    }
    let injected = Part::text("x").header("X-A", "v\r\nBcc: eve@example.net");
    assert_eq!(
        refused(message().body(injected)),
        "X-A: the character \'\\r\' cannot stand in a header, leave it out"
    );
}

/// B5, B14: the header of a part has no address that only some servers take, and names in it
/// are encoded.
#[test]
fn a_part_shows_no_address_outside_ascii() {
    let part = |value: &str| Part::text("x").header("Errors-To", value);
    let sentence = "Errors-To: a server without SMTPUTF8 cannot be given the address <zoë@example.org>, use another";
    for body in [
        part("zoë@example.org"),
        Part::mixed([part("Zoë <a@example.org>, zoë@example.org")]),
    ] {
        assert_eq!(refused(message().body(body)), sentence);
    }
    let named = text(message().body(part("Zoë <z@example.org>")));
    assert_has(
        &named,
        "\r\nErrors-To: =?utf-8?q?Zo=C3=AB?= <z@example.org>\r\n",
    );
}

/// 2045-02, 5322-01: only a multipart has a boundary, and a parameter of this name elsewhere is as any
/// other.
#[test]
fn no_description_of_a_part_breaks_a_line() {
    let long = "b".repeat(2_000);
    for value in ["é", "a\tb", &long] {
        let parameter = format!("boundary=\"{value}\"");
        for builder in [
            message().attach(picture().media_type(format!("application/x; {parameter}"))),
            message().attach(Part::from(picture()).disposition(format!("attachment; {parameter}"))),
        ] {
            let text = text(builder);
            assert!(
                text.is_ascii() && text.lines().all(|line| line.len() <= 78),
                "{text}"
            );
            assert_has(&text, "boundary*");
        }
    }
    assert_eq!(
        refused(message().body(Part::text("x").disposition("a".repeat(128)))),
        "body: give a disposition such as inline or attachment; size=12, with quotes around values that need them"
    );
    let longest = text(message().body(Part::text("x").disposition("a".repeat(127))));
    assert_has(
        &longest,
        &format!("Content-Disposition: {}\r\n", "a".repeat(127)),
    );
}

/// B5, 2046-03, 2046-05.
#[test]
fn a_multipart_has_a_boundary_of_its_own() {
    let own = "----=_NextPart_000_0001";
    let inner = || Part::alternative([Part::text("a\n"), Part::html("b\n")]);
    let body = Part::mixed([inner().boundary(own), Part::text("c")]).boundary("(x y)\'+_,-./:=?z");
    let text = text(message().body(body));
    assert_has(&text, "boundary=\"(x y)\'+_,-./:=?z\"\r\n");
    assert_has(&text, &format!("boundary=\"{own}\"\r\n\r\n--{own}\r\n"));
    assert_has(
        &text,
        "b\r\n\r\n------=_NextPart_000_0001--\r\n--(x y)\'+_,-./:=?z\r\n",
    );
    let long = "b".repeat(70);
    let one_line = self::text(message().body(inner().boundary(&*long)));
    assert_has(&one_line, &format!("\r\n boundary=\"{long}\"\r\n"));
    let sentence = "body: give a multipart a boundary of 1 to 70 letters, digits and \'()+_,-./:=? that occurs nowhere in the content, and is not the start of another boundary";
    for bad in ["", "x ", "a\"b", "é", "a\r\nb", &"b".repeat(71)] {
        let part = inner().boundary(bad);
        assert_eq!(refused(message().body(part)), sentence, "{bad:?}");
    }
    let text_of = |text: &str| Part::mixed([Part::text(text)]);
    for (part, why) in [
        (text_of("x\n--own\n").boundary("own"), "in the text"),
        (text_of("--é").boundary("=C3=A9"), "in the encoded text"),
        (
            Part::mixed([inner().boundary("ab")]).boundary("a"),
            "begins",
        ),
        (
            Part::mixed([inner().boundary("a")]).boundary("ab"),
            "is begun",
        ),
        (Part::mixed([inner()]).boundary("=_b.1"), "one of ours"),
        (
            Part::mixed([inner()]).boundary("=_"),
            "what ours begin with",
        ),
        (
            Part::mixed([Part::text("x").header("--own", "v")]).boundary("own"),
            "in a name",
        ),
        (Part::text("x").boundary("own"), "no multipart"),
    ] {
        assert_eq!(refused(message().body(part)), sentence, "{why}");
    }
    let enclosed = Message::builder()
        .from("a@example.org")
        .text("x\n--own--\n");
    let enclosed = enclosed.build().unwrap();
    let forwarded = Part::mixed([Part::from(enclosed)]).boundary("own");
    assert_eq!(refused(message().body(forwarded)), sentence);
}

/// 2046-04, B5: nor of a message around it.
#[test]
fn a_multipart_in_a_message_has_no_boundary_of_the_outer_one() {
    let sentence = "boundary: give 1 to 40 letters and digits that occur nowhere in the content";
    for (own, is_taken) in [
        ("=_b.1_=", true),
        ("=_b", true),
        ("=_b.", true),
        ("=_c.1_=", false),
    ] {
        let body = Part::mixed([Part::text("x")]).boundary(own);
        for body in [body.clone(), Part::alternative([body])] {
            let inner = Message::builder().from("a@example.org").body(body);
            let inner = inner.boundary("i").build().unwrap();
            let middle = Message::builder()
                .from("a@example.org")
                .attach(inner.clone());
            let middle = middle.boundary("m").build().unwrap();
            for enclosed in [inner, middle] {
                let outer = message().text("hi").attach(enclosed).build();
                let error = outer.err().map(|error| error.to_string());
                assert_eq!(error.as_deref(), is_taken.then_some(sentence), "{own}");
            }
        }
    }
}

/// The shape of a message: types of parts, nested.
fn shape(builder: MessageBuilder) -> String {
    let text = text(builder);
    let types = text
        .lines()
        .filter_map(|line| line.strip_prefix("Content-Type: "));
    let short = |line: &str| line.split([';', ' ']).next().unwrap().to_owned();
    types.map(short).collect::<Vec<_>>().join(" ")
}

/// B6.
#[test]
fn pictures_go_beside_the_html_that_shows_them() {
    let html = || Part::html("<img src=\"cid:logo\">");
    let logo = || picture().inline("logo");
    let pdf = || Attachment::new("a.pdf", "x");
    for (body, expected) in [
        (html(), "multipart/related text/html image/png"),
        (
            Part::alternative([Part::text("x"), html()]),
            "multipart/alternative text/plain multipart/related text/html image/png",
        ),
        (
            Part::mixed([
                Part::alternative([Part::text("x"), html()]),
                Part::text("y"),
            ]),
            "multipart/mixed multipart/alternative text/plain multipart/related text/html image/png text/plain",
        ),
        (
            Part::related([html(), picture().inline("other").into()]),
            "multipart/related text/html image/png image/png",
        ),
        (
            Part::text_of("Text/HTML; charset=utf-8", "x"),
            "multipart/related text/html image/png",
        ),
        (Part::text("x"), "multipart/mixed text/plain image/png"),
        (
            Part::multipart("multipart/signed", [html()]),
            "multipart/mixed multipart/signed text/html image/png",
        ),
    ] {
        assert_eq!(shape(message().body(body).attach(logo())), expected);
    }
    assert_eq!(
        shape(
            message()
                .body(html())
                .attach(pdf())
                .attach(logo())
                .attach(logo())
        ),
        "multipart/mixed multipart/related text/html image/png image/png application/pdf"
    );
}

/// B6: the id of a picture may be given to the attachment or to its part.
#[test]
fn an_attachment_with_an_id_is_inline() {
    let logo = || Part::from(picture()).content_id("logo");
    for builder in [
        message().html("<img>").attach(logo()),
        message().html("<img>").attach(picture().inline("logo")),
        message().body(Part::html("<img>")).attach(logo()),
    ] {
        let text = text(builder);
        assert_has(&text, "Content-Type: multipart/related");
        assert_has(
            &text,
            "Content-Disposition: inline; filename=photo.png\r\nContent-ID: <logo>\r\n",
        );
    }
    for (disposition, written) in [("attachment", "attachment; filename=photo.png"), ("", "")] {
        let text = text(
            message()
                .html("<img>")
                .attach(logo().disposition(disposition)),
        );
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix("Content-Disposition: "));
        assert_eq!(line.unwrap_or_default(), written);
        assert_has(&text, "Content-Type: multipart/mixed");
        assert_has(&text, "Content-ID: <logo>");
    }
    let shown = text(message().body(Part::text("x").content_id("root")));
    assert!(!shown.contains("Content-Disposition"), "{shown}");
}

/// B9: for every source of the bytes.
#[test]
fn text_in_files_tells_its_charset() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("note.txt");
    for (octets, charset) in [
        ("Grüße".repeat(40_000).into_bytes(), "; charset=utf-8"),
        (b"plain".to_vec(), "; charset=utf-8"),
        (b"Gr\xfc\xdfe".to_vec(), ""),
    ] {
        fs::write(&path, &octets).unwrap();
        let (length, data) = (octets.len() as u64, octets.clone());
        let open = move || Ok(Cursor::new(data.clone()));
        for attachment in [
            Attachment::new("note.txt", octets),
            Attachment::from_path(&path).unwrap(),
            Attachment::streamed("note.txt", length, open),
        ] {
            let expected = format!("Content-Type: text/plain{charset}; name=note.txt\r\n");
            assert_has(&text(message().attach(attachment)), &expected);
        }
    }
}

const REPORT: &str = "a report may not be encoded: give it in ASCII, without NUL, in lines of at most 998 bytes, and in a signed part without blanks at their ends";

/// B10, B11: what is signed may not have a blank at the end of a line, and a report may not lose it.
#[test]
fn a_signed_report_has_no_blank_at_the_end_of_a_line() {
    let signed = |part: Part| {
        let signature = Part::text_of("application/pgp-signature", "x");
        Part::multipart("multipart/signed", [part, signature])
    };
    let report = |text: &str| {
        let report = Part::text_of("message/delivery-status", text);
        Part::multipart("multipart/report", [Part::text("Gone. \n"), report])
    };
    let blank = "Reporting-MTA: dns; x \n";
    let enclosed = message().body(report(blank)).build().unwrap();
    for part in [
        report(blank),
        Part::mixed([report(blank)]),
        Part::from(enclosed),
    ] {
        assert_eq!(
            refused(message().body(signed(part))),
            format!("body: {REPORT}")
        );
    }
    for body in [
        signed(report(blank.trim_end())),
        report(blank),
        Part::mixed([signed(Part::text("x")), report(blank)]),
    ] {
        let text = text(message().body(body));
        assert_has(
            &text,
            "Content-Type: message/delivery-status\r\n\r\nReporting-MTA",
        );
    }
}

/// B10, 2046-11: for a text, bytes or a file.
#[test]
fn what_may_not_be_encoded_goes_out_as_lines() {
    let lines = "Subject: x\n\nFrom here\nvoilà\n";
    for part in [
        Part::text_of("message/rfc822", lines.replace('à', "a")),
        Attachment::new("m.eml", lines.replace('à', "a")).into(),
    ] {
        let text = text(message().body(Part::mixed([part])));
        assert_has(&text, "\r\nSubject: x\r\n\r\nFrom here\r\nvoila\r\n");
        assert!(!text.contains("Content-Transfer-Encoding"), "{text}");
    }
    // If 8-bit lines cannot be sent, it is sent as a file (as attachments always are).
    let text = text(message().body(Part::text_of("message/rfc822", lines)));
    assert_has(
        &text,
        "Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n",
    );
    let long = format!("Subject: x\n\n{}\n", "x".repeat(999));
    for bad in [&long, "Subject: x\n\n\0"] {
        assert_eq!(
            refused(message().body(Part::text_of("message/rfc822", bad))),
            "body: a message within a message may not be encoded: give it without NUL, in lines of at most 998 bytes, or attach it as application/octet-stream"
        );
    }
    let report = |text: &str| Part::text_of("message/delivery-status", text);
    let fine = report("Reporting-MTA: dns; x\n\nFrom me\n");
    assert_has(&self::text(message().body(fine)), "\r\n\r\nFrom me\r\n");
    for bad in [&long, "Diagnostic: voilà\n", "a\0"] {
        assert_eq!(
            refused(message().body(report(bad))),
            format!("body: {REPORT}")
        );
        let octets = Attachment::new("s", bad).media_type("message/delivery-status");
        assert_eq!(
            refused(message().attach(octets)),
            format!("attachment s: {REPORT}")
        );
    }
    // Internationalized messages may be encoded (RFC 6532, 3.7).
    let global = self::text(message().body(Part::text_of("message/global", lines)));
    assert_has(
        &global,
        "Content-Type: message/global\r\nContent-Transfer-Encoding: quoted-printable",
    );
}

/// B15.
#[test]
fn old_outlook_finds_the_name() {
    let file = |name: &str| Attachment::new(name, "x").media_type("application/x");
    let plain = text(message().attach(file("今日は.txt")));
    assert_has(
        &plain,
        "Content-Type: application/x; name=____.txt\r\n"
            .replace("____", "___")
            .as_str(),
    );
    let both = text(
        message()
            .outlook_file_names(true)
            .attach(file("今日は.txt")),
    );
    assert_has(
        &both,
        "Content-Type: application/x; name=\"=?utf-8?b?5LuK5pel44GvLnR4dA==?=\"\r\n",
    );
    assert_has(
        &both,
        "filename*=utf-8\'\'%E4%BB%8A%E6%97%A5%E3%81%AF.txt\r\n",
    );
    let ascii = text(message().outlook_file_names(true).attach(file("a.txt")));
    assert_has(&ascii, "Content-Type: application/x; name=a.txt\r\n");
    let long = text(
        message()
            .outlook_file_names(true)
            .attach(file(&"長".repeat(100))),
    );
    assert!(long.lines().all(|line| line.len() <= 78), "{long}");
    let look_alike = text(
        message()
            .outlook_file_names(true)
            .attach(file("=?utf-8?q?x?=")),
    );
    assert_has(
        &look_alike,
        " name=\"=?utf-8?b?PT91dGYtOD9xP3g/PQ==?=\"\r\n",
    );
}
