//! Bytes in and out of one connection, with a bound on every wait and a record of everything.
use crate::peer::exchanged::{Session, escaped};
use crate::peer::failure::{Result, fail, timed_out};
use crate::peer::settings::{Control, Cut, Settings};
use crate::peer::stream::{Socket, Stream};
use native_tls::TlsAcceptor;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

/// What one read from the network found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    /// The client has closed, or reset.
    End,
    Octets,
    /// Nothing came in time.
    Quiet,
}

/// A stream, the bytes read ahead, and a record of everything.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) session: Session,
    /// Bytes that were received and not consumed.
    pub(crate) buffer: Vec<u8>,
    /// How many reads returned bytes.
    pub(crate) reads: usize,
    /// The most bytes of a read, and the pause before it.
    pub(crate) pace: Option<(usize, Duration)>,
    stream: Stream,
    settings: Settings,
    control: Arc<Control>,
    /// The client has closed.
    ended: bool,
}

impl Link {
    pub(crate) fn new(socket: Socket, settings: Settings, control: Arc<Control>) -> Self {
        Self {
            session: Session::default(),
            buffer: Vec::new(),
            reads: 0,
            pace: None,
            stream: Stream::Plain(socket),
            settings,
            control,
            ended: false,
        }
    }

    pub(crate) fn bound(&self) -> Duration {
        self.settings.bound
    }

    pub(crate) fn control(&self) -> &Control {
        &self.control
    }

