//! Which certificates the client trusts, and the switches that change it.
use crate::peer::{Leaf, Script, TestCa};
use crate::support::session::{config_for, failure, hello, nobody, said, session, starttls};
use native_tls::{Certificate, TlsConnector};
use smtplib::error::{ConfigError, TlsReason};
use smtplib::{Config, Error, Security, SmtpConnection};
use std::sync::OnceLock;

/// The certificates that the peer can show.
const LEAVES: [&str; 5] = [
    "good",
    "wrong-name",
    "expired",
    "not-yet-valid",
    "self-signed",
];

/// Trusts the authority of the tests, with the library's own connector.
fn trusting() -> Config {
    static TRUSTING: OnceLock<Config> = OnceLock::new();
    let new = || {
        let config = Config::new("127.0.0.1").hello_name("client.example");
        config.root_certificates(TestCa::get().root_pem())
    };
    TRUSTING.get_or_init(new).clone()
}

/// As [`trusting`], but with any name.
fn whatever_name() -> Config {
    static CONFIG: OnceLock<Config> = OnceLock::new();
    CONFIG
        .get_or_init(|| trusting().danger_accept_invalid_hostnames(true))
        .clone()
}

/// Trusts every certificate.
fn whoever() -> Config {
    static CONFIG: OnceLock<Config> = OnceLock::new();
    CONFIG
        .get_or_init(|| trusting().danger_accept_invalid_certs(true))
        .clone()
}

/// STARTTLS up to the certificate, which the client must trust or not.
fn shows(leaf: &str, is_believed: bool) -> Script {
    let end = match is_believed {
        true => format!("TLS {leaf}\n{}", hello(&[])),
        false => format!("TLS-refused {leaf}"),
    };
    session(
        &["STARTTLS"],
        &format!("C: STARTTLS\nS: 220 go ahead\n{end}"),
    )
}

/// Connects to a peer that shows this certificate, and returns whether it was trusted.
fn is_believed(config: &Config, leaf: &str, expected: bool) -> bool {
    let peer = shows(leaf, expected).listen();
    let config = config.clone().port(peer.port());
    let result = config.connect();
    assert!(
        matches!(result, Ok(_) | Err(Error::Tls(_))),
        "{leaf}: {result:?}"
    );
    let is_believed = result.is_ok_and(|smtp| smtp.is_tls());
    drop(peer.outcome());
    is_believed
}

fn check(config: &Config, believed: &[&str]) {
    for leaf in LEAVES {
        let expected = believed.contains(&leaf);
        assert_eq!(is_believed(config, leaf, expected), expected, "{leaf}");
    }
}

// 3207-09, 8314-03, C1, C2, dialog 20
#[test]
fn only_a_good_certificate_is_believed() {
    check(&trusting(), &["good"]);
}

// C1: the switch for names affects only names.
#[test]
fn invalid_names_can_be_accepted() {
    check(&whatever_name(), &["good", "wrong-name"]);
}

#[test]
fn invalid_certificates_can_be_accepted() {
    check(&whoever(), &LEAVES);
}

// C1, C2: both switches, turned off again.
#[test]
fn switched_off_again_the_switches_do_nothing() {
    let config = whoever().danger_accept_invalid_certs(false);
    check(&config, &["good"]);
    let config = whatever_name().danger_accept_invalid_hostnames(false);
    check(&config, &["good"]);
}

// C2: without its root the same certificate is not trusted.
#[test]
fn an_unknown_authority_is_not_believed() {
    let builder = &mut TlsConnector::builder();
    let connector = builder.disable_built_in_roots(true).build().unwrap();
    let config = Config::new("127.0.0.1").hello_name("client.example");
    check(&config.tls_connector(connector), &[]);
}

