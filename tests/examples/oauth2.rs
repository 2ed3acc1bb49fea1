use crate::peer::{Script, TestCa};
use crate::program::Program;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fs;

// The first token has expired, as far as the server says, and the second is fetched at once.
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
    assert!(
        ended.stderr.contains("\nC: AUTH XOAUTH2 ***\n"),
        "{ended:#?}"
    );
    assert!(!ended.stderr.contains("token-"), "{ended:#?}");
    peer.finish();
}
