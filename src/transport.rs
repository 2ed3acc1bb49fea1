//! [`Transport`]: a connection that the caller opens.

use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::time::Instant;

/// A connection that you open yourself, for instance through a proxy or with another TLS library.
///
/// [`Config::transport`](crate::Config::transport) takes a function that opens one, and
/// [`SmtpConnection::from_transport`](crate::SmtpConnection::from_transport) takes one that is
/// open. [`TcpTransport`](crate::connection::TcpTransport) is a good base, and has an example.
///
/// A read that returns `Ok(0)` is the end of the connection. Errors of the kind
/// [`Interrupted`](io::ErrorKind::Interrupted) are tried again.
///
/// ```
/// use smtplib::Config;
/// use smtplib::connection::TcpTransport;
///
/// let config = Config::new("mail.example.com")
///     .transport(|_config, deadline| TcpTransport::connect("127.0.0.1", 2525, deadline));
/// ```
pub trait Transport: Read + Write + Send + Sync {
    /// Sets when waiting must end.
    ///
    /// A read or a write that would wait longer returns [`ErrorKind::TimedOut`]. The deadline
    /// counts for the whole call, however many system calls it makes.
    ///
    /// # Errors
    ///
    /// If this cannot be set; the connection is not used any more then.
    ///
    /// [`ErrorKind::TimedOut`]: io::ErrorKind::TimedOut
    fn set_deadline(&mut self, deadline: Instant) -> io::Result<()>;

    /// If true, reads do not wait, whatever the deadline; before the first call, they wait.
    ///
    /// Without anything to read they return [`ErrorKind::WouldBlock`](io::ErrorKind::WouldBlock).
    ///
    /// # Errors
    ///
    /// If this cannot be set; the connection is not used any more then.
    fn set_nonblocking(&mut self, yes: bool) -> io::Result<()>;

    /// Closes the connection in both directions; it is called once, at the end.
    ///
    /// By default it does nothing: dropping closes most things.
    ///
    /// # Errors
    ///
    /// They are ignored: nothing can be done about them.
    fn shutdown(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Returns true if the connection is as safe as TLS with a verified certificate; the default is
    /// false.
    ///
    /// If true, passwords are sent over it, and messages with
    /// [`require_tls`](crate::Envelope::require_tls), too. The crate does not check this.
    fn is_protected(&self) -> bool {
        false
    }

    /// Returns the local address, if there is one; the default is none.
    ///
    /// EHLO gives it as the client's name unless [`Config::hello_name`](crate::Config::hello_name)
    /// is set.
    fn local_ip(&self) -> Option<IpAddr> {
        None
    }

    /// Returns the server's certificate in DER, if there is one; the default is none.
    fn peer_certificate(&self) -> Option<Vec<u8>> {
        None
    }

    /// Returns the hash of the server's certificate (`tls-server-end-point`, RFC 5929, 4); the
    /// default is none.
    ///
    /// SCRAM uses it to tie a login to the TLS session.
    fn tls_server_end_point(&self) -> Option<Vec<u8>> {
        None
    }
}
