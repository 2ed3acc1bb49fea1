//! Hears what a server has still said when nothing more can be written to it.

use std::time::Duration;

use crate::error::{Error, Result, TlsReason};
use crate::exchange::window::Awaited;
use crate::net::last_words::LastWords;
use crate::net::stream::StreamFailure;
use crate::net::wire::Wire;
use crate::protocol::line;
use crate::reply::Reply;
use crate::step::Step;

/// How long to wait for the server's reason after it has cut the connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// How many bytes of replies are read then. All that can be due while a batch is sent are fewer, and a
/// server that does not stop talking is not listened to for ever.
const MAX_OCTETS: usize = 256 * 1024;

impl Wire {
    /// The replies that had arrived when a write failed.
    pub(crate) fn take_last_words(&mut self) -> Option<LastWords> {
        self.last_words.take()
    }

    /// Reads the next reply if it has come, without waiting.
    pub(crate) fn read_arrived(&mut self, awaited: Awaited) -> Result<Option<Reply>> {
        let mut said = self.arrived(awaited);
        if let Ok(None) = said {
            let listened = self.listen(awaited.step);
            said = self.arrived(awaited);
            if let Ok(None) = said {
                said = match listened? {
                    true => Err(Error::disconnected(awaited.step, None)),
                    false => Ok(None),
                };
            }
        }
        match &said {
            Ok(Some(reply)) => self.trace.server_lines(reply.shown()),
            Ok(None) => {}
            Err(_) => {
                self.trace_remains(awaited.step);
                self.abort();
            }
        }
        said
    }

    /// The error for a failed write. The server may have sent the reason before.
    pub(super) fn failed_write(&mut self, step: Step, failure: StreamFailure) -> Error {
        let error = self.failed(step, failure);
        if error.is_timeout() {
            self.stream.wait_no_more();
        } else {
            self.wait_for_last_words();
        }
        let heard = self.hear_out(step);
        self.abort();
        match heard {
            Ok(replies) => {
                let told = Error::disconnected(step, replies.first().cloned());
                self.last_words = Some(LastWords {
                    replies,
                    failure: error,
                });
                told
            }
            // With TLS 1.3, the server can reject our part of the handshake after it.
            Err(Error::Tls(verdict)) if verdict.reason() != TlsReason::Other => Error::Tls(verdict),
            Err(_) => error,
        }
    }

    pub(super) fn wait_for_last_words(&mut self) {
        let patience = PATIENCE.min(self.timeouts.command);
        self.stream.set_deadline(self.within_call(patience));
    }

    /// Reads the replies that say why a server goes away, or returns the error that ended the
    /// connection. Only the first one is waited for. The others are what has arrived.
    pub(super) fn hear_out(&mut self, step: Step) -> Result<Vec<Reply>> {
        let mut replies = vec![self.unwaited_reply(step)?];
        let mut octets = 0;
        self.stream.wait_no_more();
        while octets < MAX_OCTETS {
            let Ok(reply) = self.unwaited_reply(step) else {
                break;
            };
            octets += reply.raw().len();
            replies.push(reply);
        }
        Ok(replies)
    }

    /// Reads a reply before the deadline that is already set.
    fn unwaited_reply(&mut self, step: Step) -> Result<Reply> {
        loop {
            match self.parser.next_reply(&mut self.input, line::MAX_LINE) {
                Ok(Some(reply)) => {
                    let reply = self.hiding(reply);
                    self.trace.server_lines(reply.shown());
                    return Ok(reply);
                }
                Ok(None) => self.fill(step)?,
                Err(source) => return Err(self.broken(step, source)),
            }
        }
    }
}
