//! [`Timed`]: a socket with a deadline.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use crate::transport::Transport;

/// A socket with a deadline.
///
/// It is below TLS, where one read can take many system calls. A timeout for each call would not
/// stop a peer that sends one octet now and then.
#[derive(Debug)]
pub(crate) struct Timed<S> {
    pub(super) socket: S,
    deadline: Option<Instant>,
    /// Whether the socket is set not to block. `WouldBlock` is then a result.
    is_polling: bool,
    read_limit: Duration,
    write_limit: Duration,
    repeats_calls: bool,
    keeps_options: bool,
}

/// Whether a socket refuses new options once the peer has closed both directions, as Apple's do.
/// What has come can still be read, and nothing waits.
pub(super) const KEEPS_OPTIONS: bool = cfg!(target_vendor = "apple");

/// Whether a call whose timeout is over has sent or taken nothing, so that it can be repeated.
/// Windows does not say how much it has.
pub(in crate::net) const REPEATS_CALLS: bool = !cfg!(windows);

/// What a socket can do besides reading and writing.
pub(crate) trait Socket: Read + Write {
    fn limit_reads(&self, limit: Duration) -> io::Result<()>;
    fn limit_writes(&self, limit: Duration) -> io::Result<()>;
    fn set_blocking(&self, yes: bool) -> io::Result<()>;
    fn end(&self) -> io::Result<()>;
    fn ip(&self) -> Option<IpAddr>;
}

impl<S: Socket> Timed<S> {
    pub(crate) fn new(socket: S) -> Self {
        let (read_limit, write_limit) = (Duration::MAX, Duration::MAX);
        Self {
            socket,
            deadline: None,
            is_polling: false,
            read_limit,
            write_limit,
            repeats_calls: REPEATS_CALLS,
            keeps_options: KEEPS_OPTIONS,
        }
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

    /// Repeats a system call until it has a result or the deadline has passed. A call that must not
    /// be repeated has the whole time at once.
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
                Err(error) if is_timeout(&error) && !self.is_polling => {
                    if !self.repeats_calls {
                        return Err(ErrorKind::TimedOut.into());
                    }
                    has_waited = true;
                }
                result => return result,
            }
        }
    }

    fn limit_reads(&mut self, left: Duration, has_waited: bool) -> io::Result<()> {
        if let Some(limit) = self.new_limit(self.read_limit, left, has_waited) {
            if is_set(self.socket.limit_reads(limit), self.keeps_options)? {
                self.read_limit = limit;
            }
        }
        Ok(())
    }

    fn limit_writes(&mut self, left: Duration, has_waited: bool) -> io::Result<()> {
        if let Some(limit) = self.new_limit(self.write_limit, left, has_waited) {
            if is_set(self.socket.limit_writes(limit), self.keeps_options)? {
                self.write_limit = limit;
            }
        }
        Ok(())
    }

    fn new_limit(&self, current: Duration, left: Duration, has_waited: bool) -> Option<Duration> {
        match self.repeats_calls {
            true => new_limit(current, left, has_waited),
            false => whole_limit(current, left),
        }
    }
}

/// Whether an option of a socket was set. A refusal is an error only where it has no other meaning.
pub(super) fn is_set(result: io::Result<()>, keeps_options: bool) -> io::Result<bool> {
    match result {
        Err(error) if keeps_options && error.kind() == ErrorKind::InvalidInput => Ok(false),
        result => result.map(|()| true),
    }
}

/// The shortest timeout: zero would mean "wait for ever" to the operating system.
const SHORTEST: Duration = Duration::from_millis(1);

/// The new timeout of the socket; `None` if it need not change.
///
/// It must not exceed the time left. If it is shorter, the call wakes up early and is repeated.
/// Half of the time left suits the following steps as well. So a session rarely needs a system call
/// to change it.
fn new_limit(current: Duration, left: Duration, has_waited: bool) -> Option<Duration> {
    const FINE: Duration = Duration::from_millis(50);
    if current <= left && !has_waited {
        return None;
    }
    let limit = if left <= FINE { left } else { left / 2 };
    Some(limit.max(SHORTEST)).filter(|limit| *limit != current)
}

/// The new timeout of the socket for a call that is not repeated; `None` if it need not change.
fn whole_limit(current: Duration, left: Duration) -> Option<Duration> {
    Some(left.max(SHORTEST)).filter(|limit| *limit != current)
}

/// Whether a write that failed may have sent some of its octets, or all of them.
pub(super) fn may_have_sent(error: &io::Error, repeats_calls: bool) -> bool {
    !repeats_calls && is_timeout(error)
}

/// When a socket's timeout is over, Unix returns `WouldBlock` and Windows `TimedOut`.
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

impl<S: Socket> Read for Timed<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.run(Self::limit_reads, |socket| socket.read(buffer))
    }
}

impl<S: Socket> Write for Timed<S> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.run(Self::limit_writes, |socket| socket.write(octets))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

impl<S: Socket + Send + Sync> Transport for Timed<S> {
    fn set_deadline(&mut self, deadline: Instant) -> io::Result<()> {
        self.deadline = Some(deadline);
        Ok(())
    }

    fn set_nonblocking(&mut self, yes: bool) -> io::Result<()> {
        self.is_polling = yes;
        self.socket.set_blocking(!yes)
    }

    fn shutdown(&mut self) -> io::Result<()> {
        self.socket.end()
    }

