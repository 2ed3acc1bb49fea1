//! [`Wire`] reads replies, and writes commands and messages. It waits for the server.

mod hearing;

use std::fmt;
use std::io::{ErrorKind, Write};
use std::time::{Duration, Instant};

use crate::config::Timeouts;
use crate::config::tls::TlsOptions;
use crate::error::{Error, Result, TlsError};
use crate::exchange::window::Awaited;
use crate::net::failed::{failed, is_farewell, shortened};
use crate::net::last_words::LastWords;
use crate::net::stream::timed::REPEATS_CALLS;
use crate::net::stream::{Stream, StreamFailure, UpgradeError, deadline_in};
use crate::protocol::error::ProtocolError;
use crate::protocol::line::{self, LineBuffer};
use crate::protocol::parser::ReplyParser;
use crate::reply::{Reply, masked_with_cut};
use crate::secret::Secrets;
use crate::step::Step;
use crate::trace::Trace;

/// How many octets are read at a time.
const READ_BUFFER: usize = 8 * 1024;
/// How many octets are read from an idle connection. A farewell is shorter.
const MAX_FAREWELL: usize = 2 * line::MAX_LINE;
/// How long to wait for the end of the connection after a farewell.
const FAREWELL_ENDS: Duration = Duration::from_millis(300);
/// The code of a challenge (RFC 4954, 4).
const CHALLENGE: u16 = 334;
/// For how long a server counts as busy after it has sent something.
const BUSY: Duration = Duration::from_micros(200);

