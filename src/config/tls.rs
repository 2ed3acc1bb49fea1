//! [`TlsOptions`]: whom to trust, and who we are.

use std::fmt;
use std::sync::{Arc, OnceLock};

use native_tls::{Certificate, Identity, Protocol, TlsConnector};

/// Whom to trust, and who we are, when TLS begins.
#[derive(Clone, Default)]
pub(crate) struct TlsOptions {
    roots: Vec<Certificate>,
    identity: Option<Identity>,
    accept_invalid_certs: bool,
    accept_invalid_hostnames: bool,
    server_name: Option<String>,
    /// The connector made of all this. Making one reads the system's roots, which takes longer
    /// than most sessions: connections share it, and so do copies of a configuration, until
    /// one of them changes.
    connector: Arc<OnceLock<TlsConnector>>,
}

impl TlsOptions {
    /// Trusts the certificates in a PEM text, too.
    pub(crate) fn add_roots(&mut self, pem: &[u8]) -> Result<(), NotReadable> {
        let roots = Certificate::stack_from_pem(pem).map_err(|_| NotReadable)?;
        if roots.is_empty() {
            return Err(NotReadable);
        }
        self.roots.extend(roots);
        self.connector = Arc::default();
        Ok(())
    }

    /// Shows the server a certificate.
    pub(crate) fn set_identity(&mut self, chain: &[u8], key: &[u8]) -> Result<(), NotReadable> {
        self.identity = Some(Identity::from_pkcs8(chain, key).map_err(|_| NotReadable)?);
        self.connector = Arc::default();
        Ok(())
    }

    /// Takes any certificate.
    pub(crate) fn accept_invalid_certs(&mut self, yes: bool) {
        self.accept_invalid_certs = yes;
        self.connector = Arc::default();
    }

    /// Takes a certificate for another name.
    pub(crate) fn accept_invalid_hostnames(&mut self, yes: bool) {
        self.accept_invalid_hostnames = yes;
        self.connector = Arc::default();
    }

    /// Expects another name than the host's in the certificate.
    pub(crate) fn set_server_name(&mut self, name: String) {
        self.server_name = Some(name);
    }

    /// Uses a connector that somebody else has made.
    pub(crate) fn set_connector(&mut self, connector: TlsConnector) {
        self.connector = Arc::new(OnceLock::from(connector));
    }

    /// Whether the server is to be shown a certificate.
    pub(crate) fn has_identity(&self) -> bool {
        self.identity.is_some()
    }

    /// The connector these options ask for.
    pub(crate) fn connector(&self) -> Result<&TlsConnector, native_tls::Error> {
        if let Some(connector) = self.connector.get() {
            return Ok(connector);
        }
        let connector = self.build()?;
        Ok(self.connector.get_or_init(|| connector))
    }

    /// TLS 1.2 is the minimum (RFC 8996), whatever the platform would allow.
    fn build(&self) -> Result<TlsConnector, native_tls::Error> {
        let mut builder = TlsConnector::builder();
        builder.min_protocol_version(Some(Protocol::Tlsv12));
        builder.danger_accept_invalid_certs(self.accept_invalid_certs);
        builder.danger_accept_invalid_hostnames(self.accept_invalid_hostnames);
        for root in &self.roots {
            builder.add_root_certificate(root.clone());
        }
        if let Some(identity) = &self.identity {
            builder.identity(identity.clone());
        }
        builder.build()
    }

    /// The name that the certificate must have: the one the user gave, never one that the network
    /// gave.
    pub(crate) fn verified_name<'a>(&'a self, host: &'a str) -> &'a str {
        self.server_name.as_deref().unwrap_or(host)
    }
}

impl fmt::Debug for TlsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsOptions")
            .field("extra_roots", &self.roots.len())
            .field("client_identity", &self.identity.is_some())
            .field("server_name", &self.server_name)
            .field("accept_invalid_certs", &self.accept_invalid_certs)
            .field("accept_invalid_hostnames", &self.accept_invalid_hostnames)
            .finish()
    }
}

/// A certificate or key is not what it should be; the platform's words for it differ too much to be
/// of use.
#[derive(Debug)]
pub(crate) struct NotReadable;

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
        assert!(options.connector.get().is_none());
        assert!(copy.connector.get().is_some());
    }

    #[test]
    fn a_connector_of_the_callers_own_is_used() {
        let mut options = TlsOptions::default();
        let own = TlsConnector::builder()
            .disable_built_in_roots(true)
            .build()
            .unwrap();
        options.set_connector(own);
        assert!(options.connector.get().is_some());
        options.accept_invalid_hostnames(false);
        assert!(options.connector.get().is_none());
    }

    #[test]
    fn the_verified_name_is_the_host_unless_it_is_given() {
        let mut options = TlsOptions::default();
        assert_eq!(options.verified_name("mx"), "mx");
        options.set_server_name("mx.example.org".to_owned());
        assert_eq!(options.verified_name("mx"), "mx.example.org");
    }
}
