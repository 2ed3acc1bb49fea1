//! EHLO, LHLO and HELO: who we are, and what the server offers.
use crate::peer::Script;
use crate::support::session::{SHORT, config, failure, hello, nobody, said, session, starttls};
use smtplib::config::Protocol;
use smtplib::error::{CommandError, ProtocolError};
use smtplib::protocol::Step;
use smtplib::{Config, Credentials, Error, Security};

// 5321-17, 5321-39: the address of the socket, which is right without a look-up.
#[test]
fn the_name_is_the_address_of_the_socket() {
    let script = || {
        Script::new(
            "S: 220 mx.example.org\nC~: EHLO [*]\nS: 250 mx.example.org\nC: QUIT\nS: 221 bye",
        )
    };
    let peers = [script().listen(), script().listen_v6()];
    for (peer, name) in peers.into_iter().zip(["[127.0.0.1]", "[IPv6:::1]"]) {
        let config = Config::new(peer.host()).port(peer.port());
        let smtp = config.security(Security::None).connect().unwrap();
        smtp.quit();
        assert_eq!(peer.finish().commands()[0], format!("EHLO {name}"));
    }
}

// 5321-38, 5321-39, Python's testLocalHostName
#[test]
fn the_name_can_be_given() {
    for name in [
        "mail.example.com",
        "[192.0.2.1]",
        "[IPv6:2001:db8::1]",
        "my_host",
    ] {
        let script = format!("S: 220 mx\nC: EHLO {name}\nS: 250 mx");
        let peer = Script::new(&script).listen();
        drop(config(&peer).hello_name(name).connect().unwrap());
        peer.finish();
    }
}

// 5321-33, I1, I2, dialog 60, Python's test_issue43124_escape_localhostname
#[test]
fn a_name_that_is_none_is_refused_before_anything_is_sent() {
    let peer = nobody();
    for name in [
        "",
        "hi\nX-INJECTED",
        "hi\r\nRSET",
        "hi\0",
        "two words",
        "b\u{fc}cher.example",
        ".example.com",
        "example.com.",
        "[192.0.2.256]",
        "[IPv6:zz]",
        "[x",
    ] {
        let error = failure(&config(&peer).hello_name(name));
        assert!(
            matches!(error, Error::Command(CommandError::HelloName)),
            "{name:?}: {error:?}"
        );
        assert_eq!(
            error.to_string(),
            "the client's name must be a host name or an address in brackets"
        );
    }
    peer.finish();
}

// 5321-03, 5321-08, 5321-18, E1, E2, dialogs 11 and 13, Python's testEHLO
#[test]
fn what_the_server_offers() {
    let offers = [
        "size 20000000",
        "8bitmime",
        "auth=login",
        "AUTH PLAIN login",
        "X-OWN a  b",
    ];
    let peer = session(&offers, "").listen();
    let smtp = config(&peer).connect().unwrap();
    let offers = smtp.capabilities();
    assert!(offers.has("8BITMIME") && offers.has("Size") && !offers.has("mx.example.org"));
    assert_eq!(offers.size_limit(), Some(20_000_000));
    assert_eq!(offers.param("x-own"), Some("a  b"));
    assert_eq!(
        offers.auth_mechanisms().collect::<Vec<_>>(),
        ["LOGIN", "PLAIN"]
    );
    assert_eq!(offers.iter().count(), 5);
    drop(smtp);
    peer.finish();
}

// E2, dialog 12: the first line is always the server's name.
#[test]
fn a_keyword_in_the_name_of_the_server_is_none() {
    let script = "
        S: 220 starttls.example
        C: EHLO client.example
        S: 250-STARTTLS AUTH PLAIN
        S: 250-mx-starttls.example
        S: 250 OK
        C: QUIT
        S: 221 bye";
    let peer = Script::new(script).listen();
    let opportunistic = config(&peer).security(Security::Opportunistic);
    let smtp = opportunistic.connect().unwrap();
    assert!(!smtp.is_tls() && !smtp.capabilities().has("STARTTLS"));
    smtp.quit();
    peer.finish();
}

