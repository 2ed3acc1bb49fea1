//! [`Witness`]: what the system calls below TLS have said.

use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How much of the newest read is kept: enough for a reply that came without TLS.
pub(super) const KEPT: usize = 512;

/// Remembers what the last system call said, for those who get to hear only what TLS makes of it.
///
/// Shared, since a handshake that fails takes the socket with it.
#[derive(Clone, Debug, Default)]
pub(super) struct Witness(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    failure: Option<Failed>,
    /// The beginning of what the newest read brought.
    newest: Vec<u8>,
}

/// A system call that failed, or a read that found the end.
#[derive(Clone, Copy, Debug)]
struct Failed {
    direction: Direction,
    kind: ErrorKind,
    os_code: Option<i32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Read,
    Write,
}

impl Witness {
    /// Begins anew: what fails from here on has its own reason.
    pub(super) fn forget(&self) {
        self.seen().failure = None;
    }

    /// Takes down what a system call said.
    pub(super) fn call(&self, direction: Direction, result: &io::Result<usize>) {
        self.seen().failure = match result {
            Ok(0) if direction == Direction::Read => Some(Failed {
                direction,
                kind: ErrorKind::UnexpectedEof,
                os_code: None,
            }),
            Ok(_) => None,
            Err(error) => Some(Failed {
                direction,
                kind: error.kind(),
                os_code: error.raw_os_error(),
            }),
        };
    }

    /// Takes down what a read brought.
    pub(super) fn octets(&self, octets: &[u8]) {
        let newest = &mut self.seen().newest;
        newest.clear();
        newest.extend_from_slice(octets.get(..KEPT).unwrap_or(octets));
    }

    /// Why the last system call failed, if it did.
    pub(super) fn failure(&self) -> Option<io::Error> {
        self.seen().failure.map(Failed::error)
    }

    /// The same for a handshake. There TLS says goodbye to a server it does not believe, and that
    /// the goodbye found nobody is not why it failed.
    pub(super) fn failure_in_handshake(&self) -> Option<io::Error> {
        let seen = self.seen();
        let is_reason = |failed: &Failed| {
            failed.direction == Direction::Read || seen.newest.is_empty() || failed.is_timeout()
        };
        seen.failure.filter(is_reason).map(Failed::error)
    }

    /// The beginning of what the newest read brought.
    pub(super) fn newest(&self) -> Vec<u8> {
        self.seen().newest.clone()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // Nothing in here panics half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Failed {
    fn error(self) -> io::Error {
        match self.os_code {
            Some(code) => io::Error::from_raw_os_error(code),
            None => self.kind.into(),
        }
    }

    fn is_timeout(&self) -> bool {
        self.kind == ErrorKind::TimedOut
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(witness: &Witness) -> Option<ErrorKind> {
        witness.failure().map(|error| error.kind())
    }

    #[test]
    fn the_last_call_counts() {
        let witness = Witness::default();
        assert_eq!(kind(&witness), None);
        witness.call(Direction::Write, &Err(ErrorKind::TimedOut.into()));
        assert_eq!(kind(&witness), Some(ErrorKind::TimedOut));
        witness.call(Direction::Read, &Ok(3));
        assert_eq!(kind(&witness), None);
        witness.call(Direction::Read, &Ok(0));
        assert_eq!(kind(&witness), Some(ErrorKind::UnexpectedEof));
        witness.forget();
        assert_eq!(kind(&witness), None);
    }

    // What the operating system calls it stays.
    #[cfg(unix)]
    #[test]
    fn the_systems_own_number_stays() {
        let witness = Witness::default();
        let reset = io::Error::from_raw_os_error(104);
        witness.call(Direction::Read, &Err(reset));
        assert_eq!(witness.failure().unwrap().raw_os_error(), Some(104));
    }

    // A certificate that is not believed, and a server that is gone before it hears of it.
    #[test]
    fn a_goodbye_that_fails_is_no_reason() {
        let failure = |witness: &Witness| witness.failure_in_handshake().map(|e| e.kind());
        let witness = Witness::default();
        witness.call(Direction::Write, &Err(ErrorKind::BrokenPipe.into()));
        assert_eq!(failure(&witness), Some(ErrorKind::BrokenPipe));
        witness.octets(b"\x16\x03\x03");
        assert_eq!(failure(&witness), None);
        witness.call(Direction::Write, &Err(ErrorKind::TimedOut.into()));
        assert_eq!(failure(&witness), Some(ErrorKind::TimedOut));
        witness.call(Direction::Read, &Ok(0));
        assert_eq!(failure(&witness), Some(ErrorKind::UnexpectedEof));
    }

    #[test]
    fn no_more_is_kept_than_a_reply() {
        let witness = Witness::default();
        witness.octets(&[b'x'; KEPT + 1]);
        assert_eq!(witness.newest().len(), KEPT);
        witness.octets(b"421 h");
        assert_eq!(witness.newest(), b"421 h");
    }
}
