//! One accepted connection, with a bound on every wait: what scripts run on, and what a handler is given.
use crate::peer::ca::{Leaf, TestCa};
use crate::peer::exchanged::{Body, Session, escaped};
use crate::peer::stream::{Socket, Stream};
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// Why a dialog is not what it should be. Make one with `"...".into()`.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Failure {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self(format!("the client is gone: {error}"))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How server octets are cut into segments.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Cut {
    /// Once in each block, behind so many octets.
    At(usize),
    /// So many octets in each segment.
    Every(usize),
    Never,
}

/// What holds for all connections of a peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    pub(crate) bound: Duration,
    pub(crate) cut: Cut,
}

/// What the test wants of the peer's thread.
#[derive(Debug, Default)]
pub(crate) struct Control(AtomicU8);

impl Control {
    /// `finish` was called: no new connection is expected.
    pub(crate) fn finish(&self) {
        self.0.fetch_max(FINISHING, Ordering::SeqCst);
    }

    /// The test has panicked: no wait makes sense any longer.
    pub(crate) fn abort(&self) {
        self.0.fetch_max(ABORTED, Ordering::SeqCst);
    }

    pub(crate) fn is_finishing(&self) -> bool {
        self.0.load(Ordering::SeqCst) >= FINISHING
    }

    pub(crate) fn is_aborted(&self) -> bool {
        self.0.load(Ordering::SeqCst) >= ABORTED
    }
}

const FINISHING: u8 = 1;
const ABORTED: u8 = 2;

/// What one look at the network brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    /// The client has closed, or reset.
    End,
    Octets,
    /// Nothing within the time given.
    Quiet,
}

/// The server's side of one connection.
///
/// Every method waits no longer than the peer's bound and fails with a sentence; a handler passes it on with `?`.
#[derive(Debug)]
pub(crate) struct Conn {
    stream: Stream,
    settings: Settings,
    control: Arc<Control>,
    pub(super) session: Session,
    /// Received, not consumed.
    buffer: Vec<u8>,
    /// Body lines of a script, up to the dot.
    pub(super) open_body: Vec<u8>,
    /// The client has closed; why, if not in good order.
    ended: bool,
    /// Reads that brought octets.
    pub(super) reads: usize,
    /// At most so many octets per read, and the pause before it.
    pub(super) pace: Option<(usize, Duration)>,
}

impl Conn {
    pub(super) fn new(socket: Socket, settings: Settings, control: Arc<Control>) -> Self {
        Self {
            stream: Stream::Plain(socket),
            settings,
            control,
            session: Session::default(),
            buffer: Vec::new(),
            open_body: Vec::new(),
            ended: false,
            reads: 0,
            pace: None,
        }
    }

    /// Writes `line` and CRLF in one segment.
    pub(crate) fn reply(&mut self, line: &str) -> Result<()> {
        self.write(format!("{line}\r\n").as_bytes())
    }

    /// Writes octets in one segment, or cut as the peer was told to.
    pub(crate) fn write(&mut self, octets: &[u8]) -> Result<()> {
        Ok(self.send(octets)?)
    }

    /// Reads one line, which must end in CRLF and hold no other CR; gives it without CRLF.
    pub(crate) fn read_line(&mut self) -> Result<String> {
        let line = self.take_line()?;
        let text = String::from_utf8_lossy(&line).into_owned();
        self.session.commands.push(text.clone());
        Ok(text)
    }

    /// Reads one line, which must be `line`.
    pub(crate) fn expect(&mut self, line: &str) -> Result<()> {
        match self.read_line()? {
            got if got == line => Ok(()),
            got => Err(format!("expected \"{line}\", got \"{}\"", escaped(got.as_bytes())).into()),
        }
    }

    /// Reads message data up to its lone dot, which must hold no bare CR or LF; gives it unstuffed.
    pub(crate) fn read_data(&mut self) -> Result<Vec<u8>> {
        let mut wire = Vec::new();
        let mut from = 0;
        let end = loop {
            wire.append(&mut self.buffer);
            if let Some(end) = end_of_data(&wire, from) {
                break end;
            }
            from = wire.len().saturating_sub(TERMINATOR.len());
            self.more("the end of the message data")?;
        };
        self.buffer = wire.split_off(end);
        check_line_ends(&wire)?;
        let body = Body::stuffed(wire);
        let message = body.message();
        self.session.bodies.push(body);
        Ok(message)
    }

    /// Reads exactly `n` octets.
    pub(crate) fn read_octets(&mut self, n: usize) -> Result<Vec<u8>> {
        while self.buffer.len() < n {
            self.more(&format!("{n} octets, {} came", self.buffer.len()))?;
        }
        Ok(self.buffer.drain(..n).collect())
    }

