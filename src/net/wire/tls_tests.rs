//! The error of a system call is reported, even if the TLS library turns it into another one.

use super::*;
use crate::error::{Delivery, TlsReason};
use crate::net::stream::stand_in::{alert, failed_handshake, record, stand_in};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;

const BRIEF: Duration = Duration::from_millis(100);
/// Longer than [`BRIEF`], and shorter than the patience for last words.
const SOON: Duration = Duration::from_secs(4);

fn wire(budget: Duration) -> (Wire, TcpStream) {
    let (stream, server) = stand_in();
    let wire = Wire::new(stream, Timeouts::all(budget), Trace::default());
    (wire, server)
}

fn patient() -> (Wire, TcpStream) {
    wire(Duration::from_secs(20))
}

/// Closes with a reset.
fn reset(server: TcpStream) {
    let socket = socket2::SockRef::from(&server);
    socket.set_linger(Some(Duration::ZERO)).unwrap();
}

/// Writes a message until a write fails.
fn write_much(wire: &mut Wire) -> Error {
    let part = [b'x'; 64 * 1024];
    loop {
        if let Err(error) = wire.write_body(&part, part.len()) {
            return error;
        }
    }
}

/// Reads a reply, which must fail.
fn fails(wire: &mut Wire, step: Step) -> Error {
    let error = wire.read_reply(Awaited::alone(step)).unwrap_err();
    assert!(wire.is_closed());
    error
}

#[test]
fn a_read_that_times_out_is_a_timeout() {
    let (mut wire, server) = wire(BRIEF);
    assert!(matches!(
        fails(&mut wire, Step::Mail),
        Error::Timeout {
            step: Step::Mail,
            ..
        }
    ));
    drop(server);
}

