//! [`Wire`]: lines in, commands and messages out; the only place that waits.

use std::fmt;
use std::io::Write;
use std::time::{Duration, Instant};

use crate::config::Timeouts;
use crate::config::tls::TlsOptions;
use crate::error::{Error, Result, TlsError, TlsReason};
use crate::exchange::window::Awaited;
use crate::net::failed::failed;
use crate::net::stream::{Failure, Stream, UpgradeError, deadline_in};
use crate::protocol::error::ProtocolError;
use crate::protocol::line::{self, LineBuffer};
use crate::protocol::parser::ReplyParser;
use crate::reply::{Code, Reply, masked_with_cut};
use crate::secret::Secrets;
use crate::step::Step;
use crate::trace::Trace;

/// How much is read at once.
const READ_BUFFER: usize = 8 * 1024;
/// How long a connection has to be silent before the socket is asked whether the server has said
/// something meanwhile: within this time it would have to say it just now.
const IDLE: Duration = Duration::from_millis(5);
/// How long a server that cut the connection is listened to for its reason.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// The connection as lines.
///
/// Whatever goes wrong in here closes the stream for good: after a lost or late reply nobody knows
/// which command the next one would answer.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: Stream,
    /// Where reads go; kept, since clearing it for each would take longer than the read.
    read_buffer: Box<[u8]>,
    input: LineBuffer,
    parser: ReplyParser,
    /// What goes out before the next wait: one flight is one write.
    outbox: Vec<u8>,
    /// How many octets the stream has taken.
    taken: u64,
    /// When the server was last heard.
    heard: Option<Instant>,
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
            parser: ReplyParser::default(),
            outbox: Vec::new(),
            taken: 0,
            heard: None,
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

    /// Reads one reply; what is in the outbox goes out before it is waited for.
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

    /// Shows what came and is no reply. A secret may have been cut in it.
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

    /// Writes what is in the outbox.
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

    /// Writes what is in the outbox if it is this much.
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
        let read = match self.stream.try_read(&mut self.read_buffer) {
            Ok(None) => return self.check_quiet(Step::Body),
            Ok(Some(0)) | Err(_) => 0,
            Ok(Some(read)) => read,
        };
        let octets = self.read_buffer.get(..read).unwrap_or_default();
        self.input.extend(octets);
        self.wait_for_last_words();
        let (reply, _) = self.last_words();
        self.abort();
        Err(match reply {
            Some(reply) if !reply.is_positive() => Error::Disconnected {
                step: Step::Body,
                last_words: Some(Box::new(reply)),
            },
            None if read == 0 => Error::Disconnected {
                step: Step::Body,
                last_words: None,
            },
            _ => Error::Protocol {
                step: Step::Body,
                source: ProtocolError::Unsolicited,
            },
        })
    }

    /// Before a command goes out everything that came must have been asked for.
    pub(crate) fn check_quiet(&mut self, step: Step) -> Result<()> {
        if self.is_closed() {
            return Err(Error::Closed);
        }
        if self.input.is_empty() && self.parser.is_idle() {
            return Ok(());
        }
        self.abort();
        Err(Error::Protocol {
            step,
            source: ProtocolError::Unsolicited,
        })
    }

    /// Asks an idle connection whether the server has said something meanwhile, or is gone.
    ///
    /// 421 is its farewell: nothing of the next transaction was sent, so another connection may
    /// take it.
    pub(crate) fn check_idle(&mut self, step: Step) -> Result<()> {
        if self.heard.is_some_and(|heard| heard.elapsed() < IDLE) && self.input.is_empty() {
            return self.check_quiet(step);
        }
        let mut buffer = [0; 512];
        let read = match self.stream.try_read(&mut buffer) {
            Ok(None) if self.input.is_empty() => return self.check_quiet(step),
            Ok(read) => read,
            Err(failure @ Failure::Tls(_)) => {
                self.abort();
                return Err(failed(step, failure));
            }
            Err(Failure::Socket(_)) => Some(0),
        };
        let octets = buffer.get(..read.unwrap_or_default());
        self.input.extend(octets.unwrap_or_default());
        let farewell = self.farewell();
        let is_gone = read == Some(0) && self.input.is_empty();
        self.abort();
        match farewell {
            Some(reply) if reply.code() == Code::SERVICE_CLOSING => Err(Error::Disconnected {
                step,
                last_words: Some(Box::new(reply)),
            }),
            None if is_gone => Err(Error::Disconnected {
                step,
                last_words: None,
            }),
            _ => Err(Error::Protocol {
                step,
                source: ProtocolError::Unsolicited,
            }),
        }
    }

    /// A reply that is there already.
    fn farewell(&mut self) -> Option<Reply> {
        let reply = self.parser.next_reply(&mut self.input, line::MAX_LINE);
        match reply {
            Ok(Some(reply)) => {
                let reply = self.hiding(reply);
                self.trace.server_lines(reply.shown());
                Some(reply)
            }
            _ => {
                self.trace_remains();
                None
            }
        }
    }

    /// Starts TLS. What came before the handshake was never protected, so there must be nothing.
    pub(crate) fn upgrade(&mut self, options: &TlsOptions, name: &str) -> Result<()> {
        if !self.input.is_empty() || !self.parser.is_idle() {
            // A server that can do none of our versions may say so before it has heard us.
            let is_alert = self.input.unread().starts_with(&ALERT);
            self.abort();
            return Err(if is_alert {
                Error::Tls(Box::new(TlsError::refused()))
            } else {
                Error::Protocol {
                    step: Step::StartTls,
                    source: ProtocolError::DataBeforeTls,
                }
            });
        }
        let deadline = self.deadline(Step::Handshake);
        let name = options.verified_name(name);
        let connector = options
            .connector()
            .map_err(|error| UpgradeError::Failed(error.into()));
        let upgraded = connector.and_then(|tls| self.stream.upgrade(tls, name, deadline));
        if upgraded.is_err() {
            self.abort();
        }
        upgraded.map_err(|error| match error {
            UpgradeError::NotTcp => Error::Closed,
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
                    let source = ProtocolError::Unsolicited;
                    return Err(Error::Protocol { step, source });
                }
                Ok(Some(reply)) => return Ok(self.hiding(reply)),
                Ok(None) => {}
                Err(source) => return Err(Error::Protocol { step, source }),
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

    fn fill(&mut self, step: Step) -> Result<()> {
        match self.stream.read(&mut self.read_buffer) {
            Ok(0) => Err(Error::Disconnected {
                step,
                last_words: None,
            }),
            Ok(read) => {
                let octets = self.read_buffer.get(..read).unwrap_or_default();
                self.input.extend(octets);
                self.heard = Some(Instant::now());
                Ok(())
            }
            Err(failure) => Err(failed(step, failure)),
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
                error = Error::Disconnected {
                    step,
                    last_words: Some(Box::new(reply)),
                };
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
                Err(source) => {
                    return Err(Error::Protocol {
                        step: Step::Body,
                        source,
                    });
                }
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
        let budget = match step {
            Step::Connect => self.timeouts.connect,
            Step::Handshake => self.timeouts.handshake,
            Step::Greeting => self.timeouts.greeting,
            Step::Data => self.timeouts.data,
            Step::Body => self.timeouts.body,
            Step::EndOfData => self.timeouts.end_of_data,
            Step::Quit => self.timeouts.quit,
            _ => self.timeouts.command,
        };
        self.within_call(budget)
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
mod tests {
    use super::*;
    use crate::net::stream::Peer;
    use std::io::{self, Read};

    /// A peer that repeats the same octets for ever, as much as is asked for.
    #[derive(Debug)]
    struct Endless(&'static [u8], usize);

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            for octet in buffer.iter_mut() {
                *octet = self.0[self.1 % self.0.len()];
                self.1 += 1;
            }
            Ok(buffer.len())
        }
    }

    impl Write for Endless {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            Ok(octets.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Peer for Endless {
        fn set_polling(&mut self, _yes: bool) {}
    }

    // R1, R2: neither a line nor a reply takes more than its limit, and one read behind it.
    #[test]
    fn endless_replies_take_little_memory() {
        for (octets, expected) in [
            (&b"x"[..], ProtocolError::LineTooLong),
            (b"250-x\r\n", ProtocolError::ReplyTooLong),
            (b"250-\r\n", ProtocolError::ReplyTooLong),
        ] {
            let stream = Stream::Memory(Box::new(Endless(octets, 0)));
            let mut wire = Wire::new(stream, Timeouts::default(), Trace::default());
            let error = wire.read_alone(Step::Command).unwrap_err();
            assert!(
                matches!(error, Error::Protocol { source, .. } if source == expected),
                "{error:?}"
            );
            assert!(wire.input.capacity() <= 4 * (line::MAX_LINE + READ_BUFFER));
            assert!(wire.is_closed());
        }
    }

    // A peer that never stops answering is an error before the next command, not a queue of
    // answers.
    #[test]
    fn surplus_replies_are_no_answers() {
        let stream = Stream::Memory(Box::new(Endless(b"250 ok\r\n", 0)));
        let mut wire = Wire::new(stream, Timeouts::default(), Trace::default());
        assert_eq!(wire.read_alone(Step::Command).unwrap().code(), 250);
        let error = wire.send(Step::Command, b"NOOP\r\n", None).unwrap_err();
        assert!(
            matches!(error, Error::Protocol { source, .. } if source == ProtocolError::Unsolicited),
            "{error:?}"
        );
        assert!(matches!(
            wire.send(Step::Command, b"NOOP\r\n", None),
            Err(Error::Closed)
        ));
    }
}