    /// Reads `BDAT n` or `BDAT n LAST` and its octets; gives them and whether it was the last chunk.
    pub(crate) fn read_bdat(&mut self) -> Result<(Vec<u8>, bool)> {
        let line = self.read_line()?;
        let words: Vec<&str> = line.split(' ').collect();
        let (size, last) = match *words.as_slice() {
            ["BDAT", size] => (size, false),
            ["BDAT", size, "LAST"] => (size, true),
            _ => return Err(format!("expected BDAT, got \"{}\"", escaped(line.as_bytes())).into()),
        };
        let size = size
            .parse()
            .map_err(|_| format!("\"{size}\" is no chunk size"))?;
        let chunk = self.read_octets(size)?;
        self.session.bodies.push(Body::plain(chunk.clone()));
        Ok((chunk, last))
    }

    /// Waits for the client to close the connection without sending anything.
    pub(crate) fn expect_close(&mut self) -> Result<()> {
        match self.look(self.settings.bound)? {
            Fill::End => Ok(()),
            Fill::Octets => {
                Err(format!("expected the client to close, got {}", self.surplus()).into())
            }
            Fill::Quiet => Err("expected the client to close, it did not".into()),
        }
    }

    /// The server's side of the TLS handshake.
    pub(crate) fn start_tls(&mut self, leaf: Leaf) -> Result<()> {
        self.handshake(&TestCa::get().acceptor(leaf))
            .map_err(Failure)
    }

    /// Sends `close_notify` if TLS is on, then FIN; the client can still be read.
    pub(crate) fn finish_sending(&mut self) {
        self.session.note("end of the server's direction");
        self.stream.finish(true);
    }

    /// Closes with a reset.
    pub(crate) fn reset(&mut self) {
        self.session.note("reset by the peer");
        self.stream.reset();
    }

    /// Closes both directions; octets not read make a reset of it.
    pub(crate) fn close(&mut self) {
        self.session.note("closed by the peer");
        self.stream.finish(true);
        self.stream.close();
    }

    /// What the client has sent by now; `false` once it has closed.
    ///
    /// Unlike the other reading methods this one does not wait for anything.
    pub(crate) fn poll(&mut self) -> Result<bool> {
        Ok(self.peek()? != Fill::End)
    }

    /// Octets received and not yet consumed.
    pub(crate) fn pending(&self) -> &[u8] {
        &self.buffer
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
}

/// What only scripts need.
impl Conn {
    pub(super) fn bound(&self) -> Duration {
        self.settings.bound
    }

    pub(super) fn control(&self) -> &Control {
        &self.control
    }

    pub(super) fn take_line(&mut self) -> Result<Vec<u8>> {
        let mut from = 0;
        let end = loop {
            if let Some(at) = self.buffer[from..].iter().position(|&b| b == b'\n') {
                break from + at + 1;
            }
            from = self.buffer.len();
            if from > LONGEST_LINE {
                return Err(format!("more than {LONGEST_LINE} octets and no end of line").into());
            }
            self.more("a line")?;
        };
        let mut line: Vec<u8> = self.buffer.drain(..end).collect();
        check_line_ends(&line)?;
        line.truncate(end - 2);
        Ok(line)
    }

    pub(super) fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        self.session.log_server(octets);
        match self.settings.cut {
            Cut::Never => self.write_all(octets),
            Cut::At(at) if (1..octets.len()).contains(&at) => {
                self.write_all(&octets[..at])?;
                thread::sleep(CUT_PAUSE);
                self.write_all(&octets[at..])
            }
            Cut::At(_) => self.write_all(octets),
            Cut::Every(n) => octets.chunks(n.max(1)).try_for_each(|segment| {
                self.write_all(segment)?;
                thread::sleep(OCTET_PAUSE);
                Ok(())
            }),
        }
    }

