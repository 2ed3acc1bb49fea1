//! [`Secured`]: TLS over a socket, and the truth about it.

use std::error::Error as StdError;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use crate::net::stream::witness::{KEPT, Witness};

/// TLS over a socket.
///
/// What a TLS library says about a read or a write is its own account of it, which differs from
/// release to release; what the system call below said is the fact, and comes first.
#[derive(Debug)]
pub(crate) struct Secured {
    layer: Box<dyn Layer>,
    witness: Witness,
    /// Something was read since the handshake.
    has_heard: bool,
}

/// What a TLS library gives.
pub(super) trait Layer: Read + Write + fmt::Debug + Send + Sync {
    fn socket(&self) -> &TcpStream;
    fn set_deadline(&mut self, deadline: Instant);
    fn set_polling(&mut self, yes: bool) -> io::Result<()>;
    fn say_goodbye(&mut self) -> io::Result<()>;
    fn certificate(&self) -> Option<Vec<u8>>;
    fn end_point(&self) -> Option<Vec<u8>>;
}

impl Secured {
    pub(super) fn new(layer: impl Layer + 'static, witness: Witness) -> Self {
        Self {
            layer: Box::new(layer),
            witness,
            has_heard: false,
        }
    }

    pub(super) fn socket(&self) -> &TcpStream {
        self.layer.socket()
    }

    pub(super) fn set_deadline(&mut self, deadline: Instant) {
        self.layer.set_deadline(deadline);
    }

    pub(super) fn set_polling(&mut self, yes: bool) -> io::Result<()> {
        self.layer.set_polling(yes)
    }

    pub(super) fn certificate(&self) -> Option<Vec<u8>> {
        self.layer.certificate()
    }

    pub(super) fn end_point(&self) -> Option<Vec<u8>> {
        self.layer.end_point()
    }

    /// Tells the peer that the end is meant. Best effort: the socket closes next, whatever happens
    /// here.
    pub(super) fn say_goodbye(&mut self) {
        self.witness.forget();
        let _ = self.layer.say_goodbye();
    }

    /// Why a read or a write failed: what the system call said, or else TLS.
    pub(super) fn reason(&mut self, error: io::Error) -> Failure {
        if let Some(fact) = self.witness.failure() {
            return Failure::Socket(fact);
        }
        if error.kind() == ErrorKind::WouldBlock {
            return Failure::Socket(error);
        }
        Failure::Tls(TlsFailure {
            in_clear: in_clear(&self.witness, Some(self.layer.socket())),
            is_verdict: !self.has_heard,
            source: Box::new(error),
        })
    }
}

impl Read for Secured {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.witness.forget();
        let read = self.layer.read(buffer)?;
        self.has_heard |= read > 0;
        Ok(read)
    }
}

impl Write for Secured {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.witness.forget();
        self.layer.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.layer.flush()
    }
}

/// Why reading, writing or a handshake failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The operating system says so.
    Socket(io::Error),
    /// TLS says so, and the operating system knows nothing of it.
    Tls(TlsFailure),
}

/// What TLS had to say.
#[derive(Debug)]
pub(crate) struct TlsFailure {
    /// In the TLS library's words.
    pub(crate) source: Box<dyn StdError + Send + Sync>,
    /// Nothing was heard from the server since the handshake: as TLS 1.3 has it, this is what it
    /// thinks of our part of that.
    pub(crate) is_verdict: bool,
    /// What came where a TLS record had to begin, if it could be a reply.
    pub(crate) in_clear: Vec<u8>,
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Socket(error)
    }
}

impl From<native_tls::Error> for Failure {
    fn from(error: native_tls::Error) -> Self {
        Self::Tls(TlsFailure {
            source: Box::new(error),
            is_verdict: false,
            in_clear: Vec::new(),
        })
    }
}

/// Why a handshake failed; `socket` is what is left of it.
pub(super) fn reason_of_handshake(
    witness: &Witness,
    error: native_tls::Error,
    socket: Option<&TcpStream>,
) -> Failure {
    if let Some(fact) = witness.failure_in_handshake() {
        return Failure::Socket(fact);
    }
    Failure::Tls(TlsFailure {
        source: Box::new(error),
        is_verdict: false,
        in_clear: in_clear(witness, socket),
    })
}

/// What a server said without TLS: TLS has taken the beginning, and the rest waits in the socket.
fn in_clear(witness: &Witness, socket: Option<&TcpStream>) -> Vec<u8> {
    let mut octets = witness.newest();
    let is_reply = matches!(
        octets.as_slice(),
        [b'2'..=b'5', b'0'..=b'9', b'0'..=b'9', ..]
    );
    if !is_reply {
        return Vec::new();
    }
    let mut rest = [0; KEPT];
    if let Some(mut socket) = socket.filter(|socket| socket.set_nonblocking(true).is_ok()) {
        let read = socket.read(&mut rest).unwrap_or_default();
        octets.extend_from_slice(rest.get(..read).unwrap_or_default());
    }
    octets
}
