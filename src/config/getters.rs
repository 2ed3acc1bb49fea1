//! What a [`Config`] was given, read back.

use std::path::Path;
use std::time::Duration;

use crate::auth::credentials::Credentials;
use crate::config::{Config, Protocol, Security, Server, Timeouts};

/// Reading back what was set. The names are those of the setters, with `get_` in front.
impl Config {
    /// Returns the host to connect to; `None` if it is none, such as a Unix socket.
    #[must_use]
    pub fn get_host(&self) -> Option<&str> {
        self.tcp_server().map(|(host, _)| host)
    }

    /// Returns the port to connect to, which follows from protocol and security unless it was set;
    /// `None` if there is no host.
    #[must_use]
    pub fn get_port(&self) -> Option<u16> {
        self.tcp_server().map(|(_, port)| port)
    }

    /// Returns the path of the Unix socket, if it is one.
    #[must_use]
    pub fn get_unix_path(&self) -> Option<&Path> {
        match &self.server {
            Server::Unix(path) => Some(path),
            _ => None,
        }
    }

    /// Returns the path of the Maildir, if it is one.
    #[must_use]
    pub fn get_maildir(&self) -> Option<&Path> {
        match &self.server {
            Server::Maildir(path) => Some(path),
            _ => None,
        }
    }

    /// Returns the path of the program that messages are handed to, if it is one.
    #[must_use]
    pub fn get_sendmail_command(&self) -> Option<&Path> {
        match &self.server {
            Server::Command(path) => Some(path),
            _ => None,
        }
    }

    /// Returns how the connection is protected.
    #[must_use]
    pub fn get_security(&self) -> Security {
        self.security
    }

    /// Returns the protocol: SMTP or LMTP.
    #[must_use]
    pub fn get_protocol(&self) -> Protocol {
        self.protocol
    }

    /// Returns whom to log in as, if anybody.
    #[must_use]
    pub fn get_credentials(&self) -> Option<&Credentials> {
        self.credentials.as_ref()
    }

    /// Returns the SASL mechanisms that may be used, if they were chosen.
    #[must_use]
    pub fn get_mechanisms(&self) -> Option<&[String]> {
        self.mechanisms.as_deref()
    }

    /// Returns the name for EHLO, if it was set.
    #[must_use]
    pub fn get_hello_name(&self) -> Option<&str> {
        self.hello_name.as_deref()
    }

    /// Returns the budgets of the single steps.
    pub fn get_timeouts(&self) -> &Timeouts {
        &self.timeouts
    }

    /// Returns the budget of a whole call, if there is one.
    #[must_use]
    pub fn get_deadline(&self) -> Option<Duration> {
        self.deadline
    }

    /// Returns the name that the server's certificate must have: the host, unless it was set.
    #[must_use]
    pub fn get_tls_server_name(&self) -> Option<&str> {
        let host = self.get_host()?;
        Some(self.tls.verified_name(host))
    }

    /// Returns the extensions that are taken as not offered, in upper case.
    #[must_use]
    pub fn get_ignored(&self) -> &[String] {
        &self.ignored
    }

    /// Returns the local address that connections come from, if it was set.
    #[cfg(feature = "local-address")]
    #[must_use]
    pub fn get_local_address(&self) -> Option<std::net::SocketAddr> {
        self.local_address
    }
}
