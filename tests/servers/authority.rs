//! A certificate authority made on the spot, which nobody trusts who is not told to.

use std::fs;
use std::path::Path;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};

/// The names under which the tests reach their servers.
const NAMES: [&str; 2] = ["localhost", "127.0.0.1"];

pub(crate) struct Authority {
    certificate: Certificate,
    key: KeyPair,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "The tests' own authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().expect("a new key");
        let certificate = params
            .self_signed(&key)
            .expect("an authority signs for itself");
        Self { certificate, key }
    }

    /// The certificate that a client has to trust.
    pub(crate) fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// Writes `certificate.pem` and `key.pem` of a server on this machine.
    pub(crate) fn issue(&self, directory: &Path) {
        let mut params = CertificateParams::new(NAMES.map(String::from)).expect("valid names");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let key = KeyPair::generate().expect("a new key");
        let certificate = params
            .signed_by(&key, &self.certificate, &self.key)
            .expect("the authority signs");
        fs::write(directory.join("certificate.pem"), certificate.pem()).expect("a new file");
        fs::write(directory.join("key.pem"), key.serialize_pem()).expect("a new file");
    }
}
