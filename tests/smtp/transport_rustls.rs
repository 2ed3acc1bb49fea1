//! Another TLS library on the crate's own socket, as in the example `rustls`: it must behave like
//! the TLS of this crate.
use crate::peer::{Peer, Script, TestCa};
use crate::support::sending::{facts, send_hi, taken};
use crate::support::session::{SHORT, config_for, failure, session, soon};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, pem::PemObject};
use rustls::{ClientConfig, RootCertStore};
use smtplib::config::Timeouts;
use smtplib::{Config, Credentials};
use std::io;
use std::sync::Arc;
use std::time::Instant;

#[path = "../../examples/rustls/transport.rs"]
mod transport;

/// A configuration for the peer's address, with rustls and a password.
fn config(peer: &Peer) -> Config {
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(TestCa::get().root_pem().as_bytes());
    roots.add(root.unwrap()).unwrap();
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let tls = Arc::new(tls);
    config_for(&peer.host(), peer.port())
        .transport(move |config, deadline| transport::Rustls::connect(&tls, config, deadline))
}

#[test]
fn a_message_and_a_login() {
    let rest = "
        C: AUTH PLAIN AHRpbQB0YW5zdGFhZg==
        S: 235 2.7.0 welcome
        C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        C: DATA
        S: 354 go ahead
        C| Hi!
        C| .
        S: 250 taken
        C: QUIT
        S: 221 bye
        Cclose";
    let peer = session(&["AUTH PLAIN"], rest).listen_tls();
    let config = config(&peer).credentials(Credentials::password("tim", "tanstaaf"));
    let mut smtp = config.connect().unwrap();
    assert!(smtp.is_tls());
    taken(send_hi(&mut smtp, &["ann@example.org"]));
    smtp.quit();
    assert_eq!(peer.finish().clear(), b"");
}

// L3
#[test]
fn a_read_ends_at_the_deadline() {
    for stall in ["stall 300ms", "S.. 20ms forever raw: 2"] {
        let peer = session(&[], &format!("C: NOOP\n{stall}\nCclose")).listen_tls();
        let config = config(&peer).timeouts(Timeouts::default().command(SHORT));
        let mut smtp = config.connect().unwrap();
        let begun = Instant::now();
        let error = soon(|| smtp.noop()).unwrap_err();
        assert!(begun.elapsed() >= SHORT);
        assert_eq!(
            facts(&error),
            "not delivered, transient, timeout, closed, at the command"
        );
        peer.finish();
    }
}

// 5321-61
#[test]
fn a_write_ends_at_the_deadline() {
    let rest = "
        C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        C: DATA
        S: 354 go ahead
        stop-reading";
    let peer = session(&[], rest).recv_buffer(4096).listen_tls();
    let config = config(&peer).timeouts(Timeouts::default().body(SHORT));
    let mut smtp = config.connect().unwrap();
    let mut transaction = smtp.mail("me@client.example").unwrap();
    transaction.rcpt("ann@example.org").unwrap();
    let error = soon(|| transaction.data(io::repeat(b'\n'))).unwrap_err();
    assert_eq!(
        facts(&error),
        "not delivered, transient, timeout, closed, at the message"
    );
    drop(smtp);
    peer.finish();
}

// L4: the handshake is part of connecting.
#[test]
fn a_handshake_ends_at_the_deadline() {
    let peer = Script::new("Chello\nstall 300ms\nCclose").listen();
    let error = failure(&config(&peer).timeouts(Timeouts::default().connect(SHORT)));
    assert_eq!(
        error.to_string(),
        format!("could not connect to {} in time", peer.addr())
    );
    peer.finish();
}

// L7, C4: a farewell and an end, with TLS's `close_notify` or without.
#[test]
fn a_farewell_on_an_idle_transport_is_noticed() {
    for end in [
        "S: 421 4.4.2 idle\nEOF",
        "S: 421 4.4.2 idle\nEOF-bare",
        "EOF",
        "EOF-bare",
    ] {
        let peer = session(&[], &format!("C: NOOP\nS: 250 ok\n{end}\nCclose")).listen_tls();
        let mut smtp = config(&peer).connect().unwrap();
        assert!(soon(|| smtp.is_reusable()));
        smtp.noop().unwrap();
        // The connection can be used until the end has arrived.
        let begun = Instant::now();
        while smtp.is_reusable() {
            assert!(begun.elapsed() < 5 * SHORT, "{end}");
        }
        assert!(smtp.quit().is_none());
        peer.finish();
    }
}
