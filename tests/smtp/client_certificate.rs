//! Servers that require a client certificate, or are too old. `native_tls` can do neither, so the
//! server here uses OpenSSL directly.
use crate::peer::{Leaf, TestCa};
use crate::support::session::config_for;
use openssl::pkey::PKey;
use openssl::ssl::{SslAcceptor, SslMethod, SslVerifyMode, SslVersion};
use openssl::x509::X509;
use openssl::x509::store::X509StoreBuilder;
use smtplib::error::TlsReason;
use smtplib::protocol::Step;
use smtplib::{Config, Error, Security};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread;

/// TLS of one version, for clients with a certificate from the authority of the tests.
fn acceptor(version: SslVersion) -> SslAcceptor {
    let ca = TestCa::get();
    let good = ca.leaf(Leaf::Good);
    let x509 = |pem: &str| X509::from_pem(pem.as_bytes()).unwrap();
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
    let key = PKey::private_key_from_pem(good.key.as_bytes()).unwrap();
    acceptor.set_private_key(&key).unwrap();
    acceptor.set_certificate(&x509(&good.certificate)).unwrap();
    // TLS 1.0 and 1.1 use hashes that the defaults exclude.
    acceptor.set_cipher_list("ALL:@SECLEVEL=0").unwrap();
    acceptor.set_min_proto_version(Some(version)).unwrap();
    acceptor.set_max_proto_version(Some(version)).unwrap();
    let mut store = X509StoreBuilder::new().unwrap();
    store.add_cert(x509(ca.root_pem())).unwrap();
    acceptor.set_verify_cert_store(store.build()).unwrap();
    acceptor.set_verify(SslVerifyMode::PEER | SslVerifyMode::FAIL_IF_NO_PEER_CERT);
    acceptor.build()
}

/// One connection of such a server: greeting and EHLO if the handshake succeeds.
fn serve(listener: &TcpListener, version: SslVersion, is_starttls: bool) {
    let (stream, _) = listener.accept().unwrap();
    if is_starttls {
        (&stream).write_all(b"220 mx.example.org\r\n").unwrap();
        answer(&stream, "250-mx.example.org\r\n250 STARTTLS\r\n");
        answer(&stream, "220 go ahead\r\n");
    }
    let after = stream.try_clone().unwrap();
    match acceptor(version).accept(stream) {
        Ok(mut tls) => {
            if !is_starttls {
                tls.write_all(b"220 mx.example.org\r\n").unwrap();
            }
            answer(&mut tls, "250 mx.example.org\r\n");
        }
        // Reads to the end, so that a reset does not destroy the alert.
        Err(_) => drop((&after).read_to_end(&mut Vec::new())),
    }
}

fn answer(mut stream: impl Read + Write, reply: &str) {
    let mut line = String::new();
    BufReader::with_capacity(1, &mut stream)
        .read_line(&mut line)
        .unwrap();
    stream.write_all(reply.as_bytes()).unwrap();
}

/// Connects to such a server.
fn connect(config: Config, version: SslVersion, is_starttls: bool) -> Result<(), Error> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || serve(&listener, version, is_starttls));
    let security = [Security::ImplicitTls, Security::StartTls];
    let config = config
        .port(port)
        .security(security[usize::from(is_starttls)]);
    let result = config.connect().map(drop);
    server.join().unwrap();
    result
}

/// Trusts the authority of the tests, and has no certificate.
fn nameless() -> Config {
    config_for("127.0.0.1", 0)
}

// 8314-06; RFC 8446, 4.4.2.4: the server refuses after the handshake, so the first read fails.
#[test]
fn a_certificate_that_is_missing_is_named() {
    for is_starttls in [false, true] {
        let error = connect(nameless(), SslVersion::TLS1_3, is_starttls).unwrap_err();
        let Error::Tls(why) = &error else {
            panic!("{error:?}")
        };
        assert_eq!(why.reason(), TlsReason::ClientCertificate, "{error:?}");
        let step = [Step::Greeting, Step::Hello][usize::from(is_starttls)];
        assert_eq!(
            crate::support::session::said(&error),
            format!(
                "TLS with the server failed at {step}: the server wants a client certificate that it trusts: set Config::client_identity"
            )
        );
        assert!(!error.is_transient() && error.is_closed());
        assert_eq!(error.step(), Some(step));
    }
}

// TLS 1.2 has no special alert for this.
#[test]
fn a_certificate_that_is_missing_in_tls_1_2() {
    for is_starttls in [false, true] {
        let error = connect(nameless(), SslVersion::TLS1_2, is_starttls).unwrap_err();
        assert!(matches!(error, Error::Tls(_)), "{error:?}");
        assert!(!error.is_transient());
        assert_eq!(error.step(), Some(Step::Handshake));
    }
}

#[test]
fn a_certificate_that_is_wanted_is_shown() {
    let client = TestCa::get().client();
    let config = Config::new("127.0.0.1")
        .hello_name("client.example")
        .root_certificates(TestCa::get().root_pem().as_bytes())
        .client_identity(client.certificate.as_bytes(), client.key.as_bytes());
    for version in [SslVersion::TLS1_2, SslVersion::TLS1_3] {
        for is_starttls in [false, true] {
            connect(config.clone(), version, is_starttls).unwrap();
        }
    }
}

// 8314-08, field C8: a server that knows only old versions sends an alert, and does not say which
// it has.
#[test]
fn a_server_that_is_too_old_is_named() {
    for version in [SslVersion::TLS1, SslVersion::TLS1_1] {
        for is_starttls in [false, true] {
            let error = connect(nameless(), version, is_starttls).unwrap_err();
            let Error::Tls(why) = &error else {
                panic!("{error:?}")
            };
            assert_eq!(why.reason(), TlsReason::ProtocolTooOld, "{error:?}");
            assert_eq!(
                crate::support::session::said(&error),
                "the TLS handshake with the server failed: the server does not support TLS 1.2 or newer"
            );
            assert!(!error.is_transient() && error.is_closed());
        }
    }
}
