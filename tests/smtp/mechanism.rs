//! Mechanisms outside of the crate, and the long lines of AUTH.
use crate::peer::{Peer, Script};
use crate::support::session::{SHORT, config, implicit, opening, session, soon};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use smtplib::auth::Mechanism;
use smtplib::error::{AuthReason, CommandError, ProtocolError};
use smtplib::{Error, SmtpConnection};

/// A peer with this dialog after EHLO inside TLS.
fn secure(offers: &[&str], rest: &str) -> Peer {
    session(offers, rest).listen_tls()
}

/// A mechanism in the way a user of the library would write it.
#[derive(Debug, Default)]
struct Own {
    name: &'static str,
    first: Option<&'static [u8]>,
    answers: Vec<Option<Vec<u8>>>,
    challenges: Vec<Vec<u8>>,
    is_satisfied: bool,
    is_open: bool,
}

impl Own {
    fn new(name: &'static str, first: Option<&'static [u8]>) -> Self {
        Self {
            name,
            first,
            is_satisfied: true,
            ..Self::default()
        }
    }

    fn answering(mut self, answers: impl IntoIterator<Item = Option<Vec<u8>>>) -> Self {
        self.answers = answers.into_iter().collect();
        self
    }
}

impl Mechanism for Own {
    fn name(&self) -> &str {
        self.name
    }

    fn initial_response(&mut self) -> Option<Vec<u8>> {
        self.first.map(<[u8]>::to_vec)
    }

    fn respond(&mut self, challenge: &[u8]) -> Option<Vec<u8>> {
        self.challenges.push(challenge.to_vec());
        match self.answers.len() {
            0 => Some(b"more".to_vec()),
            _ => self.answers.remove(0),
        }
    }

    fn needs_tls(&self) -> bool {
        !self.is_open
    }

    fn is_satisfied(&self) -> bool {
        self.is_satisfied
    }
}

fn secured(peer: &Peer) -> SmtpConnection {
    implicit(peer).connect().unwrap()
}

// 4954-03, 4422-05: an empty initial response is an equals sign, and without one nothing is
// written.
#[test]
fn a_mechanism_from_outside() {
    let rest = "
        C: AUTH EXTERNAL =
        S: 235 ok
        C: AUTH X-OWN_1
        S: 334
        Craw: \\r\\n
        S: 334 aGVsbG8=
        C: AAEC/w==
        S: 235 ok";
    let peer = secure(&[], rest);
    let mut smtp = secured(&peer);
    smtp.authenticate(&mut Own::new("EXTERNAL", Some(b"")))
        .unwrap();
    let answers = [Some(Vec::new()), Some(vec![0, 1, 2, 255])];
    let mut own = Own::new("x-own_1", None).answering(answers);
    smtp.authenticate(&mut own).unwrap();
    assert_eq!(own.challenges, [&b""[..], b"hello"]);
    drop(smtp);
    peer.finish();
}

// 4422-05: a mechanism that shows nothing to listeners may be used without TLS.
#[test]
fn a_mechanism_that_needs_no_tls() {
    let peer = session(&[], "C: AUTH X-OPEN aGk=\nS: 235 ok").listen();
    let mut smtp = config(&peer).connect().unwrap();
    let mut own = Own::new("X-OPEN", Some(b"hi"));
    let error = smtp.authenticate(&mut own).unwrap_err();
    assert!(matches!(error, Error::PlaintextAuth { .. }), "{error:?}");
    own.is_open = true;
    smtp.authenticate(&mut own).unwrap();
    drop(smtp);
    peer.finish();
}

