//! [`Transport`]: a connection that the caller opens.

use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::time::Instant;

/// A connection that you open yourself: through a proxy, another TLS library, an SSH channel or a
/// pair of pipes.
///
/// [`Config::transport`](crate::Config::transport) takes a function that opens one, and
/// [`SmtpConnection::from_transport`](crate::SmtpConnection::from_transport) takes one that is open.
/// [`TcpTransport`](crate::connection::TcpTransport) is one to build on, and shows how.
///
/// A read that returns `Ok(0)` is the end of the connection. Errors of the kind
/// [`Interrupted`](io::ErrorKind::Interrupted) are tried again.
pub trait Transport: Read + Write + Send + Sync {
    /// Sets when waiting must end.
    ///
    /// A read or a write that would wait any longer returns [`ErrorKind::TimedOut`]. It counts as a
    /// whole, however many system calls it takes.
    ///
    /// # Errors
    ///
    /// If this cannot be set; the connection is not used any more then.
    ///
    /// [`ErrorKind::TimedOut`]: io::ErrorKind::TimedOut
    fn set_deadline(&mut self, deadline: Instant) -> io::Result<()>;

    /// If true, reads do not wait, whatever the deadline: without anything to read they return
    /// [`ErrorKind::WouldBlock`](io::ErrorKind::WouldBlock). The default is false.
    ///
    /// # Errors
    ///
    /// If this cannot be set; the connection is not used any more then.
    fn set_nonblocking(&mut self, yes: bool) -> io::Result<()>;

    /// Ends the connection in both directions. It is called once, at the end.
    ///
    /// By default it does nothing: dropping closes most things.
    ///
    /// # Errors
    ///
    /// They are ignored: nothing can be done about them.
    fn shutdown(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Returns true if nobody on the way can read or change what is sent, as under TLS with a
    /// verified certificate. The default is false.
    ///
    /// If true, passwords may go this way, and messages that ask for
    /// [`require_tls`](crate::Envelope::require_tls). Your word counts for both.
    fn is_protected(&self) -> bool {
        false
    }

    /// Returns the address of this side, which EHLO gives as the client's name unless
    /// [`Config::hello_name`](crate::Config::hello_name) is set. The default is none.
    fn local_ip(&self) -> Option<IpAddr> {
        None
    }

    /// Returns the server's certificate in DER, if there is one. The default is none.
    fn peer_certificate(&self) -> Option<Vec<u8>> {
        None
    }

    /// Returns what ties a login to the TLS session below (`tls-server-end-point`, RFC 5929,
    /// section 4): the hash of the server's certificate. The default is none.
    fn tls_server_end_point(&self) -> Option<Vec<u8>> {
        None
    }
}
