//! EHLO and STARTTLS.

use std::net::{IpAddr, Ipv4Addr};

use crate::auth::user::User;
use crate::capabilities::Capabilities;
use crate::config::{ConfigError, Protocol, Security};
use crate::connection::SmtpConnection;
use crate::error::Result;
use crate::exchange::error::Unsupported;
use crate::protocol::command::{self, HelloName};
use crate::reply::Reply;
use crate::step::Step;

impl SmtpConnection {
    /// Upgrades the connection to TLS and returns the reply to STARTTLS: Python's `starttls()`.
    ///
    /// The certificate is verified. EHLO is sent again, and everything that the server said before
    /// is forgotten. If anything fails after the server has agreed, the connection is closed.
    ///
    /// The [`Config`](crate::Config) of the connection says which certificates to trust. If the
    /// server's certificate comes from your own authority, connect with a configuration:
    ///
    /// ```no_run
    /// use smtplib::{Config, Security};
    ///
    /// # fn main() -> Result<(), smtplib::Error> {
    /// let config = Config::new("mail.example.com")
    ///     .security(Security::None) // until `starttls`
    ///     .root_certificate_file("ca.pem");
    /// let mut smtp = config.connect()?;
    /// smtp.starttls()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`](crate::Error::Unsupported) if the server does not offer it or TLS is
    /// on already; [`Error::Config`](crate::Error::Config) on a Unix socket;
    /// [`Error::Refused`](crate::Error::Refused); [`Error::Tls`](crate::Error::Tls) if the handshake
    /// or the certificate fails.
    pub fn starttls(&mut self) -> Result<Reply> {
        self.begin()?;
        self.upgrade()
    }

    pub(crate) fn upgrade(&mut self) -> Result<Reply> {
        if self.wire.stream().is_tls() {
            return Err(Unsupported::TlsIsOn.into());
        }
        if !self.capabilities.has("STARTTLS") {
            return Err(Unsupported::StartTls { server: None }.into());
        }
        if self.config.tcp_server().is_none() {
            return Err(ConfigError::TlsOnUnixSocket.into());
        }
        let reply = self.ask(Step::StartTls, b"STARTTLS\r\n")?;
        // 220 and nothing else means that TLS begins (RFC 3207, 4).
        if reply.code() != 220 {
            return Err(self.refused(Step::StartTls, reply));
        }
        self.capabilities = Capabilities::default();
        self.user = User::Nobody;
        self.state.is_proven = false;
        self.wire
            .upgrade(&self.config.tls, self.config.host_and_port().0)?;
        self.hello()?;
        Ok(reply)
    }

    /// Sends EHLO (LHLO) again and returns the server's capabilities: Python's `ehlo()`.
    ///
    /// If the server refuses, the capabilities do not change.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`](crate::Error::Refused), and everything that can happen to a connection.
    pub fn ehlo(&mut self) -> Result<&Capabilities> {
        self.begin()?;
        self.hello()?;
        Ok(&self.capabilities)
    }

    /// EHLO or LHLO; HELO where EHLO is unknown and nothing depends on it (RFC 5321, 3.2).
    ///
    /// A refusal changes nothing (RFC 5321, 4.1.4).
    pub(crate) fn hello(&mut self) -> Result<()> {
        let name = self.hello_name()?;
        let (step, verb) = match self.config.protocol {
            Protocol::Lmtp => (Step::Lhlo, "LHLO"),
            Protocol::Smtp => (Step::Hello, "EHLO"),
        };
        let reply = self.ask(step, &command::hello(verb, &name))?;
        if reply.is_positive() {
            self.capabilities = Capabilities::from_ehlo(&reply, &self.config.ignored);
            self.state.is_reset_owed = false;
            return Ok(());
        }
        if !reply.is_permanent() || !self.may_say_helo() {
            return Err(self.refused(step, reply));
        }
        let answer = self.ask(Step::Hello, &command::hello("HELO", &name))?;
        // The reply to EHLO has the reason; the one to HELO is rarely of use.
        if answer.is_positive() {
            self.capabilities = Capabilities::default();
            self.state.is_reset_owed = false;
            Ok(())
        } else {
            Err(self.refused(step, reply))
        }
    }

    /// Without EHLO there is neither STARTTLS nor AUTH, and LMTP has no HELO (RFC 2033, 4.1).
    fn may_say_helo(&self) -> bool {
        let needs_starttls =
            self.config.security == Security::StartTls && !self.wire.stream().is_tls();
        !needs_starttls
            && self.config.credentials.is_none()
            && self.config.protocol == Protocol::Smtp
            && self.capabilities == Capabilities::default()
    }

    /// The configured name, or the socket's address, which is true without any look-up (RFC 5321,
    /// 4.1.4).
    fn hello_name(&self) -> Result<HelloName> {
        if let Some(name) = &self.config.hello_name {
            return Ok(name.parse()?);
        }
        let literal = match self.wire.stream().local_ip() {
            Some(IpAddr::V6(address)) => format!("[IPv6:{address}]"),
            Some(IpAddr::V4(address)) => format!("[{address}]"),
            None => format!("[{}]", Ipv4Addr::LOCALHOST),
        };
        Ok(literal.parse()?)
    }
}
