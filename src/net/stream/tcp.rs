//! [`TcpTransport`]: a TCP connection with a deadline.

use std::io::{self, Read, Write};
use std::net::{IpAddr, TcpStream};
use std::time::Instant;

use crate::net::stream::timed::{KEEPS_OPTIONS, Timed, is_set};
use crate::transport::Transport;

/// A TCP connection with deadlines, as a base for your own [`Transport`].
///
/// You can give it to a TLS library instead of a [`TcpStream`]; TLS then keeps the deadlines, too.
/// A deadline counts for a whole read, however many system calls the library makes.
///
/// ```
/// use std::io::{Read, Result, Write};
/// use std::time::Instant;
/// use smtplib::Config;
/// use smtplib::connection::{TcpTransport, Transport};
///
/// /// Something on top of TCP: here it only counts what is sent.
/// struct Counting(TcpTransport, u64);
///
/// impl Read for Counting {
///     fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
///         self.0.read(buffer)
///     }
/// }
///
/// impl Write for Counting {
///     fn write(&mut self, bytes: &[u8]) -> Result<usize> {
///         let written = self.0.write(bytes)?;
///         self.1 += written as u64;
///         Ok(written)
///     }
///
///     fn flush(&mut self) -> Result<()> {
///         self.0.flush()
///     }
/// }
///
/// impl Transport for Counting {
///     fn set_deadline(&mut self, deadline: Instant) -> Result<()> {
///         self.0.set_deadline(deadline)
///     }
///
///     fn set_nonblocking(&mut self, yes: bool) -> Result<()> {
///         self.0.set_nonblocking(yes)
///     }
///
///     fn shutdown(&mut self) -> Result<()> {
///         println!("{} bytes were sent", self.1);
///         self.0.shutdown()
///     }
/// }
///
/// let config = Config::new("mail.example.com").transport(|_config, deadline| {
///     Ok(Counting(TcpTransport::connect("mail.example.com", 587, deadline)?, 0))
/// });
/// ```
#[derive(Debug)]
pub struct TcpTransport(Timed<TcpStream>);

impl TcpTransport {
    /// Takes over a connected `TcpStream`.
    ///
    /// The stream becomes blocking, and sends small segments without delay.
    ///
    /// Until you set the first deadline, reads and writes may wait for ever.
    ///
    /// # Errors
    ///
    /// If the operating system refuses one of these two settings.
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        // Commands are short and wait for replies, so Nagle's algorithm would only delay them.
        is_set(stream.set_nodelay(true), KEEPS_OPTIONS)?;
        stream.set_nonblocking(false)?;
        Ok(Self(Timed::new(stream)))
    }

    /// Returns the stream.
    ///
    /// Do not set timeouts on it, because this type sets them. Set a deadline instead.
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
