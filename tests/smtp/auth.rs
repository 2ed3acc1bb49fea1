//! Logging in with a password.
use crate::peer::{Peer, Script};
use crate::support::session::{SHORT, config, failure, hello, implicit, nobody, said, session};
use smtplib::auth::{External, Login, Plain};
use smtplib::config::Protocol;
use smtplib::error::{AuthReason, ConfigError, CredentialsError, Unsupported};
use smtplib::protocol::Step;
use smtplib::{Config, Credentials, Error, Security};
use std::time::Duration;

/// A peer with this dialog after EHLO inside TLS.
fn secure(offers: &[&str], rest: &str) -> Peer {
    session(offers, rest).listen_tls()
}

fn with_password(config: Config) -> Config {
    config.credentials(Credentials::password("tim", "tanstaaftanstaaf"))
}

/// The error of a login that is part of connecting.
fn refused(peer: &Peer) -> Error {
    failure(&with_password(implicit(peer)))
}

fn reason(error: &Error) -> AuthReason {
    match error {
        Error::AuthFailed(failure) => failure.reason(),
        other => panic!("{other:?}"),
    }
}

/// `\0tim\0tanstaaftanstaaf` in base64: the example of RFC 4954 and RFC 2595.
const PLAIN: &str = "AUTH PLAIN AHRpbQB0YW5zdGFhZnRhbnN0YWFm";
/// The two prompts of LOGIN and their responses.
const LOGIN: &str = "
    C: AUTH LOGIN
    S: 334 VXNlcm5hbWU6
    C: dGlt
    S: 334 UGFzc3dvcmQ6
    C: dGFuc3RhYWZ0YW5zdGFhZg==";
const BYE: &str = "C: QUIT\nS: 221 2.0.0 bye\nCclose";

// 4954-11, 4616-01, dialog 22, Python's testAUTH_PLAIN and testAUTH_PLAIN_initial_response_login
#[test]
fn plain_is_one_line() {
    let rest = format!("C: {PLAIN}\nS: 235 2.7.0 welcome\n{BYE}");
    let peer = secure(&["AUTH LOGIN PLAIN"], &rest);
    with_password(implicit(&peer)).connect().unwrap().quit();
    peer.finish();
}

// 4954-01, 4422-02: PLAIN before LOGIN, whatever the server prefers. Unknown mechanisms are ignored
// (Python's testAUTH_multiple).
#[test]
fn the_best_mechanism_that_both_know() {
    let rest = format!("C: {PLAIN}\nS: 235 ok");
    let peer = secure(&["AUTH BOGUS login X-OWN plain CRAM-MD5"], &rest);
    drop(with_password(implicit(&peer)).connect().unwrap());
    peer.finish();
}

// LOGIN-01, LOGIN-02, dialog 24, Python's testAUTH_LOGIN: with any prompts, in base64 or not.
#[test]
fn login_answers_two_prompts() {
    for (first, second) in [
        ("334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"),
        ("334 ", "334 "),
        ("334", "334"),
        ("334 UGFzc3dvcmQ6", "334 VXNlcm5hbWU6"),
        ("334 Username:", "334 Password:"),
    ] {
        let rest = format!(
            "C: AUTH LOGIN\nS: {first}\nC: dGlt\nS: {second}\nC: dGFuc3RhYWZ0YW5zdGFhZg==\nS: 235 ok"
        );
        let peer = secure(&["AUTH LOGIN"], &rest);
        drop(with_password(implicit(&peer)).connect().unwrap());
        peer.finish();
    }
}

// LOGIN-03: an empty password is an empty line, if the caller insists.
#[test]
fn login_with_an_empty_password() {
    let rest = r"C: AUTH LOGIN
        S: 334 VXNlcm5hbWU6
        C: dGlt
        S: 334 UGFzc3dvcmQ6
        Craw: \r\n
        S: 235 ok";
    let peer = secure(&[], rest);
    let mut smtp = implicit(&peer).connect().unwrap();
    smtp.authenticate(&mut Login::new("tim", "").unwrap())
        .unwrap();
    drop(smtp);
    peer.finish();
}

