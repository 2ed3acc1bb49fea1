//! The other half of the quickstart: a real SMTP server inside this program.
//!
//! It is the crate `mailin-embedded` on a free port of this machine, with a certificate made on the
//! spot. A program that sends mail needs nothing from this file.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{fs, io, mem, thread};

use mailin_embedded::response::{AUTH_OK, INTERNAL_ERROR, INVALID_CREDENTIALS, OK};
use mailin_embedded::{AuthMechanism, Handler, Response, SslConfig};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

/// The one account of the server.
pub(crate) const USER: &str = "alice";
pub(crate) const PASSWORD: &str = "curiouser-and-curiouser";

/// A running server; its thread ends with the program.
pub(crate) struct Server {
    pub(crate) port: u16,
    /// The root of its certificate, in PEM, which a client has to trust.
    pub(crate) root: String,
}

/// A message as the server got it.
#[derive(Clone, Default)]
pub(crate) struct Received {
    /// From 1, in the order of arrival.
    pub(crate) number: u32,
    pub(crate) user: String,
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) text: Vec<u8>,
}

impl Server {
    /// Starts the server on a free port of 127.0.0.1. A message is taken if `keep` says `Ok`.
    pub(crate) fn start(keep: impl Keep) -> Result<Self, Box<dyn Error>> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let certificates = Certificates::make()?;
        let desk = Desk {
            keep,
            count: Arc::default(),
            current: Received::default(),
        };
        let mut server = mailin_embedded::Server::new(desk);
        server
            .with_name("mail.example.org")
            .with_tcp_listener(listener)
            .with_auth(AuthMechanism::Plain)
            .with_auth(AuthMechanism::Login);
        certificates.hand_to(&mut server)?;
        thread::spawn(move || {
            if let Err(error) = server.serve() {
                eprintln!("the server has failed: {error}");
            }
        });
        Ok(Self {
            port,
            root: certificates.root,
        })
    }
}

/// Where messages go.
pub(crate) trait Keep:
    Fn(Received) -> Result<(), Box<dyn Error>> + Clone + Send + 'static
{
}

impl<T: Fn(Received) -> Result<(), Box<dyn Error>> + Clone + Send + 'static> Keep for T {}

/// The rules for logins and recipients. Each connection has a clone.
#[derive(Clone)]
struct Desk<K> {
    keep: K,
    /// Of all the messages, whichever connection they came by.
    count: Arc<AtomicU32>,
    current: Received,
}

impl<K: Keep> Handler for Desk<K> {
    fn auth_plain(&mut self, _authorized_as: &str, user: &str, password: &str) -> Response {
        self.auth_login(user, password)
    }

    fn auth_login(&mut self, user: &str, password: &str) -> Response {
        if (user, password) == (USER, PASSWORD) {
            user.clone_into(&mut self.current.user);
            AUTH_OK
        } else {
            INVALID_CREDENTIALS
        }
    }

    fn mail(&mut self, _ip: IpAddr, _client: &str, from: &str) -> Response {
        self.current = Received {
            user: mem::take(&mut self.current.user),
            from: from.to_owned(),
            ..Received::default()
        };
        OK
    }

    /// Every name has a mailbox here, except `nobody`.
    fn rcpt(&mut self, to: &str) -> Response {
        if to.starts_with("nobody@") {
            return Response::custom(550, "5.1.1 nobody of that name lives here".to_owned());
        }
        self.current.to.push(to.to_owned());
        OK
    }

    fn data(&mut self, octets: &[u8]) -> io::Result<()> {
        self.current.text.extend_from_slice(octets);
        Ok(())
    }

    fn data_end(&mut self) -> Response {
        let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
        self.current.number = number;
        match (self.keep)(self.current.clone()) {
            Ok(()) => Response::custom(250, format!("2.0.0 taken as message {number}")),
            Err(error) => {
                eprintln!("message {number} is not taken: {error}");
                INTERNAL_ERROR
            }
        }
    }
}

/// A certificate authority that exists for this one run, and the certificate it gave to
/// `localhost`; all in PEM.
struct Certificates {
    root: String,
    leaf: String,
    key: String,
}

impl Certificates {
    fn make() -> Result<Self, rcgen::Error> {
        let mut authority = CertificateParams::default();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        authority
            .distinguished_name
            .push(DnType::CommonName, "the quickstart's own authority");
        let authority_key = KeyPair::generate()?;
        let root = authority.self_signed(&authority_key)?.pem();
        let issuer = Issuer::new(authority, authority_key);

        let key = KeyPair::generate()?;
        let leaf = CertificateParams::new(["localhost".to_owned()])?.signed_by(&key, &issuer)?;
        Ok(Self {
            root,
            leaf: leaf.pem(),
            key: key.serialize_pem(),
        })
    }

    /// The server wants files; it reads them at once, so they need not stay.
    fn hand_to<H: Handler + Clone + Send>(
        &self,
        server: &mut mailin_embedded::Server<H>,
    ) -> Result<(), Box<dyn Error>> {
        let directory = tempfile::tempdir()?;
        let [cert_path, key_path] =
            ["leaf.pem", "key.pem"].map(|name| directory.path().join(name).display().to_string());
        fs::write(&cert_path, &self.leaf)?;
        fs::write(&key_path, &self.key)?;
        server.with_ssl(SslConfig::SelfSigned {
            cert_path,
            key_path,
        })?;
        Ok(())
    }
}
