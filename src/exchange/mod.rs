//! The planner: what may be sent to this server, what its replies mean, and the result of each
//! message. Nothing here reads, writes, waits or knows the time.

pub(crate) mod admission;
pub(crate) mod error;
mod header;
pub(crate) mod ledger;
pub(crate) mod options;
#[cfg(test)]
mod tests;
pub(crate) mod transit;
pub(crate) mod verb;
pub(crate) mod window;

use std::collections::VecDeque;

use crate::address::Address;
use crate::exchange::ledger::{Aftermath, Ledger, Rules, Settlement, Verdict};
use crate::exchange::transit::{Commands, Framing, Order, Plan, Transit};
use crate::exchange::verb::Verb;
use crate::exchange::window::{Awaited, Bounds, Window};
use crate::outcome::RecipientOutcome;
use crate::reply::Reply;
use crate::step::Step;

/// The most chunks of a message that may wait for their replies. After a refused chunk the rest is
/// useless, so there must not be many.
const CHUNKS_AHEAD: usize = 3;

/// The memory of an exchange is kept for this many transactions.
const MOST_SPARE: usize = 4;

/// The number of a transaction in an exchange, in the order in which they begin.
pub(crate) type Id = u64;

/// Decides what may be sent now, what each reply means, when RSET is due, and the result for each
/// recipient of each message.
///
/// Transactions are queued. [`next`](Self::next) says what to do, and [`replied`](Self::replied)
/// takes the server's replies. The position of a reply says which command it belongs to. Only the
/// [`Policy`] differs between lock-step, pipelined and chunked transactions, between SMTP and LMTP,
/// and between one message and many.
#[derive(Debug, Default)]
pub(crate) struct Exchange {
    policy: Policy,
    window: Window,
    transits: VecDeque<Transit>,
    /// How many transactions were settled. This is also the number of the oldest that is not.
    settled: Id,
    /// How many of `transits` are written completely. The next one is written to its end before any
    /// later one.
    written: usize,
    /// RSET must be sent before the next transaction.
    is_reset_owed: bool,
    /// A message was accepted on this connection, so the server can be trusted to read a chunk that
    /// directly follows its envelope.
    is_proven: bool,
    /// The connection is of no further use.
    is_over: bool,
    /// The connection is closed.
    is_lost: bool,
    /// Nothing can be written before all replies have arrived.
    is_waiting: bool,
    /// The memory of a transaction that is over, for the next one.
    spare: Commands,
}

/// What this exchange may do.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Policy {
    /// The server offers PIPELINING (RFC 2920).
    pub(crate) pipelining: bool,
    /// Transactions follow each other without waiting for the reply to the message.
    pub(crate) across: bool,
    /// Each recipient has its own reply to the message (RFC 2033).
    pub(crate) lmtp: bool,
}

/// What to do next.
#[derive(Debug)]
pub(crate) enum Action<'a> {
    /// Write these commands. The last one belongs to this step.
    Write(Step, &'a [u8]),
    /// Write the message and its end, then call [`Exchange::end_written`].
    Body(Id, Framing),
    /// Write the end of data alone, then call [`Exchange::end_written`].
    LoneDot(Id),
    /// Read one reply.
    Read(Awaited),
    /// This is how the oldest transaction ended.
    Settled(Id, Settlement),
    /// Nothing, until another transaction or command is queued.
    Idle,
    /// The connection is of no further use: close it, and call [`Exchange::lost`].
    Close,
}

impl Exchange {
    #[cfg(any(test, fuzzing))]
    pub(crate) fn new(policy: Policy) -> Self {
        Self::default().under(policy)
    }

    /// An empty exchange that reuses this one's memory.
    pub(crate) fn emptied(mut self) -> Self {
        self.transits.clear();
        self.transits.shrink_to(MOST_SPARE);
        Self {
            window: self.window.emptied(),
            transits: self.transits,
            spare: self.spare,
            ..Self::default()
        }
    }

    /// This empty exchange, under another policy.
    pub(crate) fn under(mut self, policy: Policy) -> Self {
        let limits = match policy {
            Policy {
                pipelining: false, ..
            } => Bounds::LOCK_STEP,
            Policy { across: true, .. } => Bounds::STREAM,
            _ => Bounds::ENVELOPE,
        };
        self.policy = policy;
        self.window.limit(limits);
        self
    }

    /// Sets what earlier transactions left on the connection.
    pub(crate) fn resume(mut self, is_reset_owed: bool, is_proven: bool) -> Self {
        self.is_reset_owed = is_reset_owed;
        self.is_proven = is_proven;
        self
    }

    /// Whether RSET must be sent before the next transaction.
    pub(crate) fn is_reset_owed(&self) -> bool {
        self.is_reset_owed
    }

    /// Whether a message was accepted on this connection.
    pub(crate) fn is_proven(&self) -> bool {
        self.is_proven
    }

    /// Memory for the commands of the next transaction.
    pub(crate) fn spare_commands(&mut self) -> Commands {
        std::mem::take(&mut self.spare)
    }