// Python's auth(), test_auth_function and testAUTH_PLAIN_initial_response_auth: by hand, offered or
// not.
#[test]
fn a_mechanism_by_hand() {
    let rest = format!("C: {PLAIN}\nS: 535 no\n{LOGIN}\nS: 235 ok");
    let peer = secure(&[], &rest);
    let mut smtp = implicit(&peer).connect().unwrap();
    let mut plain = Plain::new("tim", "tanstaaftanstaaf").unwrap();
    assert_eq!(
        reason(&smtp.authenticate(&mut plain).unwrap_err()),
        AuthReason::Refused
    );
    let mut login = Login::new("tim", "tanstaaftanstaaf").unwrap();
    smtp.authenticate(&mut login).unwrap();
    drop(smtp);
    peer.finish();
}

// LOGIN-01: the second run begins with the user name again.
#[test]
fn one_login_object_can_log_in_twice() {
    let rest = format!("{LOGIN}\nS: 454 4.7.0 later\n{LOGIN}\nS: 235 ok");
    let peer = secure(&[], &rest);
    let mut smtp = implicit(&peer).connect().unwrap();
    let mut login = Login::new("tim", "tanstaaftanstaaf").unwrap();
    smtp.authenticate(&mut login).unwrap_err();
    smtp.authenticate(&mut login).unwrap();
    drop(smtp);
    peer.finish();
}

// 4616-01: tim acts as kurt.
#[test]
fn plain_with_an_authorization_identity() {
    let rest = "C: AUTH PLAIN a3VydAB0aW0AdGFuc3RhYWZ0YW5zdGFhZg==\nS: 235 ok";
    let peer = secure(&[], rest);
    let plain = Plain::new("tim", "tanstaaftanstaaf").unwrap();
    let mut plain = plain.acting_as("kurt").unwrap();
    implicit(&peer)
        .connect()
        .unwrap()
        .authenticate(&mut plain)
        .unwrap();
    peer.finish();
}

// U7: UTF-8, as in RFC 4616.
#[test]
fn a_password_outside_ascii() {
    let rest = "C: AUTH PLAIN AHrDtsOrAHDDpHNz\nS: 235 ok";
    let peer = secure(&["AUTH PLAIN"], rest);
    let mut smtp = implicit(&peer).connect().unwrap();
    smtp.login("z\u{f6}\u{eb}", "p\u{e4}ss").unwrap();
    drop(smtp);
    peer.finish();
}

// 5321-33, 4616-02, 4616-03, U6: refused before there is a connection.
#[test]
fn credentials_that_cannot_be_sent() {
    let peer = nobody();
    for (user, password, expected) in [
        ("", "secret", CredentialsError::Empty),
        ("tim", "", CredentialsError::Empty),
        ("tim\0", "secret", CredentialsError::Control),
        ("tim", "sec\0ret", CredentialsError::Control),
        ("tim\r\nRSET", "secret", CredentialsError::Control),
        ("tim", "secret\n", CredentialsError::Control),
        ("tim", "secret\u{85}", CredentialsError::Control),
    ] {
        let credentials = Credentials::password(user, password);
        let error = failure(&implicit(&peer).credentials(credentials));
        assert!(
            matches!(error, Error::Credentials(source) if source == expected),
            "{error:?}"
        );
        assert!(!error.to_string().contains("secret"));
    }
    assert_eq!(
        Plain::new("tim", "a\0b").unwrap_err(),
        CredentialsError::Control
    );
    assert_eq!(Login::new("", "a").unwrap_err(), CredentialsError::Empty);
    let plain = Plain::new("tim", "tanstaaf").unwrap();
    assert_eq!(
        plain.acting_as("a\0b").unwrap_err(),
        CredentialsError::Control
    );
    peer.finish();
}

// 4954-12, 4616-05, LOGIN-04, T5, dialog 38: an offer by the server is no permission.
#[test]
fn no_password_without_tls() {
    let peer = session(&["AUTH PLAIN LOGIN"], "C: NOOP\nS: 250 ok").listen();
    let mut smtp = config(&peer).connect().unwrap();
    let mut plain = Plain::new("tim", "tanstaaf").unwrap();
    let mut login = Login::new("tim", "tanstaaf").unwrap();
    for error in [
        smtp.login("tim", "tanstaaf").unwrap_err(),
        smtp.authenticate(&mut plain).unwrap_err(),
        smtp.authenticate(&mut login).unwrap_err(),
    ] {
        assert!(matches!(error, Error::PlaintextAuth { .. }), "{error:?}");
        assert_eq!(
            error.to_string(),
            "logging in without TLS would show the password to anyone who can read the connection: use implicit TLS, or STARTTLS where it is offered"
        );
    }
    smtp.noop().unwrap();
    drop(smtp);
    assert_eq!(peer.finish().clear(), b"EHLO client.example\r\nNOOP\r\n");
}

