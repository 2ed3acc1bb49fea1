//! Problems from real servers and configurations. The numbers are in the tables of requirements.
use crate::peer::{Peer, Script};
use crate::support::sending::{connect, facts, fates, listen, send_hi};
use crate::support::session::{SHORT, config, failure, implicit, said, session, soon, starttls};
use smtplib::auth::Login;
use smtplib::error::{ContentError, Unsupported};
use smtplib::protocol::Step;
use smtplib::{Config, Credentials, Delivery, Envelope, Error, Security};
use std::io::Write;

const ANN: [&str; 1] = ["ann@example.org"];

fn greeted(greeting: &str) -> Error {
    let peer = Script::new(greeting).listen();
    let error = failure(&config(&peer));
    peer.finish();
    error
}

// Field C3, E5: a farewell before the next message is transient, in any words.
#[test]
fn a_farewell_with_the_last_reply_is_for_the_next_message() {
    for (farewell, words) in [
        ("S+ 421 4.3.2 going down", "421 4.3.2 going down"),
        (
            "S+ 421-4.3.2 going\nS+ 421 4.3.2 down",
            "421 4.3.2 going / down",
        ),
    ] {
        let peer = listen(
            &[],
            &format!(
                "C: MAIL FROM:<me@client.example>\nS: 250 ok\nC: RCPT TO:<ann@example.org>\n\
                 S: 250 ok\nC: DATA\nS: 354 go\nCdata 5\nS: 250 taken\n{farewell}\nCclose"
            ),
        );
        let mut smtp = connect(&peer);
        let outcome = send_hi(&mut smtp, &ANN).unwrap();
        assert_eq!(fates(&outcome), ["ann@example.org Accepted 250 taken"]);
        let error = send_hi(&mut smtp, &ANN).unwrap_err();
        let moment = "the server closed the connection before the next command, saying: ";
        assert_eq!(error.to_string(), format!("{moment}{words}"));
        assert_eq!(
            facts(&error),
            "not delivered, transient, closed, 421, at rest"
        );
        peer.finish();
    }
}

// Field E5: a farewell longer than a line of a terminal.
#[test]
fn a_long_farewell_on_an_idle_connection() {
    let words = "x".repeat(700);
    let rest = format!("S: 250 ok\nC-silence 20ms\nS: 421 4.3.2 {words}\nCclose");
    let peer = session(&[], &format!("C: NOOP\n{rest}")).listen();
    let mut smtp = config(&peer).connect().unwrap();
    smtp.noop().unwrap();
    std::thread::sleep(SHORT);
    let error = smtp.noop().unwrap_err();
    assert!(error.is_transient() && error.code().unwrap() == 421);
    assert!(error.to_string().contains(&words));
    peer.finish();
}

// Field C4
#[test]
fn a_greeting_that_turns_into_a_refusal() {
    let error = greeted(
        "S: 220-mx.example.org\nS: 521 5.7.1 blocked using list.example\nC: QUIT\nS: 221 bye\nCclose",
    );
    assert_eq!(
        said(&error),
        "the server refused the connection: 521 mx.example.org / blocked using list.example"
    );
    assert!(error.is_permanent() && error.code().unwrap() == 521);
}

// Field C4: the line that broke the protocol is shown, cut if it is long.
#[test]
fn the_line_that_breaks_the_protocol_is_shown() {
    let long = "y".repeat(2000);
    for (line, shown) in [
        ("hello\u{7}".to_owned(), "hello\\u{7}".to_owned()),
        (long, "y".repeat(500)),
    ] {
        let error = greeted(&format!("S: {line}\nCclose"));
        assert_eq!(
            said(&error),
            format!(
                "the server broke the protocol at the greeting: a line does not begin with a reply code: \"{shown}\""
            )
        );
    }
}

// Field F15
#[test]
fn other_protocols_are_known_by_their_first_line() {
    for (line, name) in [
        ("* OK [CAPABILITY IMAP4rev1] ready", "is this an IMAP port?"),
        ("+OK Dovecot ready.", "is this a POP3 port?"),
        ("SSH-2.0-OpenSSH_9.2", "is this an SSH port?"),
    ] {
        let sentence = greeted(&format!("S: {line}\nCclose")).to_string();
        let end = format!(": \"{line}\"; {name}");
        assert!(sentence.ends_with(&end), "{sentence}");
    }
}

