//! TLS, ends and stalls.
use crate::peer::{Leaf, Peer, Script, TestCa};
use crate::peer_tests::{BOUND, Client, breaks, passes, pause};
use native_tls::{Identity, TlsConnector};
#[cfg(not(any(windows, target_vendor = "apple")))]
use openssl::{
    ssl::{HandshakeError, SslConnector, SslMethod},
    x509::{X509, store::X509StoreBuilder},
};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

#[test]
fn starttls_upgrades_in_place_and_the_clear_part_is_known() {
    let script = "C: STARTTLS\nS: 220 go ahead\nTLS\nC: secret\nS: 235 ok\nCclose";
    let peer = Script::new(script).listen();
    let mut client = Client::connect(&peer);
    client.send("STARTTLS\r\n");
    client.expect("220 go ahead\r\n");
    let mut client = client.secure();
    client.send("secret\r\n");
    client.expect("235 ok\r\n");
    drop(client);
    let exchanged = peer.finish();
    assert_eq!(exchanged.clear(), b"STARTTLS\r\n");
    assert_eq!(exchanged.sessions[0].received(), b"STARTTLS\r\nsecret\r\n");
    assert_eq!(exchanged.sessions[0].sent(), b"220 go ahead\r\n235 ok\r\n");
    let record = exchanged.to_string();
    assert!(
        record.contains("    S: 220 go ahead\n       TLS\n    C: secret\n"),
        "{record}"
    );
}

#[test]
fn tls_from_the_first_octet() {
    let peer = Script::new("S: 220 hi\nC: QUIT").listen_tls();
    let mut client = Client::connect(&peer).secure();
    client.expect("220 hi\r\n");
    client.send("QUIT\r\n");
    drop(client);
    assert_eq!(peer.finish().clear(), b"");
}

#[test]
fn client_that_speaks_plain_to_tls_is_found_out() {
    let peer = Script::new("S: 220 hi").listen_tls();
    let mut client = Client::connect(&peer);
    client.send("EHLO a\r\n");
    drop(client);
    let failure = peer.outcome().unwrap_err();
    assert!(
        failure.starts_with("the dialog broke on connection 1, before the script: no TLS: "),
        "{failure}"
    );
}

#[test]
fn groups_hold_inside_tls() {
    let peer = Script::new("Cgroup\nC: MAIL\nC: RCPT\nS: 250 ok").listen_tls();
    let mut client = Client::connect(&peer).secure();
    client.send("MAIL\r\nRCPT\r\n");
    client.expect("250 ok\r\n");
    peer.finish();
}

#[test]
fn octets_ahead_of_tls_are_a_failure() {
    let why = r#"before TLS the client sent "EHLO a\r\n""#;
    breaks("C: STARTTLS\nTLS", 2, why, |c| {
        c.send("STARTTLS\r\nEHLO a\r\n");
    });
}

#[test]
fn what_is_to_be_refused_is_refused() {
    let connector = TestCa::get().connector();
    for leaf in [
        "expired",
        "not-yet-valid",
        "self-signed",
        "wrong-name",
        "1.1",
    ] {
        let peer = Script::new(&format!("TLS-refused {leaf}")).listen();
        let client = Client::connect(&peer);
        assert!(connector.connect("localhost", client.stream).is_err());
        peer.finish();
    }
}

// Compares the numbers of OpenSSL's results, because its words change.
#[cfg(not(any(windows, target_vendor = "apple")))]
#[test]
fn bad_certificates_are_what_they_are_called() {
    const EXPIRED: i32 = 10;
    const SELF_SIGNED: i32 = 18;
    const OTHER_NAME: i32 = 62;
    for (leaf, verdict) in [
        ("expired", EXPIRED),
        ("self-signed", SELF_SIGNED),
        ("wrong-name", OTHER_NAME),
    ] {
        let peer = Script::new(&format!("TLS-refused {leaf}")).listen();
        let mut connector = SslConnector::builder(SslMethod::tls()).unwrap();
        let mut store = X509StoreBuilder::new().unwrap();
        let root = X509::from_pem(TestCa::get().root_pem().as_bytes()).unwrap();
        store.add_cert(root).unwrap();
        connector.set_cert_store(store.build());
        let client = Client::connect(&peer);
        let result = connector.build().connect("localhost", client.stream);
        let Err(HandshakeError::Failure(failed)) = result else {
            panic!("{leaf} was believed")
        };
        assert_eq!(failed.ssl().verify_result().as_raw(), verdict, "{leaf}");
        drop(failed);
        peer.finish();
    }
}