// T5: a configuration that cannot work does not even connect.
#[test]
fn no_password_without_tls_by_configuration() {
    let peer = nobody();
    // Mechanisms of features may be allowed without TLS, so the server would be asked first.
    let config = |peer: &Peer| config(peer).mechanisms(["PLAIN", "LOGIN"]);
    let error = failure(&with_password(config(&peer)));
    assert!(matches!(error, Error::PlaintextAuth { .. }), "{error:?}");
    let lmtp = config(&peer).protocol(Protocol::Lmtp);
    assert!(matches!(
        failure(&with_password(lmtp)),
        Error::PlaintextAuth { .. }
    ));
    peer.finish();
}

// Many servers offer AUTH only under TLS: then the missing TLS is the error.
#[test]
fn that_tls_is_missing_is_said_first() {
    let peer = session(&["STARTTLS"], "").listen();
    let mut smtp = config(&peer).connect().unwrap();
    let error = smtp.login("tim", "tanstaaf").unwrap_err();
    assert!(matches!(error, Error::PlaintextAuth { .. }), "{error:?}");
    drop(smtp);
    peer.finish();
}

// F14: the error does not suggest STARTTLS if it is not offered.
#[test]
fn that_there_is_no_auth_without_tls_is_said() {
    let peer = session(&["SIZE 1000"], "").listen();
    let mut smtp = config(&peer).connect().unwrap();
    let error = smtp.login("tim", "tanstaaf").unwrap_err();
    assert!(
        matches!(
            error,
            Error::Unsupported(Unsupported::AuthWithoutTls { .. })
        ),
        "{error:?}"
    );
    assert_eq!(
        error.to_string(),
        "the server does not offer AUTH without TLS: use implicit TLS or another port"
    );
    drop(smtp);
    peer.finish();
}

// C11: an error before there is a connection, and never LOGIN instead.
#[test]
fn a_mechanism_that_nobody_knows_is_an_error() {
    let peer = nobody();
    for (name, sentence) in [
        (
            "x-own",
            "the library has no mechanism \"X-OWN\": implement Mechanism and call authenticate",
        ),
        (
            "LOGIN ",
            "the library has no mechanism \"LOGIN \": implement Mechanism and call authenticate",
        ),
        #[cfg(not(feature = "scram"))]
        (
            "SCRAM-SHA-256",
            "the mechanism SCRAM-SHA-256 needs the crate's feature scram",
        ),
        #[cfg(not(feature = "cram-md5"))]
        (
            "CRAM-MD5",
            "the mechanism CRAM-MD5 needs the crate's feature cram-md5",
        ),
    ] {
        let error = failure(&with_password(implicit(&peer)).mechanisms(["PLAIN", name]));
        assert!(
            matches!(error, Error::Config(ConfigError::Mechanism(_))),
            "{error:?}"
        );
        assert_eq!(error.to_string(), sentence);
    }
    peer.finish();
}

// EXTERNAL and ANONYMOUS are used only if the caller asks for them.
#[test]
fn a_certificate_or_nobody_logs_in() {
    let offers = ["AUTH PLAIN EXTERNAL ANONYMOUS"];
    for (credentials, command) in [
        (Credentials::certificate(""), "AUTH EXTERNAL ="),
        (Credentials::certificate("kurt"), "AUTH EXTERNAL a3VydA=="),
        (Credentials::anonymous(""), "AUTH ANONYMOUS ="),
        (Credentials::anonymous("sirhc"), "AUTH ANONYMOUS c2lyaGM="),
    ] {
        let peer = secure(&offers, &format!("C: {command}\nS: 235 ok"));
        drop(implicit(&peer).credentials(credentials).connect().unwrap());
        peer.finish();
    }
    let peer = nobody();
    for (text, expected) in [
        ("a\nb".to_owned(), CredentialsError::Control),
        ("x".repeat(256), CredentialsError::TooLong),
    ] {
        let error = failure(&implicit(&peer).credentials(Credentials::anonymous(text)));
        assert!(matches!(error, Error::Credentials(source) if source == expected));
    }
    peer.finish();
}

