//! [`Config`]: which server to use, and how to connect to it.

use std::io;
use std::net::Ipv6Addr;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::auth::credentials::Credentials;
use crate::auth::table;
use crate::capabilities::is_keyword;
use crate::config::error::ConfigError;
use crate::config::opener::Opener;
use crate::config::place::Place;
use crate::config::timeouts::Timeouts;
use crate::config::tls::TlsOptions;
use crate::endpoint::Endpoint;
use crate::trace::{Trace, TraceLine};
use crate::transport::Transport;

/// The settings of a connection: the server, its protection, the login and the time limits.
///
/// Build it once, and connect as often as you like.
///
/// ```no_run
/// use std::time::Duration;
/// use smtplib::{Config, Credentials};
///
/// # fn main() -> Result<(), smtplib::Error> {
/// let config = Config::new("mail.example.com") // STARTTLS on port 587, or nothing is sent
///     .credentials(Credentials::password("alice", "secret"))
///     .timeout(Duration::from_secs(30));
/// let mut smtp = config.connect()?;
/// # Ok(())
/// # }
/// ```
///
/// The same as a URL, read by [`FromStr`](std::str::FromStr). Only scheme and host are required:
///
/// ```
/// # fn main() -> Result<(), smtplib::error::ConfigError> {
/// use smtplib::Config;
///
/// let config: Config = "smtp://alice:secret@mail.example.com:587?tls=required&timeout=30".parse()?;
/// # Ok(())
/// # }
/// ```
///
/// | URL | means |
/// |---|---|
/// | `smtp://host` | STARTTLS required, port 587 |
/// | `smtps://host` | TLS from the first byte, port 465 |
/// | `lmtp://host`, `lmtps://host` | LMTP, the same two, port 24 |
/// | `lmtp+unix:///path`, `smtp+unix:///path` | over a Unix socket |
/// | `maildir:///path` | no server: into a Maildir, see [`maildir`](Config::maildir) |
/// | `sendmail:///usr/sbin/sendmail` | no server: to a program, see [`sendmail_command`](Config::sendmail_command) |
/// | `?tls=required`, `opportunistic`, `none` | see [`Security`]; not with `smtps` |
/// | `?ca=/path.pem` | trusts these root certificates, too; more files with commas |
/// | `?roots=only` | trusts only those of `ca`, and not the system's |
/// | `?cert=/path.pem&key=/path.pem` | the client's certificate and its key |
/// | `?server_name=name` | the name that the server's certificate must have |
/// | `?auth=plain,login` | only these mechanisms, best first; with `xoauth2` or `oauthbearer` the password is a token |
/// | `?ignore=pipelining,8bitmime` | extensions taken as not offered |
/// | `?hello=name` | the client's name in EHLO |
/// | `?local=192.0.2.1` | the local address, with the feature `local-address` |
/// | `?timeout=30`, `?connect_timeout=`, `?greeting_timeout=`, … | seconds, or `500ms`; see [`Timeouts`] |
/// | `?deadline=120` | for a whole call; with a [`Mailer`](crate::Mailer) see [`deadline`](Config::deadline) |
///
/// User, password, path and values may be percent-encoded. An option that is not in this table is
/// an error, and so is an option given twice. The timeout of a single step takes precedence over
/// `timeout`.
///
/// [`Display`](std::fmt::Display) writes the URL, without the password. It leaves out settings that
/// have no URL option:
///
/// - certificates and keys given as text
/// - your own TLS connector or transport
/// - `danger_` switches
/// - the trace
/// - credentials for a certificate, for ANONYMOUS or for a Unix socket
///
/// With the feature `serde`, a configuration can be read from a URL or from a table with the same
/// names. It is written as a URL.
#[derive(Clone, Debug)]
#[must_use]
pub struct Config {
    pub(crate) server: Server,
    pub(crate) protocol: Protocol,
    pub(crate) security: Security,
    pub(crate) credentials: Option<Credentials>,
    pub(crate) mechanisms: Option<Vec<String>>,
    pub(crate) hello_name: Option<String>,
    /// Keywords of EHLO in upper case.
    pub(crate) ignored: Vec<String>,
    pub(crate) timeouts: Timeouts,
    pub(crate) deadline: Option<Duration>,
    pub(crate) tls: TlsOptions,
    /// Opens connections instead of TCP.
    pub(crate) opener: Option<Opener<Self>>,
    pub(crate) trace: Trace,
    pub(crate) allow_plaintext_auth: bool,
    /// The first error of a setter; `check` returns it.
    pub(super) flaw: Option<ConfigError>,
    #[cfg(feature = "local-address")]
    pub(crate) local_address: Option<std::net::SocketAddr>,
}