#[test]
fn handshake_that_succeeds_is_no_refusal() {
    let peer = Script::new("TLS-refused").bound(BOUND).listen();
    let client = Client::connect(&peer).secure();
    let failure = peer.outcome().unwrap_err();
    assert!(
        failure.contains("line 1: expected the client to close, it did not"),
        "{failure}"
    );
    drop(client);
}

#[test]
fn handshake_that_stalls_ends_at_the_bound() {
    let peers = ["TLS", "TLS-refused"].map(|script| Script::new(script).bound(BOUND).listen());
    let _clients = peers.each_ref().map(Client::connect);
    for peer in peers {
        let failure = peer.outcome().unwrap_err();
        assert!(
            failure.contains("line 1: no TLS: the client stalls"),
            "{failure}"
        );
    }
}

#[test]
fn every_name_of_the_leaf_is_good() {
    for name in ["localhost", "mx.example.org", "127.0.0.1", "::1"] {
        let peer = Script::new("TLS\nC: x").listen();
        let client = Client::connect(&peer);
        let mut stream = TestCa::get()
            .connector()
            .connect(name, client.stream)
            .unwrap();
        stream.write_all(b"x\r\n").unwrap();
        drop(stream);
        peer.finish();
    }
}

#[test]
fn client_certificate_makes_an_identity() {
    let pem = TestCa::get().client();
    let identity = Identity::from_pkcs8(pem.certificate.as_bytes(), pem.key.as_bytes()).unwrap();
    let connector = TlsConnector::builder()
        .identity(identity)
        .danger_accept_invalid_certs(true)
        .build()
        .unwrap();
    let peer = Script::new("TLS\nC: x").listen();
    let mut stream = connector
        .connect("localhost", Client::connect(&peer).stream)
        .unwrap();
    stream.write_all(b"x\r\n").unwrap();
    drop(stream);
    peer.finish();
}

#[test]
fn client_hello_is_read_and_left_alone() {
    let hello = |script: &str, name: &str| {
        let peer = Script::new(script).listen();
        let client = Client::connect(&peer);
        assert!(
            TestCa::get()
                .connector()
                .connect(name, client.stream)
                .is_err()
        );
        peer.outcome()
    };
    hello("Chello\nEOF", "localhost").unwrap();
    hello("Chello mx.example.org\nRST", "mx.example.org").unwrap();
    hello("Chello\nSraw: 550 no TLS here\\r\\n\nCignore", "localhost").unwrap();
    let failure = hello("Chello mx.example.org", "localhost").unwrap_err();
    assert!(
        failure.contains("the ClientHello does not name mx.example.org"),
        "{failure}"
    );
    let why = r#"expected a ClientHello, got "EHLO ""#;
    breaks("Chello", 1, why, |c| c.send("EHLO a\r\n"));
}

#[test]
fn eof_leaves_the_client_to_be_heard() {
    passes("S: 421 bye\nEOF\nC: QUIT", |client| {
        client.expect("421 bye\r\n");
        client.expect_eof();
        client.send("QUIT\r\n");
    });
}

/// What follows the last reply of a TLS connection, not decrypted.
fn behind_the_last_reply(end: &str) -> Vec<u8> {
    let peer = Script::new(&format!("S: 250 ok\n{end}\nCclose")).listen_tls();
    let client = Client::connect(&peer);
    let mut raw: TcpStream = client.stream.try_clone().unwrap();
    let mut client = client.secure();
    client.expect("250 ok\r\n");
    let mut rest = Vec::new();
    raw.read_to_end(&mut rest).unwrap();
    drop((client, raw));
    peer.finish();
    rest
}

