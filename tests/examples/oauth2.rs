use crate::peer::{Script, TestCa};
use crate::program::Program;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fs;

/// Asserts that a token is fetched and refused, another one is fetched and accepted, and neither is
/// shown.
fn assert_asked_twice(stderr: &str, [refused, accepted]: [&str; 2]) {
    let starts = ["*: asking http://127.0.0.1:", "C: AUTH", "S: 535", "S: 235"];
    let said: Vec<&str> = stderr
        .lines()
        .filter(|line| starts.iter().any(|start| line.starts_with(start)))
        .map(|line| line.strip_prefix("*: ").map_or(line, |_| "asking"))
        .collect();
    let login = "C: AUTH XOAUTH2 ***";
    assert_eq!(
        said,
        ["asking", login, refused, "asking", login, accepted],
        "{stderr}"
    );
    assert!(!stderr.contains("token-"), "{stderr}");
}

#[test]
fn without_anything_it_shows_both_servers_and_an_expired_token() {
    let ended = Program::new("oauth2").run();
    assert_eq!(ended.status, 0, "{ended:#?}");
    assert_asked_twice(
        &ended.stderr,
        ["S: 535 5.7.8 the token has expired", "S: 235 2.7.0 welcome"],
    );
    let (outcome, received) = ended.stdout.split_once("\n\n").unwrap();
    assert_eq!(outcome, "bob@example.org was accepted: 250 2.0.0 taken");
    let lines: Vec<&str> = received.lines().map(str::trim).collect();
    for line in [
        "What the server received:",
        "| From: alice@example.com",
        "| Subject: By token",
        "| No password was needed for this.",
    ] {
        assert!(lines.contains(&line), "{line:?} is missing in {lines:#?}");
    }
}

#[test]
fn what_is_missing_is_said_in_a_sentence() {
    let url = "smtp://mail.example.com";
    let complaint = Program::new("oauth2").args([url]).run().failure(1);
    assert_eq!(
        complaint,
        "oauth2: give a URL, a sender and a recipient, or nothing at all\n"
    );
    let complaint = Program::new("oauth2")
        .args([url, "alice@example.com", "bob@example.org"])
        .env("OAUTH_TOKEN_URL", "https://example.com/token")
        .run()
        .failure(1);
    assert_eq!(complaint, "oauth2: set OAUTH_CLIENT_ID\n");
}

// The server says that the first token has expired, and the second is fetched at once.
#[test]
fn a_token_is_fetched_and_fetched_again() {
    let xoauth2 = |token: &str| {
        STANDARD.encode(format!(
            "user=alice@example.com\x01auth=Bearer {token}\x01\x01"
        ))
    };
    let script = format!(
        "
        S: 220 mx.example.org
        C: EHLO [127.0.0.1]
        S: 250-mx.example.org
        S: 250 AUTH PLAIN XOAUTH2
        C: AUTH XOAUTH2 {}
        S: 334 eyJzdGF0dXMiOiI0MDEifQ==
        Craw: \\r\\n
        S: 535 5.7.8 expired
        C: AUTH XOAUTH2 {}
        S: 235 2.7.0 accepted
        C: MAIL FROM:<alice@example.com>
        S: 250 ok
        C: RCPT TO:<bob@example.org>
        S: 250 ok
        C: DATA
        S: 354 go ahead
        Cdata
        S: 250 2.0.0 taken
        C: QUIT
        S: 221 bye
        Cclose",
        xoauth2("token-1"),
        xoauth2("token-2")
    );
    let peer = Script::new(&script).listen_tls();
    let directory = tempfile::tempdir().unwrap();
    let roots = directory.path().join("roots.pem");
    fs::write(&roots, TestCa::get().root_pem()).unwrap();
    let url = format!("smtps://{}", peer.addr());
    let ended = Program::new("oauth2")
        .args([&url, "alice@example.com", "bob@example.org"])
        .env("SSL_CERT_FILE", roots)
        .run();
    assert_eq!(ended.status, 0, "{ended:#?}");
    assert_eq!(
        ended.stdout,
        "bob@example.org was accepted: 250 2.0.0 taken\n"
    );
    assert_asked_twice(
        &ended.stderr,
        ["S: 535 5.7.8 expired", "S: 235 2.7.0 accepted"],
    );
    peer.finish();
}
