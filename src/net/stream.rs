//! [`Stream`]: the transport, upgraded in place.

mod secured;
#[cfg(test)]
pub(crate) mod stand_in;
mod witness;

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use native_tls::{HandshakeError, TlsConnector, TlsStream};

use crate::net::stream::secured::Layer;
pub(crate) use crate::net::stream::secured::{Failure, Secured, TlsFailure};
use crate::net::stream::witness::{Direction, Witness};

/// The transport, upgraded in place.
#[derive(Debug)]
pub(crate) enum Stream {
    Plain(Timed<TcpStream>),
    Tls(Secured),
    #[cfg(unix)]
    Unix(Timed<UnixStream>),
    /// A peer in memory.
    #[cfg(any(test, fuzzing))]
    Memory(Box<dyn Peer>),
    /// Nothing left to talk to: closed by us, or lost in a failed handshake.
    Closed,
}

/// Both directions of a connection in memory.
#[cfg(any(test, fuzzing))]
pub(crate) trait Peer: Read + Write + std::fmt::Debug + Send {
    /// Whether reads have to answer `WouldBlock` instead of waiting.
    fn set_polling(&mut self, yes: bool);
}

/// What a connection needs to read and write.
trait ReadWrite: Read + Write {}

impl<T: Read + Write> ReadWrite for T {}

impl Stream {
    /// A connected TCP stream. Commands are short and wait for replies: nothing may be held back
    /// (Nagle).
    pub(crate) fn tcp(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_nonblocking(false)?;
        Ok(Self::Plain(Timed::new(stream)))
    }

    /// A connected Unix socket.
    #[cfg(unix)]
    pub(crate) fn unix(stream: UnixStream) -> Self {
        Self::Unix(Timed::new(stream))
    }

    /// Wraps the connection into TLS; if that fails, nothing is left of it.
    pub(crate) fn upgrade(
        &mut self,
        connector: &TlsConnector,
        name: &str,
        deadline: Instant,
    ) -> Result<(), UpgradeError> {
        self.set_deadline(deadline);
        let Self::Plain(mut tcp) = std::mem::replace(self, Self::Closed) else {
            return Err(UpgradeError::NotTcp);
        };
        let witness = tcp.witness.get_or_insert_default().clone();
        // A handshake that fails takes its socket with it.
        let socket = tcp.socket.try_clone().ok();
        match connector.connect(name, tcp) {
            Ok(tls) => {
                *self = Self::Tls(Secured::new(tls, witness));
                Ok(())
            }
            Err(HandshakeError::Failure(error)) => {
                let reason = secured::reason_of_handshake(&witness, error, socket.as_ref());
                Err(UpgradeError::Failed(reason))
            }
            Err(HandshakeError::WouldBlock(_)) => {
                let timeout = io::Error::from(ErrorKind::TimedOut);
                Err(UpgradeError::Failed(timeout.into()))
            }
        }
    }

    /// Until when reads and writes may take.
    pub(crate) fn set_deadline(&mut self, deadline: Instant) {
        match self {
            Self::Plain(tcp) => tcp.deadline = Some(deadline),
            Self::Tls(tls) => tls.set_deadline(deadline),
            #[cfg(unix)]
            Self::Unix(unix) => unix.deadline = Some(deadline),
            #[cfg(any(test, fuzzing))]
            Self::Memory(_) => {}
            Self::Closed => {}
        }
    }

