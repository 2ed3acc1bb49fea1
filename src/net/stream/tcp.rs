//! [`TcpTransport`]: a TCP connection with a deadline.

use std::io::{self, Read, Write};
use std::net::{IpAddr, TcpStream};
use std::time::Instant;

use crate::net::stream::timed::Timed;
use crate::transport::Transport;

/// A TCP connection that keeps deadlines, to build a [`Transport`] of your own on.
///
/// A TLS library that is given one instead of a [`TcpStream`] keeps deadlines as well.
#[derive(Debug)]
pub struct TcpTransport(Timed<TcpStream>);

impl TcpTransport {
    /// Takes over a connected stream. It becomes blocking, and sends small segments without delay.
    ///
    /// # Errors
    ///
    /// If the operating system refuses one of the two.
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        // Commands are short and wait for replies: nothing may be held back (Nagle).
        stream.set_nodelay(true)?;
        stream.set_nonblocking(false)?;
        Ok(Self(Timed::new(stream)))
    }

    /// Returns the stream.
    ///
    /// Its timeouts belong to this type: set a deadline instead.
    #[must_use]
    pub fn get_ref(&self) -> &TcpStream {
        &self.0.socket
    }
}

impl TryFrom<TcpStream> for TcpTransport {
    type Error = io::Error;

    fn try_from(stream: TcpStream) -> io::Result<Self> {
        Self::new(stream)
    }
}

impl Read for TcpTransport {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for TcpTransport {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Transport for TcpTransport {
    fn set_deadline(&mut self, deadline: Instant) -> io::Result<()> {
        self.0.set_deadline(deadline)
    }

    fn set_nonblocking(&mut self, yes: bool) -> io::Result<()> {
        self.0.set_nonblocking(yes)
    }

    fn shutdown(&mut self) -> io::Result<()> {
        self.0.shutdown()
    }

    fn local_ip(&self) -> Option<IpAddr> {
        self.0.local_ip()
    }
}
