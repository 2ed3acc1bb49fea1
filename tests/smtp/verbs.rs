//! The verbs by hand: NOOP, RSET, VRFY, EXPN, HELP, and any other.
use crate::support::session::{SHORT, config, session, soon};
use smtplib::error::{CommandError, ProtocolError, Unsupported};
use smtplib::protocol::Step;
use smtplib::{Error, SmtpConnection};

fn with<T>(rest: &str, run: impl FnOnce(&mut SmtpConnection) -> T) -> T {
    let peer = session(&["HELP"], rest).listen();
    let mut smtp = config(&peer).connect().unwrap();
    let value = run(&mut smtp);
    drop(smtp);
    peer.finish();
    value
}

// 5321-28, 5321-30, Python's testNOOP and testRSET
#[test]
fn noop_and_rset() {
    with("C: NOOP\nS: 250 OK\nC: RSET\nS: 250-a\nS: 250 b", |smtp| {
        assert_eq!(smtp.noop().unwrap().to_string(), "250 OK");
        assert_eq!(smtp.rset().unwrap().to_string(), "250 a / b");
        assert!(smtp.capabilities().has("HELP"));
    });
}

// Dialog 72
#[test]
fn noop_may_be_refused() {
    with("C: NOOP\nS: 503 5.5.1 no\nC: NOOP\nS: 250 OK", |smtp| {
        let error = smtp.noop().unwrap_err();
        assert_eq!(
            error.to_string(),
            "the server refused the command: 503 5.5.1 no"
        );
        assert!(error.is_permanent() && !error.is_closed());
        smtp.noop().unwrap();
    });
}

// If a transaction cannot be cancelled, the connection must be closed.
#[test]
fn rset_refused_closes() {
    with("C: RSET\nS: 503 5.5.1 no\nCclose", |smtp| {
        let error = smtp.rset().unwrap_err();
        assert_eq!(error.to_string(), "the server refused RSET: 503 5.5.1 no");
        assert!(error.is_closed());
        assert!(matches!(smtp.noop().unwrap_err(), Error::Closed));
    });
}

// 5321-29, Python's testVRFY and testEXPN: the caller decides what the reply means.
#[test]
fn vrfy_and_expn() {
    let rest = "
        C: VRFY nobody@nowhere.example
        S: 252 Cannot VRFY user, but will accept message and attempt delivery
        C: VRFY Mr.A@somewhere.example
        S: 250 John A <Mr.A@somewhere.example>
        C: VRFY ghost
        S: 550 5.1.1 No such user
        C: EXPN list-1
        S: 250-Ann <ann@example.org>
        S: 250 Bob <bob@example.org>
        C: EXPN list-2
        S: 550 No access for you!
        C: EXPN
        S: 502 EXPN not implemented";
    with(rest, |smtp| {
        assert_eq!(smtp.vrfy("nobody@nowhere.example").unwrap().code(), 252);
        let known = smtp.vrfy("Mr.A@somewhere.example").unwrap();
        assert_eq!(known.text(), "John A <Mr.A@somewhere.example>");
        let unknown = smtp.vrfy("ghost").unwrap();
        assert!(unknown.is_permanent());
        assert_eq!(unknown.enhanced().unwrap().to_string(), "5.1.1");
        let members = smtp.expn("list-1").unwrap();
        assert_eq!(
            members.text(),
            "Ann <ann@example.org>\nBob <bob@example.org>"
        );
        assert_eq!(smtp.expn("list-2").unwrap().code(), 550);
        assert_eq!(smtp.command("EXPN").unwrap().text(), "EXPN not implemented");
    });
}

// 5321-29, Python's testHELP
#[test]
fn help() {
    let rest = "C: HELP\nS: 214-Commands:\nS: 214 EHLO\nC: HELP MAIL\nS: 214 MAIL FROM:<address>";
    with(rest, |smtp| {
        assert_eq!(smtp.help("").unwrap().text(), "Commands:\nEHLO");
        assert_eq!(smtp.help("MAIL").unwrap().code(), 214);
    });
}

// Python's docmd(): any verb, any reply.
#[test]
fn commands_of_the_callers_own() {
    let rest = "
        C: XCLIENT ADDR=192.0.2.1
        S: 220 mx.example.org
        C: noop
        S: 299 unheard of
        C: ETRN example.org
        S: 458 not now";
    with(rest, |smtp| {
        assert_eq!(smtp.command("XCLIENT ADDR=192.0.2.1").unwrap().code(), 220);
        assert_eq!(smtp.command("noop").unwrap().code(), 299);
        assert!(smtp.command("ETRN example.org").unwrap().is_transient());
    });
}

// 5321-33, 5321-52, I1, dialog 60, Python's test_issue43124_putcmd_escapes_newline: nothing is
// sent, nothing is lost.
#[test]
fn commands_that_are_none() {
    let long = "x".repeat(511);
    with("C: NOOP\nS: 250 ok", |smtp| {
        for (line, sentence) in [
            ("", "the command is empty"),
            (" NOOP", "the command is empty"),
            (
                "helo\nX-INJECTED",
                r"a command cannot hold the control character '\n'",
            ),
            (
                "NOOP\r\nRSET",
                r"a command cannot hold the control character '\r'",
            ),
            (
                "NOOP\r",
                r"a command cannot hold the control character '\r'",
            ),
            (
                "NOOP\0",
                r"a command cannot hold the control character '\0'",
            ),
            (
                "NOOP\t",
                r"a command cannot hold the control character '\t'",
            ),
            (
                "NOOP\u{7f}",
                r"a command cannot hold the control character '\u{7f}'",
            ),
            (
                "NOOP\u{85}",
                r"a command cannot hold the control character '\u{85}'",
            ),
            (&long, "the command is longer than 512 bytes"),
        ] {
            let error = smtp.command(line).unwrap_err();
            assert!(matches!(error, Error::Command(_)), "{error:?}");
            assert_eq!(error.to_string(), sentence);
        }
        for error in [
            smtp.vrfy("ann\r\nRSET").unwrap_err(),
            smtp.expn("list\nRSET").unwrap_err(),
            smtp.help("x\0").unwrap_err(),
        ] {
            assert!(
                matches!(error, Error::Command(CommandError::Control(_))),
                "{error:?}"
            );
        }
        smtp.noop().unwrap();
    });
}