/// Where the server is, or what there is instead of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    Place(Place),
    Tcp { host: String, port: Option<u16> },
    Unix(Place),
}

/// The protocol spoken on the connection.
///
/// ```
/// use smtplib::Config;
/// use smtplib::config::Protocol;
///
/// let config = Config::lmtp("mail.example.com", 24);
/// assert_eq!(config.get_protocol(), Protocol::Lmtp);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// Local delivery with a result for each recipient (RFC 2033).
    Lmtp,
    /// The mail protocol (RFC 5321).
    Smtp,
}

/// How the connection is protected.
///
/// ```
/// use smtplib::{Config, Security};
///
/// let config = Config::new("mail.example.com").security(Security::ImplicitTls);
/// assert_eq!(config.get_port(), Some(465));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Security {
    /// TLS from the first byte (RFC 8314); port 465 by default.
    ImplicitTls,
    /// No TLS; port 25 by default. Anyone between you and the server can read and change
    /// everything.
    None,
    /// STARTTLS if the server offers it, and no TLS otherwise; port 25 by default.
    ///
    /// If STARTTLS is offered and fails, that is an error. An attacker between you and the server
    /// can remove the offer, so this protects only against listeners.
    Opportunistic,
    /// STARTTLS (RFC 3207); if the server does not offer it, connecting fails. Port 587 by default.
    StartTls,
}

impl Config {
    /// Makes a configuration for SMTP with STARTTLS on port 587 of this host.
    pub fn new(host: impl Into<String>) -> Self {
        Self::with_server(Server::Tcp {
            host: host.into(),
            port: None,
        })
    }

    /// Makes a configuration for LMTP with STARTTLS on this host and port; 24 is customary.
    ///
    /// [`security`](Self::security) can turn TLS off.
    pub fn lmtp(host: impl Into<String>, port: u16) -> Self {
        Self {
            protocol: Protocol::Lmtp,
            ..Self::new(host).port(port)
        }
    }

    pub(crate) fn with_server(server: Server) -> Self {
        Self {
            server,
            protocol: Protocol::Smtp,
            security: Security::StartTls,
            credentials: None,
            mechanisms: None,
            hello_name: None,
            ignored: Vec::new(),
            timeouts: Timeouts::default(),
            deadline: None,
            tls: TlsOptions::default(),
            opener: None,
            trace: Trace::default(),
            allow_plaintext_auth: false,
            flaw: None,
            #[cfg(feature = "local-address")]
            local_address: None,
        }
    }

    /// Sets the TCP port; the default depends on [`security`](Self::security).
    pub fn port(mut self, number: u16) -> Self {
        if let Server::Tcp { port, .. } = &mut self.server {
            *port = Some(number);
        }
        self
    }

    /// Sets how the connection is protected; the default is [`Security::StartTls`].
    ///
    /// This also changes the default port. A [`port`](Self::port) that you set stays.
    pub fn security(mut self, security: Security) -> Self {
        self.security = security;
        self
    }

    /// Sets the protocol; the default is SMTP, unless [`lmtp`](Self::lmtp) or a URL says otherwise.
    pub fn protocol(mut self, protocol: Protocol) -> Self {
        self.protocol = protocol;
        self
    }

    /// Logs in with these credentials while connecting; by default there is no login.
    ///
    /// If logging in fails, connecting fails.
    pub fn credentials(mut self, credentials: Credentials) -> Self {
        self.credentials = Some(credentials);
        self
    }