    fn local_ip(&self) -> Option<IpAddr> {
        self.socket.ip()
    }
}

macro_rules! socket {
    ($name:ty, $ip:expr) => {
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

            fn end(&self) -> io::Result<()> {
                self.shutdown(Shutdown::Both)
            }

            fn ip(&self) -> Option<IpAddr> {
                $ip(self)
            }
        }
    };
}

socket!(TcpStream, |socket: &TcpStream| Some(
    socket.local_addr().ok()?.ip()
));
#[cfg(unix)]
socket!(UnixStream, |_| None);

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    const MS: Duration = Duration::from_millis(1);
    const MINUTE: Duration = Duration::from_secs(60);

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

    /// A socket that notes its timeouts and calls. The timeouts of the first two calls are over at once.
    #[derive(Debug, Default)]
    struct Stuck {
        limits: RefCell<Vec<Duration>>,
        calls: usize,
        refuses: bool,
    }

    impl Stuck {
        fn call(&mut self) -> io::Result<usize> {
            self.calls += 1;
            match self.calls {
                1 | 2 => Err(ErrorKind::WouldBlock.into()),
                _ => Ok(1),
            }
        }

        fn set(&self, limit: Duration) -> io::Result<()> {
            self.limits.borrow_mut().push(limit);
            match self.refuses {
                true => Err(ErrorKind::InvalidInput.into()),
                false => Ok(()),
            }
        }
    }

    impl Read for Stuck {
        fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
            self.call()
        }
    }

    impl Write for Stuck {
        fn write(&mut self, _octets: &[u8]) -> io::Result<usize> {
            self.call()
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Socket for Stuck {
        fn limit_reads(&self, limit: Duration) -> io::Result<()> {
            self.set(limit)
        }

        fn limit_writes(&self, limit: Duration) -> io::Result<()> {
            self.set(limit)
        }

        fn set_blocking(&self, _yes: bool) -> io::Result<()> {
            Ok(())
        }

        fn end(&self) -> io::Result<()> {
            Ok(())
        }

        fn ip(&self) -> Option<IpAddr> {
            None
        }
    }

    fn timed(socket: Stuck, repeats_calls: bool, keeps_options: bool) -> Timed<Stuck> {
        Timed {
            deadline: Some(Instant::now() + MINUTE),
            repeats_calls,
            keeps_options,
            ..Timed::new(socket)
        }
    }

    // Where nobody knows what a call has sent or taken, a second one could send it twice, or lose it.
    #[test]
    fn a_call_is_repeated_only_where_it_does_nothing_twice() {
        type Call = fn(&mut Timed<Stuck>) -> io::Result<usize>;
        let calls: [Call; 2] = [|timed| timed.write(b"x"), |timed| timed.read(&mut [0])];
        for call in calls {
            let mut repeating = timed(Stuck::default(), true, false);
            assert_eq!(call(&mut repeating).unwrap(), 1);
            assert_eq!(repeating.socket.calls, 3);
            let mut once = timed(Stuck::default(), false, false);
            assert_eq!(call(&mut once).unwrap_err().kind(), ErrorKind::TimedOut);
            let limits = once.socket.limits.borrow();
            assert_eq!((once.socket.calls, limits.len()), (1, 1));
            assert!((MINUTE / 2..=MINUTE).contains(&limits[0]), "{limits:?}");
        }
        let timeout = io::Error::from(ErrorKind::WouldBlock);
        assert!(may_have_sent(&timeout, false) && !may_have_sent(&timeout, true));
        let reset = io::Error::from(ErrorKind::ConnectionReset);
        assert!(!may_have_sent(&reset, false));
    }

    // The peer has closed both directions: what it said can be read, and no timeout is needed.
    #[test]
    fn an_option_that_cannot_be_set_is_no_failure() {
        for keeps_options in [true, false] {
            let socket = Stuck {
                refuses: true,
                ..Stuck::default()
            };
            let mut timed = timed(socket, true, keeps_options);
            let expected = match keeps_options {
                true => Ok(1),
                false => Err(ErrorKind::InvalidInput),
            };
            let read = timed.read(&mut [0]).map_err(|error| error.kind());
            let written = timed.write(b"x").map_err(|error| error.kind());
            assert_eq!((read, written), (expected, expected));
            assert_eq!(timed.read_limit, Duration::MAX);
            assert_eq!(timed.write_limit, Duration::MAX);
        }
        let other = || Err(ErrorKind::PermissionDenied.into());
        assert!(is_set(other(), true).is_err() && is_set(Ok(()), true).is_ok());
    }

    #[test]
    fn a_whole_limit_is_the_time_left() {
        let nothing = Duration::from_nanos(1);
        assert_eq!(whole_limit(Duration::MAX, 1000 * MS), Some(1000 * MS));
        assert_eq!(whole_limit(1000 * MS, 1000 * MS), None);
        assert_eq!(whole_limit(1000 * MS, 2000 * MS), Some(2000 * MS));
        assert_eq!(whole_limit(2000 * MS, nothing), Some(MS));
    }

    // If a wait ended early, the next one may be longer.
    #[test]
    fn a_limit_grows_back() {
        assert_eq!(new_limit(MS, 1000 * MS, true), Some(500 * MS));
        assert_eq!(new_limit(500 * MS, 1000 * MS, true), None);
    }
}