    /// Reads what is there, waiting until the deadline; 0 is the end.
    ///
    /// An end that TLS did not announce is an end like any other: a reply that is cut short shows
    /// by itself.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Failure> {
        let result = self.inner()?.read(buffer);
        result.map_err(|error| self.reason(error))
    }

    /// Writes everything; `taken` counts the octets that were taken, also when it fails.
    pub(crate) fn write_all(&mut self, octets: &[u8], taken: &mut u64) -> Result<(), Failure> {
        let result = self.write_octets(octets, taken);
        result.map_err(|error| self.reason(error))
    }

    fn write_octets(&mut self, mut octets: &[u8], taken: &mut u64) -> io::Result<()> {
        let inner = self.inner()?;
        while !octets.is_empty() {
            match inner.write(octets)? {
                0 => return Err(ErrorKind::WriteZero.into()),
                written => {
                    *taken += written as u64;
                    octets = octets.get(written..).unwrap_or_default();
                }
            }
        }
        inner.flush()
    }

    /// Reads what is there without waiting; `None` if there is nothing, `Some(0)` at the end.
    pub(crate) fn try_read(&mut self, buffer: &mut [u8]) -> Result<Option<usize>, Failure> {
        self.set_polling(true)?;
        let result = self.read(buffer);
        self.set_polling(false)?;
        match result {
            Err(Failure::Socket(error)) if error.kind() == ErrorKind::WouldBlock => Ok(None),
            result => result.map(Some),
        }
    }

    /// From here on reads give what is there and do not wait.
    pub(crate) fn wait_no_more(&mut self) {
        // Whatever is wrong with the socket, the next read says it, too.
        let _ = self.set_polling(true);
    }

    /// Why a read or a write failed.
    fn reason(&mut self, error: io::Error) -> Failure {
        match self {
            Self::Tls(tls) => tls.reason(error),
            _ => Failure::Socket(error),
        }
    }

    /// Ends the connection. TLS says goodbye first, so that the peer can tell this from a cut.
    pub(crate) fn close(&mut self) {
        if let Self::Tls(tls) = self {
            tls.say_goodbye();
        }
        self.abort();
    }

    /// Cuts the connection at once, in both directions.
    pub(crate) fn abort(&mut self) {
        let _ = match std::mem::replace(self, Self::Closed) {
            Self::Plain(tcp) => tcp.socket.shutdown(Shutdown::Both),
            Self::Tls(tls) => tls.socket().shutdown(Shutdown::Both),
            #[cfg(unix)]
            Self::Unix(unix) => unix.socket.shutdown(Shutdown::Both),
            #[cfg(any(test, fuzzing))]
            Self::Memory(_) => Ok(()),
            Self::Closed => Ok(()),
        };
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(self, Self::Closed)
    }

    /// Whether it is a socket without TLS that TLS can be put on.
    pub(crate) fn is_tcp(&self) -> bool {
        match self {
            Self::Plain(_) => true,
            // So that fuzzing reaches what comes before the handshake.
            #[cfg(any(test, fuzzing))]
            Self::Memory(_) => true,
            _ => false,
        }
    }

    pub(crate) fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(_))
    }

    /// The address of this side.
    pub(crate) fn local_ip(&self) -> Option<IpAddr> {
        let address = match self {
            Self::Plain(tcp) => tcp.socket.local_addr(),
            Self::Tls(tls) => tls.socket().local_addr(),
            _ => return None,
        };
        Some(address.ok()?.ip().to_canonical())
    }

    /// The server's certificate in DER.
    pub(crate) fn peer_certificate(&self) -> Option<Vec<u8>> {
        let Self::Tls(tls) = self else { return None };
        tls.certificate()
    }

    /// What ties a login to this TLS session (RFC 5929, 4), if the platform can tell.
    pub(crate) fn tls_server_end_point(&self) -> Option<Vec<u8>> {
        let Self::Tls(tls) = self else { return None };
        tls.end_point()
    }

    fn inner(&mut self) -> io::Result<&mut dyn ReadWrite> {
        match self {
            Self::Plain(tcp) => Ok(tcp),
            Self::Tls(tls) => Ok(tls),
            #[cfg(unix)]
            Self::Unix(unix) => Ok(unix),
            #[cfg(any(test, fuzzing))]
            Self::Memory(peer) => Ok(peer),
            Self::Closed => Err(ErrorKind::NotConnected.into()),
        }
    }

    fn set_polling(&mut self, yes: bool) -> io::Result<()> {
        match self {
            Self::Plain(tcp) => tcp.set_polling(yes),
            Self::Tls(tls) => tls.set_polling(yes),
            #[cfg(unix)]
            Self::Unix(unix) => unix.set_polling(yes),
            #[cfg(any(test, fuzzing))]
            Self::Memory(peer) => {
                peer.set_polling(yes);
                Ok(())
            }
            Self::Closed => Err(ErrorKind::NotConnected.into()),
        }
    }
}