// Field F13: a greeting in two parts, as from postscreen.
#[test]
fn a_greeting_that_is_not_finished() {
    let peer = Script::new("S: 220-mx.example.org\nCclose").listen();
    let error = failure(&config(&peer).timeout(SHORT));
    assert_eq!(
        said(&error),
        "the server did not finish its greeting in time"
    );
    let is_begun = matches!(
        error,
        Error::Timeout {
            step: Step::Greeting,
            is_begun: true,
            ..
        }
    );
    assert!(is_begun, "{error:?}");
    peer.finish();
}

// Field C7: every error while connecting names the server.
#[test]
fn every_failure_to_connect_names_the_place() {
    let tls = |peer: &Peer| starttls(peer);
    let plain = |peer: &Peer| config(peer);
    let hello = "S: 220 mx\nC: EHLO client.example\n";
    for (script, config) in [
        (
            "S: 554 no\nC: QUIT\nS: 221 bye\nCclose".to_owned(),
            plain as fn(&Peer) -> Config,
        ),
        ("EOF\nCclose".to_owned(), plain),
        ("S: hello\nCclose".to_owned(), plain),
        (format!("{hello}EOF\nCclose"), plain),
        (format!("{hello}S: 421 bye\nCclose"), plain),
        (
            format!("{hello}S: 250 mx\nC: QUIT\nS: 221 bye\nCclose"),
            tls,
        ),
        (
            format!(
                "{hello}S: 250-mx\nS: 250 STARTTLS\nC: STARTTLS\nS: 454 no\nC: QUIT\nS: 221 bye\nCclose"
            ),
            tls,
        ),
    ] {
        let peer = Script::new(&script).listen();
        let error = failure(&config(&peer));
        let place = format!("127.0.0.1:{}", peer.port());
        assert!(error.to_string().starts_with(&place), "{error}");
        assert_eq!(error.server().unwrap().as_str(), place);
        peer.finish();
    }
    let error = failure(&Config::lmtp_unix("/nonexistent/lmtp"));
    let begin = "could not connect to /nonexistent/lmtp: ";
    if cfg!(unix) {
        assert!(error.to_string().starts_with(begin), "{error}");
    }
}

// Field C7: also if nothing fits the credentials.
#[test]
fn a_login_that_cannot_be_names_the_place() {
    let password = |peer: &Peer| implicit(peer).credentials(Credentials::password("tim", "pw"));
    for (offer, begin, end) in [
        (
            "SIZE",
            "",
            " does not offer AUTH: use another port or server, or no credentials",
        ),
        (
            "AUTH",
            "",
            " offers no login mechanism: use another port or server",
        ),
        (
            "AUTH NTLM",
            "none of the mechanisms that ",
            " offers (NTLM) fits the credentials: check the credentials, `mechanisms` and the features of this crate",
        ),
    ] {
        let peer = session(&[offer], "C: QUIT\nS: 221 bye\nCclose").listen_tls();
        let error = failure(&password(&peer));
        let place = format!("127.0.0.1:{}", peer.port());
        assert_eq!(error.to_string(), format!("{begin}{place}{end}"));
        assert_eq!(error.server().unwrap().as_str(), place);
        peer.finish();
    }
    let peer = session(&["AUTH PLAIN"], "C: QUIT\nS: 221 bye\nCclose").listen();
    let opportunistic = password(&peer).security(Security::Opportunistic);
    let place = format!("logging in at 127.0.0.1:{} without TLS ", peer.port());
    let error = failure(&opportunistic);
    assert!(error.to_string().starts_with(&place), "{error}");
    peer.finish();
}