// 5321-61, L4: a peer that does not read.
#[test]
fn a_write_that_times_out_is_a_timeout_and_waits_no_more() {
    let (mut wire, server) = wire(BRIEF);
    let begin = Instant::now();
    let error = write_much(&mut wire);
    assert!(
        matches!(
            error,
            Error::Timeout {
                step: Step::Body,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(begin.elapsed() < SOON && wire.is_closed());
    drop(server);
}

// L5: the server's words before it stopped reading have arrived, so nothing waits for them.
#[test]
fn last_words_are_heard_behind_a_timeout() {
    for words in ["552 5.3.4 too big\r\n", "552 5.3.4 too big\r\n421 bye\r\n"] {
        let (mut wire, mut server) = wire(BRIEF);
        server.write_all(&record(words)).unwrap();
        let begin = Instant::now();
        let error = write_much(&mut wire);
        assert!(begin.elapsed() < SOON);
        assert_eq!(
            error.to_string(),
            "the server closed the connection at the message, saying: 552 5.3.4 too big"
        );
        assert!(error.is_permanent());
    }
}

#[test]
fn a_connection_that_is_lost_is_lost() {
    let lost = "the server closed the connection at RCPT";
    let (mut wire, server) = patient();
    reset(server);
    assert_eq!(fails(&mut wire, Step::Rcpt).to_string(), lost);
    // The connection ends without `close_notify`, before a record and within one.
    for half in [&b""[..], b"\x17\x03", b"\x17\x03\x03\0\x09250"] {
        let (mut wire, mut server) = patient();
        server.write_all(half).unwrap();
        server.shutdown(Shutdown::Write).unwrap();
        let error = fails(&mut wire, Step::Rcpt);
        assert_eq!(error.to_string(), lost);
        assert!(error.is_transient());
    }
    let (mut wire, server) = patient();
    let resetting = thread::spawn(move || {
        let mut server = server;
        server.read_exact(&mut [0; 100_000]).unwrap();
        reset(server);
    });
    let error = write_much(&mut wire);
    assert_eq!(
        error.to_string(),
        "the server closed the connection at the message"
    );
    resetting.join().unwrap();
}

// RFC 8446, 4.4.2.4: the verdict on our certificate comes with the first read.
#[test]
fn a_certificate_that_is_wanted() {
    for number in [42, 48, 116] {
        let (mut wire, mut server) = patient();
        server.write_all(&alert(number)).unwrap();
        let error = fails(&mut wire, Step::Greeting);
        assert_eq!(
            error.to_string(),
            "TLS failed at the greeting: the server wants a client certificate that it trusts: set Config::client_identity"
        );
        assert!(!error.is_transient() && error.is_closed());
        assert_eq!(error.step(), Some(Step::Greeting));
    }
}

// On other systems a reset discards what was not read.
#[cfg(target_os = "linux")]
#[test]
fn a_certificate_that_is_wanted_is_heard_of_at_a_write() {
    let (mut wire, mut server) = patient();
    server.write_all(&alert(116)).unwrap();
    server.shutdown(Shutdown::Write).unwrap();
    let writing = thread::spawn(move || write_much(&mut wire));
    server.read_exact(&mut [0; 100_000]).unwrap();
    reset(server);
    let error = writing.join().unwrap();
    assert!(
        matches!(&error, Error::Tls(why) if why.reason() == TlsReason::ClientCertificate),
        "{error:?}"
    );
}

// Another alert later in the session is not about certificates, and trying again may help.
#[test]
fn an_alert_in_the_middle() {
    let (mut wire, mut server) = patient();
    server.write_all(&record("250 ok\r\n")).unwrap();
    wire.read_reply(Awaited::alone(Step::Mail)).unwrap();
    server.write_all(&alert(80)).unwrap();
    let error = fails(&mut wire, Step::EndOfData);
    assert_eq!(
        error.to_string(),
        "TLS failed at the end of the message: they complained: alert number 80"
    );
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert!(!error.is_transient());
    let (mut wire, mut server) = patient();
    server.write_all(&record("250 ok\r\n")).unwrap();
    wire.read_reply(Awaited::alone(Step::Mail)).unwrap();
    server.write_all(&alert(80)).unwrap();
    let error = fails(&mut wire, Step::Rcpt);
    assert!(error.is_transient() && error.delivery() == Delivery::NotDelivered);
}

/// The error of a handshake with a server that does this.
fn handshake(budget: Duration, does: impl FnOnce(TcpStream) -> Option<TcpStream>) -> Error {
    failed(Step::Handshake, failed_handshake(budget, does), |reply| {
        reply
    })
}

/// The same for a server that sends this, and then waits.
fn handshake_saying(octets: &[u8]) -> Error {
    handshake(Duration::from_secs(20), |mut server| {
        server.write_all(octets).unwrap();
        Some(server)
    })
}

// L4: a timeout stays a timeout, whatever TLS reports.
#[test]
fn a_handshake_that_times_out_is_a_timeout() {
    for half in [&b""[..], b"\x15\x03"] {
        let begin = Instant::now();
        let error = handshake(BRIEF, |mut server| {
            server.write_all(half).unwrap();
            Some(server)
        });
        assert!((BRIEF..SOON).contains(&begin.elapsed()));
        let is_timeout = matches!(&error, Error::Timeout { step, .. } if *step == Step::Handshake);
        assert!(is_timeout && error.is_transient(), "{error:?}");
    }
}

// L6: the end before a record, the end within one, and a reset.
#[test]
fn a_handshake_whose_server_goes_is_lost() {
    let patience = Duration::from_secs(20);
    let mut errors = vec![handshake(patience, |server| {
        reset(server);
        None
    })];
    for half in [&b""[..], b"\x15\x03", b"\x15\x03\x03\0\x02\x02"] {
        errors.push(handshake(patience, |mut server| {
            server.write_all(half).unwrap();
            server.shutdown(Shutdown::Write).unwrap();
            Some(server)
        }));
    }
    for error in errors {
        let is_lost =
            matches!(&error, Error::Disconnected { step, .. } if *step == Step::Handshake);
        assert!(is_lost && error.is_transient(), "{error:?}");
    }
}

// RFC 8446, 6.2: the error shows the TLS library's own text, except for an alert number that says
// enough.
#[test]
fn an_alert_in_the_handshake() {
    let error = handshake_saying(&alert(40));
    assert_eq!(
        error.to_string(),
        "the TLS handshake failed: they complained: alert number 40"
    );
    assert!(matches!(&error, Error::Tls(why) if why.reason() == TlsReason::Other));
    assert!(!error.is_transient() && error.is_closed());
    let error = handshake_saying(&alert(116));
    assert!(matches!(&error, Error::Tls(why) if why.reason() == TlsReason::ClientCertificate));
    assert!(!error.is_transient());
}

// Field C8: a server that goes on without TLS.
#[test]
fn words_in_the_clear_in_the_handshake() {
    for (words, sentence, is_transient) in [
        ("421 mx.example.org busy", "421 mx.example.org busy", true),
        (
            "220 mx.example.org",
            "220 mx.example.org; does this port expect STARTTLS?",
            false,
        ),
    ] {
        let error = handshake_saying(format!("{words}\r\n").as_bytes());
        assert_eq!(
            error.to_string(),
            format!("the TLS handshake failed: the server replied without TLS: {sentence}")
        );
        assert_eq!(error.is_transient(), is_transient);
    }
}

// A server's last reply that comes in the clear instead of a TLS record.
#[test]
fn words_in_the_clear_are_shown() {
    let sentence = "TLS failed at MAIL: the server replied without TLS: 421 mx.example.org lost input connection";
    let (mut wire, mut server) = patient();
    server.write_all(&record("250 ok\r\n")).unwrap();
    wire.read_reply(Awaited::alone(Step::Hello)).unwrap();
    let words = b"421 mx.example.org lost input connection\r\n";
    server.write_all(words).unwrap();
    let error = fails(&mut wire, Step::Mail);
    assert_eq!(error.to_string(), sentence);
    // Anybody may have sent it, so it is shown but decides nothing.
    assert!(error.is_transient() && error.reply().is_none() && error.code().is_none());

    let (mut wire, mut server) = patient();
    server.write_all(words).unwrap();
    let error = loop {
        // The connection is idle until the words have arrived.
        if let Err(error) = wire.check_idle() {
            break error;
        }
    };
    let moment = sentence.replace("at MAIL", "before the next command");
    assert_eq!(error.to_string(), moment);
}

// A reply during AUTH may repeat a password.
#[test]
fn words_in_the_clear_during_auth_are_not_shown() {
    let (mut wire, mut server) = patient();
    server
        .write_all(b"535 no such password: hunter2\r\n")
        .unwrap();
    let error = fails(&mut wire, Step::Auth);
    assert!(
        !format!("{error} {error:?}").contains("hunter2"),
        "{error:?}"
    );
}

// The same where a write fails, and what had arrived is heard.
#[test]
fn words_in_the_clear_are_not_shown_behind_a_failed_write_during_auth() {
    let (mut wire, mut server) = wire(BRIEF);
    server
        .write_all(b"535 no such password: aHVudGVyMg==\r\n")
        .unwrap();
    wire.send(Step::Auth, &[b'x'; 16 * 1024 * 1024], Some("***"))
        .unwrap();
    let error = fails(&mut wire, Step::Auth);
    assert_eq!(error.step(), Some(Step::Auth));
    assert!(!format!("{error} {error:?}").contains("aHVu"), "{error:?}");
}

// E7: whoever sent the words, they may repeat a secret that was sent before.
#[test]
fn words_in_the_clear_show_no_secret() {
    let (mut wire, mut server) = patient();
    wire.hide(&["hunter2"]);
    server.write_all(b"421 4.7.0 bye hunter2\r\n").unwrap();
    let error = fails(&mut wire, Step::Mail);
    let sentence = "TLS failed at MAIL: the server replied without TLS: 421 4.7.0 bye ***";
    assert_eq!(error.to_string(), sentence);
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
}

// Octets that are not a reply are not shown.
#[test]
fn noise_in_the_clear_is_not_shown() {
    for noise in ["421 half a line", "HTTP/1.1 400\r\n", "999 x\r\n", "42"] {
        let (mut wire, mut server) = patient();
        server.write_all(noise.as_bytes()).unwrap();
        server.shutdown(Shutdown::Write).unwrap();
        let error = fails(&mut wire, Step::Mail).to_string();
        let expected = if noise.len() < 5 {
            "the server closed the connection at MAIL"
        } else {
            "TLS failed at MAIL: this is no record"
        };
        assert!(error.starts_with(expected), "{error}");
    }
}

// If `close_notify` cannot be sent, closing does not wait.
#[test]
fn a_shutdown_that_fails_ends_all_the_same() {
    let (mut wire, server) = wire(BRIEF);
    reset(server);
    let begin = Instant::now();
    wire.close();
    assert!(begin.elapsed() < SOON && wire.is_closed());
}
