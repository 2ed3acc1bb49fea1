//! The main loop of the crate: it carries out the plan of the exchange.

use crate::connection::SmtpConnection;
use crate::error::{Error, Result};
use crate::exchange::ledger::Settlement;
use crate::exchange::transit::Framing;
use crate::exchange::{Action, Exchange, Id};
use crate::net::last_words::LastWords;
use crate::reply::Reply;
use crate::step::Step;

/// How much is gathered before it is written, although no reply has to be waited for.
pub(crate) const FLIGHT: usize = 64 * 1024;
/// The end of data.
const DOT: &[u8] = b".\r\n";

/// What the loop needs its caller for.
#[derive(Debug)]
pub(crate) enum Pause {
    /// Write this message.
    Body(Id, Framing),
    /// Take note of this end.
    Settled(Id, Settlement),
    /// Queue something, if there is something.
    Idle,
}

impl SmtpConnection {
    /// Does what the exchange says until it needs something from the caller.
    pub(crate) fn drive(&mut self, exchange: &mut Exchange) -> Result<Pause> {
        loop {
            let is_quiet = exchange.is_quiet();
            let wire = &mut self.wire;
            match exchange.next(wire.position()) {
                Action::Write(step, commands) => {
                    if is_quiet {
                        wire.check_quiet(step)?;
                    }
                    wire.queue_lines(commands);
                    wire.flush_over(FLIGHT, step)?;
                }
                Action::LoneDot(id) => {
                    wire.queue_lines(DOT);
                    let end_at = wire.position();
                    exchange.end_written(id, DOT.len(), end_at);
                }
                Action::Read(awaited) => exchange.replied(wire.read_reply(awaited)?),
                Action::Close => {
                    wire.close();
                    exchange.lost(wire.taken());
                }
                Action::Body(id, framing) => {
                    if is_quiet {
                        wire.check_quiet(Step::Body)?;
                    }
                    return Ok(Pause::Body(id, framing));
                }
                Action::Settled(id, settlement) => return Ok(Pause::Settled(id, settlement)),
                Action::Idle => return Ok(Pause::Idle),
            }
        }
    }

    /// Notes that the connection is gone, and returns the reason unless it was a reply.
    pub(crate) fn lose(&mut self, exchange: &mut Exchange, error: Error) -> Option<Error> {
        self.wire.abort();
        let taken = self.wire.taken();
        let error = match self.wire.take_last_words() {
            Some(last_words) => attribute(last_words, exchange, taken, error),
            None => error,
        };
        let failure = match error {
            // The server has refused the message in the middle of it: that is a reply, not a
            // failure. What it says on an idle connection is about the connection.
            Error::Disconnected {
                step,
                last_words: Some(reply),
                ..
            } if step != Step::Idle && is_refusal(&reply) && exchange.is_in_message() => {
                exchange.refused_in_body(*reply);
                None
            }
            error => Some(error),
        };
        exchange.lost(taken);
        failure
    }
}

/// Gives the replies that had arrived when a write failed to the commands that they belong to. Returns
/// the failure, with the first reply behind those.
fn attribute(last_words: LastWords, exchange: &mut Exchange, taken: u64, told: Error) -> Error {
    let LastWords { replies, failure } = last_words;
    for reply in replies {
        if exchange.is_over() {
            break;
        }
        let is_due = exchange.awaited().is_some_and(|due| due.end_at <= taken);
        if is_due {
            exchange.replied(reply.clone());
        }
        // 421 is about the connection, too (RFC 5321, 3.8).
        if !is_due || reply.code() == 421 {
            return match told {
                Error::Disconnected { step, .. } => Error::disconnected(step, Some(reply)),
                told => told,
            };
        }
    }
    failure
}

fn is_refusal(reply: &Reply) -> bool {
    reply.code() != 421 && (reply.is_transient() || reply.is_permanent())
}
