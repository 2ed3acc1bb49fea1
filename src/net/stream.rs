//! [`Stream`]: a connection that can be upgraded to TLS in place.

mod channel;
mod duplex;
mod secured;
#[cfg(test)]
pub(crate) mod stand_in;
pub(crate) mod tcp;
pub(super) mod timed;
mod witness;

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, TcpStream};
use std::time::{Duration, Instant};

use native_tls::{HandshakeError, TlsConnector, TlsStream};

use crate::net::stream::channel::Channel;
use crate::net::stream::duplex::Duplex;
use crate::net::stream::secured::Layer;
pub(crate) use crate::net::stream::secured::{Secured, StreamFailure, TlsFailure};
use crate::net::stream::tcp::TcpTransport;
use crate::net::stream::timed::{REPEATS_CALLS, may_have_sent};
use crate::net::stream::witness::Witness;
use crate::transport::Transport;

/// A connection that can be upgraded to TLS in place.
#[derive(Debug)]
pub(crate) enum Stream {
    /// The transport as it was opened.
    Plain(Channel),
    /// The transport with TLS, which this library has added.
    Tls(Secured),
    /// Closed by us, or lost in a failed handshake.
    Closed,
}

impl Stream {
    /// A connection over any transport.
    pub(crate) fn new(transport: impl Transport + 'static) -> Self {
        Self::boxed(Box::new(transport))
    }

    /// A connection over a boxed transport.
    pub(crate) fn boxed(transport: Box<dyn Transport>) -> Self {
        Self::Plain(Channel::new(transport))
    }

    /// A connected TCP stream.
    pub(crate) fn tcp(stream: TcpStream) -> io::Result<Self> {
        Ok(Self::new(TcpTransport::new(stream)?))
    }

    /// Wraps the connection in TLS. If that fails, the connection is closed.
    pub(crate) fn upgrade(
        &mut self,
        connector: &TlsConnector,
        name: &str,
        deadline: Instant,
    ) -> Result<(), UpgradeError> {
        self.set_deadline(deadline);
        let Self::Plain(channel) = std::mem::replace(self, Self::Closed) else {
            return Err(UpgradeError::NotPlain);
        };
        let witness = Witness::of(channel);
        match connector.connect(name, witness.clone()) {
            Ok(tls) => {
                *self = Self::Tls(Secured::new(tls, witness));
                Ok(())
            }
            Err(HandshakeError::Failure(error)) => {
                let reason = secured::reason_of_handshake(&witness, error.into());
                Err(UpgradeError::Failed(reason))
            }
            Err(HandshakeError::WouldBlock(_)) => {
                let timeout = io::Error::from(ErrorKind::TimedOut);
                Err(UpgradeError::Failed(timeout.into()))
            }
        }
    }

    /// Sets the deadline of reads and writes. If that fails, the next of them returns the error.
    pub(crate) fn set_deadline(&mut self, deadline: Instant) {
        match self {
            Self::Plain(channel) => channel.set_deadline(deadline),
            Self::Tls(tls) => tls.set_deadline(deadline),
            Self::Closed => {}
        }
    }