/// Why a connection could not be wrapped into TLS.
#[derive(Debug)]
pub(crate) enum UpgradeError {
    NotTcp,
    Failed(Failure),
}

/// The end of a budget that begins now. One that no clock can hold ends in a year.
pub(crate) fn deadline_in(budget: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    let now = Instant::now();
    now.checked_add(budget).unwrap_or_else(|| now + YEAR)
}

/// A socket with a deadline.
///
/// It stands below TLS, where one read can be many system calls and a peer that sends an octet now
/// and then could make each of them begin anew.
///
/// When the time is up it says `TimedOut`. To TLS it says `WouldBlock`, and the [`Witness`] knows
/// better: behind any other failure of a write some TLS libraries do not read any more, and what
/// the server had said by then would be lost.
#[derive(Debug)]
pub(crate) struct Timed<S> {
    socket: S,
    deadline: Option<Instant>,
    /// Hears what each system call says, where TLS stands above.
    witness: Option<Witness>,
    /// The socket is set not to block: `WouldBlock` is an answer.
    is_polling: bool,
    read_limit: Duration,
    write_limit: Duration,
}

impl Layer for TlsStream<Timed<TcpStream>> {
    fn socket(&self) -> &TcpStream {
        &self.get_ref().socket
    }

    fn set_deadline(&mut self, deadline: Instant) {
        self.get_mut().deadline = Some(deadline);
    }

    fn set_polling(&mut self, yes: bool) -> io::Result<()> {
        self.get_mut().set_polling(yes)
    }

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

/// What a socket can do beside reading and writing.
pub(crate) trait Socket: Read + Write {
    fn limit_reads(&self, limit: Duration) -> io::Result<()>;
    fn limit_writes(&self, limit: Duration) -> io::Result<()>;
    fn set_blocking(&self, yes: bool) -> io::Result<()>;
}

impl<S: Socket> Timed<S> {
    fn new(socket: S) -> Self {
        let (read_limit, write_limit) = (Duration::MAX, Duration::MAX);
        Self {
            socket,
            deadline: None,
            witness: None,
            is_polling: false,
            read_limit,
            write_limit,
        }
    }

    fn set_polling(&mut self, yes: bool) -> io::Result<()> {
        self.is_polling = yes;
        self.socket.set_blocking(!yes)
    }

    /// How long the next system call may wait.
    fn time_left(&self) -> io::Result<Duration> {
        let Some(deadline) = self.deadline else {
            return Ok(Duration::MAX);
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            Err(ErrorKind::TimedOut.into())
        } else {
            Ok(left)
        }
    }

    /// Runs a system call until it has an answer or the deadline has passed.
    fn run<T>(
        &mut self,
        limit: fn(&mut Self, Duration, bool) -> io::Result<()>,
        mut call: impl FnMut(&mut S) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut has_waited = false;
        loop {
            if !self.is_polling {
                let left = self.time_left()?;
                limit(self, left, has_waited)?;
            }
            match call(&mut self.socket) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if is_timeout(&error) && !self.is_polling => has_waited = true,
                result => return result,
            }
        }
    }

    /// Has the witness hear what a system call said, and gives what TLS is to make of it.
    fn told(&self, direction: Direction, result: io::Result<usize>) -> io::Result<usize> {
        let Some(witness) = &self.witness else {
            return result;
        };
        witness.call(direction, &result);
        match result {
            Err(error) if error.kind() == ErrorKind::TimedOut => Err(ErrorKind::WouldBlock.into()),
            result => result,
        }
    }

    fn limit_reads(&mut self, left: Duration, has_waited: bool) -> io::Result<()> {
        match new_limit(self.read_limit, left, has_waited) {
            Some(limit) => {
                self.read_limit = limit;
                self.socket.limit_reads(limit)
            }
            None => Ok(()),
        }
    }

