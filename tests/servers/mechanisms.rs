//! Each mechanism with the servers that have it, under TLS and without.

use std::sync::{Arc, Mutex};

use smtplib::{Config, Credentials, Error, Secret, Security};

use crate::ca::TestCa;
use crate::dovecot::Dovecot;
use crate::exim::Exim;
use crate::postfix::Postfix;
use crate::server::alice;

/// The mechanisms of this build that Dovecot and Postfix also have.
const MECHANISMS: &[&str] = &[
    #[cfg(feature = "scram")]
    "SCRAM-SHA-256",
    #[cfg(feature = "scram")]
    "SCRAM-SHA-1",
    "PLAIN",
    "LOGIN",
    #[cfg(feature = "cram-md5")]
    "CRAM-MD5",
];
/// Those that do not show the password.
const HASHED: &[&str] = &[
    #[cfg(feature = "scram")]
    "SCRAM-SHA-256",
    #[cfg(feature = "scram")]
    "SCRAM-SHA-1",
    #[cfg(feature = "cram-md5")]
    "CRAM-MD5",
];

/// The mechanisms that send a token.
const BEARER: &[&str] = &["XOAUTH2", "OAUTHBEARER"];

/// Logs in, sends a message, and returns the lines of the dialog.
fn dialog(config: Config) -> Vec<String> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&lines);
    let config = config.trace(move |line| sink.lock().unwrap().push(line.to_string()));
    let mut connection = config.connect().unwrap();
    let sent = connection.sendmail("alice@example.test", ["bob@example.test"], "Subject: hi\n");
    assert!(sent.unwrap().is_complete());
    assert_eq!(connection.quit().unwrap().code(), 221);
    let lines = lines.lock().unwrap().clone();
    assert!(!lines.concat().contains("wonderland"));
    lines
}

/// Logs in with only this mechanism allowed.
fn check(config: Config, mechanism: &str) {
    let lines = dialog(config.mechanisms([mechanism]));
    let auth = format!("C: AUTH {mechanism}");
    assert!(
        lines.iter().any(|line| line.starts_with(&auth)),
        "{lines:#?}"
    );
    assert!(
        lines.iter().any(|line| line.starts_with("S: 235")),
        "{lines:#?}"
    );
}

#[test]
#[ignore = "needs Dovecot and aiosmtpd: see CONTRIBUTING.md"]
fn dovecot_takes_every_mechanism_under_tls() {
    let dovecot = Dovecot::shared();
    for mechanism in MECHANISMS {
        check(dovecot.submission(Security::StartTls), mechanism);
        check(dovecot.submissions(), mechanism);
    }
}

#[test]
#[ignore = "needs Dovecot and aiosmtpd: see CONTRIBUTING.md"]
fn dovecot_takes_what_shows_no_password_without_tls() {
    for mechanism in HASHED {
        check(Dovecot::shared().submission(Security::None), mechanism);
    }
}

#[cfg(feature = "scram")]
#[test]
#[ignore = "needs Dovecot and aiosmtpd: see CONTRIBUTING.md"]
fn dovecot_gets_the_best_mechanism_by_itself() {
    for config in [
        Dovecot::shared().submissions(),
        Dovecot::shared().submission(Security::None),
    ] {
        let lines = dialog(config);
        assert!(
            lines.contains(&"C: AUTH SCRAM-SHA-256 ***".to_owned()),
            "{lines:#?}"
        );
    }
}

#[test]
#[ignore = "needs Dovecot and aiosmtpd: see CONTRIBUTING.md"]
fn dovecot_refuses_a_wrong_password_by_each_mechanism() {
    for mechanism in MECHANISMS {
        let wrong = Credentials::password("alice@example.test", "looking-glass");
        let config = Dovecot::shared().submissions().mechanisms([*mechanism]);
        let error = config.credentials(wrong).connect().unwrap_err();
        assert!(
            matches!(error, Error::AuthFailed(_)),
            "{mechanism}: {error}"
        );
        assert_eq!(error.code().unwrap(), 535, "{mechanism}");
        assert!(!error.to_string().contains("looking-glass"));
    }
}

// A password is sent unchanged, because servers store it unchanged.
#[test]
#[ignore = "needs Dovecot and aiosmtpd: see CONTRIBUTING.md"]
fn dovecot_takes_a_password_outside_ascii_by_each_mechanism() {
    for mechanism in MECHANISMS {
        let carol = Credentials::password("carol@example.test", "Gr\u{fc}\u{df}e, Zo\u{eb}");
        let config = Dovecot::shared().submissions().mechanisms([*mechanism]);
        config.credentials(carol).connect().unwrap();
    }
}

#[test]
#[ignore = "needs Dovecot and aiosmtpd: see CONTRIBUTING.md"]
fn dovecot_takes_a_token_by_both_bearer_mechanisms() {
    let dovecot = Dovecot::shared();
    for mechanism in BEARER {
        let alice = || Credentials::bearer("alice@example.test", dovecot.token.as_str());
        let starttls = dovecot.submission(Security::StartTls);
        check(starttls.credentials(alice()), mechanism);
        check(dovecot.submissions().credentials(alice()), mechanism);
    }
}