// E3: RFC 5321 allows none of these, and none of them does harm.
#[test]
fn strange_offers_are_passed_over() {
    let peer = session(&["", " ", "=", "-", "\u{e9}t\u{e9}", "SIZE 0", "HELP"], "").listen();
    let smtp = config(&peer).connect().unwrap();
    assert_eq!(
        smtp.capabilities().iter().collect::<Vec<_>>(),
        [("SIZE", "0"), ("HELP", "")]
    );
    assert_eq!(smtp.capabilities().size_limit(), None);
    drop(smtp);
    peer.finish();
}

// 5321-19: only the newest reply counts.
#[test]
fn a_second_ehlo_replaces_what_the_first_said() {
    let rest = hello(&["SIZE 2000", "DSN"]);
    let peer = session(&["SIZE 1000", "8BITMIME"], &rest).listen();
    let mut smtp = config(&peer).connect().unwrap();
    let offers = smtp.ehlo().unwrap();
    assert_eq!(offers.size_limit(), Some(2000));
    assert!(offers.has("DSN") && !offers.has("8BITMIME"));
    drop(smtp);
    peer.finish();
}

// Python's testSecondHELO, field F2: a refusal is not fatal, and the earlier offers stay valid (RFC
// 5321, 4.1.4).
#[test]
fn a_second_ehlo_may_be_refused() {
    let rest = "
        C: EHLO client.example
        S: 503 5.5.1 Duplicate HELO/EHLO
        C: NOOP
        S: 250 ok";
    let peer = session(&["SIZE 1000"], rest).listen();
    let mut smtp = config(&peer).connect().unwrap();
    let error = smtp.ehlo().unwrap_err();
    let sentence = "the server refused EHLO: 503 5.5.1 Duplicate HELO/EHLO";
    assert_eq!(error.to_string(), sentence);
    assert!(error.is_permanent() && !error.is_closed());
    assert_eq!(smtp.capabilities().size_limit(), Some(1000));
    smtp.noop().unwrap();
    drop(smtp);
    peer.finish();
}

// 5321-11, dialog 7
#[test]
fn helo_where_ehlo_is_unknown() {
    for code in ["500", "501", "502", "504", "550"] {
        let script = format!(
            "
            S: 220 mx.example.org
            C: EHLO client.example
            S: {code} what?
            C: HELO client.example
            S: 250-mx.example.org
            S: 250 STARTTLS
            C: QUIT
            S: 221 bye"
        );
        let peer = Script::new(&script).listen();
        let smtp = config(&peer).connect().unwrap();
        assert_eq!(smtp.capabilities().iter().count(), 0, "HELO offers nothing");
        smtp.quit();
        peer.finish();
    }
}

// Dialog 8: the reply to EHLO has the reason.
#[test]
fn if_helo_is_refused_too_the_answer_to_ehlo_is_told() {
    let script = "
        S: 220 mx.example.org
        C: EHLO client.example
        S: 550 5.7.1 your address is listed
        C: HELO client.example
        S: 503 5.5.1 bad sequence
        C: QUIT
        S: 221 bye
        Cclose";
    let peer = Script::new(script).listen();
    let error = failure(&config(&peer));
    let sentence = "the server refused EHLO: 550 5.7.1 your address is listed";
    assert_eq!(said(&error), sentence);
    peer.finish();
}

// Dialog 9, 5321-15: HELO would get the same refusal.
#[test]
fn no_helo_after_a_temporary_refusal() {
    for (reply, end) in [
        ("421 4.3.2 too busy", "Cclose"),
        ("451 4.3.0 later", "C: QUIT\nS: 221 bye\nCclose"),
    ] {
        let script = format!("S: 220 mx\nC: EHLO client.example\nS: {reply}\n{end}");
        let peer = Script::new(&script).listen();
        let error = failure(&config(&peer));
        assert_eq!(said(&error), format!("the server refused EHLO: {reply}"));
        assert!(error.is_transient());
        assert_eq!(error.is_closed(), reply.starts_with("421"));
        peer.finish();
    }
}

