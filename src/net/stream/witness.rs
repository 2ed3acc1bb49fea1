//! [`Witness`]: a transport below TLS that remembers its last result.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::net::stream::channel::Channel;
use crate::net::stream::duplex::Duplex;
use crate::transport::Transport;

/// How much of the newest read is kept: enough for a reply that came without TLS.
const KEPT: usize = 512;

/// A transport below TLS. It remembers the result of the last read or write, because the TLS
/// library may report something else.
///
/// At the deadline it returns `WouldBlock` to TLS, but remembers a timeout. After any other failed
/// write some TLS libraries do not read any more. What the server had sent by then would be lost.
///
/// It is shared, because a failed handshake drops the transport that it was given.
#[derive(Clone, Debug, Default)]
pub(super) struct Witness(Arc<Mutex<Seen>>);

#[derive(Debug, Default)]
struct Seen {
    /// `None` after the connection was cut.
    channel: Option<Channel>,
    failure: Option<Failed>,
    /// The first octets of the newest read.
    newest: Vec<u8>,
}

/// A call that failed, or a read that found the end.
#[derive(Clone, Debug)]
struct Failed {
    direction: Direction,
    kind: ErrorKind,
    os_code: Option<i32>,
    /// The text of an error that the caller's own transport has made.
    words: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Read,
    Write,
}

impl Witness {
    /// Makes a witness between a transport and TLS.
    pub(super) fn of(channel: Channel) -> Self {
        let seen = Seen {
            channel: Some(channel),
            ..Seen::default()
        };
        Self(Arc::new(Mutex::new(seen)))
    }

    /// Asks the transport.
    pub(super) fn below<T>(&self, ask: impl FnOnce(&dyn Transport) -> T) -> Option<T> {
        self.seen().channel.as_deref().map(ask)
    }

    pub(super) fn set_deadline(&self, deadline: Instant) {
        if let Some(channel) = &mut self.seen().channel {
            channel.set_deadline(deadline);
        }
    }

    pub(super) fn set_polling(&self, yes: bool) -> io::Result<()> {
        self.seen().channel()?.set_nonblocking(yes)
    }

    /// Closes the transport, even if somebody else still holds this witness.
    pub(super) fn cut(&self) {
        let channel = self.seen().channel.take();
        // Closing can take long, so it happens after the lock was released.
        drop(channel);
    }

    /// Reads what has arrived, without waiting. It reads enough for a reply.
    pub(super) fn rest(&self) -> Vec<u8> {
        let mut rest = vec![0; KEPT];
        let mut seen = self.seen();
        let read = seen.channel().and_then(|channel| {
            channel.set_nonblocking(true)?;
            channel.read(&mut rest)
        });
        rest.truncate(read.unwrap_or_default());
        rest
    }

    /// Forgets the last failure, so that the next call is judged on its own.
    pub(super) fn forget(&self) {
        self.seen().failure = None;
    }

    /// Why the last call failed, if it did.
    pub(super) fn failure(&self) -> Option<io::Error> {
        self.seen().failure.as_ref().map(Failed::error)
    }

    /// Why a handshake failed, if the transport did. If TLS rejects the server, it sends an alert.
    /// If only that write failed, it is not the reason.
    pub(super) fn failure_in_handshake(&self) -> Option<io::Error> {
        let seen = self.seen();
        let is_reason = |failed: &&Failed| {
            failed.direction == Direction::Read || seen.newest.is_empty() || failed.is_timeout()
        };
        let failure = seen.failure.as_ref();
        failure.filter(is_reason).map(Failed::error)
    }

    /// The first octets of the newest read.
    pub(super) fn newest(&self) -> Vec<u8> {
        self.seen().newest.clone()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // Even a transport that panics leaves the values in here whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Read for Witness {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut seen = self.seen();
        let result = seen.channel().and_then(|channel| channel.read(buffer));
        if let Ok(read) = &result {
            seen.octets(buffer.get(..*read).unwrap_or_default());
        }
        seen.told(Direction::Read, result)
    }
}