// 4422-01, I1
#[test]
fn a_mechanism_whose_name_is_none() {
    let peer = secure(&[], "C: NOOP\nS: 250 ok");
    let mut smtp = secured(&peer);
    for name in [
        "",
        "A B",
        "PLAIN\r\nRSET",
        "PL\0AIN",
        "ABCDEFGHIJKLMNOPQRSTU",
        "caf\u{e9}",
    ] {
        let error = smtp.authenticate(&mut Own::new(name, None)).unwrap_err();
        assert!(
            matches!(error, Error::Command(CommandError::Mechanism)),
            "{error:?}"
        );
        assert_eq!(
            error.to_string(),
            "the name of a mechanism must be 1 to 20 letters, digits, hyphens and underscores"
        );
    }
    smtp.noop().unwrap();
    drop(smtp);
    peer.finish();
}

// 4954-04
#[test]
fn a_mechanism_can_call_it_off() {
    let rest = "C: AUTH X-OWN\nS: 334 aGk=\nC: *\nS: 501 5.7.0 cancelled\nC: NOOP\nS: 250 ok";
    let peer = secure(&[], rest);
    let mut smtp = secured(&peer);
    let mut own = Own::new("X-OWN", None).answering([None]);
    let error = smtp.authenticate(&mut own).unwrap_err();
    assert_eq!(
        error.to_string(),
        "logging in with X-OWN failed: the mechanism cancelled the login"
    );
    assert_eq!(error.reply().unwrap().to_string(), "501 5.7.0 cancelled");
    smtp.noop().unwrap();
    drop(smtp);
    peer.finish();
}

// 4954-10, U2, dialog 30, Python's testAUTH_BUGGY
#[test]
fn a_server_that_never_stops_asking() {
    let rounds = "S: 334 QnVHZ1liVWdHeQ==\nC: bW9yZQ==\n".repeat(10);
    let rest = format!(
        "C: AUTH X-OWN\n{rounds}S: 334 QnVHZ1liVWdHeQ==\nC: *\nS: 501 enough\nC: NOOP\nS: 250 ok"
    );
    let peer = secure(&[], &rest);
    let mut smtp = secured(&peer);
    let mut own = Own::new("X-OWN", None);
    let error = smtp.authenticate(&mut own).unwrap_err();
    assert_eq!(
        error.to_string(),
        "logging in with X-OWN failed: the server sent too many challenges"
    );
    assert_eq!(own.challenges, vec![b"BuGgYbUgGy"; 10]);
    smtp.noop().unwrap();
    drop(smtp);
    peer.finish();
}

// U3, dialogs 34 and 35: 235 without the proof that the mechanism waits for. Nothing more is sent
// to the impostor.
#[test]
fn a_mechanism_that_is_not_satisfied() {
    let peer = secure(&[], "C: AUTH X-OWN aGk=\nS: 235 welcome\nCclose");
    let mut smtp = secured(&peer);
    let mut own = Own {
        is_satisfied: false,
        ..Own::new("X-OWN", Some(b"hi"))
    };
    let error = smtp.authenticate(&mut own).unwrap_err();
    assert_eq!(
        error.to_string(),
        "logging in with X-OWN failed: the server did not prove that it knows the password"
    );
    assert!(error.is_closed());
    assert!(matches!(smtp.noop().unwrap_err(), Error::Closed));
    peer.finish();
}

// 4954-07, U9, dialog 23: 512 bytes with CRLF fit. A longer response waits for the empty challenge.
#[test]
fn an_initial_response_that_does_not_fit_waits() {
    // `AUTH PLAIN `, base64 and CRLF: 11 + 496 + 2 fit, 11 + 500 + 2 do not.
    let plain = |octets: usize| ["\0tim\0", &"x".repeat(octets - 5)].concat();
    let encoded = |octets: usize| STANDARD.encode(plain(octets));
    let rest = format!("C: AUTH PLAIN {}\nS: 235 ok", encoded(372));
    let peer = secure(&["AUTH PLAIN"], &rest);
    secured(&peer).login("tim", &"x".repeat(367)).unwrap();
    assert_eq!(peer.finish().commands()[1].len() + 2, 509);

    for empty in ["334 ", "334"] {
        let rest = format!("C: AUTH PLAIN\nS: {empty}\nC: {}\nS: 235 ok", encoded(375));
        let peer = secure(&["AUTH PLAIN"], &rest);
        secured(&peer).login("tim", &"x".repeat(370)).unwrap();
        peer.finish();
    }
}

