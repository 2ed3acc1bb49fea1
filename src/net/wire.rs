//! [`Wire`]: lines in, commands and messages out; the only place that waits.

use std::fmt;
use std::io::{ErrorKind, Write};
use std::time::{Duration, Instant};

use crate::config::Timeouts;
use crate::config::tls::TlsOptions;
use crate::error::{Error, Result, TlsError, TlsReason};
use crate::exchange::window::Awaited;
use crate::net::failed::{failed, is_farewell, shortened};
use crate::net::stream::{Failure, Stream, UpgradeError, deadline_in};
use crate::protocol::error::ProtocolError;
use crate::protocol::line::{self, LineBuffer};
use crate::protocol::parser::ReplyParser;
use crate::reply::{Reply, masked_with_cut};
use crate::secret::Secrets;
use crate::step::Step;
use crate::trace::Trace;

/// How much is read at once.
const READ_BUFFER: usize = 8 * 1024;
/// How much is listened to on an idle connection; a farewell is shorter.
const MAX_FAREWELL: usize = 2 * line::MAX_LINE;
/// How long the end of a connection may lag behind the farewell that comes before it.
const FAREWELL_ENDS: Duration = Duration::from_millis(300);
/// How long after it was heard a server counts as busy.
const BUSY: Duration = Duration::from_micros(200);
/// How long a server that cut the connection is listened to for its reason.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// The connection as lines.
///
/// Every failure in here closes the stream for good: after a lost or late reply, the next one could
/// belong to any command.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: Stream,
    /// Where reads go; kept, since clearing it for each would take longer than the read.
    read_buffer: Box<[u8]>,
    input: LineBuffer,
    /// When something came last.
    heard_at: Instant,
    parser: ReplyParser,
    /// Commands to send before the next wait: one flight is one write.
    outbox: Vec<u8>,
    /// How many octets the stream has taken.
    taken: u64,
    timeouts: Timeouts,
    /// Until when the call under way may take.
    call_deadline: Option<Instant>,
    pub(crate) trace: Trace,
    /// Passwords, tokens and what was made of them, as far as they have been sent: none of it is
    /// ever shown, should the server repeat it.
    secrets: Secrets,
}

impl Wire {
    pub(crate) fn new(stream: Stream, timeouts: Timeouts, trace: Trace) -> Self {
        Self {
            stream,
            read_buffer: vec![0; READ_BUFFER].into(),
            input: LineBuffer::default(),
            heard_at: Instant::now(),
            parser: ReplyParser::default(),
            outbox: Vec::new(),
            taken: 0,
            timeouts,
            call_deadline: None,
            trace,
            secrets: Secrets::new(),
        }
    }

    /// Remembers secrets that are about to be sent, for as long as the connection lives.
    pub(crate) fn hide(&mut self, secrets: &[&str]) {
        for secret in secrets {
            self.secrets.add(secret);
        }
    }

    /// A reply that does not show the secrets of this connection.
    fn hiding(&self, reply: Reply) -> Reply {
        if self.secrets.occur_in(reply.raw()) {
            reply.hiding(&self.secrets.list())
        } else {
            reply
        }
    }

