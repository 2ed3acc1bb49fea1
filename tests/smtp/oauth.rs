//! Logging in with an OAuth token.
use crate::peer::{Peer, Script};
use crate::support::session::{failure, implicit, nobody, said, session};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use smtplib::auth::{Mechanism, OAuthBearer, XOAuth2};
use smtplib::error::{AuthReason, CredentialsError, Unsupported};
use smtplib::{Config, Credentials, Error, Secret};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

const TOKEN: &str = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==";
const BYE: &str = "C: QUIT\nS: 221 2.0.0 bye\nCclose";

fn with_token(config: Config, token: &str) -> Config {
    config.credentials(Credentials::bearer("someuser@example.com", token))
}

/// The first response of XOAUTH2.
fn xoauth2(token: &str) -> String {
    STANDARD.encode(format!(
        "user=someuser@example.com\x01auth=Bearer {token}\x01\x01"
    ))
}

fn detail(error: &Error) -> Option<&str> {
    match error {
        Error::AuthFailed(failure) => {
            assert_eq!(failure.reason(), AuthReason::Refused);
            failure.detail()
        }
        other => panic!("{other:?}"),
    }
}

// 7628-04: the example that Google publishes.
#[test]
fn xoauth2_is_one_line() {
    let response = "dXNlcj1zb21ldXNlckBleGFtcGxlLmNvbQFhdXRoPUJlYXJlciB5YTI5LnZGOWRmdDRxbVRjMk52YjNSbGNrQmhkSFJoZG1semRHRXVZMjl0Q2cBAQ==";
    let peer = session(
        &["AUTH PLAIN XOAUTH2"],
        &format!("C: AUTH XOAUTH2 {response}\nS: 235 2.7.0 accepted"),
    )
    .listen_tls();
    let token = "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg";
    drop(with_token(implicit(&peer), token).connect().unwrap());
    peer.finish();
}

// 7628-01: RFC 7628, 4.1, with the host and the port of the connection. It is preferred to XOAUTH2.
#[test]
fn oauthbearer_names_the_server() {
    let peer = Script::handler(|conn| {
        conn.reply("220 mx.example.org")?;
        conn.expect("EHLO client.example")?;
        conn.reply("250-mx.example.org")?;
        conn.reply("250 AUTH XOAUTH2 OAUTHBEARER PLAIN")?;
        conn.read_line()?;
        conn.reply("235 ok")?;
        conn.expect_close()
    })
    .listen_tls();
    drop(with_token(implicit(&peer), TOKEN).connect().unwrap());
    let port = peer.port();
    let exchanged = peer.finish();
    let (verb, response) = exchanged.commands()[1].rsplit_once(' ').unwrap();
    assert_eq!(verb, "AUTH OAUTHBEARER");
    let response = String::from_utf8(STANDARD.decode(response).unwrap()).unwrap();
    assert_eq!(
        response,
        format!(
            "n,a=someuser@example.com,\x01host=127.0.0.1\x01port={port}\x01auth=Bearer {TOKEN}\x01\x01"
        )
    );
}

// 7628-01: saslname, and the mechanism by hand.
#[test]
fn oauthbearer_by_hand() {
    let response = STANDARD.encode(format!(
        "n,a=a=3Db=2Cc,\x01host=server.example.com\x01port=587\x01auth=Bearer {TOKEN}\x01\x01"
    ));
    let peer = session(&[], &format!("C: AUTH OAUTHBEARER {response}\nS: 235 ok")).listen_tls();
    let mut bearer = OAuthBearer::new("a=b,c", TOKEN)
        .unwrap()
        .server("server.example.com", 587);
    implicit(&peer)
        .connect()
        .unwrap()
        .authenticate(&mut bearer)
        .unwrap();
    peer.finish();
}

