//! What a [`Config`] was given, read back.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::auth::credentials::Credentials;
use crate::config::{Config, Protocol, Security, Server, Timeouts};

/// Getters have the name of the setter with `get_` in front.
impl Config {
    /// Returns the host to connect to; `None` for a Unix socket, a Maildir or a program.
    #[must_use]
    pub fn get_host(&self) -> Option<&str> {
        self.tcp_server().map(|(host, _)| host)
    }

    /// Returns the port to connect to; `None` if there is no host.
    ///
    /// If it was not set, it follows from the protocol and the security.
    #[must_use]
    pub fn get_port(&self) -> Option<u16> {
        self.tcp_server().map(|(_, port)| port)
    }

    /// Returns the path of the Unix socket, if it is one.
    #[must_use]
    pub fn get_unix_path(&self) -> Option<&Path> {
        match &self.server {
            Server::Unix(socket) => Some(&socket.path),
            _ => None,
        }
    }

    /// Returns the path of the Maildir, if it is one.
    #[must_use]
    pub fn get_maildir(&self) -> Option<&Path> {
        self.place("maildir")
    }

    /// Returns the path of the program that messages are handed to, if it is one.
    #[must_use]
    pub fn get_sendmail_command(&self) -> Option<&Path> {
        self.place("sendmail")
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

    /// Returns the credentials to log in with, if they were set.
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

    /// Returns the time limits of the single steps.
    pub fn get_timeouts(&self) -> &Timeouts {
        &self.timeouts
    }

    /// Returns the time limit of a whole call, if there is one.
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

    /// Returns the extensions that are treated as not offered, in upper case.
    #[must_use]
    pub fn get_ignored(&self) -> &[String] {
        &self.ignored
    }

    /// Returns the files of additional root certificates.
    #[must_use]
    pub fn get_root_certificate_files(&self) -> &[PathBuf] {
        self.tls.root_files()
    }

    /// Returns true if the system's root certificates are not trusted.
    #[must_use]
    pub fn get_only_given_roots(&self) -> bool {
        self.tls.has_only_given_roots()
    }

    /// Returns the files of the client's certificate and its key, if they were given as files.
    #[must_use]
    pub fn get_client_identity_files(&self) -> Option<(&Path, &Path)> {
        self.tls.identity_files()
    }

    /// Returns true if [`danger_accept_invalid_certs`](Self::danger_accept_invalid_certs) is on.
    #[must_use]
    pub fn get_danger_accept_invalid_certs(&self) -> bool {
        self.tls.accepts_invalid_certs()
    }

    /// Returns true if [`danger_accept_invalid_hostnames`](Self::danger_accept_invalid_hostnames) is
    /// on.
    #[must_use]
    pub fn get_danger_accept_invalid_hostnames(&self) -> bool {
        self.tls.accepts_invalid_hostnames()
    }

    /// Returns true if [`danger_allow_plaintext_auth`](Self::danger_allow_plaintext_auth) is on.
    #[must_use]
    pub fn get_danger_allow_plaintext_auth(&self) -> bool {
        self.allow_plaintext_auth
    }

    /// Returns true if a [`tls_connector`](Self::tls_connector) was set.
    #[must_use]
    pub fn has_tls_connector(&self) -> bool {
        self.tls.has_connector()
    }

    /// Returns true if a [`transport`](Self::transport) was set.
    #[must_use]
    pub fn has_transport(&self) -> bool {
        self.opener.is_some()
    }

    /// Returns the local address that connections come from, if it was set.
    #[cfg(feature = "local-address")]
    #[must_use]
    pub fn get_local_address(&self) -> Option<std::net::SocketAddr> {
        self.local_address
    }
}