// C2, T6, field C8: the sentence says why and what to do. Nothing is tried without TLS.
#[cfg(target_os = "linux")]
#[test]
fn the_error_says_why() {
    for (leaf, reason, why) in [
        (
            "wrong-name",
            TlsReason::WrongName,
            "is for another name: set Config::tls_server_name to the name that it is for",
        ),
        (
            "expired",
            TlsReason::Expired,
            "has expired: it must be renewed, unless this machine's clock is wrong",
        ),
        (
            "not-yet-valid",
            TlsReason::NotYetValid,
            "is not valid yet: is this machine's clock wrong?",
        ),
        (
            "self-signed",
            TlsReason::UnknownIssuer,
            "this machine does not trust the issuer of the server's certificate: add the issuer with Config::root_certificates",
        ),
    ] {
        let peer = shows(leaf, false).listen();
        let error = failure(&starttls(&peer));
        let sentence = said(&error);
        let begin = "the TLS handshake with the server failed: ";
        assert!(
            sentence.starts_with(begin) && sentence.ends_with(why),
            "{sentence}"
        );
        let Error::Tls(failure) = &error else {
            panic!("{error:?}");
        };
        assert_eq!(failure.reason(), reason);
        assert!(std::error::Error::source(&error).is_none() && !error.is_transient());
        assert_eq!(
            peer.finish().clear(),
            b"EHLO client.example\r\nSTARTTLS\r\n"
        );
    }
}

// 8314-08, C3, field C8
#[test]
fn tls_before_1_2_is_refused() {
    for config in [trusting(), whoever()] {
        let peer = shows("1.1", false).listen();
        let error = failure(&config.port(peer.port()));
        let Error::Tls(why) = &error else {
            panic!("{error:?}")
        };
        if cfg!(target_os = "linux") {
            assert_eq!(why.reason(), TlsReason::ProtocolTooOld);
            assert!(said(&error).ends_with("the server does not support TLS 1.2 or newer"));
        }
        assert!(!error.is_transient());
        peer.finish();
    }
}

// 3207-10, 8314-10: the verified name is the one that the user gave.
#[test]
fn the_expected_name_can_be_given() {
    for (name, leaf, expected) in [
        ("mx.example.org", "good", true),
        ("other.example", "wrong-name", true),
        ("other.example", "good", false),
        ("127.0.0.1", "wrong-name", false),
    ] {
        let config = trusting().tls_server_name(name);
        assert_eq!(is_believed(&config, leaf, expected), expected, "{name}");
    }
}

// 8314-05: SNI has a name, but not an address.
#[test]
fn the_name_is_asked_for() {
    for (host, expected, given) in [
        ("localhost", "localhost", None),
        ("127.0.0.1", "mx.example.org", Some("mx.example.org")),
    ] {
        let rest = format!("C: STARTTLS\nS: 220 go ahead\nChello {expected}\nEOF\nCignore");
        let peer = session(&["STARTTLS"], &rest).listen();
        let config = config_for(host, peer.port()).security(Security::StartTls);
        let config = match given {
            Some(name) => config.tls_server_name(name),
            None => config,
        };
        failure(&config);
        peer.finish();
    }
}

// 8314-03, 8314-05: IPv4 and IPv6 addresses are verified as addresses, names as names.
#[test]
fn hosts_of_every_kind_are_verified() {
    let script = || session(&[], "C: QUIT\nS: 221 bye");
    let peers = [script().listen_tls(), script().listen_tls()];
    for (peer, host) in peers.into_iter().zip(["127.0.0.1", "localhost"]) {
        let config = config_for(host, peer.port()).security(Security::ImplicitTls);
        assert!(config.connect().unwrap().quit().is_some());
        peer.finish();
    }
    let rest = format!("C: STARTTLS\nS: 220 go ahead\nTLS\n{}", hello(&[]));
    let peer = session(&["STARTTLS"], &rest).listen_v6();
    let smtp = starttls(&peer).connect().unwrap();
    assert!(smtp.is_tls());
    drop(smtp);
    peer.finish();
}

// 3207-11
#[test]
fn the_certificate_can_be_seen() {
    let peer = shows("good", true).listen();
    let smtp = trusting().port(peer.port()).connect().unwrap();
    let pem = &TestCa::get().leaf(Leaf::Good).certificate;
    let expected = Certificate::from_pem(pem.as_bytes()).unwrap();
    assert_eq!(smtp.peer_certificate(), Some(expected.to_der().unwrap()));
    drop(smtp);
    peer.finish();
}

// Several roots in one text, and roots added one after the other.
#[test]
fn roots_add_up() {
    let stranger = &TestCa::get().leaf(Leaf::SelfSigned).certificate;
    let both = format!("{stranger}\n{}", TestCa::get().root_pem());
    let config = Config::new("127.0.0.1").hello_name("client.example");
    let config = config.root_certificates(both);
    check(&config, &["good", "self-signed"]);
}