    /// Reads what has arrived, or waits for it until the deadline. 0 is the end.
    ///
    /// An end that TLS did not announce counts as a normal end. If it cuts a reply short, the reply
    /// has no last line.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, StreamFailure> {
        let result = self.inner()?.read(buffer);
        result.map_err(|error| self.reason(error))
    }

    /// Writes everything. `taken` counts the octets that were accepted, even if it fails, and those
    /// that may have gone out.
    pub(crate) fn write_all(
        &mut self,
        octets: &[u8],
        taken: &mut u64,
    ) -> Result<(), StreamFailure> {
        let result = self.write_octets(octets, taken);
        result.map_err(|error| self.reason(error))
    }

    fn write_octets(&mut self, mut octets: &[u8], taken: &mut u64) -> io::Result<()> {
        let inner = self.inner()?;
        while !octets.is_empty() {
            match inner.write(octets) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => {
                    *taken += written as u64;
                    octets = octets.get(written..).unwrap_or_default();
                }
                Err(error) => {
                    // The end of a message that may have gone out may have delivered it.
                    if may_have_sent(&error, REPEATS_CALLS) {
                        *taken += octets.len() as u64;
                    }
                    return Err(error);
                }
            }
        }
        inner.flush()
    }

    /// Reads what has arrived, without waiting. `None` means nothing, and `Some(0)` is the end.
    pub(crate) fn try_read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, StreamFailure> {
        self.set_polling(true).map_err(StreamFailure::Unset)?;
        let result = self.read(buffer);
        self.set_polling(false).map_err(StreamFailure::Unset)?;
        match result {
            Err(StreamFailure::Socket(error)) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            result => result.map(Some),
        }
    }

    /// Makes the reads from here on return what has arrived, without waiting.
    pub(crate) fn wait_no_more(&mut self) {
        // If something is wrong with the socket, the next read fails, too.
        let _ = self.set_polling(true);
    }

    /// Why a read or a write failed.
    fn reason(&mut self, error: io::Error) -> StreamFailure {
        match self {
            Self::Tls(tls) => tls.reason(error),
            _ => StreamFailure::Socket(error),
        }
    }

    /// Ends the connection. TLS sends `close_notify` first, so that the server can tell this from a
    /// cut.
    pub(crate) fn close(&mut self) {
        if let Self::Tls(tls) = self {
            tls.say_goodbye();
        }
        self.abort();
    }

    /// Cuts the connection at once, in both directions.
    pub(crate) fn abort(&mut self) {
        *self = Self::Closed;
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(self, Self::Closed)
    }

    /// Whether this library has added TLS.
    pub(crate) fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// Whether the transport itself is protected. The transport says so, and nobody checks it.
    pub(crate) fn is_protected_below(&self) -> bool {
        self.below(|transport| transport.is_protected())
            .unwrap_or_default()
    }

    /// The address of this side.
    pub(crate) fn local_ip(&self) -> Option<IpAddr> {
        let address = self.below(|transport| transport.local_ip())??;
        Some(address.to_canonical())
    }

    /// The server's certificate in DER.
    pub(crate) fn peer_certificate(&self) -> Option<Vec<u8>> {
        match self {
            Self::Plain(channel) => channel.peer_certificate(),
            Self::Tls(tls) => tls.certificate(),
            Self::Closed => None,
        }
    }

    /// The value that ties a login to this TLS session (RFC 5929, 4), if it is available.
    pub(crate) fn tls_server_end_point(&self) -> Option<Vec<u8>> {
        match self {
            Self::Plain(channel) => channel.tls_server_end_point(),
            Self::Tls(tls) => tls.end_point(),
            Self::Closed => None,
        }
    }

    /// Asks the transport, which is below TLS if there is TLS.
    fn below<T>(&self, ask: impl FnOnce(&dyn Transport) -> T) -> Option<T> {
        match self {
            Self::Plain(channel) => Some(ask(&**channel)),
            Self::Tls(tls) => tls.below(ask),
            Self::Closed => None,
        }
    }

    fn inner(&mut self) -> io::Result<&mut dyn Duplex> {
        match self {
            Self::Plain(channel) => Ok(channel),
            Self::Tls(tls) => Ok(tls),
            Self::Closed => Err(ErrorKind::NotConnected.into()),
        }
    }

    fn set_polling(&mut self, yes: bool) -> io::Result<()> {
        match self {
            Self::Plain(channel) => channel.set_nonblocking(yes),
            Self::Tls(tls) => tls.set_polling(yes),
            Self::Closed => Err(ErrorKind::NotConnected.into()),
        }
    }
}

/// Why a connection could not be wrapped in TLS.
#[derive(Debug)]
pub(crate) enum UpgradeError {
    /// The connection has TLS already, or it is closed.
    NotPlain,
    Failed(StreamFailure),
}

/// The end of a budget that begins now. A budget too long for the clock ends in a year.
pub(crate) fn deadline_in(budget: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    let now = Instant::now();
    now.checked_add(budget).unwrap_or_else(|| now + YEAR)
}

impl Duplex for TlsStream<Witness> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        Read::read(self, buffer)
    }

    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        Write::write(self, octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Write::flush(self)
    }
}

impl Layer for TlsStream<Witness> {
    fn say_goodbye(&mut self) -> io::Result<()> {
        self.shutdown()
    }

    fn certificate(&self) -> Option<Vec<u8>> {
        self.peer_certificate().ok()??.to_der().ok()
    }

    fn end_point(&self) -> Option<Vec<u8>> {
        self.tls_server_end_point().ok()?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn every_budget_has_an_end() {
        let now = Instant::now();
        assert!(deadline_in(Duration::MAX) > now + Duration::from_secs(1_000_000));
        assert!(deadline_in(Duration::ZERO) >= now);
    }

    fn kind(failure: StreamFailure) -> Option<ErrorKind> {
        match failure {
            StreamFailure::Socket(error) => Some(error.kind()),
            StreamFailure::Tls(_) | StreamFailure::Unset(_) => None,
        }
    }

    // The deadline holds even if the operating system's own limit is shorter. A silent peer is a
    // timeout.
    #[test]
    fn a_read_ends_at_the_deadline() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut stream = Stream::tcp(socket).unwrap();
        for _ in 0..2 {
            let deadline = deadline_in(60 * MS);
            stream.set_deadline(deadline);
            let error = stream.read(&mut [0; 10]).unwrap_err();
            assert_eq!(kind(error), Some(ErrorKind::TimedOut));
            assert!(Instant::now() >= deadline);
            assert_eq!(stream.try_read(&mut [0; 10]).unwrap(), None);
        }
    }

    #[test]
    fn a_closed_stream_says_so() {
        let mut stream = Stream::Closed;
        let error = stream.read(&mut [0; 10]).unwrap_err();
        assert_eq!(kind(error), Some(ErrorKind::NotConnected));
        assert!(stream.write_all(b"x", &mut 0).is_err() && stream.try_read(&mut [0]).is_err());
        assert!(stream.is_closed() && !stream.is_tls() && stream.local_ip().is_none());
    }
}