    /// Writes and records, cut as the settings say.
    pub(crate) fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        self.session.log_server(octets);
        match self.settings.cut {
            Cut::At(at) if (1..octets.len()).contains(&at) => {
                self.write_all(&octets[..at])?;
                thread::sleep(CUT_PAUSE);
                self.write_all(&octets[at..])
            }
            Cut::Every(n) => octets.chunks(n.max(1)).try_for_each(|segment| {
                self.write_all(segment)?;
                thread::sleep(OCTET_PAUSE);
                Ok(())
            }),
            Cut::At(_) | Cut::Never => self.write_all(octets),
        }
    }

    /// Writes without a record, for text that is repeated.
    pub(crate) fn write_all(&mut self, mut octets: &[u8]) -> io::Result<()> {
        let deadline = Instant::now() + self.settings.bound;
        self.set_timeouts(SLICE)?;
        while !octets.is_empty() {
            match self.stream.write(octets) {
                Ok(n) => octets = &octets[n..],
                Err(e) if !is_timeout(&e) => return Err(e),
                Err(_) if self.control.is_aborted() || Instant::now() >= deadline => {
                    let text = format!("the client does not read: {} octets left", octets.len());
                    return Err(timed_out(text));
                }
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Waits for bytes, no longer than `wait`. Returns at once if there are unconsumed ones.
    pub(crate) fn look(&mut self, wait: Duration) -> Result<Fill> {
        if !self.buffer.is_empty() {
            return Ok(Fill::Octets);
        }
        self.fill(wait)
    }

    /// Reads what has arrived, without waiting.
    pub(crate) fn peek(&mut self) -> Result<Fill> {
        self.set_nonblocking(true)?;
        let fill = self.read_once();
        self.set_nonblocking(false)?;
        match fill {
            Fill::Quiet if !self.buffer.is_empty() => Ok(Fill::Octets),
            fill => Ok(fill),
        }
    }

    /// Waits for more bytes. `wanted` says what is missing without them.
    pub(crate) fn more(&mut self, wanted: &str) -> Result<()> {
        let instead = match self.fill(self.settings.bound)? {
            Fill::Octets => return Ok(()),
            Fill::End => "the client closed".into(),
            Fill::Quiet => format!("nothing came in {:?}", self.settings.bound),
        };
        let so_far = match self.buffer.is_empty() {
            true => String::new(),
            false => format!(" after {}", self.surplus()),
        };
        fail(format!("expected {wanted}, {instead}{so_far}"))
    }

    /// Does nothing for a while.
    pub(crate) fn pause(&self, wait: Duration) -> Result<()> {
        let end = Instant::now() + wait;
        while let Some(left) = remaining(end) {
            self.not_aborted()?;
            thread::sleep(left.min(SLICE));
        }
        Ok(())
    }

    /// The server's side of the TLS handshake. In any case the connection without TLS ends here.
    pub(crate) fn handshake(&mut self, acceptor: &TlsAcceptor) -> io::Result<()> {
        let deadline = Instant::now() + self.settings.bound;
        self.set_timeouts(SLICE)?;
        let control = Arc::clone(&self.control);
        let give_up = || control.is_aborted() || Instant::now() >= deadline;
        let done = self.stream.upgrade(acceptor, give_up);
        match &done {
            Ok(()) => self.session.log_tls(),
            Err(e) => self.session.note(format!("no TLS: {e}")),
        }
        done
    }

    /// Ends the server's direction, with `close_notify` or without.
    pub(crate) fn finish(&mut self, notify: bool) {
        self.session.note(if notify {
            "the peer ends"
        } else {
            "the peer cuts off"
        });
        self.stream.finish(notify);
    }

    pub(crate) fn close(&mut self) {
        self.session.note("the peer closes");
        self.stream.finish(true);
        self.stream.close();
    }

    pub(crate) fn reset(&mut self) {
        self.session.note("the peer resets");
        self.stream.reset();
    }

    pub(crate) fn is_closed(&self) -> bool {
        matches!(self.stream, Stream::Closed)
    }

    pub(crate) fn set_ended(&mut self, why: impl Into<String>) {
        self.session.note(why);
        self.ended = true;
    }

    /// What the client sent without being asked.
    pub(crate) fn surplus(&self) -> String {
        let shown = &self.buffer[..self.buffer.len().min(SHOWN)];
        let rest = if self.buffer.len() > SHOWN { "..." } else { "" };
        format!("\"{}\"{rest}", escaped(shown))
    }

    fn fill(&mut self, wait: Duration) -> Result<Fill> {
        if let Some((_, pause)) = self.pace {
            self.pause(pause)?;
        }
        let end = Instant::now() + wait;
        while let Some(left) = remaining(end) {
            self.not_aborted()?;
            self.set_timeouts(left.min(SLICE))?;
            match self.read_once() {
                Fill::Quiet => {}
                fill => return Ok(fill),
            }
        }
        Ok(Fill::Quiet)
    }

    fn read_once(&mut self) -> Fill {
        if self.ended {
            return Fill::End;
        }
        let mut chunk = [0; CHUNK];
        let size = self
            .pace
            .map_or(CHUNK, |(octets, _)| octets.clamp(1, CHUNK));
        match self.stream.read(&mut chunk[..size]) {
            Ok(0) => self.set_ended("the client closed"),
            Ok(n) => {
                self.reads += 1;
                self.buffer.extend_from_slice(&chunk[..n]);
                self.session.log_client(&chunk[..n]);
                return Fill::Octets;
            }
            Err(e) if is_timeout(&e) => return Fill::Quiet,
            Err(e) => self.set_ended(format!("the client closed: {e}")),
        }
        Fill::End
    }

    fn not_aborted(&self) -> Result<()> {
        match self.control.is_aborted() {
            true => fail("the test ended before the dialog did"),
            false => Ok(()),
        }
    }

    /// Sets the timeouts. A closed stream needs none, because its reads fail at once.
    fn set_timeouts(&self, wait: Duration) -> io::Result<()> {
        self.stream
            .socket()
            .map_or(Ok(()), |s| s.set_timeouts(wait))
    }

    fn set_nonblocking(&self, on: bool) -> io::Result<()> {
        self.stream
            .socket()
            .map_or(Ok(()), |s| s.set_nonblocking(on))
    }
}

fn is_timeout(error: &io::Error) -> bool {
    let kinds = [
        ErrorKind::Interrupted,
        ErrorKind::TimedOut,
        ErrorKind::WouldBlock,
    ];
    kinds.contains(&error.kind())
}

fn remaining(end: Instant) -> Option<Duration> {
    end.checked_duration_since(Instant::now())
        .filter(|left| !left.is_zero())
}

/// No system call blocks for longer, so that the end of a test is noticed soon.
const SLICE: Duration = Duration::from_millis(20);
/// Long enough for a waiting reader to see two separate segments.
const CUT_PAUSE: Duration = Duration::from_millis(1);
const OCTET_PAUSE: Duration = Duration::from_micros(50);
const CHUNK: usize = 64 * 1024;
/// How many bytes of surplus a failure quotes. The record has all of them.
const SHOWN: usize = 200;