// 4954-12: the option that allows it has a name that warns.
#[test]
fn a_password_without_tls_on_demand() {
    let peer = session(&["AUTH PLAIN"], &format!("C: {PLAIN}\nS: 235 ok")).listen();
    let config = with_password(config(&peer)).danger_allow_plaintext_auth(true);
    drop(config.connect().unwrap());
    peer.finish();
}

// U1, dialog 37: nothing is sent without the login that was asked for.
#[test]
fn without_auth_there_is_no_connection() {
    let peer = secure(&["SIZE 1000"], BYE);
    let error = refused(&peer);
    assert_eq!(
        said(&error),
        "the server does not offer AUTH: use another port or server, or no credentials"
    );
    peer.finish();
}

// 4954-01, U11
#[test]
fn without_a_common_mechanism_there_is_no_connection() {
    for (offer, sentence) in [
        (
            "AUTH GSSAPI NTLM",
            "none of the mechanisms that the server offers (GSSAPI NTLM) fits the credentials: check the credentials, `mechanisms` and the features of this crate",
        ),
        (
            "AUTH",
            "the server offers no login mechanism: use another port or server",
        ),
        (
            "AUTH XOAUTH2 OAUTHBEARER",
            "none of the mechanisms that the server offers (XOAUTH2 OAUTHBEARER) fits the credentials: check the credentials, `mechanisms` and the features of this crate",
        ),
    ] {
        let peer = secure(&[offer], BYE);
        let error = refused(&peer);
        assert!(
            matches!(error, Error::Unsupported(Unsupported::Mechanism { .. })),
            "{error:?}"
        );
        assert_eq!(said(&error), sentence);
        peer.finish();
    }
}

// 4422-04, U11: only mechanisms that the caller allows, in the caller's order.
#[test]
fn mechanisms_can_be_pinned() {
    let peer = secure(&["AUTH PLAIN LOGIN"], &format!("{LOGIN}\nS: 235 ok"));
    let config = with_password(implicit(&peer)).mechanisms(["login", "plain"]);
    drop(config.connect().unwrap());
    peer.finish();

    let peer = secure(&["AUTH PLAIN"], BYE);
    let error = failure(&with_password(implicit(&peer)).mechanisms(["LOGIN"]));
    assert!(matches!(error, Error::Unsupported(_)), "{error:?}");
    // F9
    assert_eq!(
        said(&error),
        "the configuration's mechanisms exclude those that the server offers for these credentials (PLAIN): allow one of them"
    );
    peer.finish();
}

// 4954-09, 4954-13, U8, dialogs 28 and 29: one wrong password is one attempt.
#[test]
fn a_refusal_ends_it() {
    for (reply, is_transient) in [
        ("535 5.7.8 authentication credentials invalid", false),
        ("530 5.7.0 no", false),
        ("454 4.7.0 temporary authentication failure", true),
        ("432 4.7.12 a password transition is needed", true),
        ("501 5.7.8 bad password", false),
        ("550 5.7.1 no", false),
    ] {
        let rest = format!("C: {PLAIN}\nS: {reply}\n{BYE}");
        let peer = secure(&["AUTH PLAIN LOGIN XOAUTH2"], &rest);
        let error = refused(&peer);
        let others = match error.code() {
            Some(code) if code == 535 => {
                "; the server also offers LOGIN: choose with Config::mechanisms"
            }
            _ => "",
        };
        assert_eq!(
            said(&error),
            format!("the server refused the login with PLAIN: {reply}{others}")
        );
        let Error::AuthFailed(failure) = &error else {
            panic!("{error:?}");
        };
        assert_eq!(failure.mechanism(), "PLAIN");
        assert_eq!(failure.reason(), AuthReason::Refused);
        assert_eq!(failure.detail(), None);
        assert_eq!(error.code().unwrap().to_string(), reply[..3]);
        assert_eq!(
            (error.is_transient(), error.is_permanent()),
            (is_transient, !is_transient)
        );
        assert_eq!(error.step(), Some(Step::Auth));
        peer.finish();
    }
}

