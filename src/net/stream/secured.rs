//! [`Secured`]: TLS over a transport, with the real reason of each failure.

use std::error::Error as StdError;
use std::fmt;
use std::io::{self, ErrorKind};
use std::time::Instant;

use crate::net::stream::duplex::Duplex;
use crate::net::stream::witness::Witness;
use crate::transport::Transport;

/// TLS over a transport.
///
/// The errors of a TLS library differ from release to release. So if the system call below has
/// failed, its error is reported instead.
pub(crate) struct Secured {
    layer: Box<dyn Layer>,
    witness: Witness,
    /// Whether something was read since the handshake.
    has_heard: bool,
}

/// The functions that a TLS library must provide.
pub(super) trait Layer: Duplex + Send + Sync {
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

    /// Asks the transport below TLS.
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

    /// Sends the end of TLS (`close_notify`). A failure is ignored, since the transport is closed
    /// next.
    pub(super) fn say_goodbye(&mut self) {
        self.witness.forget();
        let _ = self.layer.say_goodbye();
    }

    /// Why a read or a write failed: the error of the system call, or else of TLS.
    pub(super) fn reason(&mut self, error: io::Error) -> StreamFailure {
        if let Some(fact) = self.witness.failure() {
            return StreamFailure::Socket(fact);
        }
        if error.kind() == ErrorKind::WouldBlock {
            return StreamFailure::Socket(error);
        }
        StreamFailure::Tls(TlsFailure {
            in_clear: in_clear(&self.witness),
            is_verdict: !self.has_heard,
            source: Box::new(error),
        })
    }
}

impl Duplex for Secured {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.witness.forget();
        let read = self.layer.read(buffer)?;
        self.has_heard |= read > 0;
        Ok(read)
    }

    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.witness.forget();
        self.layer.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.layer.flush()
    }
}

impl Drop for Secured {
    /// Some TLS libraries send `close_notify` when they are dropped. After a cut it must not reach
    /// the server.
    fn drop(&mut self) {
        self.witness.cut();
    }
}

impl fmt::Debug for Secured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secured").finish_non_exhaustive()
    }
}

/// Why reading, writing or a handshake failed.
#[derive(Debug)]
pub(crate) enum StreamFailure {
    /// The transport failed. This is usually an error of the operating system.
    Socket(io::Error),
    /// TLS failed, but the transport did not.
    Tls(TlsFailure),
    /// The transport could not be set to wait or not to wait.
    Unset(io::Error),
}

/// A failure of TLS.
#[derive(Debug)]
pub(crate) struct TlsFailure {
    /// The error of the TLS library.
    pub(crate) source: Box<dyn StdError + Send + Sync>,
    /// Whether nothing was read since the handshake. With TLS 1.3, the error is then the server's
    /// verdict on our part of the handshake.
    pub(crate) is_verdict: bool,
    /// The octets that came instead of a TLS record, if they could be a reply.
    pub(crate) in_clear: Vec<u8>,
}

impl From<io::Error> for StreamFailure {
    fn from(error: io::Error) -> Self {
        Self::Socket(error)
    }
}

impl From<native_tls::Error> for StreamFailure {
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
) -> StreamFailure {
    if let Some(fact) = witness.failure_in_handshake() {
        return StreamFailure::Socket(fact);
    }
    StreamFailure::Tls(TlsFailure {
        source,
        is_verdict: false,
        in_clear: in_clear(witness),
    })
}

/// What a server sent without TLS. TLS has read the beginning; the rest is read from the transport.
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