// 7628-05, U5, B10, dialog 31: after an empty line comes the final reply.
#[test]
fn xoauth2_is_told_why() {
    let json = r#"{"status":"400","schemes":"Bearer","scope":"https://mail.example.org/"}"#;
    let rest = format!(
        "C: AUTH XOAUTH2 {}\nS: 334 {}\nCraw: \\r\\n\nS: 535 5.7.8 not accepted\n{BYE}",
        xoauth2(TOKEN),
        STANDARD.encode(json)
    );
    let peer = session(&["AUTH XOAUTH2"], &rest).listen_tls();
    let error = failure(&with_token(implicit(&peer), TOKEN));
    assert_eq!(detail(&error), Some(json));
    assert_eq!(
        said(&error),
        format!("the server refused the login with XOAUTH2: 535 5.7.8 not accepted ({json})")
    );
    assert!(error.is_permanent());
    peer.finish();
}

// Each run is told its own reason, and an old one is not told of another failure.
#[test]
fn one_oauth_object_can_log_in_again() {
    let told = |mechanism: &mut dyn Mechanism, line: &str, more: &str| {
        let refusal = format!("C: {line}\nS: 334 e30=\nCraw: {more}\\r\\n\nS: 535 no");
        let rest = format!("{refusal}\n{refusal}\nC: {line}\nS: 454 later");
        let peer = session(&[], &rest).listen_tls();
        let mut smtp = implicit(&peer).connect().unwrap();
        for expected in [Some("{}"), Some("{}"), None] {
            let error = smtp.authenticate(mechanism).unwrap_err();
            assert_eq!(detail(&error), expected);
        }
        drop(smtp);
        peer.finish();
    };
    let mut mechanism = XOAuth2::new("someuser@example.com", TOKEN).unwrap();
    told(
        &mut mechanism,
        &format!("AUTH XOAUTH2 {}", xoauth2(TOKEN)),
        "",
    );
    let mut mechanism = OAuthBearer::new("tim", TOKEN).unwrap();
    let response = STANDARD.encode(format!("n,a=tim,\x01auth=Bearer {TOKEN}\x01\x01"));
    told(
        &mut mechanism,
        &format!("AUTH OAUTHBEARER {response}"),
        "AQ==",
    );
}

// 7628-02, U5, B10, dialog 32: %x01.
#[test]
fn oauthbearer_is_told_why() {
    let json = r#"{"status":"invalid_token","scope":"example_scope"}"#;
    let rest = format!(
        "C~: AUTH OAUTHBEARER *\nS: 334 {}\nC: AQ==\nS: 535 5.7.8 no\n{BYE}",
        STANDARD.encode(json)
    );
    let peer = session(&["AUTH OAUTHBEARER XOAUTH2"], &rest).listen_tls();
    let error = failure(&with_token(implicit(&peer), TOKEN));
    assert_eq!(detail(&error), Some(json));
    peer.finish();
}

// 7628-02, R12: the server's text is made safe to print and cut to a length.
#[test]
fn the_explanation_is_kept_within_bounds() {
    let json = format!("{{\"status\":\"\x1b[2J\r\n{}\"}}", "x".repeat(5000));
    let rest = format!(
        "C~: AUTH XOAUTH2 *\nS: 334 {}\nCraw: \\r\\n\nS: 535 no\n{BYE}",
        STANDARD.encode(&json)
    );
    let peer = session(&["AUTH XOAUTH2"], &rest).listen_tls();
    let error = failure(&with_token(implicit(&peer), TOKEN));
    let detail = detail(&error).unwrap();
    assert_eq!(detail.chars().count(), 1024);
    assert!(detail.starts_with("{\"status\":\"[2Jxxx"), "{detail}");
    peer.finish();
}

// 4954-10, U2: only one explanation is accepted.
#[test]
fn a_second_explanation_is_called_off() {
    let rest = format!(
        "C~: AUTH XOAUTH2 *\nS: 334 e30=\nCraw: \\r\\n\nS: 334 e30=\nC: *\nS: 501 no\n{BYE}"
    );
    let peer = session(&["AUTH XOAUTH2"], &rest).listen_tls();
    let error = failure(&with_token(implicit(&peer), TOKEN));
    assert_eq!(
        said(&error),
        "logging in at the server with XOAUTH2 failed: the mechanism cancelled the login ({})"
    );
    peer.finish();
}

