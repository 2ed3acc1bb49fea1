//! A certificate authority made on the spot, which nobody trusts who is not told to.

use std::fs;
use std::path::Path;
use std::time::Duration;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose,
};
use smtplib::Config;

/// How long a server on this machine may take for a step, so that a test ends that waits in vain.
pub(crate) const BUDGET: Duration = Duration::from_secs(30);

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

    /// How a client reaches a server with a certificate of this authority.
    pub(crate) fn config(&self, port: u16) -> Config {
        let config = Config::new("localhost").port(port).timeout(BUDGET);
        let pem = self.certificate.pem();
        config.root_certificates(pem.as_bytes()).expect("one certificate in PEM")
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
