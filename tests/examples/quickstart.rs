use crate::peer::{Refusing, Script, Server};
use crate::program::{Program, plain_url};

/// Asserts that a text has these lines in this order, perhaps with others between them.
fn assert_lines(text: &str, expected: &[&str]) {
    let mut lines = text.lines().map(str::trim);
    for line in expected {
        assert!(
            lines.any(|found| found == *line),
            "{line:?} is missing, or not in its place, in\n{text}"
        );
    }
}

#[test]
fn without_anything_it_shows_a_whole_session_with_the_server_inside() {
    let said = Program::new("quickstart").run().success();
    assert_lines(
        &said,
        &[
            "Nothing leaves this machine.",
            "S: 220 mail.example.org ESMTP",
            "C: EHLO [127.0.0.1]",
            "S: 250 STARTTLS",
            "C: STARTTLS",
            "S: 220 Ready to start TLS",
            "*: TLS from here on, with localhost",
            "C: EHLO [127.0.0.1]",
            "C: AUTH PLAIN ***",
            "S: 235 Authentication succeeded",
            "C: RCPT TO:<nobody@example.org>",
            "S: 550 5.1.1 nobody of that name lives here",
            "S: 250 2.0.0 taken as message 1",
            "C: QUIT",
            "What the client learnt",
            "bob@example.org was accepted: 250 2.0.0 taken as message 1",
            "nobody@example.org was refused: 550 5.1.1 nobody of that name lives here",
            "-> tell the sender; trying again is of no use",
            "carol@example.org was accepted: 250 2.0.0 taken as message 1",
            "What the server received",
            "logged in as: alice",
            "from: alice@example.com",
            "to: bob@example.org, carol@example.org",
            "| From: alice@example.com",
            "| Subject: Tea at =?utf-8?q?Zo=C3=AB=27s?=",
            "| there is tea at five at Zoë's, and there are scones.",
            "| Content-Disposition: attachment; filename=prices.csv",
        ],
    );
    // The password of the server in the example, in plain and as AUTH PLAIN sends it.
    assert!(!said.contains("curiouser"), "{said}");
    assert!(!said.contains("AGFsaWNl"), "{said}");
}

#[test]
fn with_a_server_of_ones_own() {
    let peer = Server::new()
        .on("RCPT TO:<cleo@", "450 4.2.1 come back later")
        .script()
        .listen();
    let said = Program::new("quickstart")
        .env("SMTP_URL", plain_url(&peer))
        .env("SMTP_FROM", "ann@example.org")
        .env("SMTP_TO", "ben@example.org, cleo@example.org")
        .run()
        .success();
    assert_lines(
        &said,
        &[
            "C: MAIL FROM:<ann@example.org>",
            "ben@example.org was accepted: 250 2.0.0 taken",
            "cleo@example.org was refused: 450 4.2.1 come back later",
            "-> try this recipient again later",
        ],
    );
    assert!(!said.contains("What the server received"), "{said}");
    let exchanged = peer.finish();
    assert!(exchanged.commands().contains(&"RCPT TO:<cleo@example.org>"));
    assert_eq!(exchanged.bodies(), 1);
}

#[test]
fn a_server_of_ones_own_needs_addresses() {
    let peer = Script::sessions::<&str>([]).listen();
    let complaint = Program::new("quickstart")
        .env("SMTP_URL", plain_url(&peer))
        .env("SMTP_FROM", "ann@example.org")
        .run()
        .failure(1);
    assert_eq!(
        complaint,
        "quickstart: SMTP_URL needs SMTP_FROM beside it, and SMTP_TO with commas between recipients\n"
    );
}

#[test]
fn a_server_that_is_not_there_is_told_in_words() {
    let nobody = Refusing::new();
    let ended = Program::new("quickstart")
        .env("SMTP_URL", format!("smtp://{}", nobody.addr()))
        .env("SMTP_FROM", "ann@example.org")
        .env("SMTP_TO", "ben@example.org")
        .run();
    assert_eq!(ended.status, 1);
    let begin = format!("quickstart: could not connect to {}: ", nobody.addr());
    assert!(ended.stderr.starts_with(&begin), "{ended:?}");
}
