//! Each mechanism with the servers that have it, under TLS and without.

use std::sync::{Arc, Mutex};

use smtplib::{Config, Credentials, Error, Security};

use crate::ca::TestCa;
use crate::dovecot::Dovecot;
use crate::exim::Exim;
use crate::postfix::Postfix;
use crate::server::alice;

/// The mechanisms of this build that Dovecot and Postfix have, too.
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
/// Those of them that show no password.
const HASHED: &[&str] = &[
    #[cfg(feature = "scram")]
    "SCRAM-SHA-256",
    #[cfg(feature = "scram")]
    "SCRAM-SHA-1",
    #[cfg(feature = "cram-md5")]
    "CRAM-MD5",
];

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

/// Logs in by this mechanism alone.
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

// A password goes as it is, which is how servers keep it.
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
#[ignore = "needs Postfix: see CONTRIBUTING.md"]
fn postfix_takes_every_mechanism() {
    for mechanism in MECHANISMS {
        check(Postfix::shared().submission(), mechanism);
    }
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
