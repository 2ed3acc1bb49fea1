//! CRAM-MD5 with a scripted server.
use crate::peer::Script;
use crate::support::session::{config, failure, implicit, said, session};
use smtplib::{Credentials, Error};

const OFFER: &str = "AUTH CRAM-MD5";
/// The example of RFC 2195, 2.
const DIALOG: &str = "
    C: AUTH CRAM-MD5
    S: 334 PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+
    C: dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw
    S: 235 ok";

fn tim() -> Credentials {
    Credentials::password("tim", "tanstaaftanstaaf")
}

// 2195-01, 2195-02, dialog 25: with and without TLS, if the server offers nothing else.
#[test]
fn the_example_of_rfc_2195_on_the_wire() {
    let peer = session(&[OFFER], DIALOG).listen();
    drop(config(&peer).credentials(tim()).connect().unwrap());
    peer.finish();
    let peer = session(&[OFFER], DIALOG).listen_tls();
    drop(implicit(&peer).credentials(tim()).connect().unwrap());
    peer.finish();
}

// 2195-04: under TLS, PLAIN is preferred. Without TLS, only this is left.
#[test]
fn plain_comes_first_under_tls() {
    let offers = ["AUTH CRAM-MD5 PLAIN"];
    let plain = "C: AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm\nS: 235 ok";
    let peer = session(&offers, plain).listen_tls();
    drop(implicit(&peer).credentials(tim()).connect().unwrap());
    peer.finish();
    let peer = session(&offers, DIALOG).listen();
    drop(config(&peer).credentials(tim()).connect().unwrap());
    peer.finish();
}

// Dialog 26: `*`, the 501, and the next mechanism, if it may be used.
#[test]
fn a_challenge_that_makes_no_sense() {
    let rest = "
        C: AUTH CRAM-MD5
        S: 334 !!!
        C: *
        S: 501 5.7.0 cancelled
        C: QUIT
        S: 221 bye";
    let peer = session(&["AUTH CRAM-MD5 PLAIN"], rest).listen();
    let error = failure(&config(&peer).credentials(tim()));
    assert_eq!(
        said(&error),
        "logging in at the server with CRAM-MD5 failed: the server's challenge is not valid"
    );
    peer.finish();
    let rest = "
        C: AUTH CRAM-MD5
        S: 334 !!!
        C: *
        S: 501 5.7.0 cancelled
        C: AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm
        S: 235 ok";
    let peer = session(&["AUTH CRAM-MD5 PLAIN"], rest).listen_tls();
    let config = implicit(&peer).mechanisms(["CRAM-MD5", "PLAIN"]);
    drop(config.credentials(tim()).connect().unwrap());
    peer.finish();
}

// T5: an attacker who removes the offer of STARTTLS gets no hash for guessing.
#[test]
fn cram_md5_does_not_go_where_tls_was_wanted() {
    let script = "
        S: 220 mx.example.org
        C: EHLO client.example
        S: 250-mx.example.org
        S: 250 AUTH CRAM-MD5
        C: QUIT
        S: 221 bye";
    let peer = Script::new(script).listen();
    let config = config(&peer).security(smtplib::Security::Opportunistic);
    let error = failure(&config.credentials(tim()));
    assert!(matches!(error, Error::PlaintextAuth { .. }), "{error:?}");
    peer.finish();
}