// 4954-07: a challenge with text, where only an empty one makes sense.
#[test]
fn a_waiting_response_is_not_for_any_challenge() {
    let rest = "C: AUTH PLAIN\nS: 334 aGk=\nC: *\nS: 501 no\nC: NOOP\nS: 250 ok";
    let peer = secure(&["AUTH PLAIN"], rest);
    let mut smtp = secured(&peer);
    let error = smtp.login("tim", &"x".repeat(400)).unwrap_err();
    assert!(matches!(&error, Error::AuthFailed(e) if e.reason() == AuthReason::BadChallenge));
    smtp.noop().unwrap();
    drop(smtp);
    peer.finish();
}

// 4954-06, 4954-08: 12288 bytes in one line in both directions, and not one more.
#[test]
fn long_lines_in_both_directions() {
    let response = vec![7; 9213];
    let answer = STANDARD.encode(&response);
    assert_eq!(
        answer.len(),
        12284,
        "12288 with CRLF is the limit, and base64 comes by fours"
    );
    let challenge = STANDARD.encode([9; 9210]);
    let rest = format!("C: AUTH X-OWN\nS: 334 {challenge}\nC: {answer}\nS: 235 ok");
    let peer = secure(&[], &rest);
    let mut own = Own::new("X-OWN", None).answering([Some(response)]);
    secured(&peer).authenticate(&mut own).unwrap();
    assert_eq!(own.challenges, [vec![9; 9210]]);
    peer.finish();

    let rest = "C: AUTH X-OWN\nS: 334 \nC: *\nS: 501 5.7.0 cancelled";
    let peer = secure(&[], rest);
    let mut own = Own::new("X-OWN", None).answering([Some(vec![7; 9216])]);
    let error = secured(&peer).authenticate(&mut own).unwrap_err();
    assert_eq!(
        error.to_string(),
        "logging in with X-OWN failed: the response is longer than a line may be"
    );
    peer.finish();

    let rest = format!("C: AUTH X-OWN\nS: 334 {}\nCclose", "A".repeat(12288));
    let peer = secure(&[], &rest);
    let error = secured(&peer)
        .authenticate(&mut Own::new("X-OWN", None))
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::Protocol {
                source: ProtocolError::LineTooLong,
                ..
            }
        ),
        "{error:?}"
    );
    peer.finish();
}

// 4954-08: longer lines are allowed only in AUTH.
#[test]
fn outside_of_auth_a_line_is_shorter() {
    let rest = format!("C: NOOP\nS: 250 {}\nCclose", "A".repeat(8000));
    let peer = secure(&[], &rest);
    let error = secured(&peer).noop().unwrap_err();
    assert!(
        matches!(
            error,
            Error::Protocol {
                source: ProtocolError::LineTooLong,
                ..
            }
        ),
        "{error:?}"
    );
    peer.finish();
}

// L4: a server that reads nothing. The buffers are smaller than one line of AUTH.
#[test]
fn a_server_that_does_not_read_is_left() {
    let script = opening(&[]) + "\nC: AUTH X-OWN\nS: 334 \nstop-reading";
    let peer = Script::new(&script).recv_buffer(1024).listen();
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.set_send_buffer_size(1024).unwrap();
    socket.connect(&peer.addr().into()).unwrap();
    let config = config(&peer).timeout(SHORT);
    let mut smtp = SmtpConnection::from_tcp_stream(socket.into(), &config).unwrap();
    let mut own = Own::new("X-OWN", None).answering([Some(vec![7; 9213])]);
    own.is_open = true;
    let error = soon(|| smtp.authenticate(&mut own)).unwrap_err();
    assert_eq!(error.to_string(), "the server took too long at AUTH");
    assert!(matches!(smtp.noop().unwrap_err(), Error::Closed));
    peer.finish();
}
