use crate::peer::Server;
use crate::program::{Program, plain_url};
use mail_parser::{MessageParser, MessagePart, MimeHeaders};
use std::fs;

#[test]
fn a_text() {
    let peer = Server::new().script().listen();
    let said = Program::new("send_text")
        .env("SMTP_URL", plain_url(&peer))
        .env("SMTP_FROM", "ann@example.org")
        .env("SMTP_TO", "ben@example.org, cleo@example.org")
        .run()
        .success();
    assert_eq!(
        said,
        "ben@example.org was accepted: 250 2.0.0 taken\n\
         cleo@example.org was accepted: 250 2.0.0 taken\n"
    );
    let exchanged = peer.finish();
    let octets = exchanged.body(0).message();
    let message = MessageParser::new().parse(&octets).unwrap();
    assert_eq!(message.subject(), Some("Déjà vu?"));
    assert_eq!(
        message.body_text(0).unwrap().replace("\r\n", "\n"),
        "Have we met?\n\nYours,\nthe example.\n"
    );
}

#[test]
fn a_picture_and_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let (picture, file) = (
        directory.path().join("logo.png"),
        directory.path().join("report.pdf"),
    );
    fs::write(&picture, b"\x89PNG\r\n\x1a\n and so on").unwrap();
    fs::write(&file, b"%PDF-1.7\n and so on").unwrap();
    let peer = Server::new().script().listen();
    let said = Program::new("send_attachment")
        .env("SMTP_URL", plain_url(&peer))
        .env("SMTP_FROM", "ann@example.org")
        .env("SMTP_TO", "ben@example.org")
        .args([&picture, &file])
        .run()
        .success();
    assert_eq!(said, "ben@example.org was accepted: 250 2.0.0 taken\n");

    let exchanged = peer.finish();
    let octets = exchanged.body(0).message();
    let message = MessageParser::new().parse(&octets).unwrap();
    assert_eq!(
        message.body_text(0).unwrap().trim_end(),
        "The report is attached."
    );
    assert!(
        message
            .body_html(0)
            .unwrap()
            .contains("<img src=\"cid:logo@example.com\">")
    );
    let parts: Vec<_> = message.attachments().map(described).collect();
    assert_eq!(
        parts,
        [
            "logo.png image/png Some(\"logo@example.com\") \\x89PNG\\r\\n\\x1a\\n and so on",
            "report.pdf application/pdf None %PDF-1.7\\n and so on",
        ]
    );
}

/// Name, media type, id and content.
fn described(part: &MessagePart<'_>) -> String {
    let media_type = part.content_type().unwrap();
    format!(
        "{} {}/{} {:?} {}",
        part.attachment_name().unwrap(),
        media_type.ctype(),
        media_type.subtype().unwrap(),
        part.content_id(),
        part.contents().escape_ascii()
    )
}

#[test]
fn a_file_that_is_not_there() {
    let ended = Program::new("send_attachment")
        .env("SMTP_FROM", "ann@example.org")
        .env("SMTP_TO", "ben@example.org")
        .args(["no.png", "no.pdf"])
        .run();
    let complaint = ended.failure(1);
    assert!(
        complaint.starts_with("send_attachment: ") && complaint.contains("os error 2"),
        "{complaint}"
    );
}

#[test]
fn nowhere_to_send_to() {
    for name in ["send_text", "send_attachment"] {
        let complaint = Program::new(name).run().failure(1);
        assert_eq!(complaint, format!("{name}: set SMTP_FROM\n"));
    }
}