    /// Writes without a record: for what the log would only repeat.
    pub(super) fn write_all(&mut self, mut octets: &[u8]) -> io::Result<()> {
        let deadline = Instant::now() + self.settings.bound;
        self.set_timeouts(SLICE)?;
        while !octets.is_empty() {
            match self.stream.write(octets) {
                Ok(n) => octets = &octets[n..],
                Err(e) if !is_timeout(&e) => return Err(e),
                Err(_) if self.control.is_aborted() || Instant::now() >= deadline => {
                    let text = format!("the client does not read: {} octets left", octets.len());
                    return Err(io::Error::new(ErrorKind::TimedOut, text));
                }
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Waits for octets that have not been looked at, no longer than `wait`.
    pub(super) fn look(&mut self, wait: Duration) -> Result<Fill> {
        if !self.buffer.is_empty() {
            return Ok(Fill::Octets);
        }
        self.fill(wait)
    }

    /// Takes what has arrived, without waiting.
    pub(super) fn peek(&mut self) -> Result<Fill> {
        self.set_nonblocking(true)?;
        let fill = self.read_once();
        self.set_nonblocking(false)?;
        match fill {
            Fill::Quiet if !self.buffer.is_empty() => Ok(Fill::Octets),
            fill => Ok(fill),
        }
    }

    pub(super) fn handshake(&mut self, acceptor: &native_tls::TlsAcceptor) -> Result<(), String> {
        if !self.buffer.is_empty() {
            return Err(format!(
                "before the TLS handshake the client sent {}",
                self.surplus()
            ));
        }
        let deadline = Instant::now() + self.settings.bound;
        self.set_timeouts(SLICE).map_err(|e| e.to_string())?;
        let control = Arc::clone(&self.control);
        let done = self
            .stream
            .upgrade(acceptor, deadline, || control.is_aborted());
        match &done {
            Ok(()) => self.session.log_tls(),
            Err(e) => self.session.note(format!("no TLS: {e}")),
        }
        done
    }

    /// FIN without `close_notify`, as an attacker can send it.
    pub(super) fn cut_off(&mut self) {
        self.session
            .note("end of the server's direction, without close_notify");
        self.stream.finish(false);
    }

    pub(super) fn is_closed(&self) -> bool {
        matches!(self.stream, Stream::Closed)
    }

    /// What the client sent and nobody asked for.
    pub(super) fn surplus(&self) -> String {
        let shown = &self.buffer[..self.buffer.len().min(SHOWN)];
        let rest = if self.buffer.len() > SHOWN { "..." } else { "" };
        format!("\"{}\"{rest}", escaped(shown))
    }

    pub(super) fn discard(&mut self) {
        self.buffer.clear();
    }

    pub(super) fn set_ended(&mut self, why: &str) {
        self.session.note(why);
        self.ended = true;
    }

    /// The record, with what a broken-off body left.
    pub(super) fn into_session(mut self) -> Session {
        if !self.open_body.is_empty() {
            self.session
                .bodies
                .push(Body::stuffed(mem::take(&mut self.open_body)));
        }
        self.session
    }

    fn more(&mut self, wanted: &str) -> Result<()> {
        match self.fill(self.settings.bound)? {
            Fill::Octets => Ok(()),
            Fill::End => Err(self.expected(wanted, "the client closed")),
            Fill::Quiet => {
                Err(self.expected(wanted, &format!("nothing came in {:?}", self.bound())))
            }
        }
    }

    fn expected(&self, wanted: &str, instead: &str) -> Failure {
        let so_far = if self.buffer.is_empty() {
            String::new()
        } else {
            format!(" after {}", self.surplus())
        };
        Failure(format!("expected {wanted}, {instead}{so_far}"))
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
            Err(e) => self.set_ended(&format!("the client closed: {e}")),
        }
        Fill::End
    }

    fn not_aborted(&self) -> Result<()> {
        if self.control.is_aborted() {
            Err("the test ended before the dialog did".into())
        } else {
            Ok(())
        }
    }

    /// A stream that is closed needs no timeouts: its reads fail at once.
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
    matches!(
        error.kind(),
        ErrorKind::Interrupted | ErrorKind::TimedOut | ErrorKind::WouldBlock
    )
}

fn remaining(end: Instant) -> Option<Duration> {
    end.checked_duration_since(Instant::now())
        .filter(|left| !left.is_zero())
}

/// Where the octets behind the lone dot begin; the terminator may begin at `from` or later, or be all there is.
fn end_of_data(wire: &[u8], from: usize) -> Option<usize> {
    if wire.starts_with(&TERMINATOR[2..]) {
        return Some(TERMINATOR.len() - 2);
    }
    let at = wire[from..]
        .windows(TERMINATOR.len())
        .position(|w| w == TERMINATOR)?;
    Some(from + at + TERMINATOR.len())
}

/// RFC 5321, 2.3.8: CR and LF are sent together or not at all.
fn check_line_ends(octets: &[u8]) -> Result<()> {
    let mut last = 0;
    for (at, &octet) in octets.iter().enumerate() {
        if (octet == b'\n') != (last == b'\r') {
            let name = if octet == b'\n' { "LF" } else { "CR" };
            let near = &octets[at.saturating_sub(40)..octets.len().min(at + 20)];
            return Err(format!("bare {name} at octet {at}, near \"{}\"", escaped(near)).into());
        }
        last = octet;
    }
    Ok(())
}

const TERMINATOR: &[u8] = b"\r\n.\r\n";
/// No system call blocks for longer, so that the end of a test is seen soon.
const SLICE: Duration = Duration::from_millis(20);
/// Long enough for a reader that waits to see two segments as two.
const CUT_PAUSE: Duration = Duration::from_millis(1);
const OCTET_PAUSE: Duration = Duration::from_micros(50);
const CHUNK: usize = 64 * 1024;
/// RFC 4954, 4.5.1 allows 12,288 octets; what is longer by far is no command.
const LONGEST_LINE: usize = 64 * 1024;
/// Octets of surplus quoted in a failure; the record has them all.
const SHOWN: usize = 200;