// 7628-06, 4954-07, U9: a token that is too long for the command line.
#[test]
fn a_long_token_waits_for_the_empty_challenge() {
    for octets in [600, 4000, 8000] {
        let token = "t".repeat(octets);
        let rest = format!(
            "C: AUTH XOAUTH2\nS: 334 \nC: {}\nS: 235 ok",
            xoauth2(&token)
        );
        let peer = session(&["AUTH XOAUTH2"], &rest).listen_tls();
        drop(with_token(implicit(&peer), &token).connect().unwrap());
        peer.finish();
    }
}

// 4422-03: a token is not sent as a password, and a password not as a token.
#[test]
fn tokens_and_passwords_do_not_mix() {
    let peer = session(&["AUTH PLAIN LOGIN"], BYE).listen_tls();
    let error = failure(&with_token(implicit(&peer), TOKEN));
    assert!(
        matches!(error, Error::Unsupported(Unsupported::Mechanism { .. })),
        "{error:?}"
    );
    peer.finish();

    let peer = session(&["AUTH XOAUTH2 OAUTHBEARER PLAIN"], BYE).listen_tls();
    let config = with_token(implicit(&peer), TOKEN).mechanisms(["PLAIN"]);
    assert!(matches!(
        failure(&config),
        Error::Unsupported(Unsupported::Excluded { .. })
    ));
    peer.finish();

    let peer = session(&["AUTH XOAUTH2 OAUTHBEARER"], BYE).listen_tls();
    let password = Credentials::password("tim", "tanstaaf");
    let config = implicit(&peer)
        .credentials(password)
        .mechanisms(["XOAUTH2"]);
    assert!(matches!(
        failure(&config),
        Error::Unsupported(Unsupported::Mechanism { .. })
    ));
    peer.finish();
}

/// Credentials with the tokens `token-1`, `token-2` and so on, and a count of those that were
/// fetched.
fn fresh() -> (Credentials, Arc<AtomicU32>) {
    let asked = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&asked);
    let source = move || {
        let number = counter.fetch_add(1, Ordering::Relaxed) + 1;
        Ok::<_, Infallible>(format!("token-{number}"))
    };
    (
        Credentials::token_from("someuser@example.com", source),
        asked,
    )
}

// B10: an expired token gets 535, and a new one is accepted.
#[test]
fn a_fresh_token_after_a_refusal() {
    let (first, second) = (xoauth2("token-1"), xoauth2("token-2"));
    for refusal in [
        "S: 535 5.7.8 expired",
        "S: 334 e30=\nCraw: \\r\\n\nS: 535 5.7.8 expired",
        "S: 334 e30=\nCraw: \\r\\n\nS: 501 5.5.4 odd",
    ] {
        let rest =
            format!("C: AUTH XOAUTH2 {first}\n{refusal}\nC: AUTH XOAUTH2 {second}\nS: 235 ok");
        let peer = session(&["AUTH XOAUTH2"], &rest).listen_tls();
        let (credentials, asked) = fresh();
        drop(implicit(&peer).credentials(credentials).connect().unwrap());
        assert_eq!(asked.load(Ordering::Relaxed), 2);
        peer.finish();
    }
}

// B10: it is tried again once, not in a loop.
#[test]
fn a_second_refusal_is_the_last() {
    let (first, second) = (xoauth2("token-1"), xoauth2("token-2"));
    let rest =
        format!("C: AUTH XOAUTH2 {first}\nS: 535 one\nC: AUTH XOAUTH2 {second}\nS: 535 two\n{BYE}");
    let peer = session(&["AUTH XOAUTH2"], &rest).listen_tls();
    let (credentials, asked) = fresh();
    let error = failure(&implicit(&peer).credentials(credentials));
    assert_eq!(error.reply().unwrap().to_string(), "535 two");
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    peer.finish();
}