impl Write for Witness {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let mut seen = self.seen();
        let result = seen.channel().and_then(|channel| channel.write(octets));
        seen.told(Direction::Write, result)
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut seen = self.seen();
        match seen.channel().and_then(Duplex::flush) {
            // A flush that succeeds does not undo the failure of a write.
            Ok(()) => Ok(()),
            Err(error) => seen.told(Direction::Write, Err(error)).map(drop),
        }
    }
}

impl Seen {
    fn channel(&mut self) -> io::Result<&mut Channel> {
        let channel = self.channel.as_mut();
        channel.ok_or_else(|| ErrorKind::NotConnected.into())
    }

    /// Remembers the result of a call, and returns the result for TLS.
    fn told(&mut self, direction: Direction, result: io::Result<usize>) -> io::Result<usize> {
        self.call(direction, &result);
        match result {
            Err(error) if error.kind() == ErrorKind::TimedOut => Err(ErrorKind::WouldBlock.into()),
            result => result,
        }
    }

    /// Remembers the result of a call.
    fn call(&mut self, direction: Direction, result: &io::Result<usize>) {
        self.failure = match result {
            Ok(0) if direction == Direction::Read => Some(Failed {
                direction,
                kind: ErrorKind::UnexpectedEof,
                os_code: None,
                words: None,
            }),
            Ok(_) => None,
            Err(error) => Some(Failed {
                direction,
                kind: error.kind(),
                os_code: error.raw_os_error(),
                words: error.get_ref().map(ToString::to_string),
            }),
        };
    }

    /// Remembers the first octets of a read.
    fn octets(&mut self, octets: &[u8]) {
        let newest = &mut self.newest;
        newest.clear();
        newest.extend_from_slice(octets.get(..KEPT).unwrap_or(octets));
    }
}

impl Failed {
    fn error(&self) -> io::Error {
        match (self.os_code, &self.words) {
            (Some(code), _) => io::Error::from_raw_os_error(code),
            (None, Some(words)) => io::Error::new(self.kind, words.as_str()),
            (None, None) => self.kind.into(),
        }
    }

    fn is_timeout(&self) -> bool {
        matches!(self.kind, ErrorKind::TimedOut | ErrorKind::WouldBlock)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Witness {
        fn call(&self, direction: Direction, result: &io::Result<usize>) {
            self.seen().call(direction, result);
        }

        fn octets(&self, octets: &[u8]) {
            self.seen().octets(octets);
        }
    }

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

    // The error number of the operating system is kept.
    #[cfg(unix)]
    #[test]
    fn the_systems_own_number_stays() {
        let witness = Witness::default();
        let reset = io::Error::from_raw_os_error(104);
        witness.call(Direction::Read, &Err(reset));
        assert_eq!(witness.failure().unwrap().raw_os_error(), Some(104));
    }

    // TLS rejects the certificate, and the server is gone before the alert is sent.
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

    // The error text of the caller's own transport is kept, too.
    #[test]
    fn words_stay() {
        let witness = Witness::default();
        let fallen = io::Error::new(ErrorKind::BrokenPipe, "the tunnel fell in");
        witness.call(Direction::Write, &Err(fallen));
        let failure = witness.failure().unwrap();
        assert_eq!(failure.to_string(), "the tunnel fell in");
        assert_eq!(failure.kind(), ErrorKind::BrokenPipe);
    }

    /// Every read and write times out.
    struct Late;

    impl Read for Late {
        fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
            Err(ErrorKind::TimedOut.into())
        }
    }

    impl Write for Late {
        fn write(&mut self, _octets: &[u8]) -> io::Result<usize> {
            Err(ErrorKind::TimedOut.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Transport for Late {
        fn set_deadline(&mut self, _deadline: Instant) -> io::Result<()> {
            Ok(())
        }

        fn set_nonblocking(&mut self, _yes: bool) -> io::Result<()> {
            Ok(())
        }
    }

    // TLS gets another error, and a flush that succeeds does not undo the failure of a write.
    #[test]
    fn the_truth_about_time_stays() {
        let mut witness = Witness::of(Channel::new(Box::new(Late)));
        let error = witness.write(b"x").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        witness.flush().unwrap();
        assert_eq!(kind(&witness), Some(ErrorKind::TimedOut));
        assert!(witness.below(|_| ()).is_some());
        witness.clone().cut();
        let error = witness.read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotConnected);
        assert!(witness.below(|_| ()).is_none());
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