// Dialog 28, 5321-28: the connection can still be used, and RSET does not undo a login.
#[test]
fn after_a_refusal_one_may_try_again() {
    let rest = format!(
        "C: AUTH PLAIN AHRpbQB3cm9uZw==\nS: 535 5.7.8 no\nC: {PLAIN}\nS: 235 ok\nC: RSET\nS: 250 ok\nC: NOOP\nS: 250 ok"
    );
    let peer = secure(&["AUTH PLAIN"], &rest);
    let mut smtp = implicit(&peer).connect().unwrap();
    let error = smtp.login("tim", "wrong").unwrap_err();
    assert!(error.is_permanent() && !error.is_closed());
    smtp.login("tim", "tanstaaftanstaaf").unwrap();
    smtp.rset().unwrap();
    assert!(smtp.is_tls() && smtp.capabilities().has("AUTH"));
    smtp.noop().unwrap();
    drop(smtp);
    peer.finish();
}

// C2, 4954-02: a user who is already logged in is logged in.
#[test]
fn a_server_that_has_let_us_in_already_has_let_us_in() {
    let rest = format!("C: {PLAIN}\nS: 503 5.5.1 Already Authenticated\nC: NOOP\nS: 250 ok");
    let peer = secure(&["AUTH PLAIN LOGIN"], &rest);
    let mut smtp = with_password(implicit(&peer)).connect().unwrap();
    smtp.noop().unwrap();
    drop(smtp);
    peer.finish();

    let rest = format!("C: {PLAIN}\nS: 235 ok\nC: {PLAIN}\nS: 503 5.5.1 bad sequence");
    let peer = secure(&["AUTH PLAIN"], &rest);
    let mut smtp = with_password(implicit(&peer)).connect().unwrap();
    smtp.login("tim", "tanstaaftanstaaf").unwrap();
    drop(smtp);
    peer.finish();

    // A TLS session has one client certificate.
    let rest = "C: AUTH EXTERNAL =\nS: 235 ok\nC: AUTH EXTERNAL =\nS: 503 5.5.1 bad sequence";
    let peer = secure(&["AUTH EXTERNAL"], rest);
    let mut smtp = implicit(&peer).connect().unwrap();
    for _ in 0..2 {
        smtp.login_with(&Credentials::certificate("")).unwrap();
    }
    drop(smtp);
    peer.finish();
}

// 4954-02: but not if it may be another user, and not if AUTH came at the wrong time.
#[test]
fn a_503_is_not_always_a_welcome() {
    let kurt = "C: AUTH PLAIN AGt1cnQAcHc=";
    let rest = format!("C: {PLAIN}\nS: 235 ok\n{kurt}\nS: 503 5.5.1 already authenticated");
    let peer = secure(&["AUTH PLAIN"], &rest);
    let mut smtp = with_password(implicit(&peer)).connect().unwrap();
    let error = smtp.login("kurt", "pw").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the server refused the login with PLAIN: 503 5.5.1 already authenticated"
    );
    drop(smtp);
    peer.finish();

    let rest = format!("C: {PLAIN}\nS: 503 5.5.1 AUTH command used when not advertised\n{BYE}");
    let peer = secure(&["AUTH PLAIN"], &rest);
    assert_eq!(
        said(&refused(&peer)),
        "the server refused the login with PLAIN: 503 5.5.1 AUTH command used when not advertised"
    );
    peer.finish();
}

