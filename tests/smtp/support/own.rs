//! Transports for the tests: one over a socket, and one whose server is a function.
use smtplib::connection::Transport;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Shutdown, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// The calls to a transport, besides reading and writing: `nonblocking true`, `shutdown`, …
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls(Arc<Mutex<Vec<String>>>);

impl Calls {
    fn note(&self, call: impl Into<String>) {
        self.0.lock().unwrap().push(call.into());
    }

    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    /// How often a call was made.
    pub(crate) fn count(&self, call: &str) -> usize {
        let calls = self.0.lock().unwrap();
        calls.iter().filter(|made| *made == call).count()
    }
}

/// What a transport reports about itself.
#[derive(Clone, Debug, Default)]
pub(crate) struct Nature {
    pub(crate) is_protected: bool,
    pub(crate) local_ip: Option<IpAddr>,
    pub(crate) certificate: Option<Vec<u8>>,
    pub(crate) end_point: Option<Vec<u8>>,
}

impl Nature {
    pub(crate) fn protected() -> Self {
        Self {
            is_protected: true,
            ..Self::default()
        }
    }
}

/// A socket, wrapped in the way of a user who has only read the documentation.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) socket: TcpStream,
    pub(crate) nature: Nature,
    pub(crate) calls: Calls,
    deadline: Option<Instant>,
}

impl Own {
    pub(crate) fn new(socket: TcpStream, calls: &Calls) -> Self {
        Self {
            socket,
            nature: Nature::default(),
            calls: calls.clone(),
            deadline: None,
        }
    }

    pub(crate) fn with(mut self, nature: Nature) -> Self {
        self.nature = nature;
        self
    }

    /// Gives the next system call the time that is left. After that, it fails with `WouldBlock` on
    /// Unix.
    fn limit(&self) -> io::Result<()> {
        let Some(deadline) = self.deadline else {
            return Err(io::Error::other("no deadline was set"));
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        self.socket.set_read_timeout(Some(left))?;
        self.socket.set_write_timeout(Some(left))
    }
}

impl Read for Own {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.limit()?;
        self.socket.read(buffer)
    }
}

impl Write for Own {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.limit()?;
        self.socket.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

impl Transport for Own {
    fn set_deadline(&mut self, deadline: Instant) -> io::Result<()> {
        self.deadline = Some(deadline);
        Ok(())
    }

    fn set_nonblocking(&mut self, yes: bool) -> io::Result<()> {
        self.calls.note(format!("nonblocking {yes}"));
        self.socket.set_nonblocking(yes)
    }

    fn shutdown(&mut self) -> io::Result<()> {
        self.calls.note("shutdown");
        self.socket.shutdown(Shutdown::Both)?;
        Err(io::Error::other("what shutdown says does not count"))
    }

    fn is_protected(&self) -> bool {
        self.nature.is_protected
    }

    fn local_ip(&self) -> Option<IpAddr> {
        self.nature.local_ip
    }

    fn peer_certificate(&self) -> Option<Vec<u8>> {
        self.nature.certificate.clone()
    }

    fn tls_server_end_point(&self) -> Option<Vec<u8>> {
        self.nature.end_point.clone()
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.calls.note("drop");
    }
}

/// A server without a network: a function that gets a line and returns the reply. If it returns
/// nothing, the client waits.
pub(crate) struct Answering<F> {
    answer: F,
    line: Vec<u8>,
    said: VecDeque<u8>,
    is_nonblocking: bool,
    /// How many octets it takes before every write fails.
    pub(crate) takes: usize,
    /// The errors with which the next calls fail, before anything else happens.
    pub(crate) trouble: VecDeque<ErrorKind>,
}

impl<F: FnMut(&str) -> String> Answering<F> {
    pub(crate) fn new(greeting: &str, answer: F) -> Self {
        Self {
            answer,
            line: Vec::new(),
            said: greeting.bytes().collect(),
            is_nonblocking: false,
            takes: usize::MAX,
            trouble: VecDeque::new(),
        }
    }

    fn check_trouble(&mut self) -> io::Result<()> {
        self.trouble
            .pop_front()
            .map_or(Ok(()), |kind| Err(kind.into()))
    }
}

impl<F: FnMut(&str) -> String> Read for Answering<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.check_trouble()?;
        match self.said.read(buffer)? {
            0 if self.is_nonblocking => Err(ErrorKind::WouldBlock.into()),
            // Nothing can come any more, so waiting would only take time.
            0 => Err(ErrorKind::TimedOut.into()),
            read => Ok(read),
        }
    }
}

impl<F: FnMut(&str) -> String> Write for Answering<F> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.check_trouble()?;
        // In small pieces, like a pipe.
        let taken = octets.len().min(7).min(self.takes);
        if taken == 0 {
            return Err(ErrorKind::BrokenPipe.into());
        }
        self.takes -= taken;
        for octet in &octets[..taken] {
            self.line.push(*octet);
            if self.line.ends_with(b"\r\n") {
                let line = std::mem::take(&mut self.line);
                let line = String::from_utf8(line).unwrap();
                self.said.extend((self.answer)(line.trim_end()).bytes());
            }
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<F: FnMut(&str) -> String + Send + Sync> Transport for Answering<F> {
    fn set_deadline(&mut self, _deadline: Instant) -> io::Result<()> {
        Ok(())
    }

    fn set_nonblocking(&mut self, yes: bool) -> io::Result<()> {
        self.is_nonblocking = yes;
        Ok(())
    }
}