#[test]
fn only_the_bare_eof_leaves_out_close_notify() {
    assert_eq!(behind_the_last_reply("EOF-bare"), b"");
    assert_ne!(behind_the_last_reply("EOF"), b"");
}

#[test]
fn reset_and_close_end_both_directions() {
    passes("S: 220 a\nC: x\nRST", |client| {
        client.expect("220 a\r\n");
        client.send("x\r\n");
        client.expect_reset();
    });
    passes("C: x\nclose", |client| {
        client.send("x\r\n");
        client.expect_eof();
    });
}

#[test]
fn close_over_unread_octets_is_a_reset() {
    passes("C: x\nstall 30ms\nclose", |client| {
        client.send("x\r\n");
        pause();
        client.send("y\r\n");
        while client.stream.read(&mut [0; 9]).is_ok_and(|n| n > 0) {}
    });
}

#[test]
fn stall_reads_nothing_for_a_while() {
    let start = Instant::now();
    passes("stall 60ms\nC: x\nS: 250 ok", |client| {
        client.send("x\r\n");
        client.expect("250 ok\r\n");
    });
    assert!(start.elapsed() >= Duration::from_millis(60));
}

/// Writes until nothing more can be written for a while. Returns how much was written.
fn octets_taken(peer: &Peer) -> usize {
    let mut client = Client::connect(peer);
    client.expect("220 a\r\n");
    client
        .stream
        .set_write_timeout(Some(Duration::from_millis(50)))
        .unwrap();
    let mut taken = 0;
    while let Ok(n) = client.stream.write(&[b'x'; 4096]) {
        taken += n;
        assert!(taken < 64 << 20, "the peer takes everything");
    }
    taken
}

#[test]
fn peer_that_stops_reading_blocks_the_client() {
    let script = || Script::new("S: 220 a\nstop-reading").bound(Duration::from_secs(20));
    let start = Instant::now();
    let wide = script().listen();
    let narrow = script().recv_buffer(4096).listen();
    assert!(octets_taken(&narrow) < octets_taken(&wide));
    wide.finish();
    narrow.finish();
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "finish does not wait for the bound"
    );
}

#[test]
fn slow_reader_takes_its_time() {
    let start = Instant::now();
    passes(
        "slow-read 1 per 10ms\nC: hello\nslow-read off\nC: world",
        |client| {
            client.send("hello\r\nworld\r\n");
            pause();
        },
    );
    assert!(start.elapsed() >= Duration::from_millis(60));
}

#[test]
fn handler_may_show_a_bad_certificate() {
    let peer = Peer::serve(|conn| {
        assert!(conn.start_tls(Leaf::Expired).is_err() || conn.expect_close().is_ok());
        Ok(())
    });
    let client = Client::connect(&peer);
    TestCa::get()
        .connector()
        .connect("localhost", client.stream)
        .unwrap_err();
    peer.finish();
}

#[test]
fn body_may_be_refused_half_way() {
    let script = "
        S: 354 go ahead
        Coctets 65536
        ahead
        S: 552 5.3.4 too big
        EOF
        Cignore
    ";
    let exchanged = passes(script, |client| {
        client.expect("354 go ahead\r\n");
        client.send("x".repeat(1 << 20));
        client.expect("552 5.3.4 too big\r\n");
        client.expect_eof();
    });
    assert_eq!(exchanged.body(0).wire().len(), 65536);
}

#[test]
fn client_of_tls_may_meet_a_plain_server() {
    let peer = Script::new("Chello\nS: 220 mx.example.org\nCclose").listen();
    let client = Client::connect(&peer);
    TestCa::get()
        .connector()
        .connect("localhost", client.stream)
        .unwrap_err();
    peer.finish();
}