// Field C5: an ignored extension counts as not offered, STARTTLS included.
#[test]
fn ignored_offers_are_none() {
    let peer = listen(
        &["PIPELINING", "SIZE 10", "8BITMIME"],
        "C: MAIL FROM:<me@client.example>\nC-silence 20ms\nS: 250 ok\n\
         C: RCPT TO:<ann@example.org>\nS: 250 ok\nC: DATA\nS: 354 go\nCdata 5\nS: 250 taken",
    );
    let config = config(&peer)
        .ignore(["pipelining", "Size"])
        .ignore(["8BITMIME"]);
    assert_eq!(config.get_ignored(), ["PIPELINING", "SIZE", "8BITMIME"]);
    let mut smtp = config.connect().unwrap();
    assert_eq!(smtp.capabilities().iter().count(), 0);
    assert!(send_hi(&mut smtp, &ANN).unwrap().is_complete());
    drop(smtp);
    peer.finish();
    let peer = session(&["STARTTLS"], "C: QUIT\nS: 221 bye\nCclose").listen();
    let error = failure(&starttls(&peer).ignore(["STARTTLS"]));
    assert!(matches!(error, Error::Unsupported(_)), "{error:?}");
    peer.finish();
}

// Fields C5 and D2: if the caller ignores 8BITMIME, no 8-bit text is sent in any way, whatever else
// the server offers.
#[test]
fn ignored_8bitmime_is_none_beside_smtputf8() {
    let offers = ["SMTPUTF8", "8BITMIME"];
    let text = "Subject: x\r\n\r\ncaf\u{e9}\r\n";

    let peer = listen(&offers, "Cclose");
    let mut smtp = config(&peer).ignore(["8BITMIME"]).connect().unwrap();
    let error = smtp.sendmail("me@client.example", ANN, text).unwrap_err();
    assert!(
        matches!(error, Error::Unsupported(Unsupported::EightBit)),
        "{error:?}"
    );
    drop(smtp);
    peer.finish();

    let late = format!("{}{text}", "x\r\n".repeat(30_000));
    let begun = "C: MAIL FROM:<me@client.example>\nS: 250 ok\nC: RCPT TO:<ann@example.org>\n\
                 S: 250 ok\nC: DATA\nS: 354 go\nCignore";
    let peer = listen(&offers, begun);
    let mut smtp = config(&peer).ignore(["8BITMIME"]).connect().unwrap();
    let envelope = Envelope::parse("me@client.example", ANN).unwrap();
    let error = smtp.send(&envelope, late.as_bytes()).unwrap_err();
    assert_eq!(error.delivery(), Delivery::NotDelivered);
    drop(smtp);
    assert!(peer.finish().sessions[0].received().is_ascii());

    let peer = listen(&offers, begun);
    let mut smtp = config(&peer).ignore(["8BITMIME"]).connect().unwrap();
    let mut transaction = smtp.mail("me@client.example").unwrap();
    transaction.rcpt("ann@example.org").unwrap();
    let error = transaction.data(text.as_bytes()).unwrap_err();
    assert_eq!(error.delivery(), Delivery::NotDelivered);
    drop(smtp);
    assert!(peer.finish().sessions[0].received().is_ascii());
}

// Field E2: on Linux a connection to a full queue waits for ever.
#[cfg(target_os = "linux")]
#[test]
fn a_unix_socket_with_a_full_queue_is_left() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("lmtp");
    let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None).unwrap();
    socket
        .bind(&socket2::SockAddr::unix(&path).unwrap())
        .unwrap();
    socket.listen(0).unwrap();
    let _queue = std::os::unix::net::UnixStream::connect(&path).unwrap();
    for config in [
        Config::lmtp_unix(&path).timeout(SHORT),
        Config::lmtp_unix(&path).deadline(SHORT),
    ] {
        let error = soon(|| config.connect()).unwrap_err();
        let sentence = format!("could not connect to {} in time", path.display());
        assert_eq!(error.to_string(), sentence);
        assert!(error.is_timeout() && error.is_transient());
    }
}

// Field C10: the replies, as in Python.
#[test]
fn starttls_returns_its_reply() {
    let rest = "C: STARTTLS\nS: 220 2.0.0 go ahead\nTLS\nC: EHLO client.example\nS: 250 mx\nC: QUIT\nS: 221 bye";
    let peer = session(&["STARTTLS"], rest).listen();
    let mut smtp = config(&peer).security(Security::None).connect().unwrap();
    assert_eq!(smtp.starttls().unwrap().to_string(), "220 2.0.0 go ahead");
    smtp.quit();
    peer.finish();
}