// E6, dialog 10, 2033-01: HELO has neither STARTTLS nor AUTH, and LMTP has no HELO.
#[test]
fn no_helo_where_something_depends_on_ehlo() {
    let script = |verb: &str| {
        format!(
            "
            S: 220 mx.example.org
            C: {verb} client.example
            S: 504 5.5.1 not here
            C: QUIT
            S: 221 bye
            Cclose"
        )
    };
    // Field E12: the error names the verb that was sent.
    let refused = |peer: crate::peer::Peer, config: Config| {
        let verb = match config.get_protocol() {
            Protocol::Lmtp => "LHLO",
            _ => "EHLO",
        };
        assert_eq!(
            said(&failure(&config)),
            format!("the server refused {verb}: 504 5.5.1 not here")
        );
        assert_eq!(peer.finish().commands().len(), 2);
    };
    let peer = Script::new(&script("EHLO")).listen();
    let config_starttls = starttls(&peer);
    refused(peer, config_starttls);

    let peer = Script::new(&script("EHLO")).listen();
    let with_credentials = config(&peer)
        .danger_allow_plaintext_auth(true)
        .credentials(Credentials::password("tim", "tanstaaf"));
    refused(peer, with_credentials);

    let peer = Script::new(&script("LHLO")).listen();
    let lmtp = config(&peer).protocol(Protocol::Lmtp);
    refused(peer, lmtp);
}

// 2033-01, 2033-06: LMTP says LHLO, over TCP and over a Unix socket.
#[test]
fn lmtp_says_lhlo() {
    let script = || {
        Script::new(
            "
            S: 220 mx.example.org LMTP
            C: LHLO client.example
            S: 250-mx.example.org
            S: 250 PIPELINING
            C: QUIT
            S: 221 bye
            Cclose",
        )
    };
    let peer = script().listen();
    let lmtp = Config::lmtp(peer.host(), peer.port()).security(Security::None);
    let smtp = lmtp.hello_name("client.example").connect().unwrap();
    assert!(smtp.capabilities().has("PIPELINING"));
    smtp.quit();
    peer.finish();

    #[cfg(unix)]
    {
        let peer = script().listen_unix();
        let lmtp = Config::lmtp_unix(peer.path()).hello_name("client.example");
        let smtp = lmtp.connect().unwrap();
        assert!(smtp.capabilities().has("PIPELINING") && !smtp.is_tls());
        smtp.quit();
        peer.finish();
    }
}

// 5321-44: the first digit of a code decides.
#[test]
fn an_unknown_code_counts_by_its_first_digit() {
    let peer = Script::new("S: 220 mx\nC: EHLO client.example\nS: 299-mx\nS: 299 DSN").listen();
    let smtp = config(&peer).connect().unwrap();
    assert!(smtp.capabilities().has("DSN"));
    drop(smtp);
    peer.finish();
}

// 5321-41, 5321-46, R3, R4, R5, R6, dialog 59
#[test]
fn answers_that_are_none() {
    for (octets, expected) in [
        (r"354 go ahead\r\n", "354 is not a reply to this command"),
        (r"334 \r\n", "334 is not a reply to this command"),
        (
            r"250-mx\r\n550 no\r\n",
            r#"the lines of one reply have different codes: "550 no""#,
        ),
        (
            r"25 x\r\n",
            r#"a line does not begin with a reply code: "25 x""#,
        ),
        (
            r"2500 x\r\n",
            r#"a line does not begin with a reply code: "2500 x""#,
        ),
        (
            r"abc\r\n",
            r#"a line does not begin with a reply code: "abc""#,
        ),
        (
            r"250-mx\r\nSIZE\r\n",
            r#"a line does not begin with a reply code: "SIZE""#,
        ),
        (
            r"250 m\0x\r\n",
            r#"a line has a stray CR, LF or NUL in it: "250 m\u{0}x""#,
        ),
        (
            r"250-mx\n250 DSN\r\n",
            r#"a line has a stray CR, LF or NUL in it: "250-mx""#,
        ),
    ] {
        let script = format!("S: 220 mx\nC: EHLO client.example\nSraw: {octets}\nCclose");
        let peer = Script::new(&script).listen();
        let error = failure(&config(&peer));
        let sentence = format!("the server broke the protocol at EHLO: {expected}");
        assert_eq!(said(&error), sentence, "{octets}");
        assert!(error.is_closed() && !error.is_transient() && !error.is_permanent());
        peer.finish();
    }
}