    /// Queues a transaction.
    pub(crate) fn push(&mut self, order: Order) -> Id {
        let ledger = Ledger::new(self.rules(order.require_all), order.recipients);
        let Order {
            commands,
            framing,
            is_firm,
            ..
        } = order;
        self.queue(Transit::new(ledger, commands, framing, is_firm))
    }

    /// Queues MAIL for a transaction whose recipients come one by one.
    pub(crate) fn open(&mut self, mail: &[u8]) -> Id {
        let mut commands = Commands::default();
        commands.octets().extend_from_slice(mail);
        commands.end_line();
        let ledger = Ledger::open(self.rules(false));
        self.queue(Transit::new(ledger, commands, Framing::Dot, true))
    }

    /// Queues RCPT for the transaction that [`open`](Self::open) began.
    pub(crate) fn add(&mut self, address: Address, rcpt: &[u8]) {
        self.is_waiting = false;
        if let Some(transit) = self.transits.back_mut() {
            transit.ledger.add(address);
            transit.commands.octets().extend_from_slice(rcpt);
            transit.commands.end_line();
        }
    }

    /// No recipient follows: DATA is next.
    pub(crate) fn complete(&mut self) {
        self.is_waiting = false;
        if let Some(transit) = self.transits.back_mut() {
            transit.ledger.complete();
        }
    }

    /// The recipients of the newest transaction, as far as they are known.
    pub(crate) fn recipients(&self) -> &[RecipientOutcome] {
        let newest = self.transits.back();
        newest.map_or(&[], |transit| transit.ledger.recipients())
    }