    /// Allows only these SASL mechanisms, the best first; by default all that fit the credentials.
    ///
    /// For an unknown name, [`connect`](Self::connect) returns [`ConfigError::Mechanism`].
    ///
    /// ```
    /// use smtplib::Config;
    ///
    /// let config = Config::new("mail.example.com").mechanisms(["SCRAM-SHA-256", "PLAIN"]);
    /// ```
    pub fn mechanisms<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        let names = names
            .into_iter()
            .map(|name| name.into().to_ascii_uppercase());
        self.mechanisms = Some(names.collect());
        self
    }

    /// Sets the client's name in EHLO: a host name, or an address literal such as `[192.0.2.1]`.
    ///
    /// The default is the local address of the socket, which is always valid and needs no look-up.
    pub fn hello_name(mut self, name: impl Into<String>) -> Self {
        self.hello_name = Some(name.into());
        self
    }

    /// Treats these extensions as not offered, whatever the server says; by default there are none.
    ///
    /// Use it for proxies and relays that offer extensions that do not work. Keywords are those of
    /// EHLO, in upper or lower case. Without `PIPELINING`, each command waits for its reply.
    /// Without `CHUNKING`, messages are sent with DATA, never with BDAT. Without `8BITMIME`, a
    /// [`Message`](crate::Message) is sent in 7 bits, and a finished 8-bit text is
    /// [`Error::Unsupported`](crate::Error::Unsupported). Another call adds more keywords. If a text
    /// is not a keyword, [`connect`](Self::connect) returns [`ConfigError::Value`].
    ///
    /// ```
    /// use smtplib::Config;
    ///
    /// let config = Config::new("mail.example.com").ignore(["PIPELINING", "8BITMIME"]);
    /// ```
    pub fn ignore<T: Into<String>>(mut self, keywords: impl IntoIterator<Item = T>) -> Self {
        for keyword in keywords {
            let keyword = keyword.into().to_ascii_uppercase();
            if !self.ignored.contains(&keyword) {
                self.ignored.push(keyword);
            }
        }
        self
    }

    /// Sets one time limit for every step, instead of the defaults in [`Timeouts`].
    ///
    /// This also shortens the 10 minutes allowed for the server to accept the message. If the
    /// server takes longer, you get [`Delivery::Unknown`](crate::Delivery::Unknown). QUIT still
    /// takes at most 5 seconds.
    pub fn timeout(mut self, budget: Duration) -> Self {
        self.timeouts = Timeouts::all(budget);
        self
    }

    /// Sets the time limits of the single steps; [`Timeouts`] has the defaults, and says what
    /// happens after a limit.
    pub fn timeouts(mut self, timeouts: Timeouts) -> Self {
        self.timeouts = timeouts;
        self
    }

    /// Sets how long a whole call may take, such as [`connect`](Self::connect) or one send; by
    /// default there is no limit.
    ///
    /// After that the call fails as with [`Timeouts`]. Each call of a
    /// [`Transaction`](crate::connection::Transaction) has its own deadline. From [`data_writer`] to
    /// [`finish`] counts as one call, so the time between your writes counts, too.
    ///
    /// A [`Mailer`](crate::Mailer) may need several such calls for one message: to check a kept
    /// connection, to open one, and to send. Each has this limit for itself, and waiting for a turn or
    /// for a free connection does not count.
    ///
    /// [`data_writer`]: crate::connection::Transaction::data_writer
    /// [`finish`]: crate::connection::DataWriter::finish
    pub fn deadline(mut self, budget: Duration) -> Self {
        self.deadline = Some(budget);
        self
    }

    /// Trusts these root certificates as well: one or more in PEM.
    ///
    /// By default only the system's root certificates are trusted. If the text has no certificate,
    /// or one that cannot be read, [`connect`](Self::connect) and [`check`](Self::check) return
    /// [`ConfigError::Certificate`].
    ///
    /// ```no_run
    /// use smtplib::Config;
    ///
    /// let config = Config::new("mail.example.com").root_certificates(std::fs::read("ca.pem")?);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn root_certificates(mut self, pem: impl AsRef<[u8]>) -> Self {
        let added = self.tls.add_roots(pem.as_ref());
        self.note(added)
    }

    /// Trusts the root certificates in this PEM file as well; by default only the system's are
    /// trusted. In a URL it is `ca=/path.pem`.
    ///
    /// The file is read once, when the first connection is made. Copies of the configuration share
    /// the result.
    pub fn root_certificate_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.tls.add_root_file(path.into());
        self
    }

    /// If true, trusts only the given root certificates, and not the system's; the default is
    /// false. In a URL it is `roots=only`.
    pub fn only_given_roots(mut self, yes: bool) -> Self {
        self.tls.only_given_roots(yes);
        self
    }

    /// Shows this client certificate to the server; by default there is none.
    ///
    /// Give the chain in PEM, leaf first, and its key in PEM (PKCS #8). If they cannot be read or
    /// do not belong together, [`connect`](Self::connect) and [`check`](Self::check) return
    /// [`ConfigError::Identity`].
    ///
    /// ```no_run
    /// use smtplib::Config;
    ///
    /// let (chain, key) = (std::fs::read("client.pem")?, std::fs::read("client.key")?);
    /// let config = Config::new("mail.example.com").client_identity(chain, key);
    /// # Ok::<(), std::io::Error>(())
    /// ```
    pub fn client_identity(mut self, chain: impl AsRef<[u8]>, key: impl AsRef<[u8]>) -> Self {
        let set = self.tls.set_identity(chain.as_ref(), key.as_ref());
        self.note(set)
    }

    /// Shows the client certificate in these PEM files to the server; by default there is none. In
    /// a URL it is `cert=/path.pem&key=/path.pem`.
    ///
    /// Both may be the same file. They are read when the first connection is made.
    pub fn client_identity_files(
        mut self,
        chain: impl Into<PathBuf>,
        key: impl Into<PathBuf>,
    ) -> Self {
        self.tls.set_identity_files(chain.into(), key.into());
        self
    }

    /// Keeps the first error, for `check`.
    fn note(mut self, result: Result<(), ConfigError>) -> Self {
        self.flaw = self.flaw.take().or_else(|| result.err());
        self
    }

    /// Sets the name that the server's certificate must have; the default is the host.
    ///
    /// You need this for tunnels, and if the host is given as an address.
    pub fn tls_server_name(mut self, name: impl Into<String>) -> Self {
        self.tls.set_server_name(name.into());
        self
    }

    /// Uses your own TLS connector; by default the crate makes one from this configuration.
    ///
    /// The type is that of the crate `native-tls`, version 0.2. Set certificates, identity and
    /// verification on the connector. If they are also set here, [`connect`](Self::connect) and
    /// [`check`](Self::check) return [`ConfigError::Connector`].
    ///
    /// ```
    /// use native_tls::{Protocol, TlsConnector};
    /// use smtplib::Config;
    ///
    /// let connector = TlsConnector::builder().min_protocol_version(Some(Protocol::Tlsv12)).build()?;
    /// let config = Config::new("mail.example.com").tls_connector(connector);
    /// # Ok::<(), native_tls::Error>(())
    /// ```
    pub fn tls_connector(mut self, connector: native_tls::TlsConnector) -> Self {
        self.tls.set_connector(connector);
        self
    }

    /// Opens connections with this function instead of TCP, for instance through a proxy or with
    /// another TLS library.
    ///
    /// The function gets this configuration and the time by which it must return. It runs on a separate thread, so that
    /// connecting ends in time even if the function does not. TLS, EHLO and the login follow as
    /// configured:
    ///
    /// - With [`Security::StartTls`], [`ImplicitTls`](Security::ImplicitTls) and
    ///   [`Opportunistic`](Security::Opportunistic) TLS runs above the transport, for instance
    ///   through a proxy. The certificate must be that of the configuration's host.
    /// - A transport that brings its own TLS goes with [`Security::None`], and with the
    ///   [`port`](Self::port) of a server that begins with TLS. Passwords are sent if
    ///   [`Transport::is_protected`] returns true.
    ///
    /// If the function fails, [`connect`](Self::connect) returns [`Error::Timeout`] for
    /// [`ErrorKind::TimedOut`](io::ErrorKind::TimedOut) and
    /// [`ErrorKind::WouldBlock`](io::ErrorKind::WouldBlock), and [`Error::Io`] for everything else.
    ///
    /// ```no_run
    /// use smtplib::Config;
    /// use smtplib::connection::TcpTransport;
    ///
    /// # fn main() -> Result<(), smtplib::Error> {
    /// // A tunnel ends on this machine. The certificate is still that of the host.
    /// let config = Config::new("mail.example.com")
    ///     .transport(|_config, deadline| TcpTransport::connect("127.0.0.1", 2525, deadline));
    /// let mut smtp = config.connect()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [`Error::Io`]: crate::Error::Io
    /// [`Error::Timeout`]: crate::Error::Timeout
    pub fn transport<T: Transport + 'static>(
        mut self,
        open: impl Fn(&Self, Instant) -> io::Result<T> + Send + Sync + 'static,
    ) -> Self {
        self.opener = Some(Opener::new(open));
        self
    }

    /// If true, accepts any certificate, from anyone; the default is false.
    ///
    /// # Warning
    ///
    /// Anyone between you and the server can read the password and the mail. Prefer
    /// [`root_certificates`](Self::root_certificates) with the server's own certificate.
    pub fn danger_accept_invalid_certs(mut self, yes: bool) -> Self {
        self.tls.accept_invalid_certs(yes);
        self
    }

    /// If true, accepts a certificate for another name; the default is false.
    ///
    /// # Warning
    ///
    /// Anyone with a certificate for any name can pose as the server. Prefer
    /// [`tls_server_name`](Self::tls_server_name).
    pub fn danger_accept_invalid_hostnames(mut self, yes: bool) -> Self {
        self.tls.accept_invalid_hostnames(yes);
        self
    }

    /// If true, logs in even without TLS; the default is false.
    ///
    /// # Warning
    ///
    /// Anyone between you and the server can read the password or token. Use it only in test
    /// networks.
    pub fn danger_allow_plaintext_auth(mut self, yes: bool) -> Self {
        self.allow_plaintext_auth = yes;
        self
    }

    /// Calls this function with every line of the dialog, with passwords masked; by default there
    /// is no trace.
    ///
    /// ```
    /// use smtplib::Config;
    ///
    /// let config = Config::new("mail.example.com").trace(|line| println!("{line}"));
    /// ```
    pub fn trace(mut self, sink: impl Fn(TraceLine<'_>) + Send + Sync + 'static) -> Self {
        self.trace = Trace::new(sink);
        self
    }

    /// Writes the dialog to standard error, without the passwords; by default there is no trace.
    ///
    /// This is Python's `set_debuglevel(1)`.
    pub fn trace_to_stderr(self) -> Self {
        self.trace(|line| eprintln!("{line}"))
    }

    /// Sets the local address that connections come from; by default the system chooses it.
    ///
    /// A port of 0 lets the system choose the port.
    ///
    /// ```
    /// use std::net::{IpAddr, Ipv4Addr};
    /// use smtplib::Config;
    ///
    /// let config = Config::new("mail.example.com")
    ///     .local_address((IpAddr::from(Ipv4Addr::new(192, 0, 2, 1)), 0));
    /// ```
    #[cfg(feature = "local-address")]
    pub fn local_address(mut self, address: impl Into<std::net::SocketAddr>) -> Self {
        self.local_address = Some(address.into());
        self
    }

    /// What can be checked without a file or a socket.
    pub(crate) fn check_values(&self) -> Result<(), ConfigError> {
        if let Some(flaw) = &self.flaw {
            return Err(flaw.clone());
        }
        self.tls.check()?;
        match &self.server {
            Server::Tcp { host, .. } if !is_host(host) => return Err(ConfigError::Host),
            Server::Unix(_) if self.security != Security::None => {
                return Err(ConfigError::TlsOnUnixSocket);
            }
            Server::Place(_) => self.check_place()?,
            Server::Tcp { .. } | Server::Unix(_) => {}
        }
        check_mechanisms(self.mechanisms.as_deref().unwrap_or_default())?;
        if !self.ignored.iter().all(|keyword| is_keyword(keyword)) {
            return Err(ConfigError::Value("ignore".into()));
        }
        if !self.tls.server_name().is_none_or(is_host) {
            return Err(ConfigError::Value("server_name".into()));
        }
        let is_zero = |budget: &Duration| budget.is_zero();
        if self.timeouts.list().iter().any(is_zero) || self.deadline.iter().any(is_zero) {
            return Err(ConfigError::ZeroTimeout);
        }
        Ok(())
    }

    /// Where the connection goes, for people.
    pub(crate) fn endpoint(&self) -> Endpoint {
        match &self.server {
            Server::Place(place) | Server::Unix(place) => Endpoint::path(&place.path),
            Server::Tcp { .. } => {
                let (host, port) = self.host_and_port();
                Endpoint::tcp(host, port)
            }
        }
    }

    /// The host and port, if the connection goes to one.
    pub(crate) fn tcp_server(&self) -> Option<(&str, u16)> {
        matches!(self.server, Server::Tcp { .. }).then(|| self.host_and_port())
    }

    /// The host and port to connect to; nothing else than TCP has them.
    pub(crate) fn host_and_port(&self) -> (&str, u16) {
        let Server::Tcp { host, port } = &self.server else {
            return ("localhost", 0);
        };
        let usual = match (self.protocol, self.security) {
            (Protocol::Lmtp, _) => 24,
            (_, Security::ImplicitTls) => 465,
            (_, Security::StartTls) => 587,
            (_, Security::None | Security::Opportunistic) => 25,
        };
        (host, port.unwrap_or(usual))
    }
}

/// Whatever stands in the list must be in the table: a name that is spelt wrong must not become
/// another mechanism.
fn check_mechanisms(names: &[String]) -> Result<(), ConfigError> {
    match names.iter().find(|name| table::find(name).is_none()) {
        Some(name) => Err(ConfigError::Mechanism(name.as_str().into())),
        None => Ok(()),
    }
}

/// A host name or an address. A port or brackets would only be looked up in vain.
fn is_host(text: &str) -> bool {
    let is_stray = |c: char| c.is_control() || c.is_whitespace() || "/?#@[]".contains(c);
    let address = text.split('%').next().unwrap_or_default();
    !text.is_empty()
        && !text.contains(is_stray)
        && (!text.contains(':') || address.parse::<Ipv6Addr>().is_ok())
}
