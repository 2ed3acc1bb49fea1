//! Carries out the steps of a script on a connection.
use crate::peer::conn::{Conn, server_side};
use crate::peer::exchanged::escaped;
use crate::peer::failure::{Failure, Result, fail, timed_out};
use crate::peer::link::Fill;
use crate::peer::parse::{Acceptor, Action, Block, Step};
use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

/// Runs to the end, or returns the line of the script that failed, and why.
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
    /// The client may send before it gets a reply.
    ahead: bool,
    group: Option<Group>,
}

/// Lines that must come in one segment.
struct Group {
    left: usize,
    /// The highest count of reads that the last line of the group may have.
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
            Action::Eof { notify } => self.conn.link.finish(*notify),
            Action::Group(left) => {
                self.group = Some(Group {
                    left: *left,
                    reads: self.conn.link.reads + 1,
                });
            }
            Action::Hello { name } => self.client_hello(name)?,
            Action::Ignore => self.ignore()?,
            Action::Line(line) => self.line(line)?,
            Action::Octets(n) => drop(self.conn.read_part(*n)?),
            Action::Pattern(pattern) => self.pattern(pattern)?,
            Action::Raw(octets) => self.raw(octets)?,
            Action::Reset => self.conn.reset(),
            Action::Send(block) => self.send(block)?,
            Action::Silence(wait) => self.conn.expect_silence(*wait)?,
            Action::SlowRead(pace) => self.conn.link.pace = *pace,
            Action::Stall(wait) => self.conn.pause(*wait)?,
            Action::StopReading => self.stop_reading()?,
            Action::Tls(leaf) => self.conn.start_tls(*leaf)?,
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
            return fail(format!(
                "expected \"{pattern}\", got \"{}\"",
                escaped(line.as_bytes())
            ));
        }
        self.in_one_segment()
    }

    fn raw(&mut self, octets: &[u8]) -> Result<()> {
        self.conn.expect_octets(octets)?;
        self.in_one_segment()
    }

    fn body_line(&mut self, line: &[u8]) -> Result<()> {
        self.conn.expect_body_line(line)?;
        self.in_one_segment()
    }

    /// Counts a line of a group. The whole group may take only one read.
    fn in_one_segment(&mut self) -> Result<()> {
        let Some(group) = &mut self.group else {
            return Ok(());
        };
        if self.conn.link.reads > group.reads {
            return fail("expected the group in one segment, it came in several");
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
            Some(octets) if octets != message.len() => fail(format!(
                "expected a message of {octets} octets, got {}",
                message.len()
            )),
            _ => Ok(()),
        }
    }

    fn bdat(&mut self, last: bool) -> Result<()> {
        match self.conn.read_bdat()?.1 {
            got if got == last => Ok(()),
            true => fail("expected a chunk that is not the last, got the last"),
            false => fail("expected the last chunk, got another"),
        }
    }

    fn closed_or_quit(&mut self) -> Result<()> {
        if self.conn.link.look(self.conn.link.bound())? == Fill::Octets {
            self.conn.expect("QUIT")?;
            // The client need not wait for it.
            let _ = self.conn.reply("221 2.0.0 bye");
        }
        self.conn.expect_close()
    }

    fn ignore(&mut self) -> Result<()> {
        loop {
            match self.conn.link.look(self.conn.link.bound())? {
                Fill::End => return Ok(()),
                Fill::Octets => self.conn.link.buffer.clear(),
                Fill::Quiet => return fail("expected the client to close at last"),
            }
        }
    }

    fn stop_reading(&mut self) -> Result<()> {
        let end = Instant::now() + self.conn.link.bound();
        while Instant::now() < end && !self.conn.link.control().is_finishing() {
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
                    .link
                    .set_ended(format!("the client closed meanwhile: {e}"));
                Ok(())
            }
            written => Ok(written?),
        }
    }

    /// Fails if the client has sent something before the reply.
    fn in_step(&mut self) -> Result<()> {
        if !self.ahead && self.conn.link.peek()? == Fill::Octets {
            return fail(format!(
                "before this reply the client sent {}",
                self.conn.link.surplus()
            ));
        }
        Ok(())
    }

    fn write(&mut self, block: &Block) -> io::Result<()> {
        match block.drip {
            None => self.conn.link.send(&block.octets)?,
            Some(pause) => self.drip(&block.octets, pause)?,
        }
        match (&block.forever, block.drip) {
            (None, _) => Ok(()),
            (Some(text), None) => self.pour(text),
            (Some(text), Some(pause)) => self.drip_on(text, pause),
        }
    }

    /// Sends a text byte by byte, again and again, until the client closes. It must close before
    /// the bound.
    fn drip_on(&mut self, text: &[u8], pause: Duration) -> io::Result<()> {
        let end = Instant::now() + self.conn.link.bound();
        while Instant::now() < end {
            self.drip(text, pause)?;
        }
        Err(timed_out("the client never gave up on a dripping reply"))
    }

    fn drip(&mut self, octets: &[u8], pause: Duration) -> io::Result<()> {
        for octet in octets {
            self.conn.link.send(&[*octet])?;
            self.conn.pause(pause).map_err(|e| timed_out(e.0))?;
        }
        Ok(())
    }

    /// Sends a text again and again until the client closes. It must close before [`CAP`].
    fn pour(&mut self, text: &[u8]) -> io::Result<()> {
        let chunk = text.repeat((CHUNK / text.len().max(1)).max(1));
        self.conn
            .link
            .session
            .note(format!("\"{}\", again and again", escaped(text)));
        for _ in 0..CAP / chunk.len() {
            self.conn.link.write_all(&chunk)?;
        }
        Err(timed_out(format!(
            "the client took {CAP} octets without closing"
        )))
    }

    /// The client gives up in the handshake or, as TLS 1.3 allows, directly after it.
    fn tls_refused(&mut self, acceptor: Acceptor) -> Result<()> {
        self.conn.nothing_ahead()?;
        let Acceptor::Leaf(leaf) = acceptor else {
            return self.tls_1_1_refused();
        };
        match self.conn.link.handshake(&server_side(leaf)?) {
            Ok(()) => self.conn.expect_close(),
            Err(e) if e.kind() == ErrorKind::TimedOut => fail(format!("no TLS: {e}")),
            Err(_) => Ok(()),
        }
    }

    /// A server that speaks at most TLS 1.1: after its reply the client must close. The reply is
    /// made by hand, because today's TLS libraries would not send it.
    fn tls_1_1_refused(&mut self) -> Result<()> {
        self.client_hello("")?;
        self.conn.link.send(&server_hello_1_1())?;
        self.ignore()
    }

    /// Reads one TLS record, which must be a `ClientHello` (RFC 8446, 4.1.2) with `name` in it.
    fn client_hello(&mut self, name: &str) -> Result<()> {
        let head = self.conn.read_octets(5)?;
        let [22, 3, _, high, low] = *head.as_slice() else {
            return fail(format!(
                "expected a ClientHello, got \"{}\"",
                escaped(&head)
            ));
        };
        let hello = self
            .conn
            .read_octets(usize::from(u16::from_be_bytes([high, low])))?;
        let found = name.is_empty() || hello.windows(name.len()).any(|w| w == name.as_bytes());
        if found {
            Ok(())
        } else {
            fail(format!("the ClientHello does not name {name}"))
        }
    }
}

/// A `ServerHello` (RFC 4346, 7.4.1.3): version 3.2, which is TLS 1.1, some random bytes, no
/// session, `TLS_RSA_WITH_AES_128_CBC_SHA`, no compression.
fn server_hello_1_1() -> Vec<u8> {
    let head = [0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2];
    let tail = [0, 0, 0x2f, 0];
    [&head[..], &[0x5a; 32], &tail].concat()
}

/// Whether `line` matches `pattern`, in which each `*` stands for any text, also for none.
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

/// The client must close before an endless reply has this many bytes.
const CAP: usize = 16 * 1024 * 1024;
const CHUNK: usize = 64 * 1024;
