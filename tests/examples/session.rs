use crate::peer::{Peer, Script};
use crate::program::{Program, plain_url};

fn peer() -> Peer {
    Script::new(
        "
        S: 220 mx.example.org
        C: EHLO [127.0.0.1]
        S: 250 mx.example.org
        C: MAIL FROM:<ann@example.org>
        S: 250 ok
        C: RCPT TO:<ben@example.org>
        S: 550 5.1.1 who?
        C: RCPT TO:<cleo@example.org>
        S: 250 2.1.5 ok
        C: DATA
        S: 354 go ahead
        C| From: <ann@example.org>
        C| Subject: Squares
        C|
        C| 1 * 1 = 1
        C| 2 * 2 = 4
        C| 3 * 3 = 9
        C| 4 * 4 = 16
        C| 5 * 5 = 25
        C| .
        S: 250 2.0.0 taken
        C: QUIT
        S: 221 bye
        Cclose
    ",
    )
    .listen()
}

const SAID: &str = "\
220 mx.example.org
ben@example.org: 550 5.1.1 who?
cleo@example.org: 250 2.1.5 ok
ben@example.org was refused: 550 5.1.1 who?
cleo@example.org was accepted: 250 2.0.0 taken
";

#[test]
fn recipient_by_recipient_with_the_url_as_an_argument() {
    let peer = peer();
    let url = plain_url(&peer);
    let arguments = [
        &url,
        "ann@example.org",
        "ben@example.org",
        "cleo@example.org",
    ];
    assert_eq!(
        Program::new("session").args(arguments).run().success(),
        SAID
    );
    peer.finish();
}

#[test]
fn recipient_by_recipient_with_the_url_in_the_environment() {
    let peer = peer();
    let arguments = ["ann@example.org", "ben@example.org", "cleo@example.org"];
    let program = Program::new("session").args(arguments);
    assert_eq!(
        program.env("SMTP_URL", plain_url(&peer)).run().success(),
        SAID
    );
    peer.finish();
}

#[test]
fn nothing_to_go_by() {
    let complaint = Program::new("session")
        .args(["ann@example.org"])
        .run()
        .failure(1);
    assert_eq!(complaint, "session: give a URL, or set SMTP_URL\n");
}