// The reason comes in a 334. The 535 comes after the response to that.
#[test]
#[ignore = "needs Dovecot and aiosmtpd: see CONTRIBUTING.md"]
fn dovecot_says_why_it_refuses_a_token() {
    let dovecot = Dovecot::shared();
    for mechanism in BEARER {
        let reason = reason(dovecot, mechanism);
        refuses(mechanism, "alice@example.test", &dovecot.expired, reason);
        refuses(mechanism, "alice@example.test", "ya29.dHJhbnNpZW50", reason);
        // Since 2.4 it replies 535 at once if the token is valid but for another user.
        let reason = match dovecot.is_2_3 {
            true => reason,
            false => "535 5.7.8 Authentication failed.",
        };
        refuses(mechanism, "bob@example.test", &dovecot.token, reason);
    }
}

/// The end of a sentence with Dovecot's reason for refusing a token. Since 2.4 the object (RFC
/// 7628, 3.2.2) has more members, in another order.
fn reason(dovecot: &Dovecot, mechanism: &str) -> &'static str {
    match (mechanism, dovecot.is_2_3) {
        ("XOAUTH2", true) => r#"({"status":"401","schemes":"bearer","scope":"mail"})"#,
        ("XOAUTH2", false) => {
            r#"({"schemes":"bearer","status":"401","scope":"mail","openid-configuration":""})"#
        }
        (_, true) => r#"({"status":"invalid_token"})"#,
        (_, false) => r#"({"status":"invalid_token","scope":"mail","openid-configuration":""})"#,
    }
}

/// Asserts that Dovecot refuses this token of this user, with a sentence that ends like this.
fn refuses(mechanism: &str, user: &str, token: &str, reason: &str) {
    let config = Dovecot::shared().submissions().mechanisms([mechanism]);
    let config = config.credentials(Credentials::bearer(user, token));
    let error = config.connect().unwrap_err();
    assert!(matches!(error, Error::AuthFailed(_)), "{error}");
    assert_eq!(error.code().unwrap(), 535, "{mechanism}");
    let sentence = error.to_string();
    assert!(sentence.ends_with(reason), "{sentence}");
    assert!(!sentence.contains(token), "{sentence}");
}

#[test]
#[ignore = "needs Dovecot and aiosmtpd: see CONTRIBUTING.md"]
fn dovecot_gets_a_fresh_token_for_an_expired_one() {
    let dovecot = Dovecot::shared();
    for mechanism in BEARER {
        let tokens = [&dovecot.expired, &dovecot.token].map(|token| Secret::from(token.as_str()));
        let tokens = Mutex::new(tokens.into_iter());
        let next = move || tokens.lock().unwrap().next().ok_or("a third token");
        let config = dovecot.submissions().mechanisms([*mechanism]);
        let lines = dialog(config.credentials(Credentials::token_from("alice@example.test", next)));
        let auth = format!("C: AUTH {mechanism} ***");
        assert_eq!(
            lines.iter().filter(|line| **line == auth).count(),
            2,
            "{lines:#?}"
        );
    }
}

#[test]
#[ignore = "needs Postfix: see CONTRIBUTING.md"]
fn postfix_takes_every_mechanism() {
    for mechanism in MECHANISMS {
        check(Postfix::shared().submission(), mechanism);
    }
}

// Dovecot has ANONYMOUS, but not for submission. Postfix accepts the login, but no message after
// it.
#[test]
#[ignore = "needs Postfix: see CONTRIBUTING.md"]
fn postfix_lets_nobody_in_particular_in() {
    let postfix = Postfix::shared();
    for whom_to_ask in ["alice@example.test", "Zo\u{eb}"] {
        let anonymous = Credentials::anonymous(whom_to_ask);
        let connection = postfix.submission().credentials(anonymous).connect();
        assert_eq!(connection.unwrap().quit().unwrap().code(), 221);
    }
    let error = postfix.smtps().credentials(Credentials::anonymous(""));
    assert!(matches!(error.connect(), Err(Error::Unsupported(_))));
}

#[test]
#[ignore = "needs Exim: see CONTRIBUTING.md"]
fn exim_takes_every_mechanism_it_has() {
    let exim = Exim::shared();
    for mechanism in [
        "PLAIN",
        "LOGIN",
        #[cfg(feature = "cram-md5")]
        "CRAM-MD5",
    ] {
        let starttls = exim.plain(Security::StartTls).credentials(alice());
        check(starttls, mechanism);
        check(exim.smtps().credentials(alice()), mechanism);
    }
    #[cfg(feature = "cram-md5")]
    check(exim.plain(Security::None).credentials(alice()), "CRAM-MD5");
}

#[test]
#[ignore = "needs Exim: see CONTRIBUTING.md"]
fn exim_takes_a_certificate() {
    let client = TestCa::get().client();
    for config in [
        Exim::shared().smtps(),
        Exim::shared().plain(Security::StartTls),
    ] {
        let config = config.client_identity(&client.certificate, &client.key);
        check(config.credentials(Credentials::certificate("")), "EXTERNAL");
    }
}

#[test]
#[ignore = "needs Exim: see CONTRIBUTING.md"]
fn exim_offers_no_external_without_a_certificate() {
    let config = Exim::shared().smtps();
    let error = config.credentials(Credentials::certificate("")).connect();
    assert!(matches!(error.unwrap_err(), Error::Unsupported(_)));
}