// 4954-02: the same name in other credentials, and no name at all, may be another user.
#[test]
fn a_503_is_no_welcome_for_another_kind_of_user() {
    let own = "C: AUTH EXTERNAL =\nS: 235 ok";
    let anonymous = "C: AUTH ANONYMOUS dGlt\nS: 235 ok";
    let refusal = "S: 503 5.5.1 already authenticated";
    let offers = ["AUTH PLAIN EXTERNAL ANONYMOUS XOAUTH2"];
    let password = || Credentials::password("tim", "tanstaaftanstaaf");
    for (first, before, command, credentials) in [
        (
            own,
            None,
            "C: AUTH EXTERNAL =",
            Credentials::certificate(""),
        ),
        (
            anonymous,
            Some(Credentials::anonymous("tim")),
            "C~: AUTH PLAIN *",
            password(),
        ),
        (
            "C~: AUTH PLAIN *\nS: 235 ok",
            Some(password()),
            "C~: AUTH XOAUTH2 *",
            Credentials::bearer("tim", "token"),
        ),
    ] {
        let peer = secure(&offers, &format!("{first}\n{command}\n{refusal}"));
        let mut smtp = implicit(&peer).connect().unwrap();
        match before {
            Some(before) => smtp.login_with(&before),
            None => smtp.authenticate(&mut External::new()),
        }
        .unwrap();
        let error = smtp.login_with(&credentials).unwrap_err();
        assert_eq!(reason(&error), AuthReason::Refused, "{credentials:?}");
        drop(smtp);
        peer.finish();
    }
}

// C1, 4954-13, U8, dialog 27: these codes are about the mechanism, not the password.
#[test]
fn the_next_mechanism_after_a_refusal_of_the_first() {
    for reply in [
        "500 5.5.2 unknown command",
        "501 5.5.4 no initial response here",
        "502 5.5.1 not implemented",
        "503 5.5.1 bad sequence",
        "504 5.5.4 unrecognized",
        "534 5.7.9 too weak",
        "538 5.7.11 encrypt",
    ] {
        let rest = format!("C: {PLAIN}\nS: {reply}\n{LOGIN}\nS: 235 ok");
        let peer = secure(&["AUTH PLAIN LOGIN"], &rest);
        drop(with_password(implicit(&peer)).connect().unwrap());
        peer.finish();
    }
}

// U8: if the last mechanism fails, too, its reply is reported.
#[test]
fn if_no_mechanism_is_left_the_last_answer_is_told() {
    let rest = format!("C: {PLAIN}\nS: 504 5.5.4 no\nC: AUTH LOGIN\nS: 504 5.5.4 no either\n{BYE}");
    let peer = secure(&["AUTH PLAIN LOGIN"], &rest);
    assert_eq!(
        said(&refused(&peer)),
        "the server refused the login with LOGIN: 504 5.5.4 no either"
    );
    peer.finish();
}

// 4954-04, 4954-05, U10, dialog 26: `*`, the 501 that follows, and the next mechanism.
#[test]
fn a_challenge_that_makes_no_sense_is_called_off() {
    for challenge in ["!!!", "a", "AAA=AAA=", "A===", "dGlt dGlt", "dGl0"] {
        let rest = format!("C: {PLAIN}\nS: 334 {challenge}\nC: *\nS: 501 5.7.0 cancelled\n{BYE}");
        let peer = secure(&["AUTH PLAIN"], &rest);
        let error = refused(&peer);
        let expected = match challenge {
            "dGl0" => AuthReason::Cancelled,
            _ => AuthReason::BadChallenge,
        };
        assert_eq!(reason(&error), expected, "{challenge}");
        assert!(!error.is_closed());
        peer.finish();
    }
    let rest = format!("C: {PLAIN}\nS: 334 !!!\nC: *\nS: 501 no\n{LOGIN}\nS: 235 ok");
    let peer = secure(&["AUTH PLAIN LOGIN"], &rest);
    drop(with_password(implicit(&peer)).connect().unwrap());
    peer.finish();
}

// 4954-04: after `*` the connection can be used. A challenge of two lines is not valid.
#[test]
fn after_calling_it_off_the_connection_goes_on() {
    let rest =
        format!("C: {PLAIN}\nS: 334-\nS: 334 \nC: *\nS: 501 5.7.0 cancelled\nC: NOOP\nS: 250 ok");
    let peer = secure(&["AUTH PLAIN"], &rest);
    let mut smtp = implicit(&peer).connect().unwrap();
    let error = smtp.login("tim", "tanstaaftanstaaf").unwrap_err();
    assert_eq!(
        error.to_string(),
        "logging in with PLAIN failed: the server's challenge is not valid"
    );
    smtp.noop().unwrap();
    drop(smtp);
    peer.finish();
}