// An error that is not about the token does not fetch another. Each login fetches one.
#[test]
fn a_token_is_asked_for_once_per_login() {
    let rest = format!(
        "C: AUTH XOAUTH2 {}\nS: 454 4.7.0 later\nC: AUTH XOAUTH2 {}\nS: 235 ok",
        xoauth2("token-1"),
        xoauth2("token-2")
    );
    let peer = session(&["AUTH XOAUTH2"], &rest).listen_tls();
    let mut smtp = implicit(&peer).connect().unwrap();
    let (credentials, asked) = fresh();
    assert!(smtp.login_with(&credentials).unwrap_err().is_transient());
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    smtp.login_with(&credentials).unwrap();
    drop(smtp);
    peer.finish();

    let peer = session(&["AUTH PLAIN"], BYE).listen_tls();
    let (credentials, asked) = fresh();
    failure(&implicit(&peer).credentials(credentials));
    assert_eq!(asked.load(Ordering::Relaxed), 0, "nothing takes a token");
    peer.finish();
}

// The same token would be refused again, and could count as another attack.
#[test]
fn the_same_token_is_not_tried_again() {
    let rest = format!("C: AUTH XOAUTH2 {}\nS: 535 no\n{BYE}", xoauth2(TOKEN));
    let peer = session(&["AUTH XOAUTH2"], &rest).listen_tls();
    let source = || Ok::<_, Infallible>(Secret::from(TOKEN));
    let credentials = Credentials::token_from("someuser@example.com", source);
    let error = failure(&implicit(&peer).credentials(credentials));
    assert_eq!(error.code().unwrap(), 535);
    peer.finish();
}

#[test]
fn a_token_that_cannot_be_had() {
    let peer = session(&["AUTH XOAUTH2"], BYE).listen_tls();
    let source = || Err::<Secret, _>("the token server answers 503");
    let error = failure(&implicit(&peer).credentials(Credentials::token_from("tim", source)));
    assert_eq!(
        error.to_string(),
        "could not get a token to log in: the token server answers 503"
    );
    assert!(error.is_transient() && !error.is_permanent() && !error.is_closed());
    peer.finish();

    let peer = session(&["AUTH XOAUTH2"], BYE).listen_tls();
    let source = || Ok::<_, Infallible>("two words");
    let error = failure(&implicit(&peer).credentials(Credentials::token_from("tim", source)));
    assert!(matches!(error, Error::Credentials(CredentialsError::Token)));
    peer.finish();

    let source = || -> Result<Secret, Infallible> { panic!("nobody has connected yet") };
    let peer = nobody();
    let error = failure(&implicit(&peer).credentials(Credentials::token_from("", source)));
    assert!(matches!(error, Error::Credentials(CredentialsError::Empty)));
    peer.finish();
}

// 7628-03, U6
#[test]
fn tokens_that_cannot_be_sent() {
    let peer = nobody();
    for (user, token, expected) in [
        ("tim", "", CredentialsError::Empty),
        ("", "token", CredentialsError::Empty),
        ("tim\x01", "token", CredentialsError::Control),
        ("tim", "to\x01ken", CredentialsError::Token),
        ("tim", "to ken", CredentialsError::Token),
        ("tim", "token\n", CredentialsError::Token),
        ("tim", "t\u{f6}ken", CredentialsError::Token),
    ] {
        let error = failure(&implicit(&peer).credentials(Credentials::bearer(user, token)));
        assert!(
            matches!(error, Error::Credentials(source) if source == expected),
            "{error:?}"
        );
        assert_eq!(XOAuth2::new(user, token).unwrap_err(), expected);
        assert_eq!(OAuthBearer::new(user, token).unwrap_err(), expected);
    }
    peer.finish();
}

// 4954-12, T5
#[test]
fn no_token_without_tls() {
    let peer: Peer = session(&["AUTH XOAUTH2"], "").listen();
    let config = crate::support::session::config(&peer);
    let mut smtp = config.connect().unwrap();
    let bearer = Credentials::bearer("tim", TOKEN);
    assert!(matches!(
        smtp.login_with(&bearer).unwrap_err(),
        Error::PlaintextAuth { .. }
    ));
    let mut own = XOAuth2::new("tim", TOKEN).unwrap();
    assert!(matches!(
        smtp.authenticate(&mut own).unwrap_err(),
        Error::PlaintextAuth { .. }
    ));
    drop(smtp);
    assert_eq!(peer.finish().clear(), b"EHLO client.example\r\n");
}
