//! [`Endpoint`]: where a server is, for people.

use std::fmt;

/// The place of a server: `mail.example.com:587`, or the path of a Unix socket, a Maildir or a
/// program.
///
/// Errors of [`Config::connect`](crate::Config::connect) name it: see
/// [`Error::server`](crate::Error::server).
///
/// ```no_run
/// let error = smtplib::Config::new("mail.example.com").connect().unwrap_err();
/// if let Some(server) = error.server() {
///     println!("{server}"); // mail.example.com:587
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint(Box<str>);

impl Endpoint {
    /// A TCP server. An IPv6 address is put in brackets.
    pub(crate) fn tcp(host: &str, port: u16) -> Self {
        if host.contains(':') {
            Self(format!("[{host}]:{port}").into())
        } else {
            Self(format!("{host}:{port}").into())
        }
    }

    /// A Unix socket, a Maildir or a program on this machine.
    pub(crate) fn path(path: &std::path::Path) -> Self {
        Self(path.display().to_string().into())
    }

    /// Returns the text: host and port, or the path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Writes " at host:port" in a sentence, or nothing if the server is unknown.
pub(crate) struct AtServer<'a>(pub(crate) &'a Option<Box<Endpoint>>);

impl fmt::Display for AtServer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(endpoint) => write!(f, " at {endpoint}"),
            None => Ok(()),
        }
    }
}

/// Writes the server's place in a sentence, or "the server" if it is unknown.
pub(crate) struct ServerName<'a>(pub(crate) &'a Option<Box<Endpoint>>);

impl fmt::Display for ServerName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(endpoint) => endpoint.fmt(f),
            None => f.write_str("the server"),
        }
    }
}