    fn limit_writes(&mut self, left: Duration, has_waited: bool) -> io::Result<()> {
        match new_limit(self.write_limit, left, has_waited) {
            Some(limit) => {
                self.write_limit = limit;
                self.socket.limit_writes(limit)
            }
            None => Ok(()),
        }
    }
}

/// The socket's own timeout, if it has to change.
///
/// It must not exceed the time left, and may be shorter: then the call wakes up early and goes on.
/// Half of the time left suits the steps that follow as well, so that a session hardly ever pays a
/// system call for it.
fn new_limit(current: Duration, left: Duration, has_waited: bool) -> Option<Duration> {
    const SHORTEST: Duration = Duration::from_millis(1);
    const FINE: Duration = Duration::from_millis(50);
    if current <= left && !has_waited {
        return None;
    }
    let limit = if left <= FINE { left } else { left / 2 };
    Some(limit.max(SHORTEST)).filter(|limit| *limit != current)
}

/// Unix says `WouldBlock` when a socket's timeout is over, Windows `TimedOut`.
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

impl<S: Socket> Read for Timed<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = self.run(Self::limit_reads, |socket| socket.read(buffer));
        if let (Some(witness), Ok(read)) = (&self.witness, &result) {
            witness.octets(buffer.get(..*read).unwrap_or_default());
        }
        self.told(Direction::Read, result)
    }
}

impl<S: Socket> Write for Timed<S> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let result = self.run(Self::limit_writes, |socket| socket.write(octets));
        self.told(Direction::Write, result)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

macro_rules! socket {
    ($($(#[$cfg:meta])* $name:ty),*) => {$(
        $(#[$cfg])*
        impl Socket for $name {
            fn limit_reads(&self, limit: Duration) -> io::Result<()> {
                self.set_read_timeout(Some(limit))
            }

            fn limit_writes(&self, limit: Duration) -> io::Result<()> {
                self.set_write_timeout(Some(limit))
            }

            fn set_blocking(&self, yes: bool) -> io::Result<()> {
                self.set_nonblocking(!yes)
            }
        }
    )*};
}

socket!(
    TcpStream,
    #[cfg(unix)]
    UnixStream
);

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_limit_stays_while_it_does_no_harm() {
        assert_eq!(new_limit(10 * MS, 10 * MS, false), None);
        assert_eq!(new_limit(10 * MS, 1000 * MS, false), None);
    }

    #[test]
    fn a_limit_never_exceeds_the_time_left() {
        assert_eq!(new_limit(Duration::MAX, 1000 * MS, false), Some(500 * MS));
        assert_eq!(new_limit(500 * MS, 400 * MS, false), Some(200 * MS));
        assert_eq!(new_limit(500 * MS, 40 * MS, false), Some(40 * MS));
        for left in 1..2000 {
            let limit = new_limit(Duration::MAX, left * MS, false).unwrap();
            assert!(limit <= left * MS && limit >= MS, "{left} ms: {limit:?}");
        }
    }

    // Zero would mean "wait for ever" to the operating system.
    #[test]
    fn a_limit_is_never_zero() {
        let left = Duration::from_nanos(1);
        assert_eq!(new_limit(Duration::MAX, left, false), Some(MS));
        assert_eq!(new_limit(MS, left, true), None);
    }

    // After a wait that was cut short the next one is as long as it can be.
    #[test]
    fn a_limit_grows_back() {
        assert_eq!(new_limit(MS, 1000 * MS, true), Some(500 * MS));
        assert_eq!(new_limit(500 * MS, 1000 * MS, true), None);
    }

    #[test]
    fn every_budget_has_an_end() {
        let now = Instant::now();
        assert!(deadline_in(Duration::MAX) > now + Duration::from_secs(1_000_000));
        assert!(deadline_in(Duration::ZERO) >= now);
    }

    fn kind(failure: Failure) -> Option<ErrorKind> {
        match failure {
            Failure::Socket(error) => Some(error.kind()),
            Failure::Tls(_) => None,
        }
    }

    // The deadline holds however short the operating system's own limit was, and a peer that is
    // silent is a timeout.
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