// R1: the number of offers is limited, too.
#[test]
fn endless_offers_are_cut_off() {
    let script = "S: 220 mx\nC: EHLO client.example\nSforever: 250-X-MORE\nCclose";
    let peer = Script::new(script).listen();
    assert_eq!(
        said(&failure(&config(&peer))),
        "the server broke the protocol at EHLO: the reply has too many lines: \"250-X-MORE\""
    );
    peer.finish();
}

// 5321-48, 5321-49, T4, R10: a reply without a command.
#[test]
fn a_reply_too_many_ends_the_connection() {
    let script = "S: 220 mx.example.org\nS+ 250 mx.example.org\nCclose";
    let peer = Script::new(script).listen();
    let error = failure(&config(&peer));
    assert_eq!(
        said(&error),
        "the server broke the protocol at EHLO: the server sent a reply without a command: \"250 mx.example.org\""
    );
    peer.finish();
}

// L3, L4, C4, L6
#[test]
fn silence_and_ends_within_the_answer() {
    let script = |end: &str| format!("S: 220 mx\nC: EHLO client.example\n{end}\nCclose");
    let unfinished = "the server did not finish its reply in time at EHLO";
    for (end, sentence) in [
        ("stall 300ms", "the server took too long at EHLO"),
        ("S.. 20ms forever raw: 250-x", unfinished),
        ("S: 250-mx", unfinished),
    ] {
        let peer = Script::new(&script(end)).listen();
        let error = failure(&config(&peer).timeout(SHORT));
        assert_eq!(said(&error), sentence, "{end}");
        peer.finish();
    }
    for end in ["EOF", "S: 250-mx\nEOF", "Sraw: 250 mx\nEOF", "RST"] {
        let peer = Script::new(&script(end)).listen();
        let error = failure(&config(&peer));
        let sentence = "the server closed the connection at EHLO";
        assert_eq!(said(&error), sentence, "{end}");
        peer.finish();
    }
}

// After a failure every call returns an error (Python's testNotConnected).
#[test]
fn after_a_failure_every_call_is_closed() {
    let rest = "C: EHLO client.example\nS: 250-mx\nS: 251 mx\nCclose";
    let peer = session(&[], rest).listen();
    let mut smtp = config(&peer).connect().unwrap();
    let error = smtp.ehlo().unwrap_err();
    assert!(
        matches!(
            error,
            Error::Protocol {
                step: Step::Hello,
                source: ProtocolError::CodeMismatch,
                ..
            }
        ),
        "{error:?}"
    );
    for error in [
        smtp.ehlo().unwrap_err(),
        smtp.noop().unwrap_err(),
        smtp.rset().unwrap_err(),
        smtp.vrfy("ann").unwrap_err(),
        smtp.starttls().unwrap_err(),
        smtp.login("tim", "tanstaaf").unwrap_err(),
        smtp.mail("ann@example.org").map(drop).unwrap_err(),
        smtp.sendmail("ann@example.org", ["bob@example.org"], "hi")
            .unwrap_err(),
    ] {
        assert!(matches!(error, Error::Closed), "{error:?}");
        assert_eq!(
            error.to_string(),
            "the connection is closed: open another one"
        );
    }
    assert!(!smtp.is_reusable());
    assert!(smtp.quit().is_none());
    peer.finish();
}