// Field C10: every way to log in returns the reply. A password in it is not shown.
#[test]
fn logging_in_returns_its_reply() {
    let plain = "C: AUTH PLAIN AHRpbQBwdw==\nS: 235-2.7.0 welcome\nS: 235 2.7.0 tim";
    let again = "C: AUTH PLAIN AHRpbQBwdw==\nS: 503 5.5.1 already authenticated";
    let login = "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: dGlt\nS: 334 UGFzc3dvcmQ6\n\
                 C: aHVudGVyMg==\nS: 235 ok hunter2";
    let peer = session(&["AUTH PLAIN"], &format!("{plain}\n{again}\n{login}")).listen_tls();
    let mut smtp = implicit(&peer).connect().unwrap();
    let reply = smtp.login("tim", "pw").unwrap();
    assert_eq!(reply.to_string(), "235 2.7.0 welcome / tim");
    let reply = smtp
        .login_with(&Credentials::password("tim", "pw"))
        .unwrap();
    assert_eq!(reply.to_string(), "503 5.5.1 already authenticated");
    let mut login = Login::new("tim", "hunter2").unwrap();
    let reply = smtp.authenticate(&mut login).unwrap();
    assert_eq!(reply.to_string(), "235 ok ***");
    assert_eq!(reply.text(), "ok hunter2");
    drop(smtp);
    peer.finish();
}

// Field F8: an `io::Result` with `?` keeps the reason, and `finish` returns it again.
#[test]
fn a_writer_that_fails_says_why() {
    let peer = listen(
        &[],
        "C: MAIL FROM:<me@client.example>\nS: 250 ok\nC: RCPT TO:<ann@example.org>\nS: 250 ok\n\
         C: DATA\nS: 354 go\nCclose",
    );
    let mut smtp = connect(&peer);
    let mut transaction = smtp.mail("me@client.example").unwrap();
    transaction.rcpt("ann@example.org").unwrap();
    let mut writer = transaction.data_writer().unwrap();
    let failure = writer.write_all(b"a NUL: \0\r\n").unwrap_err();
    let carried: &Error = failure.get_ref().unwrap().downcast_ref().unwrap();
    assert!(matches!(carried, Error::Content(ContentError::Nul)));
    assert_eq!(carried.delivery(), Delivery::NotDelivered);
    let error = writer.finish().unwrap_err();
    assert!(
        error.to_string().starts_with(&carried.to_string()),
        "{error}"
    );
    peer.finish();
}

/// Sends a header with these bytes by hand, and returns the error.
fn header_by_hand(offers: &[&str], parameters: &[&str], subject: &[u8]) -> String {
    let mail = ["MAIL FROM:<me@client.example>"].iter().chain(parameters);
    let mail = mail.copied().collect::<Vec<_>>().join(" ");
    let peer = listen(
        offers,
        &format!(
            "C~: {mail}*\nS: 250 ok\nC: RCPT TO:<ann@example.org>\nS: 250 ok\nC: DATA\nS: 354 go\nCignore"
        ),
    );
    let mut smtp = connect(&peer);
    let parameters = parameters.iter().map(|text| text.parse().unwrap());
    let mut transaction = smtp.mail_with("me@client.example", parameters).unwrap();
    transaction.rcpt("ann@example.org").unwrap();
    let message = [b"Subject: ", subject, b"\r\n\r\nbody\r\n"].concat();
    let error = transaction.data(message.as_slice()).unwrap_err();
    assert_eq!(facts(&error).split(',').next(), Some("not delivered"));
    let clear = peer.finish().clear();
    assert!(clear.is_ascii() && !clear.ends_with(b".\r\n"));
    error.to_string()
}

// Field D2, E8: no undeclared character is sent by hand either.
#[test]
fn letters_in_a_header_by_hand() {
    let utf8 = "caf\u{e9}".as_bytes();
    let sentence = header_by_hand(&["8BITMIME"], &[], utf8);
    assert!(sentence.ends_with("does not offer SMTPUTF8: encode them (RFC 2047)"));
    let offers = ["8BITMIME", "SMTPUTF8"];
    let sentence = header_by_hand(&offers, &[], utf8);
    assert!(sentence.contains("without the parameter SMTPUTF8"));
    let sentence = header_by_hand(&offers, &["SMTPUTF8"], b"caf\xe9");
    assert!(sentence.starts_with("the header has bytes above 127 that are not UTF-8"));
}