/// A connection that is read and written as lines.
///
/// Every failure closes the stream for good. After a lost or late reply, the next reply could
/// belong to any command.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: Stream,
    /// The buffer for reads. It is kept, since clearing a new one would take longer than a read.
    read_buffer: Box<[u8]>,
    input: LineBuffer,
    /// When the server last sent something.
    heard_at: Instant,
    parser: ReplyParser,
    /// The octets to send before the next wait, in a single write.
    outbox: Vec<u8>,
    /// How many octets the stream has accepted.
    taken: u64,
    timeouts: Timeouts,
    /// The deadline of the current call.
    call_deadline: Option<Instant>,
    /// The end of the AUTH that began last.
    auth_ends: Option<Instant>,
    pub(crate) trace: Trace,
    /// The passwords and tokens that have been sent, and their encoded forms. If the server repeats
    /// one, it is masked.
    secrets: Secrets,
    /// What had arrived when a write failed.
    last_words: Option<LastWords>,
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
            auth_ends: None,
            trace,
            secrets: Secrets::new(),
            last_words: None,
        }
    }

    /// Remembers secrets that are about to be sent, for as long as the connection lives.
    pub(crate) fn hide(&mut self, secrets: &[&str]) {
        for secret in secrets {
            self.secrets.add(secret);
        }
    }

    /// The reply with the secrets of this connection masked. A challenge may have them in base64,
    /// so all of it is masked; whoever waits for one knows what of it may be shown.
    fn hiding(&self, reply: Reply) -> Reply {
        if reply.code() == CHALLENGE && !self.secrets.is_empty() {
            reply.hiding_whole()
        } else if self.secrets.occur_in(reply.raw()) {
            reply.hiding(&self.secrets.list())
        } else {
            reply
        }
    }

    /// The error for a failed read, write or handshake.
    fn failed(&self, step: Step, failure: StreamFailure) -> Error {
        failed(step, failure, |reply| self.hiding(reply))
    }

    /// Begins a call by the user. Everything until the next call must end before the deadline.
    pub(crate) fn begin_call(&mut self, deadline: Option<Instant>) -> Result<()> {
        self.call_deadline = deadline;
        if self.is_closed() {
            Err(Error::Closed)
        } else {
            Ok(())
        }
    }

    /// Begins an AUTH, whose budget counts for all of its challenges and responses.
    pub(crate) fn begin_auth(&mut self) {
        self.auth_ends = Some(deadline_in(self.timeouts.budget(Step::Auth)));
    }

    /// Makes this AUTH longer by the time that its mechanism took to respond, perhaps by asking a
    /// person.
    pub(crate) fn prolong_auth(&mut self, took: Duration) {
        self.auth_ends = self.auth_ends.and_then(|ends| ends.checked_add(took));
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

    /// Sends QUIT, waits for the reply, and closes the connection in any case (RFC 5321, 4.1.1.10).
    pub(crate) fn leave(&mut self) -> Option<Reply> {
        let said = self.send(Step::Quit, b"QUIT\r\n", None);
        let farewell = said.and_then(|()| self.read_alone(Step::Quit)).ok();
        self.close();
        farewell
    }

    /// Cuts the connection, so that the server cannot take a part of a message for the whole.
    #[cold]
    pub(crate) fn abort(&mut self) {
        if !self.is_closed() {
            self.trace.note(format_args!("cut off"));
        }
        self.stream.abort();
    }

    /// Reads the reply to a command that was sent alone.
    pub(crate) fn read_alone(&mut self, step: Step) -> Result<Reply> {
        self.read_reply(Awaited::alone(step))
    }

    /// Sends the outbox, and reads one reply.
    pub(crate) fn read_reply(&mut self, awaited: Awaited) -> Result<Reply> {
        let reply = self.read_untraced(awaited)?;
        self.trace.server_lines(reply.shown());
        Ok(reply)
    }

    /// Reads one reply that may repeat a secret. `shown` makes the reply for the trace.
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
            self.trace_remains(awaited.step);
            self.abort();
        }
        reply
    }

    /// Shows bytes that are not a reply. During AUTH the server may repeat a secret, and only a
    /// whole reply can be masked.
    fn trace_remains(&self, step: Step) {
        if step == Step::Auth {
            return;
        }
        for octets in [self.parser.unfinished(), self.input.newest_line()] {
            self.trace.server_lines(self.part(octets).as_bytes());
        }
    }

    /// Bytes that are not a reply, as they may be shown. They may have a part of a secret.
    fn part(&self, octets: &[u8]) -> String {
        let text = String::from_utf8_lossy(octets);
        if self.secrets.is_empty() {
            text.into_owned()
        } else if text.starts_with(&CHALLENGE.to_string()) {
            format!("{CHALLENGE} ***")
        } else {
            masked_with_cut(&text, &self.secrets.list())
        }
    }

    /// Puts a command that goes alone into the outbox. If it holds a secret, the trace shows
    /// `shown` instead.
    pub(crate) fn send(&mut self, step: Step, octets: &[u8], shown: Option<&str>) -> Result<()> {
        self.check_quiet(step)?;
        match shown {
            Some(shown) => self.trace.client(format_args!("{shown}")),
            None => self.trace.client_lines(octets),
        }
        self.outbox.extend_from_slice(octets);
        Ok(())
    }

    /// Puts a group of commands into the outbox.
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

    /// The octets that the next flush writes.
    pub(crate) fn outbox(&mut self) -> &mut Vec<u8> {
        &mut self.outbox
    }

    /// How many octets the stream has accepted since it was opened.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    /// How many octets the stream will have accepted when the outbox is empty.
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

    /// Writes the outbox if it has at least this many octets.
    pub(crate) fn flush_over(&mut self, octets: usize, step: Step) -> Result<()> {
        if self.outbox.len() < octets {
            return Ok(());
        }
        self.flush(step)
    }

    /// Writes octets of a message. Fewer than `buffer` are collected first, others are not copied.
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
        let deadline = self.deadline(step);
        self.stream.set_deadline(deadline);
        let written = if REPEATS_CALLS || Instant::now() < deadline {
            self.stream.write_all(octets, &mut self.taken)
        } else {
            // What is not tried has certainly not gone out.
            Err(StreamFailure::Socket(ErrorKind::TimedOut.into()))
        };
        written.map_err(|error| self.failed_write(step, error))
    }

    /// In the middle of a message the server must be silent, unless it refuses the message.
    pub(crate) fn check_silence(&mut self) -> Result<()> {
        self.stream.set_deadline(self.deadline(Step::Body));
        let read = match self.stream.try_read(&mut self.read_buffer) {
            Ok(None) => return self.check_quiet(Step::Body),
            Err(failure @ StreamFailure::Unset(_)) => {
                self.abort();
                return Err(self.failed(Step::Body, failure));
            }
            Ok(Some(0)) | Err(_) => 0,
            Ok(Some(read)) => read,
        };
        let octets = self.read_buffer.get(..read).unwrap_or_default();
        self.input.extend(octets);
        self.wait_for_last_words();
        let reply = self
            .hear_out(Step::Body)
            .ok()
            .and_then(|said| said.into_iter().next());
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

    /// Checks, before a command is sent, that nothing has arrived that was not asked for.
    pub(crate) fn check_quiet(&mut self, step: Step) -> Result<()> {
        if self.is_closed() {
            return Err(Error::Closed);
        }
        if self.is_quiet() {
            return Ok(());
        }
        Err(self.unasked(step, false))
    }

    /// Whether the server has sent something very recently.
    pub(crate) fn is_busy(&self) -> bool {
        self.heard_at.elapsed() < BUSY
    }

    /// Checks that the server has sent nothing on an idle connection and has not closed it.
    pub(crate) fn check_idle(&mut self) -> Result<()> {
        let is_over = self.listen(Step::Idle)?;
        if is_over {
            return Err(self.unasked(Step::Idle, true));
        }
        self.check_quiet(Step::Idle)
    }

    fn is_quiet(&self) -> bool {
        self.input.is_empty() && self.parser.is_idle()
    }

    /// Reads without waiting. Returns true at the end of the stream.
    fn listen(&mut self, step: Step) -> Result<bool> {
        // Nothing waits here, but the last deadline may have passed by now.
        self.stream.set_deadline(self.deadline(step));
        let mut heard = 0;
        while heard < MAX_FAREWELL {
            match self.stream.try_read(&mut self.read_buffer) {
                Ok(None) => return Ok(false),
                Ok(Some(0)) | Err(StreamFailure::Socket(_)) => return Ok(true),
                Err(failure @ (StreamFailure::Tls(_) | StreamFailure::Unset(_))) => {
                    self.abort();
                    return Err(self.failed(step, failure));
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
    /// 421 is a farewell at any time (RFC 5321, 3.8). A 221, 4yz or 5yz is one if the connection
    /// then ends. Nothing of the next transaction was sent, so another connection may take it.
    fn unasked(&mut self, step: Step, is_over: bool) -> Error {
        let is_silent = self.is_quiet();
        let said = self.farewell(step);
        let line = self.offending_line(step, said.as_ref());
        let is_over = is_over || said.as_ref().is_some_and(|said| self.ends_behind(said));
        self.abort();
        match said {
            Some(reply) if is_farewell(&reply, is_over) => Error::disconnected(step, Some(reply)),
            None if is_silent => Error::disconnected(step, None),
            _ => Error::Protocol {
                step,
                source: ProtocolError::Unsolicited,
                line,
                server: None,
            },
        }
    }

    /// Whether the connection ends after a reply that is a farewell only then. The end often comes
    /// in the next segment.
    fn ends_behind(&mut self, said: &Reply) -> bool {
        if !is_farewell(said, true) || is_farewell(said, false) {
            return false;
        }
        self.stream
            .set_deadline(self.within_call(FAREWELL_ENDS.min(self.timeouts.command)));
        let is_over = match self.stream.read(&mut self.read_buffer) {
            Ok(read) => read == 0,
            Err(StreamFailure::Socket(error)) => error.kind() != ErrorKind::TimedOut,
            Err(StreamFailure::Tls(_) | StreamFailure::Unset(_)) => false,
        };
        is_over && self.is_quiet()
    }

    /// The reply that has already arrived, or the part of it that has.
    fn farewell(&mut self, step: Step) -> Option<Reply> {
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
            None => self.trace_remains(step),
        }
        reply
    }

    /// The line that was read last, which may be incomplete, with its secrets masked.
    fn newest_line(&self) -> String {
        self.part(self.input.newest_line())
    }

    /// What breaks the rules, shortened for an error: a reply, or the line that was read last.
    /// During AUTH it is left out as a secret.
    fn offending_line(&self, step: Step, said: Option<&Reply>) -> Box<str> {
        match said {
            _ if step == Step::Auth => Box::default(),
            Some(reply) => shortened(&String::from_utf8_lossy(reply.shown())),
            None => shortened(&self.newest_line()),
        }
    }

    /// Starts TLS. Bytes before the handshake were not protected, so there must be none.
    pub(crate) fn upgrade(&mut self, options: &TlsOptions, name: &str) -> Result<()> {
        if !self.input.is_empty() || !self.parser.is_idle() {
            // A server that supports none of our TLS versions may send an alert before we begin.
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
            UpgradeError::Failed(failure) => self.failed(Step::Handshake, failure),
        })?;
        self.trace
            .note(format_args!("TLS from here on, with {name}"));
        Ok(())
    }

    /// Waits for the next reply.
    fn next_reply(&mut self, awaited: Awaited) -> Result<Reply> {
        let step = awaited.step;
        let mut is_waiting = false;
        loop {
            if let Some(reply) = self.arrived(awaited)? {
                return Ok(reply);
            }
            if !is_waiting {
                // While a message is still being written, the step is the message, not its end.
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

    /// The next reply, if all of it has been read.
    fn arrived(&mut self, awaited: Awaited) -> Result<Option<Reply>> {
        let limit = match awaited.step {
            Step::Auth => line::MAX_AUTH_LINE,
            _ => line::MAX_LINE,
        };
        match self.parser.next_reply(&mut self.input, limit) {
            Ok(Some(_)) if self.taken < awaited.end_at => {
                // The command that this reply would belong to has not been written yet.
                Err(self.broken(awaited.step, ProtocolError::Unsolicited))
            }
            Ok(reply) => Ok(reply.map(|reply| self.hiding(reply))),
            Err(source) => Err(self.broken(awaited.step, source)),
        }
    }

    /// The error for a reply that breaks the grammar.
    fn broken(&self, step: Step, source: ProtocolError) -> Error {
        Error::Protocol {
            step,
            source,
            line: self.offending_line(step, None),
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
            Err(failure) => Err(match self.failed(step, failure) {
                Error::Timeout { step, .. } => Error::Timeout {
                    step,
                    is_begun: !self.is_quiet(),
                    server: None,
                },
                error => error,
            }),
        }
    }

    /// The deadline for a reply. A server that replies to a group at once needs the time of the
    /// slowest command.
    fn patience(&self, awaited: Awaited) -> Instant {
        let with = awaited.with.unwrap_or(awaited.step);
        self.deadline(awaited.step).max(self.deadline(with))
    }

    /// The deadline for a step.
    fn deadline(&self, step: Step) -> Instant {
        let ends = self.within_call(self.timeouts.budget(step));
        match self.auth_ends {
            Some(auth_ends) if step == Step::Auth => ends.min(auth_ends),
            _ => ends,
        }
    }

    /// The end of a budget that begins now, but not later than the deadline of the call.
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