    /// What to do next. The next byte to write is at this position of the connection.
    pub(crate) fn next(&mut self, position: u64) -> Action<'_> {
        loop {
            // The usual case after a group of commands: only replies can come next.
            if self.is_waiting && self.written == 0 && !self.is_over {
                if let Some(awaited) = self.window.awaited() {
                    return Action::Read(awaited);
                }
            }
            if self.is_over && !self.is_lost {
                return Action::Close;
            }
            if let Some((id, settlement)) = self.settle_oldest() {
                return Action::Settled(id, settlement);
            }
            let id = self.settled + self.written as Id;
            match self.plan(id) {
                Plan::Command(verb) => return self.write(id, verb, position),
                Plan::Body(framing) => return Action::Body(id, framing),
                Plan::LoneDot => return Action::LoneDot(id),
                Plan::Wait => return self.window.awaited().map_or(Action::Idle, Action::Read),
                Plan::Idle => return Action::Idle,
                Plan::Over => self.written += 1,
            }
        }
    }

    /// Whether all replies have arrived.
    pub(crate) fn is_quiet(&self) -> bool {
        self.window.is_empty()
    }

    /// The command that the next reply belongs to, if there is one.
    pub(crate) fn awaited(&self) -> Option<Awaited> {
        self.window.awaited()
    }

    /// Takes the reply that [`Action::Read`] asked for.
    pub(crate) fn replied(&mut self, reply: Reply) {
        let Some((id, verb)) = self.window.answer(reply.raw().len()) else {
            return;
        };
        let Some(transit) = self.transit(id) else {
            return;
        };
        transit.ledger.reply(verb, reply);
        self.is_over |= transit.ledger.is_broken();
    }

    /// Notes that a message and its end were written: this many bytes. It has left when the
    /// connection is written up to `end_at`.
    pub(crate) fn end_written(&mut self, id: Id, octets: usize, end_at: u64) {
        let Some(transit) = self.transit(id) else {
            return;
        };
        transit.end_at = Some(end_at);
        let (verb, replies) = match transit.is_lone {
            true => (Verb::LoneEnd, 1),
            false => (Verb::End, transit.ledger.end_written()),
        };
        for reply in 0..replies {
            let octets = if reply == 0 { octets } else { 0 };
            self.window.sent(id, verb, octets, end_at);
        }
        self.written += 1;
    }

    /// Notes that a chunk before the last was written, up to this position.
    pub(crate) fn chunk_written(&mut self, id: Id, octets: usize, end_at: u64) {
        self.window.sent(id, Verb::Chunk, octets, end_at);
    }

    /// The reply that must come before another chunk may be written.
    pub(crate) fn awaited_by_chunk(&self) -> Option<Awaited> {
        let ahead = if self.policy.pipelining {
            CHUNKS_AHEAD
        } else {
            0
        };
        let is_waiting = self.window.len() > ahead && !self.is_over;
        self.window.awaited().filter(|_| is_waiting)
    }

    /// Whether each recipient has its own reply to the message.
    pub(crate) fn is_lmtp(&self) -> bool {
        self.policy.lmtp
    }

    /// Whether a transaction has not been settled.
    pub(crate) fn is_under_way(&self) -> bool {
        !self.transits.is_empty()
    }

    /// Whether no reply is due, or the next reply that is due belongs to the end of a message.
    pub(crate) fn is_in_message(&self) -> bool {
        let awaited = self.window.awaited();
        awaited.is_none_or(|awaited| awaited.step == Step::EndOfData)
    }

    /// Whether the connection is of no further use.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// The server refused a message before all of it was written, and closed the connection.
    pub(crate) fn refused_in_body(&mut self, reply: Reply) {
        match self.window.awaited() {
            Some(awaited) if awaited.step == Step::EndOfData => self.replied(reply),
            Some(_) => {}
            None => {
                if let Some(transit) = self.transits.get_mut(self.written) {
                    transit.ledger.refused_in_body(&reply);
                }
            }
        }
        self.is_over = true;
    }

    /// The connection is gone after this many bytes were written. All transactions end.
    pub(crate) fn lost(&mut self, taken: u64) {
        for transit in &mut self.transits {
            if transit.end_at.is_none_or(|end| end > taken) {
                transit.ledger.end_lost();
            }
        }
        self.window = Window::default();
        self.written = self.transits.len();
        (self.is_over, self.is_lost) = (true, true);
    }

    fn rules(&self, require_all: bool) -> Rules {
        Rules {
            lmtp: self.policy.lmtp,
            require_all,
        }
    }

    fn queue(&mut self, transit: Transit) -> Id {
        self.is_waiting = false;
        // After a message without a reply, RSET keeps real servers in step, whatever the reply will
        // be.
        let is_reset_due = self.is_reset_owed || !self.transits.is_empty();
        self.transits.push_back(transit.behind_reset(is_reset_due));
        // Until this transaction has ended well.
        self.is_reset_owed = true;
        self.settled + self.transits.len() as Id - 1
    }

    fn transit(&mut self, id: Id) -> Option<&mut Transit> {
        let index = usize::try_from(id.checked_sub(self.settled)?).ok()?;
        self.transits.get_mut(index)
    }

    /// The end of the oldest transaction, if it has ended.
    fn settle_oldest(&mut self) -> Option<(Id, Settlement)> {
        if self.written == 0 || self.window.owes_oldest(self.settled) {
            return None;
        }
        let id = self.settled;
        let transit = self.transits.pop_front()?;
        self.spare = transit.commands.emptied();
        let mut settlement = transit.ledger.conclude();
        if self.is_lost {
            settlement.aftermath = Aftermath::Close;
        }
        self.settled += 1;
        self.written -= 1;
        self.is_waiting = false;
        if self.transits.is_empty() {
            self.is_reset_owed = settlement.aftermath != Aftermath::Clean;
        }
        self.is_proven |= settlement.verdict == Some(Verdict::Sent);
        Some((id, settlement))
    }

    /// What to write now for the next transaction. No later one overtakes it.
    fn plan(&mut self, id: Id) -> Plan {
        self.is_waiting &= !self.window.is_empty();
        if self.is_waiting {
            return Plan::Wait;
        }
        let may_follow = self.policy.across || self.window.is_empty();
        let Some(transit) = self
            .transits
            .get_mut(self.written)
            .filter(|_| may_follow || self.written == 0)
        else {
            let is_room = may_follow && self.window.has_room(1);
            return if is_room { Plan::Idle } else { Plan::Wait };
        };
        let is_answered = !self.window.owes_newest(id);
        let is_prompt = self.policy.pipelining && !transit.ledger.rules().require_all;
        let plan = match transit.next_command() {
            Some(verb) => Plan::Command(verb),
            None if is_answered => {
                let plan = transit.permitted();
                self.is_over |= transit.ledger.is_broken();
                return plan;
            }
            // Replies are still due, but something may directly follow the commands.
            None if is_prompt && transit.is_data_next() => Plan::Command(Verb::Data),
            None if is_prompt && self.is_proven => transit.early_chunk(),
            None => Plan::Wait,
        };
        let octets = match plan {
            Plan::Command(verb) => transit.line(verb).len(),
            Plan::Body(Framing::Chunk(size)) => usize::try_from(size).unwrap_or(usize::MAX),
            _ => 0,
        };
        self.is_waiting = matches!(plan, Plan::Wait);
        if self.window.has_room(octets) {
            plan
        } else {
            Plan::Wait
        }
    }

    /// Writes a command, and with PIPELINING as much of the envelope as the window has room for.
    fn write(&mut self, id: Id, verb: Verb, position: u64) -> Action<'_> {
        let Some(transit) = self.transits.get_mut(self.written) else {
            return Action::Idle;
        };
        let start = transit.lines_sent();
        let octets = transit.line(verb).len();
        let mut end_at = position + octets as u64;
        transit.sent(verb);
        self.window.sent(id, verb, octets, end_at);
        if !(self.policy.pipelining && verb.is_envelope()) {
            return Action::Write(verb.step(), transit.octets(verb, start));
        }
        let (mut last, mut lines) = (verb, 0);
        for (verb, octets) in transit.rest() {
            if !self.window.has_room(octets) {
                break;
            }
            end_at += octets as u64;
            self.window.sent(id, verb, octets, end_at);
            (last, lines) = (verb, lines + 1);
        }
        transit.rest_sent(lines);
        Action::Write(last.step(), transit.octets(last, start))
    }
}
