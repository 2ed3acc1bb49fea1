//! A certificate authority for the tests, made once per process.
//!
//! Nothing of it is in the repository, so no key leaks and no certificate expires there. The
//! acceptors are those of `native-tls`, which cannot ask the client for its certificate. So
//! [`TestCa::client`] shows only that a client identity is accepted and does no harm, not that it
//! arrives.
use native_tls::{Certificate, Identity, TlsAcceptor, TlsConnector};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use std::sync::OnceLock;

/// Which certificate the peer shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaf {
    /// For the right names, from the authority, but expired.
    Expired,
    /// For `localhost`, `mx.example.org`, `127.0.0.1` and `::1`.
    Good,
    /// For the right names, from the authority, but not valid yet.
    NotYetValid,
    /// For the right names, but self-signed.
    SelfSigned,
    /// From the authority, but for `other.example`.
    WrongName,
}

impl Leaf {
    /// The leaf that a script names: `expired`, `good`, `not-yet-valid`, `self-signed` or
    /// `wrong-name`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        match name {
            "expired" => Some(Self::Expired),
            "good" => Some(Self::Good),
            "not-yet-valid" => Some(Self::NotYetValid),
            "self-signed" => Some(Self::SelfSigned),
            "wrong-name" => Some(Self::WrongName),
            _ => None,
        }
    }
}

/// A certificate and its PKCS#8 key, both in PEM: what `Identity::from_pkcs8` takes.
#[derive(Debug)]
pub(crate) struct Pem {
    pub(crate) certificate: String,
    pub(crate) key: String,
}

impl Pem {
    pub(crate) fn identity(&self) -> native_tls::Result<Identity> {
        Identity::from_pkcs8(self.certificate.as_bytes(), self.key.as_bytes())
    }
}

/// The authority, its leaves and its client certificate.
#[derive(Debug)]
pub(crate) struct TestCa {
    root: String,
    client: Pem,
    expired: Pem,
    good: Pem,
    not_yet_valid: Pem,
    self_signed: Pem,
    wrong_name: Pem,
}

impl TestCa {
    /// The authority of this process.
    pub(crate) fn get() -> &'static Self {
        static CA: OnceLock<TestCa> = OnceLock::new();
        CA.get_or_init(Self::new)
    }

    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let params = root();
        let root = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        let mut expired = leaf(NAMES);
        expired.not_after = date_time_ymd(2020, 1, 1);
        let mut not_yet_valid = leaf(NAMES);
        not_yet_valid.not_before = date_time_ymd(4000, 1, 1);
        Self {
            root,
            client: signed(&client(), Some(&issuer)),
            expired: signed(&expired, Some(&issuer)),
            good: signed(&leaf(NAMES), Some(&issuer)),
            not_yet_valid: signed(&not_yet_valid, Some(&issuer)),
            self_signed: signed(&leaf(NAMES), None),
            wrong_name: signed(&leaf(&["other.example"]), Some(&issuer)),
        }
    }

    /// The certificate that a client must trust, in PEM.
    pub(crate) fn root_pem(&self) -> &str {
        &self.root
    }

    /// A certificate for TLS client authentication, with its key.
    pub(crate) fn client(&self) -> &Pem {
        &self.client
    }

    pub(crate) fn leaf(&self, leaf: Leaf) -> &Pem {
        match leaf {
            Leaf::Expired => &self.expired,
            Leaf::Good => &self.good,
            Leaf::NotYetValid => &self.not_yet_valid,
            Leaf::SelfSigned => &self.self_signed,
            Leaf::WrongName => &self.wrong_name,
        }
    }

    /// The server's side of TLS 1.2 and later. It fails if this system's TLS library cannot use the
    /// key.
    pub(crate) fn acceptor(&self, leaf: Leaf) -> native_tls::Result<TlsAcceptor> {
        TlsAcceptor::new(self.leaf(leaf).identity()?)
    }

    /// The client's side, which trusts only this authority.
    ///
    /// Made once. OpenSSL reads all roots of the system for every connector, even if they are not
    /// wanted, and that takes longer than a test.
    pub(crate) fn connector(&self) -> TlsConnector {
        static CONNECTOR: OnceLock<TlsConnector> = OnceLock::new();
        CONNECTOR.get_or_init(|| self.new_connector()).clone()
    }

    fn new_connector(&self) -> TlsConnector {
        TlsConnector::builder()
            .disable_built_in_roots(true)
            .add_root_certificate(Certificate::from_pem(self.root_pem().as_bytes()).unwrap())
            .build()
            .unwrap()
    }
}

fn root() -> CertificateParams {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "authority of the tests");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

fn leaf(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params
        .distinguished_name
        .push(DnType::CommonName, "leaf of the tests");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

fn client() -> CertificateParams {
    let mut params = leaf(&["client.example"]);
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}

/// Signs by `issuer`, or makes it self-signed.
fn signed(params: &CertificateParams, issuer: Option<&Issuer<'_, KeyPair>>) -> Pem {
    let key = KeyPair::generate().unwrap();
    let certificate = match issuer {
        Some(issuer) => params.signed_by(&key, issuer),
        None => params.self_signed(&key),
    };
    Pem {
        certificate: certificate.unwrap().pem(),
        key: key.serialize_pem(),
    }
}

/// The names of the peer. An address in text becomes an address in the certificate.
const NAMES: &[&str] = &["localhost", "mx.example.org", "127.0.0.1", "::1"];
