//! [`TlsOptions`]: root certificates, and the client's own certificate.

use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use native_tls::{Certificate, Identity, Protocol, TlsConnector, TlsConnectorBuilder};

use crate::config::error::ConfigError;
use crate::config::pem;

/// The root certificates to trust, and the client's own certificate.
#[derive(Clone, Default)]
pub(crate) struct TlsOptions {
    roots: Vec<Certificate>,
    root_files: Vec<PathBuf>,
    only_given_roots: bool,
    identity: Option<ClientIdentity>,
    accept_invalid_certs: bool,
    accept_invalid_hostnames: bool,
    server_name: Option<String>,
    /// Set together with a file, so that only programs that name one have the code that reads it.
    load_files: Option<LoadFiles>,
    /// A connector that the caller has made.
    own: Option<TlsConnector>,
    /// The connector made of all this. Making one reads the system's roots, which takes longer
    /// than most sessions: connections share it, and so do copies of a configuration, until
    /// one of them changes.
    made: Arc<OnceLock<TlsConnector>>,
}

type LoadFiles = fn(&TlsOptions, &mut TlsConnectorBuilder) -> Result<(), ConfigError>;

/// The client's certificate and key.
#[derive(Clone)]
enum ClientIdentity {
    Files { chain: PathBuf, key: PathBuf },
    Given(Identity),
}

impl TlsOptions {
    /// Trusts the certificates in a PEM text, too.
    pub(crate) fn add_roots(&mut self, pem: &[u8]) -> Result<(), ConfigError> {
        self.roots.extend(certificates(pem)?);
        self.made = Arc::default();
        Ok(())
    }

    /// Trusts the certificates in a PEM file, too.
    pub(crate) fn add_root_file(&mut self, path: PathBuf) {
        self.root_files.push(path);
        self.load_files = Some(Self::load_files);
        self.made = Arc::default();
    }

    /// Leaves the system's roots out.
    pub(crate) fn only_given_roots(&mut self, yes: bool) {
        self.only_given_roots = yes;
        self.made = Arc::default();
    }

    /// Shows the server a certificate.
    pub(crate) fn set_identity(&mut self, chain: &[u8], key: &[u8]) -> Result<(), ConfigError> {
        self.identity = Some(ClientIdentity::Given(identity(chain, key)?));
        self.made = Arc::default();
        Ok(())
    }

    /// Shows the server a certificate from a file.
    pub(crate) fn set_identity_files(&mut self, chain: PathBuf, key: PathBuf) {
        self.identity = Some(ClientIdentity::Files { chain, key });
        self.load_files = Some(Self::load_files);
        self.made = Arc::default();
    }

    /// Takes any certificate.
    pub(crate) fn accept_invalid_certs(&mut self, yes: bool) {
        self.accept_invalid_certs = yes;
        self.made = Arc::default();
    }

    /// Takes a certificate for another name.
    pub(crate) fn accept_invalid_hostnames(&mut self, yes: bool) {
        self.accept_invalid_hostnames = yes;
        self.made = Arc::default();
    }

    /// Expects another name than the host's in the certificate.
    pub(crate) fn set_server_name(&mut self, name: String) {
        self.server_name = Some(name);
    }

    /// Uses a connector that somebody else has made.
    pub(crate) fn set_connector(&mut self, connector: TlsConnector) {
        self.own = Some(connector);
    }

