use crate::peer::{Peer, Script};
use crate::program::Program;

fn script(cleo: &str) -> Script {
    Script::new(&format!(
        "
        S: 220 mx.example.org
        C: LHLO [127.0.0.1]
        S: 250-mx.example.org
        S: 250 PIPELINING
        C: MAIL FROM:<ann@example.org>
        C: RCPT TO:<ben@example.org>
        C: RCPT TO:<cleo@example.org>
        C: DATA
        S: 250 ok
        S: 250 ok
        S: 250 ok
        S: 354 go ahead
        Cdata
        S: 552 5.2.2 full
        S: {cleo}
        C: QUIT
        S: 221 bye
        Cclose
    "
    ))
}

fn deliver(server: &str) -> String {
    Program::new("lmtp")
        .args([
            server,
            "ann@example.org",
            "ben@example.org",
            "cleo@example.org",
        ])
        .input("Subject: Hi\n\nHi!\n")
        .run()
        .success()
}

fn assert_received(peer: Peer) {
    assert_eq!(
        peer.finish().body(0).message(),
        b"Subject: Hi\r\n\r\nHi!\r\n"
    );
}

#[test]
fn each_recipient_has_a_result_over_tcp() {
    let peer = script("250 2.1.5 delivered").listen();
    assert_eq!(
        deliver(&peer.addr().to_string()),
        "ben@example.org was refused: 552 5.2.2 full\n\
         cleo@example.org was accepted: 250 2.1.5 delivered\n"
    );
    assert_received(peer);
}

#[cfg(unix)]
#[test]
fn each_recipient_has_a_result_over_a_unix_socket() {
    let peer = script("250 2.1.5 delivered").listen_unix();
    assert_eq!(
        deliver(peer.path().to_str().unwrap()),
        "ben@example.org was refused: 552 5.2.2 full\n\
         cleo@example.org was accepted: 250 2.1.5 delivered\n"
    );
    assert_received(peer);
}

#[test]
fn each_recipient_has_a_result_even_if_none_is_good() {
    let peer = script("450 4.2.0 locked").listen();
    assert_eq!(
        deliver(&peer.addr().to_string()),
        "ben@example.org was refused: 552 5.2.2 full\n\
         cleo@example.org was refused: 450 4.2.0 locked\n"
    );
    assert_received(peer);
}

#[test]
fn how_it_is_used() {
    let complaint = Program::new("lmtp").run().failure(1);
    assert_eq!(
        complaint,
        "lmtp: give a Unix socket or host:port, a sender, and recipients\n"
    );
}
