//! Carries the steps of a script out on a connection.
use crate::peer::ca::TestCa;
use crate::peer::conn::{Conn, Failure, Fill, Result};
use crate::peer::exchanged::{Body, escaped};
use crate::peer::parse::{Acceptor, Action, Block, Step};
use native_tls::TlsAcceptor;
use std::io::{self, ErrorKind};
use std::mem;
use std::time::{Duration, Instant};

/// Runs to the end, or says which line of the script failed and why.
pub(crate) fn run(steps: &[Step], conn: &mut Conn) -> Result<(), (usize, Failure)> {
    let mut run = Run {
        conn,
        ahead: false,
        group: None,
    };
    steps
        .iter()
        .try_for_each(|step| run.step(&step.action).map_err(|e| (step.line, e)))
}

struct Run<'a> {
    conn: &'a mut Conn,
    /// The client may send before it is answered.
    ahead: bool,
    group: Option<Group>,
}

/// Lines that must come in one segment.
struct Group {
    left: usize,
    /// The count of reads that the last line of the group must not exceed.
    reads: usize,
}

impl Run<'_> {
    fn step(&mut self, action: &Action) -> Result<()> {
        match action {
            Action::Ahead => self.ahead = true,
            Action::Bdat { last } => self.bdat(*last)?,
            Action::BodyLine(line) => self.body_line(line)?,
            Action::Close => self.conn.close(),
            Action::Closed { or_quit: false } => self.conn.expect_close()?,
            Action::Closed { or_quit: true } => self.closed_or_quit()?,
            Action::Data { octets } => self.data(*octets)?,
            Action::Eof { notify: true } => self.conn.finish_sending(),
            Action::Eof { notify: false } => self.conn.cut_off(),
            Action::Group(left) => {
                self.group = Some(Group {
                    left: *left,
                    reads: self.conn.reads + 1,
                });
            }
            Action::Hello { name } => self.client_hello(name)?,
            Action::Ignore => self.ignore()?,
            Action::Line(line) => self.line(line)?,
            Action::Octets(n) => self.octets(*n)?,
            Action::Pattern(pattern) => self.pattern(pattern)?,
            Action::Raw(octets) => self.raw(octets)?,
            Action::Reset => self.conn.reset(),
            Action::Send(block) => self.send(block)?,
            Action::Silence(wait) => self.silence(*wait)?,
            Action::SlowRead(pace) => self.conn.pace = *pace,
            Action::Stall(wait) => self.conn.pause(*wait)?,
            Action::StopReading => self.stop_reading()?,
            Action::Tls(acceptor) => self.tls(*acceptor)?,
            Action::TlsRefused(acceptor) => self.tls_refused(*acceptor)?,
        }
        Ok(())
    }

    fn line(&mut self, line: &str) -> Result<()> {
        self.conn.expect(line)?;
        self.in_one_segment()
    }

    fn pattern(&mut self, pattern: &str) -> Result<()> {
        let line = self.conn.read_line()?;
        if !matches(pattern, &line) {
            return Err(format!(
                "expected \"{pattern}\", got \"{}\"",
                escaped(line.as_bytes())
            )
            .into());
        }
        self.in_one_segment()
    }

    fn raw(&mut self, octets: &[u8]) -> Result<()> {
        let got = self.conn.read_octets(octets.len())?;
        if got != octets {
            return Err(format!(
                "expected \"{}\", got \"{}\"",
                escaped(octets),
                escaped(&got)
            )
            .into());
        }
        self.in_one_segment()
    }

    fn body_line(&mut self, line: &[u8]) -> Result<()> {
        let got = self.conn.take_line()?;
        self.conn.open_body.extend_from_slice(&got);
        self.conn.open_body.extend_from_slice(b"\r\n");
        if got != line {
            return Err(
                format!("expected \"{}\", got \"{}\"", escaped(line), escaped(&got)).into(),
            );
        }
        if line == b"." {
            let wire = mem::take(&mut self.conn.open_body);
            self.conn.session.bodies.push(Body::stuffed(wire));
        }
        self.in_one_segment()
    }

    /// Counts a line of a group, which may have taken one read and no more.
    fn in_one_segment(&mut self) -> Result<()> {
        let Some(group) = &mut self.group else {
            return Ok(());
        };
        if self.conn.reads > group.reads {
            return Err("expected the group in one segment, it came in several".into());
        }
        group.left -= 1;
        if group.left == 0 {
            self.group = None;
        }
        Ok(())
    }

    fn data(&mut self, octets: Option<usize>) -> Result<()> {
        let message = self.conn.read_data()?;
        match octets {
            Some(octets) if octets != message.len() => Err(format!(
                "expected a message of {octets} octets, got {}",
                message.len()
            )
            .into()),
            _ => Ok(()),
        }
    }

    fn bdat(&mut self, last: bool) -> Result<()> {
        match self.conn.read_bdat()?.1 {
            got if got == last => Ok(()),
            true => Err("expected a chunk that is not the last, got the last".into()),
            false => Err("expected the last chunk, got another".into()),
        }
    }

    fn octets(&mut self, n: usize) -> Result<()> {
        let octets = self.conn.read_octets(n)?;
        self.conn.session.bodies.push(Body::plain(octets));
        Ok(())
    }

    fn silence(&mut self, wait: Duration) -> Result<()> {
        match self.conn.look(wait)? {
            Fill::Quiet => Ok(()),
            Fill::End => Err(format!("expected {wait:?} of silence, the client closed").into()),
            Fill::Octets => {
                Err(format!("expected {wait:?} of silence, got {}", self.conn.surplus()).into())
            }
        }
    }

    fn closed_or_quit(&mut self) -> Result<()> {
        if self.conn.look(self.conn.bound())? == Fill::Octets {
            self.conn.expect("QUIT")?;
            // The client need not wait for it.
            let _ = self.conn.reply("221 2.0.0 bye");
        }
        self.conn.expect_close()
    }

    fn ignore(&mut self) -> Result<()> {
        loop {
            match self.conn.look(self.conn.bound())? {
                Fill::End => return Ok(()),
                Fill::Octets => self.conn.discard(),
                Fill::Quiet => return Err("expected the client to close at last".into()),
            }
        }
    }

    fn stop_reading(&mut self) -> Result<()> {
        let end = Instant::now() + self.conn.bound();
        while Instant::now() < end && !self.conn.control().is_finishing() {
            self.conn.pause(Duration::from_millis(5))?;
        }
        self.conn.reset();
        Ok(())
    }

    fn send(&mut self, block: &Block) -> Result<()> {
        if let Some(delay) = block.delay {
            self.conn.pause(delay)?;
        }
        self.in_step()?;
        match self.write(block) {
            Err(e) if block.may_close && e.kind() != ErrorKind::TimedOut => {
                self.conn
                    .set_ended(&format!("the client closed meanwhile: {e}"));
                Ok(())
            }
            Err(e) if e.kind() == ErrorKind::TimedOut => Err(e.to_string().into()),
            written => Ok(written?),
        }
    }

    /// A client that runs ahead of its server is found out here.
    fn in_step(&mut self) -> Result<()> {
        if !self.ahead && self.conn.peek()? == Fill::Octets {
            return Err(
                format!("before this reply the client sent {}", self.conn.surplus()).into(),
            );
        }
        Ok(())
    }

    fn write(&mut self, block: &Block) -> io::Result<()> {
        match block.drip {
            None => self.conn.send(&block.octets)?,
            Some(pause) => self.drip(&block.octets, pause)?,
        }
        match (&block.forever, block.drip) {
            (None, _) => Ok(()),
            (Some(text), None) => self.pour(text),
            (Some(text), Some(pause)) => self.drip_on(text, pause),
        }
    }

    /// One text octet by octet until the client closes, which it must do before the bound.
    fn drip_on(&mut self, text: &[u8], pause: Duration) -> io::Result<()> {
        let end = Instant::now() + self.conn.bound();
        while Instant::now() < end {
            self.drip(text, pause)?;
        }
        Err(io::Error::new(
            ErrorKind::TimedOut,
            "the client never gave up on a dripping reply",
        ))
    }

    fn drip(&mut self, octets: &[u8], pause: Duration) -> io::Result<()> {
        for octet in octets {
            self.conn.send(&[*octet])?;
            self.conn.pause(pause).map_err(|e| io::Error::other(e.0))?;
        }
        Ok(())
    }

    /// One text until the client closes, which it must do before [`CAP`].
    fn pour(&mut self, text: &[u8]) -> io::Result<()> {
        let chunk = text.repeat((CHUNK / text.len().max(1)).max(1));
        self.conn
            .session
            .note(format!("\"{}\", again and again", escaped(text)));
        for _ in 0..CAP / chunk.len() {
            self.conn.write_all(&chunk)?;
        }
        Err(io::Error::new(
            ErrorKind::TimedOut,
            format!("the client took {CAP} octets without closing"),
        ))
    }

    fn tls(&mut self, acceptor: Acceptor) -> Result<()> {
        self.conn
            .handshake(&native(acceptor))
            .map_err(|e| format!("no TLS: {e}").into())
    }

    /// The client gives up in the handshake, or, as TLS 1.3 allows, right behind it.
    fn tls_refused(&mut self, acceptor: Acceptor) -> Result<()> {
        if self.conn.handshake(&native(acceptor)).is_err() {
            return if self.conn.is_closed() {
                Ok(())
            } else {
                Err("octets before the handshake".into())
            };
        }
        match self.conn.look(self.conn.bound())? {
            Fill::End => Ok(()),
            Fill::Octets => {
                Err(format!("expected no TLS, got {} through it", self.conn.surplus()).into())
            }
            Fill::Quiet => Err("expected the client to refuse the handshake, it accepted".into()),
        }
    }

    /// Reads one TLS record, which must hold a `ClientHello` (RFC 8446, 4.1.2) with `name` in it.
    fn client_hello(&mut self, name: &str) -> Result<()> {
        let head = self.conn.read_octets(5)?;
        let [22, 3, _, high, low] = *head.as_slice() else {
            return Err(format!("expected a ClientHello, got \"{}\"", escaped(&head)).into());
        };
        let hello = self
            .conn
            .read_octets(usize::from(u16::from_be_bytes([high, low])))?;
        let found = name.is_empty() || hello.windows(name.len()).any(|w| w == name.as_bytes());
        if found {
            Ok(())
        } else {
            Err(format!("the ClientHello does not name {name}").into())
        }
    }
}

fn native(acceptor: Acceptor) -> TlsAcceptor {
    match acceptor {
        Acceptor::Leaf(leaf) => TestCa::get().acceptor(leaf),
        Acceptor::Old => TestCa::get().old_acceptor(),
    }
}

/// Whether `line` is `pattern`, where each `*` stands for anything, also for nothing.
fn matches(pattern: &str, line: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = line.strip_prefix(first) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// What an endless reply comes to before the client must have closed.
const CAP: usize = 64 * 1024 * 1024;
const CHUNK: usize = 64 * 1024;