// 5321-06, I6: characters outside ASCII need SMTPUTF8, and none becomes a line end.
#[test]
fn commands_outside_ascii() {
    with("", |smtp| {
        for line in ["VRFY z\u{f6}", "VRFY \u{560a}"] {
            let error = smtp.command(line).unwrap_err();
            assert!(matches!(
                error,
                Error::Unsupported(Unsupported::Extension(_))
            ));
            assert_eq!(error.to_string(), "the server does not offer SMTPUTF8");
        }
    });
    let rest = r"Craw: VRFY z\xc3\xb6 \xe5\x98\x8a SMTPUTF8\r\n
        S: 252 maybe";
    let peer = session(&["SMTPUTF8"], rest).listen();
    let mut smtp = config(&peer).connect().unwrap();
    assert_eq!(smtp.vrfy("z\u{f6} \u{560a} SMTPUTF8").unwrap().code(), 252);
    drop(smtp);
    peer.finish();
}

// 5321-40, 4954-02: commands that change the state of the connection have their own methods.
#[test]
fn commands_with_a_method_of_their_own() {
    with("C: NOOP\nS: 250 ok", |smtp| {
        for line in [
            "AUTH PLAIN AHRpbQB0",
            "BDAT 0 LAST",
            "data",
            "EHLO x",
            "HELO x",
            "LHLO x",
            "MAIL FROM:<>",
            "Rcpt TO:<ann@example.org>",
            "QUIT",
            "RSET",
            "STARTTLS",
        ] {
            let verb = line.split(' ').next().unwrap().to_uppercase();
            assert_eq!(
                smtp.command(line).unwrap_err().to_string(),
                format!("{verb} changes the state of the connection: use the method made for it")
            );
        }
        smtp.noop().unwrap();
    });
}

// 5321-15, B14
#[test]
fn answers_421_closes() {
    let calls: [fn(&mut SmtpConnection) -> Error; 4] = [
        |smtp| smtp.noop().unwrap_err(),
        |smtp| smtp.rset().unwrap_err(),
        |smtp| smtp.vrfy("ann").unwrap_err(),
        |smtp| smtp.ehlo().unwrap_err(),
    ];
    for call in calls {
        with("C~: *\nS: 421 4.3.2 shutting down\nCclose", |smtp| {
            let error = call(smtp);
            assert!(matches!(error, Error::Refused { .. }), "{error:?}");
            assert!(error.is_closed() && error.is_transient());
            assert_eq!(
                error.reply().unwrap().to_string(),
                "421 4.3.2 shutting down"
            );
            assert!(matches!(smtp.noop().unwrap_err(), Error::Closed));
        });
    }
}

// 5321-41, R3, R10
#[test]
fn answers_that_are_none() {
    for (octets, expected) in [
        (r"354 go ahead\r\n", "354 is not a reply to this command"),
        (
            r"250-a\r\n251 b\r\n",
            "the lines of one reply have different codes: \"251 b\"",
        ),
        (r"ok\r\n", "a line does not begin with a reply code: \"ok\""),
        (
            r"250 ok\n",
            "a line has a stray CR, LF or NUL in it: \"250 ok\"",
        ),
    ] {
        with(&format!("C: NOOP\nSraw: {octets}\nCclose"), |smtp| {
            let error = smtp.noop().unwrap_err();
            let sentence = format!("the server broke the protocol at the command: {expected}");
            assert_eq!(error.to_string(), sentence);
            assert!(matches!(smtp.noop().unwrap_err(), Error::Closed));
        });
    }
}

// R10: a surplus reply is found before the next command.
#[test]
fn an_answer_too_many_is_not_paired() {
    with("C: NOOP\nS: 250 ok\nS+ 250 ok\nCclose", |smtp| {
        smtp.noop().unwrap();
        let error = smtp.noop().unwrap_err();
        assert!(
            matches!(
                error,
                Error::Protocol {
                    source: ProtocolError::Unsolicited,
                    ..
                }
            ),
            "{error:?}"
        );
    });
}

// R10, L3: a reply that is too late is not taken as a reply.
#[test]
fn after_a_timeout_the_connection_is_closed() {
    let peer = session(&[], "C: NOOP\nstall 300ms\nCclose").listen();
    let mut smtp = config(&peer).timeout(SHORT).connect().unwrap();
    let error = soon(|| smtp.noop()).unwrap_err();
    assert!(
        matches!(
            error,
            Error::Timeout {
                step: Step::Command,
                ..
            }
        ),
        "{error:?}"
    );
    assert!(error.is_closed());
    assert!(matches!(smtp.noop().unwrap_err(), Error::Closed));
    peer.finish();
}

// 5321-43: the code decides, whatever the text says.
#[test]
fn the_text_decides_nothing() {
    with(
        "C: NOOP\nS: 250 421 error, closing\nC: NOOP\nS: 250 550 no",
        |smtp| {
            smtp.noop().unwrap();
            smtp.noop().unwrap();
        },
    );
}
