//! [`Secured`]: TLS over a transport, and the truth about it.

use std::error::Error as StdError;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::time::Instant;

use crate::net::stream::witness::Witness;
use crate::transport::Transport;

/// TLS over a transport.
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

    /// Asks the transport.
    pub(super) fn below<T>(&self, ask: impl FnOnce(&dyn Transport) -> T) -> Option<T> {
        self.witness.below(ask)
    }

    pub(super) fn set_deadline(&mut self, deadline: Instant) {
        self.witness.set_deadline(deadline);
    }

    pub(super) fn set_polling(&mut self, yes: bool) -> io::Result<()> {
        self.witness.set_polling(yes)
    }

    pub(super) fn certificate(&self) -> Option<Vec<u8>> {
        self.layer.certificate()
    }

    pub(super) fn end_point(&self) -> Option<Vec<u8>> {
        self.layer.end_point()
    }

    /// Sends the end of TLS (`close_notify`). Best effort: the transport closes next, whatever
    /// happens here.
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
            in_clear: in_clear(&self.witness),
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

impl Drop for Secured {
    /// Some TLS libraries say goodbye when they are dropped, which must not reach the peer of a
    /// connection that was cut.
    fn drop(&mut self) {
        self.witness.cut();
    }
}

/// Why reading, writing or a handshake failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The transport says so: the operating system, as a rule.
    Socket(io::Error),
    /// TLS says so, and the transport knows nothing of it.
    Tls(TlsFailure),
    /// The transport could not be told whether to wait.
    Unset(io::Error),
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

/// Why a handshake failed.
pub(super) fn reason_of_handshake(
    witness: &Witness,
    source: Box<dyn StdError + Send + Sync>,
) -> Failure {
    if let Some(fact) = witness.failure_in_handshake() {
        return Failure::Socket(fact);
    }
    Failure::Tls(TlsFailure {
        source,
        is_verdict: false,
        in_clear: in_clear(witness),
    })
}

/// What a server said without TLS: TLS has taken the beginning, and the rest waits below.
fn in_clear(witness: &Witness) -> Vec<u8> {
    let mut octets = witness.newest();
    let is_reply = matches!(
        octets.as_slice(),
        [b'2'..=b'5', b'0'..=b'9', b'0'..=b'9', ..]
    );
    if !is_reply {
        return Vec::new();
    }
    octets.extend(witness.rest());
    octets
}
