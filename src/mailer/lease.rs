//! [`Lease`]: a connection of the pool while it is in use.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::connection::SmtpConnection;
use crate::connection::cargo::Consignment;
use crate::error::{Delivery, Error, Result};
use crate::mailer::attempts::count;
use crate::mailer::pool::{Kept, Pool, Ticket};
use crate::outcome::Outcome;
use crate::reply::Code;
use crate::step::Step;

/// After this long without use, a connection is tested with NOOP. A firewall may have dropped it
/// without notice.
const LONG_SILENCE: Duration = Duration::from_secs(30);
/// A connection that has nothing to do for longer than this is given back, for others who need it.
pub(crate) const LONGEST_HOLD: Duration = Duration::from_millis(500);

/// A connection of the pool while it is in use.
///
/// When it is dropped, the connection goes back to the pool if it can send another message.
#[derive(Debug)]
pub(crate) struct Lease {
    /// `None` only while the lease is dropped or renewed.
    kept: Option<Kept>,
    ticket: Ticket,
    is_used: bool,
}

impl Pool {
    /// Waits for a connection for many messages. A kept one is checked first; if it has ended, a
    /// new one is opened.
    pub(crate) fn fit_lease(self: &Arc<Self>) -> Result<Lease> {
        let mut lease = Lease::new(self, self.ticket()?)?;
        match lease.begin() {
            Err(_) if lease.is_used => lease.renew(),
            begun => begun.map(|()| lease),
        }
    }

    /// Waits for a ticket, and opens a new connection in the place of all that are idle.
    pub(crate) fn new_lease(self: &Arc<Self>) -> Result<Lease> {
        let ticket = self.ticket()?;
        self.close_idle();
        Lease::open(ticket)
    }

    /// Waits for a turn of one message, and then for a ticket.
    fn ticket_in_turn(self: &Arc<Self>) -> Result<Ticket> {
        let mut turn = self.pace.turn(Instant::now());
        let mut held = None;
        loop {
            if turn.saturating_duration_since(Instant::now()) > LONGEST_HOLD {
                held = None;
            }
            wait_until(turn);
            let ticket = match held {
                Some(ticket) => ticket,
                None => self.ticket()?,
            };
            // The turn may have been missed while the ticket was waited for.
            let now = Instant::now();
            turn = self.pace.claim(turn, now);
            if turn <= now {
                return Ok(ticket);
            }
            held = Some(ticket);
        }
    }

    /// Sends one message when it is its turn. If a kept connection had gone stale, the message goes
    /// over a new one.
    pub(crate) fn deliver(self: &Arc<Self>, message: Consignment<'_>) -> Result<Outcome> {
        let mut lease = Lease::new(self, self.ticket_in_turn()?)?;
        if !lease.is_used {
            return lease.deliver_one(message);
        }
        match lease.deliver_one(message.clone()) {
            Err(error) if is_stale(&error) => {
                self.config.trace.note(format_args!(
                    "a kept connection had gone stale, trying another: {error}"
                ));
                let mut result = lease.renew()?.deliver_one(message);
                count(&mut result, 2);
                result
            }
            result => result,
        }
    }
}

pub(crate) fn wait_until(turn: Instant) {
    let wait = turn.saturating_duration_since(Instant::now());
    if !wait.is_zero() {
        thread::sleep(wait);
    }
}

impl Lease {
    fn new(pool: &Pool, ticket: Ticket) -> Result<Self> {
        match pool.take() {
            Some(kept) => Self::used(kept, ticket),
            None => Self::open(ticket),
        }
    }

    fn used(mut kept: Kept, ticket: Ticket) -> Result<Self> {
        if kept.used.elapsed() >= LONG_SILENCE && kept.connection.noop().is_err() {
            // The server may allow no connection beside it.
            drop(kept);
            return Self::open(ticket);
        }
        Ok(Self {
            kept: Some(kept),
            ticket,
            is_used: true,
        })
    }

    fn open(ticket: Ticket) -> Result<Self> {
        Ok(Self {
            kept: Some(ticket.0.open()?),
            ticket,
            is_used: false,
        })
    }

    /// Replaces the connection by a new one.
    fn renew(mut self) -> Result<Self> {
        drop(self.kept.take());
        self.kept = Some(self.ticket.0.open()?);
        self.is_used = false;
        Ok(self)
    }

    /// Whether it is too old, or has sent as many messages as allowed. One that has carried nothing
    /// never is: the next one would be no better.
    pub(crate) fn is_worn(&self) -> bool {
        self.kept.as_ref().is_none_or(|kept| {
            kept.connection.transactions() > 0 && self.ticket.0.is_worn(kept, Instant::now())
        })
    }

    fn deliver_one(&mut self, message: Consignment<'_>) -> Result<Outcome> {
        let load = message.load(self.capabilities())?;
        self.deliver(load)
    }
}

impl Deref for Lease {
    type Target = SmtpConnection;

    #[expect(clippy::expect_used, reason = "only dropping takes it out")]
    fn deref(&self) -> &SmtpConnection {
        &self
            .kept
            .as_ref()
            .expect("a lease has a connection")
            .connection
    }
}

impl DerefMut for Lease {
    #[expect(clippy::expect_used, reason = "only dropping takes it out")]
    fn deref_mut(&mut self) -> &mut SmtpConnection {
        &mut self
            .kept
            .as_mut()
            .expect("a lease has a connection")
            .connection
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(kept) = self.kept.take() else { return };
        let pool = &self.ticket.0;
        let is_fit = kept.connection.is_open() && !pool.is_worn(&kept, Instant::now());
        if is_fit && !thread::panicking() {
            pool.keep(kept);
        }
    }
}

/// Whether a message could not be sent because the connection had gone stale: the server had closed
/// it, or said goodbye. No recipient has the message.
pub(crate) fn is_stale(error: &Error) -> bool {
    let is_gone = match cause(error) {
        // Nothing of the message was sent, whatever was found on the idle connection.
        cause if cause.step() == Some(Step::Idle) => true,
        Error::Closed | Error::Disconnected { .. } | Error::Io { .. } => true,
        // The connection is the cause, not the message.
        Error::Refused {
            step: Step::Reset, ..
        } => true,
        cause => cause.code() == Some(Code::SERVICE_CLOSING),
    };
    is_gone && is_certainly_nobodys(error)
}

/// Whether the connection was lost during a message that no recipient has.
pub(crate) fn is_lost(error: &Error) -> bool {
    let is_connections = !matches!(cause(error), Error::Source(_) | Error::Content(_));
    error.is_closed() && is_connections && is_certainly_nobodys(error)
}

fn is_certainly_nobodys(error: &Error) -> bool {
    let accepted = error
        .outcome()
        .and_then(|outcome| outcome.accepted().next());
    error.delivery() == Delivery::NotDelivered && accepted.is_none()
}

fn cause(error: &Error) -> &Error {
    match error {
        Error::Interrupted(interrupted) => interrupted.failure(),
        error => error,
    }
}
