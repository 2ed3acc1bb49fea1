//! TLS and AUTH with real servers: what is accepted, and what is refused.

use smtplib::{Config, Credentials, Delivery, Error, Security};

use crate::aiosmtpd::{Aiosmtpd, TOKEN};
use crate::postfix::Postfix;

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn postfix_takes_plain_after_starttls() {
    let postfix = Postfix::shared();
    let trace = delivered_by(postfix, postfix.submission().mechanisms(["PLAIN"]), "PLAIN");
    assert!(
        trace.contains("(Authenticated sender: alice@example.test)"),
        "{trace}"
    );
    assert!(trace.contains(" with ESMTPSA "), "{trace}");
}

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn postfix_takes_login_after_starttls() {
    let postfix = Postfix::shared();
    let trace = delivered_by(postfix, postfix.submission().mechanisms(["LOGIN"]), "LOGIN");
    assert!(trace.contains(" with ESMTPSA "), "{trace}");
    assert!(postfix.log_of(&trace).contains("sasl_method=LOGIN"));
}

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn postfix_takes_implicit_tls_and_the_mechanism_the_library_prefers() {
    let postfix = Postfix::shared();
    let trace = delivered_by(postfix, postfix.smtps(), "implicit TLS");
    assert!(trace.contains(" with ESMTPSA "), "{trace}");
    let best = match cfg!(feature = "scram") {
        true => "sasl_method=SCRAM-SHA-256",
        false => "sasl_method=PLAIN",
    };
    assert!(postfix.log_of(&trace).contains(best));
}

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn opportunistic_security_uses_the_starttls_that_postfix_offers() {
    let postfix = Postfix::shared();
    let config = postfix.plain(Security::Opportunistic);
    let trace = delivered_by(postfix, config, "opportunistic TLS");
    assert!(trace.contains(" with ESMTPS "), "{trace}");
}

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn no_security_is_to_be_had_by_asking_for_it() {
    let postfix = Postfix::shared();
    let trace = delivered_by(postfix, postfix.plain(Security::None), "no security");
    assert!(trace.contains(" with ESMTP "), "{trace}");
}

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn a_wrong_password_is_535_from_both_servers() {
    let postfix = Postfix::shared();
    let aiosmtpd = Aiosmtpd::shared();
    for config in [postfix.submission(), aiosmtpd.starttls()] {
        let wrong = Credentials::password("alice@example.test", "looking-glass");
        let error = config.credentials(wrong).connect().unwrap_err();
        assert!(matches!(error, Error::AuthFailed(_)), "{error}");
        assert_eq!(error.code().unwrap(), 535);
        assert!(error.is_permanent());
    }
}

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn a_certificate_that_nobody_vouches_for_is_refused() {
    let postfix = Postfix::shared();
    let aiosmtpd = Aiosmtpd::shared();
    let implicit = |port| {
        Config::new("localhost")
            .port(port)
            .security(Security::ImplicitTls)
    };
    for config in [
        Config::new("localhost").port(postfix.submission_port),
        implicit(postfix.smtps_port),
        Config::new("localhost").port(aiosmtpd.smtp_port),
        implicit(aiosmtpd.smtps_port),
    ] {
        let alice = Credentials::password("alice@example.test", "wonderland");
        let error = config.credentials(alice).connect().unwrap_err();
        assert!(matches!(error, Error::Tls(_)), "{error}");
        assert_eq!(error.delivery(), Delivery::NotDelivered);
    }
}

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn a_certificate_for_another_name_is_refused() {
    let postfix = Postfix::shared();
    let config = postfix.submission().tls_server_name("mail.example.test");
    let error = config.connect().unwrap_err();
    assert!(matches!(error, Error::Tls(_)), "{error}");
}

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn a_password_does_not_go_over_a_connection_without_tls() {
    let alice = Credentials::password("alice@example.test", "wonderland");
    let config = Postfix::shared().plain(Security::None).credentials(alice);
    let error = config.connect().unwrap_err();
    assert!(matches!(error, Error::PlaintextAuth { .. }), "{error}");
}

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn a_server_that_demands_starttls_refuses_the_sender_without_it() {
    let postfix = Postfix::shared();
    let config = postfix.plain(Security::None).port(postfix.submission_port);
    let mut connection = config.connect().unwrap();
    let sent = connection.sendmail(
        "alice@example.test",
        ["bob@example.test"],
        "Subject: no\r\n",
    );
    let error = sent.unwrap_err();
    assert!(matches!(error, Error::SenderRefused(_)), "{error}");
    assert_eq!(error.code().unwrap(), 530);
}

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn aiosmtpd_takes_plain_and_login_after_starttls_and_over_implicit_tls() {
    let aiosmtpd = Aiosmtpd::shared();
    for mechanism in ["PLAIN", "LOGIN"] {
        for config in [aiosmtpd.starttls(), aiosmtpd.implicit_tls()] {
            let connection = config.mechanisms([mechanism]).connect().unwrap();
            assert!(connection.is_tls());
            assert_eq!(connection.quit().unwrap().code(), 221);
        }
    }
}

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn aiosmtpd_takes_a_token_by_both_bearer_mechanisms() {
    let aiosmtpd = Aiosmtpd::shared();
    for mechanism in ["XOAUTH2", "OAUTHBEARER"] {
        let alice = Credentials::bearer("alice@example.test", TOKEN);
        let config = aiosmtpd.starttls().credentials(alice);
        config.mechanisms([mechanism]).connect().unwrap();
    }
}

#[test]
#[ignore = "needs Postfix and aiosmtpd: see CONTRIBUTING.md"]
fn the_reason_for_refusing_a_token_reaches_the_caller() {
    let aiosmtpd = Aiosmtpd::shared();
    for (mechanism, reason) in [
        (
            "XOAUTH2",
            r#"{"status":"401","schemes":"bearer","scope":"https://mail.example.test/"}"#,
        ),
        ("OAUTHBEARER", r#"{"status":"invalid_token"}"#),
    ] {
        let alice = Credentials::bearer("alice@example.test", "expired");
        let config = aiosmtpd.starttls().credentials(alice);
        let error = config.mechanisms([mechanism]).connect().unwrap_err();
        assert_eq!(error.code().unwrap(), 535);
        assert!(error.to_string().contains(reason), "{error}");
        assert!(!error.to_string().contains("expired"), "{error}");
    }
}

/// Sends one message, and returns the trace headers that Postfix put before it.
fn delivered_by(postfix: &Postfix, config: Config, subject: &str) -> String {
    let message = format!("Subject: {subject}\r\n\r\nHello\r\n");
    let mut connection = config.connect().unwrap();
    let sent = connection.sendmail("alice@example.test", ["carol@example.test"], &message);
    assert!(sent.unwrap().is_complete());
    let delivered = postfix.delivered("carol", &format!("Subject: {subject}"));
    assert_eq!(delivered.message, message.replace("\r\n", "\n").as_bytes());
    delivered.trace
}