    /// Whether the options go together.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        if self.own.is_some() && self.is_any_set() {
            return Err(ConfigError::Connector);
        }
        if self.only_given_roots && self.roots.is_empty() && self.root_files.is_empty() {
            return Err(ConfigError::NoRoots);
        }
        Ok(())
    }

    /// Whether anything is set that a connector is made of.
    pub(crate) fn is_any_set(&self) -> bool {
        let has_roots = !self.roots.is_empty() || !self.root_files.is_empty();
        let has_switch = self.accept_invalid_certs || self.accept_invalid_hostnames;
        has_roots || has_switch || self.only_given_roots || self.identity.is_some()
    }

    pub(crate) fn accepts_invalid_certs(&self) -> bool {
        self.accept_invalid_certs
    }

    pub(crate) fn accepts_invalid_hostnames(&self) -> bool {
        self.accept_invalid_hostnames
    }

    pub(crate) fn has_connector(&self) -> bool {
        self.own.is_some()
    }

    /// Whether certificates and names are verified, as far as these options say.
    pub(crate) fn verifies(&self) -> bool {
        !self.accept_invalid_certs && !self.accept_invalid_hostnames
    }

    /// The connector these options ask for.
    pub(crate) fn connector(&self) -> Result<&TlsConnector, ConfigError> {
        if let Some(connector) = self.own.as_ref().or_else(|| self.made.get()) {
            return Ok(connector);
        }
        let connector = self.build()?;
        Ok(self.made.get_or_init(|| connector))
    }

    /// TLS 1.2 is the minimum (RFC 8996), whatever the platform would allow.
    fn build(&self) -> Result<TlsConnector, ConfigError> {
        let mut builder = TlsConnector::builder();
        builder.min_protocol_version(Some(Protocol::Tlsv12));
        builder.danger_accept_invalid_certs(self.accept_invalid_certs);
        builder.danger_accept_invalid_hostnames(self.accept_invalid_hostnames);
        builder.disable_built_in_roots(self.only_given_roots);
        for root in &self.roots {
            builder.add_root_certificate(root.clone());
        }
        if let Some(ClientIdentity::Given(identity)) = &self.identity {
            builder.identity(identity.clone());
        }
        if let Some(load_files) = self.load_files {
            load_files(self, &mut builder)?;
        }
        // Some platforms find out only now that certificate and key do not match.
        builder.build().map_err(|error| match self.identity {
            Some(_) => ConfigError::Identity,
            None => ConfigError::Tls(error.to_string().into()),
        })
    }

    fn load_files(&self, builder: &mut TlsConnectorBuilder) -> Result<(), ConfigError> {
        for path in &self.root_files {
            let roots = certificates(&read(path)?);
            for root in roots.map_err(|_| file(path, ErrorKind::InvalidData))? {
                builder.add_root_certificate(root);
            }
        }
        if let Some(ClientIdentity::Files { chain, key }) = &self.identity {
            builder.identity(identity(&read(chain)?, &read(key)?)?);
        }
        Ok(())
    }

    /// The name that the certificate must have: the one the user gave, never one that the network
    /// gave.
    pub(crate) fn verified_name<'a>(&'a self, host: &'a str) -> &'a str {
        self.server_name.as_deref().unwrap_or(host)
    }

    /// The files of roots.
    pub(crate) fn root_files(&self) -> &[PathBuf] {
        &self.root_files
    }

    /// Whether the system's roots are left out.
    pub(crate) fn has_only_given_roots(&self) -> bool {
        self.only_given_roots
    }

    /// The files of the client's certificate and key.
    pub(crate) fn identity_files(&self) -> Option<(&Path, &Path)> {
        match &self.identity {
            Some(ClientIdentity::Files { chain, key }) => Some((chain, key)),
            _ => None,
        }
    }

    /// The name that was set for the certificate.
    pub(crate) fn server_name(&self) -> Option<&str> {
        self.server_name.as_deref()
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ConfigError> {
    fs::read(path).map_err(|error| file(path, error.kind()))
}

fn file(path: &Path, kind: ErrorKind) -> ConfigError {
    ConfigError::File {
        path: path.into(),
        kind,
    }
}

/// At least one certificate. Error texts differ by platform, and are not kept.
fn certificates(pem: &[u8]) -> Result<Vec<Certificate>, ConfigError> {
    let pem = pem::certificate_blocks(pem);
    let roots = Certificate::stack_from_pem(pem::text(&pem).as_bytes());
    let roots = roots.map_err(|_| ConfigError::Certificate)?;
    if roots.is_empty() {
        Err(ConfigError::Certificate)
    } else {
        Ok(roots)
    }
}

fn identity(chain: &[u8], key: &[u8]) -> Result<Identity, ConfigError> {
    let chain = pem::certificate_blocks(chain);
    let (chain, key) = (pem::text(&chain), pem::text(pem::private_key(key)));
    Identity::from_pkcs8(chain.as_bytes(), key.as_bytes()).map_err(|_| ConfigError::Identity)
}

impl fmt::Debug for TlsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsOptions")
            .field("extra_roots", &self.roots.len())
            .field("root_files", &self.root_files)
            .field("only_given_roots", &self.only_given_roots)
            .field("client_identity", &self.identity)
            .field("server_name", &self.server_name)
            .field("own_connector", &self.own.is_some())
            .field("accept_invalid_certs", &self.accept_invalid_certs)
            .field("accept_invalid_hostnames", &self.accept_invalid_hostnames)
            .finish()
    }
}

/// Without the key.
impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(_) => f.write_str("Given"),
            Self::Files { chain, key } => write!(f, "Files({chain:?}, {key:?})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Making a connector reads the system's roots: copies share it, until one of them changes.
    #[test]
    fn a_connector_is_made_once() {
        let mut options = TlsOptions::default();
        let copy = options.clone();
        let made: *const TlsConnector = options.connector().unwrap();
        assert!(std::ptr::eq(made, options.connector().unwrap()));
        assert!(std::ptr::eq(made, copy.connector().unwrap()));
        options.set_server_name("mx.example.org".to_owned());
        assert!(std::ptr::eq(made, options.connector().unwrap()));
        options.accept_invalid_certs(true);
        assert!(options.made.get().is_none());
        assert!(copy.made.get().is_some());
    }

    // Field D7: neither of the two is dropped in silence, in whatever order they come.
    #[test]
    fn a_connector_of_the_callers_own_stands_alone() {
        let own = || {
            let mut builder = TlsConnector::builder();
            builder.disable_built_in_roots(true).build().unwrap()
        };
        let mut options = TlsOptions::default();
        options.set_connector(own());
        assert!(options.connector().is_ok() && options.made.get().is_none());
        options.accept_invalid_hostnames(false);
        options.set_server_name("mx.example.org".to_owned());
        assert_eq!(options.check(), Ok(()));
        let set: [fn(&mut TlsOptions); 5] = [
            |options| options.accept_invalid_hostnames(true),
            |options| options.accept_invalid_certs(true),
            |options| options.add_root_file("/x".into()),
            |options| options.set_identity_files("/x".into(), "/y".into()),
            |options| options.only_given_roots(true),
        ];
        for set in set {
            let mut behind = options.clone();
            set(&mut behind);
            assert_eq!(behind.check(), Err(ConfigError::Connector));
            let mut before = TlsOptions::default();
            set(&mut before);
            before.set_connector(own());
            assert_eq!(before.check(), Err(ConfigError::Connector));
        }
    }

    #[test]
    fn the_verified_name_is_the_host_unless_it_is_given() {
        let mut options = TlsOptions::default();
        assert_eq!(options.verified_name("mx"), "mx");
        options.set_server_name("mx.example.org".to_owned());
        assert_eq!(options.verified_name("mx"), "mx.example.org");
    }
}