#[test]
fn roots_that_are_none_are_refused() {
    for pem in [
        &b""[..],
        b"mx.example.org",
        b"-----BEGIN CERTIFICATE-----\n\xff\xfeAA\n-----END CERTIFICATE-----\n",
        b"\xff\xfe-\0-\0",
        b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        TestCa::get().client().key.as_bytes(),
    ] {
        let error = failure(&Config::new("mx").root_certificates(pem));
        let is_told = matches!(error, Error::Config(ConfigError::Certificate));
        assert!(is_told, "{error:?}");
    }
}

// Bundles have remarks, in any encoding.
#[test]
fn a_remark_beside_a_root_does_no_harm() {
    let root = TestCa::get().root_pem();
    let off = format!("# {}\n", root.trim_end().replace('\n', "\n# "));
    let pem = [
        b"# T\xfcrktrust\n",
        off.as_bytes(),
        root.as_bytes(),
        b"# \xff\n",
    ]
    .concat();
    let config = Config::new("127.0.0.1").hello_name("client.example");
    check(&config.root_certificates(pem), &["good"]);
}

// Many tools write certificate and key into one file, in either order.
#[test]
fn a_client_certificate_and_its_key_may_share_a_file() {
    let client = TestCa::get().client();
    let (chain, key) = (&client.certificate, &client.key);
    for both in [format!("{chain}{key}"), format!("# a key\n{key}{chain}")] {
        let config = trusting().client_identity(&both, &both);
        assert!(is_believed(&config, "good", true));
    }
}

// 8314-06
#[test]
fn a_client_certificate_does_no_harm() {
    let client = TestCa::get().client();
    let chain = client.certificate.as_bytes();
    let config = trusting().client_identity(chain, &client.key);
    assert!(is_believed(&config, "good", true));
    assert!(!is_believed(&config, "wrong-name", false));
}

#[test]
fn a_client_certificate_that_is_none_is_refused() {
    let client = TestCa::get().client();
    let (chain, key) = (client.certificate.as_bytes(), client.key.as_bytes());
    let binary = b"-----BEGIN CERTIFICATE-----\n\xff\xfe\n-----END CERTIFICATE-----\n";
    for (chain, key) in [
        (&b""[..], key),
        (chain, &b""[..]),
        (key, chain),
        (b"\xff\xfe", key),
        (chain, b"\xff\xfe"),
        (binary, key),
    ] {
        let error = failure(&Config::new("mx").client_identity(chain, key));
        let is_told = matches!(error, Error::Config(ConfigError::Identity));
        assert!(is_told, "{error:?}");
    }
    // A certificate and a key that do not belong together are an error at the latest when they are
    // used.
    let stranger = TestCa::get().leaf(Leaf::Good).key.as_bytes();
    let peer = nobody();
    let config = trusting().port(peer.port());
    assert!(matches!(
        failure(&config.client_identity(chain, stranger)),
        Error::Config(ConfigError::Identity)
    ));
    peer.finish();
}

// 8314-02, Python's SMTP_SSL: the short way verifies, too, and the test's authority is not one of
// the system's roots.
#[test]
fn the_short_ways_verify() {
    let peer = Script::new("TLS-refused good").listen();
    let error = SmtpConnection::connect_tls(&peer.host(), peer.port()).unwrap_err();
    assert!(matches!(error, Error::Tls(_)), "{error:?}");
    peer.finish();

    let rest = "C: STARTTLS\nS: 220 go ahead\nTLS-refused good";
    let script = format!("S: 220 mx\nC: EHLO [127.0.0.1]\nS: 250-mx\nS: 250 STARTTLS\n{rest}");
    let peer = Script::new(&script).listen();
    let mut smtp = SmtpConnection::connect(&peer.host(), peer.port()).unwrap();
    assert!(matches!(smtp.starttls().unwrap_err(), Error::Tls(_)));
    peer.finish();
}

// The `Debug` of a configuration shows how safe it is.
#[test]
fn the_switches_can_be_seen() {
    let peer = nobody();
    let shown = format!("{:?}", whoever());
    assert!(shown.contains("accept_invalid_certs: true"), "{shown}");
    assert!(shown.contains("accept_invalid_hostnames: false"), "{shown}");
    peer.finish();
}
