//! The peer's end of a connection: a socket, and TLS over it.
use crate::peer::failure::timed_out;
use native_tls::{HandshakeError, TlsAcceptor, TlsStream};
use socket2::SockRef;
use std::io::{self, ErrorKind, Read, Write};
use std::mem;
use std::net::{Shutdown, TcpStream};
#[cfg(unix)]
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// The listener's two kinds of connection.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(UnixStream),
}

impl Socket {
    /// Limits how long a system call may block.
    pub(crate) fn set_timeouts(&self, wait: Duration) -> io::Result<()> {
        let wait = Some(wait.max(Duration::from_millis(1)));
        match self {
            Self::Tcp(s) => s
                .set_read_timeout(wait)
                .and_then(|()| s.set_write_timeout(wait)),
            #[cfg(unix)]
            Self::Unix(s) => s
                .set_read_timeout(wait)
                .and_then(|()| s.set_write_timeout(wait)),
        }
    }

    pub(crate) fn set_nonblocking(&self, on: bool) -> io::Result<()> {
        match self {
            Self::Tcp(s) => s.set_nonblocking(on),
            #[cfg(unix)]
            Self::Unix(s) => s.set_nonblocking(on),
        }
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match self {
            Self::Tcp(s) => s.shutdown(how),
            #[cfg(unix)]
            Self::Unix(s) => s.shutdown(how),
        }
    }

    /// Makes the next close a reset. A Unix socket has no reset.
    fn linger_not(&self) -> io::Result<()> {
        match self {
            Self::Tcp(s) => SockRef::from(s).set_linger(Some(Duration::ZERO)),
            #[cfg(unix)]
            Self::Unix(_) => Ok(()),
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        uninterrupted(|| match self {
            Self::Tcp(s) => s.read(buf),
            #[cfg(unix)]
            Self::Unix(s) => s.read(buf),
        })
    }
}

impl Write for Socket {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        uninterrupted(|| match self {
            Self::Tcp(s) => s.write(buf),
            #[cfg(unix)]
            Self::Unix(s) => s.write(buf),
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Calls again while the result is `Interrupted`: a call with a timeout is interrupted when the
/// process was stopped and goes on (signal(7)).
pub(crate) fn uninterrupted<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// The socket, upgraded in place.
#[derive(Debug)]
pub(crate) enum Stream {
    Closed,
    Plain(Socket),
    Tls(Box<TlsStream<Socket>>),
}

impl Stream {
    pub(crate) fn socket(&self) -> Option<&Socket> {
        match self {
            Self::Closed => None,
            Self::Plain(s) => Some(s),
            Self::Tls(s) => Some(s.get_ref()),
        }
    }

    /// The server's side of the handshake. It ends with `TimedOut` if `give_up` says so between two
    /// system calls. Every other error is the client's refusal.
    pub(crate) fn upgrade(
        &mut self,
        acceptor: &TlsAcceptor,
        give_up: impl Fn() -> bool,
    ) -> io::Result<()> {
        let Self::Plain(socket) = mem::replace(self, Self::Closed) else {
            return Err(ErrorKind::NotConnected.into());
        };
        let mut result = acceptor.accept(socket);
        loop {
            match result {
                Ok(tls) => {
                    *self = Self::Tls(Box::new(tls));
                    return Ok(());
                }
                Err(HandshakeError::Failure(e)) => return Err(io::Error::other(e)),
                Err(HandshakeError::WouldBlock(_)) if give_up() => {
                    return Err(timed_out("the client stalls"));
                }
                Err(HandshakeError::WouldBlock(half)) => result = half.handshake(),
            }
        }
    }

    /// Ends the server's direction: with `close_notify` if TLS is on and `notify` says so, then
    /// FIN.
    pub(crate) fn finish(&mut self, notify: bool) {
        if let (Self::Tls(tls), true) = (&mut *self, notify) {
            let _ = tls.shutdown();
        }
        if let Some(socket) = self.socket() {
            let _ = socket.shutdown(Shutdown::Write);
        }
    }

    pub(crate) fn close(&mut self) {
        *self = Self::Closed;
    }

    pub(crate) fn reset(&mut self) {
        if let Some(socket) = self.socket() {
            let _ = socket.linger_not();
        }
        self.close();
    }
}

impl Read for Stream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Closed => Err(ErrorKind::NotConnected.into()),
            Self::Plain(s) => s.read(buf),
            Self::Tls(s) => s.read(buf),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        match self {
            Self::Closed => Err(ErrorKind::NotConnected.into()),
            Self::Plain(s) => s.write(buf),
            Self::Tls(s) => s.write(buf),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Closed => Ok(()),
            Self::Plain(s) => s.flush(),
            Self::Tls(s) => s.flush(),
        }
    }
}