    /// Begins a call of the user's: everything until the next one has to end before the deadline.
    pub(crate) fn begin_call(&mut self, deadline: Option<Instant>) -> Result<()> {
        self.call_deadline = deadline;
        if self.is_closed() {
            Err(Error::Closed)
        } else {
            Ok(())
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.stream.is_closed()
    }

    pub(crate) fn stream(&self) -> &Stream {
        &self.stream
    }

    /// Ends the connection in an orderly way.
    pub(crate) fn close(&mut self) {
        if !self.is_closed() {
            self.trace.note(format_args!("closed"));
        }
        self.stream.close();
    }

    /// Says QUIT, waits for the farewell, and closes, whatever comes of it (RFC 5321, 4.1.1.10).
    pub(crate) fn leave(&mut self) -> Option<Reply> {
        let said = self.send(Step::Quit, b"QUIT\r\n", None);
        let farewell = said.and_then(|()| self.read_alone(Step::Quit)).ok();
        self.close();
        farewell
    }

    /// Cuts the connection: the server must not take what it has for the whole.
    pub(crate) fn abort(&mut self) {
        if !self.is_closed() {
            self.trace.note(format_args!("cut off"));
        }
        self.stream.abort();
    }

    /// Reads one reply to a command that went alone.
    pub(crate) fn read_alone(&mut self, step: Step) -> Result<Reply> {
        self.read_reply(Awaited::alone(step))
    }

    /// Sends the outbox, and reads one reply.
    pub(crate) fn read_reply(&mut self, awaited: Awaited) -> Result<Reply> {
        let reply = self.read_untraced(awaited)?;
        self.trace.server_lines(reply.shown());
        Ok(reply)
    }

    /// Reads one reply that may repeat a secret; `shown` makes of it what the trace may see.
    pub(crate) fn read_reply_shown(
        &mut self,
        step: Step,
        shown: impl FnOnce(&Reply) -> Reply,
    ) -> Result<Reply> {
        let reply = self.read_untraced(Awaited::alone(step))?;
        self.trace.server_lines(shown(&reply).shown());
        Ok(reply)
    }

    fn read_untraced(&mut self, awaited: Awaited) -> Result<Reply> {
        if awaited.step == Step::Greeting {
            self.parser.expect_greeting();
        }
        let reply = self.next_reply(awaited);
        if reply.is_err() {
            // What a server says during AUTH may repeat a secret; only a whole reply can be masked.
            if awaited.step != Step::Auth {
                self.trace_remains();
            }
            self.abort();
        }
        reply
    }

    /// Shows bytes that are not a reply. They may have a part of a secret.
    fn trace_remains(&self) {
        for octets in [self.parser.unfinished(), self.input.newest_line()] {
            if self.secrets.is_empty() {
                self.trace.server_lines(octets);
            } else {
                let text = String::from_utf8_lossy(octets);
                let shown = masked_with_cut(&text, &self.secrets.list());
                self.trace.server_lines(shown.as_bytes());
            }
        }
    }

    /// Puts a command into the outbox that goes alone; `shown` stands for it in the trace if it
    /// holds a secret.
    pub(crate) fn send(&mut self, step: Step, octets: &[u8], shown: Option<&str>) -> Result<()> {
        self.check_quiet(step)?;
        match shown {
            Some(shown) => self.trace.client(format_args!("{shown}")),
            None => self.trace.client_lines(octets),
        }
        self.outbox.extend_from_slice(octets);
        Ok(())
    }

    /// Puts commands into the outbox that stand in a group.
    pub(crate) fn queue_lines(&mut self, octets: &[u8]) {
        self.trace.client_lines(octets);
        self.outbox.extend_from_slice(octets);
    }

    /// Puts a line into the outbox.
    pub(crate) fn queue(&mut self, line: fmt::Arguments<'_>) {
        let start = self.outbox.len();
        // Writing to a vector cannot fail.
        let _ = self.outbox.write_fmt(line);
        let line = self.outbox.get(start..).unwrap_or_default();
        self.trace.client_lines(line);
    }

    /// What goes out with the next flush.
    pub(crate) fn outbox(&mut self) -> &mut Vec<u8> {
        &mut self.outbox
    }

    /// How many octets the stream has taken since it was opened.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    /// How many octets the stream will have taken when the outbox is empty.
    pub(crate) fn position(&self) -> u64 {
        self.taken + self.outbox.len() as u64
    }

    /// Writes the outbox.
    pub(crate) fn flush(&mut self, step: Step) -> Result<()> {
        if self.outbox.is_empty() {
            return Ok(());
        }
        let mut outbox = std::mem::take(&mut self.outbox);
        let written = self.write(step, &outbox);
        outbox.clear();
        self.outbox = outbox;
        written
    }

    /// Writes the outbox if it has this many bytes.
    pub(crate) fn flush_over(&mut self, octets: usize, step: Step) -> Result<()> {
        if self.outbox.len() < octets {
            return Ok(());
        }
        self.flush(step)
    }

    /// Takes octets of a message. From the size of a buffer on they are written from where they are.
    pub(crate) fn write_body(&mut self, octets: &[u8], buffer: usize) -> Result<()> {
        if octets.len() < buffer {
            self.outbox.extend_from_slice(octets);
            return self.flush_over(buffer, Step::Body);
        }
        self.flush(Step::Body)?;
        octets
            .chunks(buffer)
            .try_for_each(|piece| self.write(Step::Body, piece))
    }

    fn write(&mut self, step: Step, octets: &[u8]) -> Result<()> {
        if self.is_closed() {
            return Err(Error::Closed);
        }
        self.stream.set_deadline(self.deadline(step));
        let written = self.stream.write_all(octets, &mut self.taken);
        written.map_err(|error| self.failed_write(step, error))
    }

    /// In the middle of a message the server has nothing to say but that it does not want it.
    pub(crate) fn check_silence(&mut self) -> Result<()> {
        self.stream.set_deadline(self.deadline(Step::Body));
        let read = match self.stream.try_read(&mut self.read_buffer) {
            Ok(None) => return self.check_quiet(Step::Body),
            Err(failure @ Failure::Unset(_)) => {
                self.abort();
                return Err(failed(Step::Body, failure));
            }
            Ok(Some(0)) | Err(_) => 0,
            Ok(Some(read)) => read,
        };
        let octets = self.read_buffer.get(..read).unwrap_or_default();
        self.input.extend(octets);
        self.wait_for_last_words();
        let (reply, _) = self.last_words();
        self.abort();
        Err(match reply {
            Some(reply) if !reply.is_positive() => Error::disconnected(Step::Body, Some(reply)),
            None if read == 0 => Error::disconnected(Step::Body, None),
            said => Error::Protocol {
                step: Step::Body,
                source: ProtocolError::Unsolicited,
                line: said.map_or_else(Box::default, |reply| {
                    shortened(&String::from_utf8_lossy(reply.shown()))
                }),
                server: None,
            },
        })
    }

    /// Before a command goes out everything that came must have been asked for.
    pub(crate) fn check_quiet(&mut self, step: Step) -> Result<()> {
        if self.is_closed() {
            return Err(Error::Closed);
        }
        if self.is_quiet() {
            return Ok(());
        }
        Err(self.unasked(step, false))
    }

    /// Whether the server has spoken just now.
    pub(crate) fn is_busy(&self) -> bool {
        self.heard_at.elapsed() < BUSY
    }

    /// Asks an idle connection whether the server has said something meanwhile, or is gone.
    pub(crate) fn check_idle(&mut self) -> Result<()> {
        let is_over = self.listen()?;
        if is_over {
            return Err(self.unasked(Step::Idle, true));
        }
        self.check_quiet(Step::Idle)
    }

    fn is_quiet(&self) -> bool {
        self.input.is_empty() && self.parser.is_idle()
    }

    /// Reads without waiting; returns true at the end of the stream.
    fn listen(&mut self) -> Result<bool> {
        // Nothing waits here, but the last deadline may have passed meanwhile.
        self.stream.set_deadline(self.deadline(Step::Idle));
        let mut heard = 0;
        while heard < MAX_FAREWELL {
            match self.stream.try_read(&mut self.read_buffer) {
                Ok(None) => return Ok(false),
                Ok(Some(0)) | Err(Failure::Socket(_)) => return Ok(true),
                Err(failure @ (Failure::Tls(_) | Failure::Unset(_))) => {
                    self.abort();
                    return Err(failed(Step::Idle, failure));
                }
                Ok(Some(read)) => {
                    let octets = self.read_buffer.get(..read).unwrap_or_default();
                    self.input.extend(octets);
                    heard += read;
                }
            }
        }
        Ok(false)
    }

    /// Why the connection cannot be used: the server sent a reply without a command, or is gone.
    ///
    /// 421 is its farewell at any time (RFC 5321, 3.8), and so is any 221, 4yz or 5yz before the
    /// end. Nothing of the next transaction was sent, so another connection may take it.
    fn unasked(&mut self, step: Step, is_over: bool) -> Error {
        let is_silent = self.is_quiet();
        let said = self.farewell();
        let line = self.offending_line();
        let is_over = is_over || said.as_ref().is_some_and(|said| self.ends_behind(said));
        self.abort();
        match said {
            Some(reply) if is_farewell(&reply, is_over) => Error::disconnected(step, Some(reply)),
            None if is_silent => Error::disconnected(step, None),
            said => Error::Protocol {
                step,
                source: ProtocolError::Unsolicited,
                line: said.map_or(line, |reply| {
                    shortened(&String::from_utf8_lossy(reply.shown()))
                }),
                server: None,
            },
        }
    }

    /// Whether the end follows on what would be a farewell with it. The two are often two segments.
    fn ends_behind(&mut self, said: &Reply) -> bool {
        if !is_farewell(said, true) || is_farewell(said, false) {
            return false;
        }
        self.stream
            .set_deadline(self.within_call(FAREWELL_ENDS.min(self.timeouts.command)));
        let is_over = match self.stream.read(&mut self.read_buffer) {
            Ok(read) => read == 0,
            Err(Failure::Socket(error)) => error.kind() != ErrorKind::TimedOut,
            Err(Failure::Tls(_) | Failure::Unset(_)) => false,
        };
        is_over && self.is_quiet()
    }

    /// A reply that is there already, or as much of it as came.
    fn farewell(&mut self) -> Option<Reply> {
        let reply = match self.parser.next_reply(&mut self.input, line::MAX_LINE) {
            Ok(reply) => reply.or_else(|| {
                let half = self.newest_line();
                self.parser.cut_off(half.as_bytes())
            }),
            Err(_) => None,
        };
        let reply = reply.map(|reply| self.hiding(reply));
        match &reply {
            Some(reply) => self.trace.server_lines(reply.shown()),
            None => self.trace_remains(),
        }
        reply
    }

    /// The line that was read last, or half of one, without secrets.
    fn newest_line(&self) -> String {
        let text = String::from_utf8_lossy(self.input.newest_line());
        if self.secrets.is_empty() {
            text.into_owned()
        } else {
            masked_with_cut(&text, &self.secrets.list())
        }
    }

    /// The line that was read last, for an error.
    fn offending_line(&self) -> Box<str> {
        shortened(&self.newest_line())
    }

    /// Starts TLS. Bytes before the handshake were not protected, so there must be none.
    pub(crate) fn upgrade(&mut self, options: &TlsOptions, name: &str) -> Result<()> {
        if !self.input.is_empty() || !self.parser.is_idle() {
            // A server that can do none of our versions may say so before it has heard us.
            let is_alert = self.input.unread().starts_with(&ALERT);
            self.abort();
            return Err(if is_alert {
                Error::Tls(Box::new(TlsError::refused()))
            } else {
                Error::protocol(Step::StartTls, ProtocolError::DataBeforeTls)
            });
        }
        let deadline = self.deadline(Step::Handshake);
        let name = options.verified_name(name);
        let connector = options.connector().inspect_err(|_| self.stream.abort())?;
        let upgraded = self.stream.upgrade(connector, name, deadline);
        if upgraded.is_err() {
            self.abort();
        }
        upgraded.map_err(|error| match error {
            UpgradeError::NotPlain => Error::Closed,
            UpgradeError::Failed(failure) => failed(Step::Handshake, failure),
        })?;
        self.trace
            .note(format_args!("TLS from here on, with {name}"));
        Ok(())
    }

    /// The next reply, waiting for it.
    fn next_reply(&mut self, awaited: Awaited) -> Result<Reply> {
        let step = awaited.step;
        let limit = if step == Step::Auth {
            line::MAX_AUTH_LINE
        } else {
            line::MAX_LINE
        };
        let mut is_waiting = false;
        loop {
            match self.parser.next_reply(&mut self.input, limit) {
                Ok(Some(_)) if self.taken < awaited.end_at => {
                    // What it would answer has not even been written.
                    return Err(self.broken(step, ProtocolError::Unsolicited));
                }
                Ok(Some(reply)) => return Ok(self.hiding(reply)),
                Ok(None) => {}
                Err(source) => return Err(self.broken(step, source)),
            }
            if !is_waiting {
                // As long as it is being written, a message is not at its end.
                self.flush(if step == Step::EndOfData {
                    Step::Body
                } else {
                    step
                })?;
                self.stream.set_deadline(self.patience(awaited));
                is_waiting = true;
            }
            self.fill(step)?;
        }
    }

    /// The server broke the grammar. A line that came during AUTH may hold a secret.
    fn broken(&self, step: Step, source: ProtocolError) -> Error {
        let line = match step {
            Step::Auth => Box::default(),
            _ => self.offending_line(),
        };
        Error::Protocol {
            step,
            source,
            line,
            server: None,
        }
    }

    fn fill(&mut self, step: Step) -> Result<()> {
        match self.stream.read(&mut self.read_buffer) {
            Ok(0) => Err(Error::disconnected(step, None)),
            Ok(read) => {
                let octets = self.read_buffer.get(..read).unwrap_or_default();
                self.input.extend(octets);
                self.heard_at = Instant::now();
                Ok(())
            }
            Err(failure) => Err(match failed(step, failure) {
                Error::Timeout { step, .. } => Error::Timeout {
                    step,
                    is_begun: !self.is_quiet(),
                    server: None,
                },
                error => error,
            }),
        }
    }

    /// A write failed: the server may have said why before it closed its side, or stopped reading.
    fn failed_write(&mut self, step: Step, failure: Failure) -> Error {
        let mut error = failed(step, failure);
        if error.is_timeout() {
            self.stream.wait_no_more();
        } else {
            self.wait_for_last_words();
        }
        match self.last_words() {
            (Some(reply), _) => {
                error = Error::disconnected(step, Some(reply));
            }
            // The server's verdict on the handshake, which TLS 1.3 sends behind it.
            (None, Error::Tls(verdict)) if verdict.reason() != TlsReason::Other => {
                error = Error::Tls(verdict);
            }
            _ => {}
        }
        self.abort();
        error
    }

    fn wait_for_last_words(&mut self) {
        let patience = LAST_WORDS.min(self.timeouts.command);
        self.stream.set_deadline(self.within_call(patience));
    }

    /// Why a server is going away, and how it did: its first reply answers what was being written,
    /// another one may say goodbye.
    fn last_words(&mut self) -> (Option<Reply>, Error) {
        let mut reason = None;
        loop {
            match self.unwaited_reply() {
                Ok(reply) => {
                    self.trace.server_lines(reply.shown());
                    reason.get_or_insert(reply);
                }
                Err(end) => return (reason, end),
            }
        }
    }

    /// A reply before the deadline that is set already.
    fn unwaited_reply(&mut self) -> Result<Reply> {
        loop {
            match self.parser.next_reply(&mut self.input, line::MAX_LINE) {
                Ok(Some(reply)) => return Ok(self.hiding(reply)),
                Ok(None) => self.fill(Step::Body)?,
                Err(source) => return Err(self.broken(Step::Body, source)),
            }
        }
    }

    /// Until when a reply may take: a server that answers a group at once needs the time of its
    /// slowest command.
    fn patience(&self, awaited: Awaited) -> Instant {
        let with = awaited.with.unwrap_or(awaited.step);
        self.deadline(awaited.step).max(self.deadline(with))
    }

    /// Until when a step may take.
    fn deadline(&self, step: Step) -> Instant {
        self.within_call(self.timeouts.budget(step))
    }

    /// The end of a budget that begins now, and no later than that of the call.
    fn within_call(&self, budget: Duration) -> Instant {
        let deadline = deadline_in(budget);
        self.call_deadline
            .map_or(deadline, |limit| deadline.min(limit))
    }
}

/// The first octets of a TLS record that holds an alert (RFC 8446, 5.1).
const ALERT: [u8; 2] = [0x15, 0x03];

#[cfg(test)]
mod tls_tests;

#[cfg(test)]
mod tests;