// 4954-10, R3: only 235 is success, only 334 asks for more, and after `*` only a refusal makes
// sense.
#[test]
fn answers_that_are_none() {
    for (rest, code) in [
        (format!("C: {PLAIN}\nS: 250 2.0.0 ok"), 250),
        (format!("C: {PLAIN}\nS: 220 ready"), 220),
        (format!("C: {PLAIN}\nS: 354 go ahead"), 354),
        (format!("C: {PLAIN}\nS: 334 !\nC: *\nS: 235 welcome"), 235),
        (format!("C: {PLAIN}\nS: 334 !\nC: *\nS: 250 ok"), 250),
        (format!("C: {PLAIN}\nS: 334 !\nC: *\nS: 334 "), 334),
    ] {
        let peer = secure(&["AUTH PLAIN LOGIN"], &format!("{rest}\nCclose"));
        let error = refused(&peer);
        assert_eq!(
            said(&error),
            format!("the server broke the protocol at AUTH: {code} is not a reply to this command")
        );
        assert!(error.is_closed() && !error.is_transient() && !error.is_permanent());
        peer.finish();
    }
}

// 5321-15: 421 says nothing about the password.
#[test]
fn a_server_that_is_closing_has_not_refused_the_password() {
    for rest in [
        format!("C: {PLAIN}\nS: 421 4.3.2 shutting down\nCclose"),
        format!("C: {PLAIN}\nS: 334 !\nC: *\nS: 421 4.3.2 shutting down\nCclose"),
    ] {
        let peer = secure(&["AUTH PLAIN LOGIN"], &rest);
        let error = refused(&peer);
        assert_eq!(
            said(&error),
            "the server refused AUTH: 421 4.3.2 shutting down"
        );
        assert!(error.is_closed() && error.is_transient());
        peer.finish();
    }
}

// U10, L4
#[test]
fn a_connection_that_ends_or_stalls_in_the_middle() {
    let rest = format!("C: {PLAIN}\nEOF\nCclose");
    let peer = secure(&["AUTH PLAIN LOGIN"], &rest);
    let error = refused(&peer);
    assert_eq!(
        said(&error),
        "the server closed the connection at AUTH: most likely it does not know this user name and password"
    );
    peer.finish();

    let rest = format!("C: {PLAIN}\nS.. 20ms forever raw: 334\nCclose");
    let peer = session(&["AUTH PLAIN"], &rest).listen();
    let config = with_password(config(&peer)).danger_allow_plaintext_auth(true);
    let error = failure(&config.timeout(SHORT));
    assert_eq!(
        said(&error),
        "the server did not finish its reply in time at AUTH"
    );
    peer.finish();
}

// L4: a challenge now and then does not make AUTH longer. The next mechanism is another AUTH.
#[test]
fn a_login_has_one_limit_for_all_of_its_challenges() {
    let limit = Duration::from_secs(3);
    let rest = "C: AUTH LOGIN\nS~1700ms: 334\nC: dGlt\nS~1700ms: 334\nCclose";
    let peer = secure(&["AUTH LOGIN"], rest);
    let error = failure(&with_password(implicit(&peer)).timeout(limit));
    assert_eq!(said(&error), "the server took too long at AUTH");
    peer.finish();

    let rest =
        format!("C: {PLAIN}\nS~1700ms: 504 no\n{LOGIN}\nS~1700ms: 235 ok\nC: NOOP\nS: 250 ok");
    let peer = secure(&["AUTH PLAIN LOGIN"], &rest);
    let config = with_password(implicit(&peer)).timeout(limit);
    config.connect().unwrap().noop().unwrap();
    peer.finish();
}

// Logging in works with LMTP, too, and after STARTTLS.
#[test]
fn lmtp_behind_starttls() {
    let script = format!(
        "
        S: 220 mx.example.org
        C: LHLO client.example
        S: 250-mx.example.org
        S: 250 STARTTLS
        C: STARTTLS
        S: 220 go ahead
        TLS
        {}
        C: {PLAIN}
        S: 235 ok
        {BYE}",
        hello(&["AUTH PLAIN"]).replace("EHLO", "LHLO")
    );
    let peer = Script::new(&script).listen();
    let config = config(&peer)
        .protocol(Protocol::Lmtp)
        .security(Security::StartTls);
    with_password(config).connect().unwrap().quit();
    peer.finish();
}
