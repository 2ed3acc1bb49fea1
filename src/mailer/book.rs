//! [`Book`]: the messages of a batch that have no result yet, and the results that wait for their
//! turn.

use std::collections::VecDeque;
use std::time::Instant;

use crate::connection::cargo::Consignment;
use crate::error::Result;
use crate::mailer::attempts::{Attempts, Next};
use crate::mailer::lease::{is_lost, is_stale};
use crate::mailer::retry::Retry;
use crate::outcome::Outcome;

/// How often a message may be under the eyes of a server when it closes the connection. It is not
/// fair to those behind it to try for ever.
const MOST_LOSSES: u32 = 2;

/// The messages of a batch, in their order.
#[derive(Debug, Default)]
pub(crate) struct Book<'a> {
    slots: VecDeque<Slot<'a>>,
    /// The number of the first slot.
    first: u64,
    /// The messages on the connection, in the order in which they went.
    under_way: VecDeque<u64>,
    /// The messages that go again, and when.
    again: Vec<(Instant, u64)>,
    /// A message was lost with the connection: it is the one to blame, if any is.
    has_lost: bool,
}

#[derive(Debug)]
struct Slot<'a> {
    attempts: Attempts<'a>,
    losses: u32,
    result: Option<Result<Outcome>>,
}

impl<'a> Book<'a> {
    /// Adds a message behind all others, and returns its number.
    pub(crate) fn add(&mut self, message: Consignment<'a>, now: Instant) -> u64 {
        self.slots.push_back(Slot {
            attempts: Attempts::new(message, now),
            losses: 0,
            result: None,
        });
        self.first + self.slots.len() as u64 - 1
    }

    /// How many messages have no result, or one that waits for its turn.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// The result of the oldest message.
    pub(crate) fn take_result(&mut self) -> Option<Result<Outcome>> {
        let result = self.slots.front_mut()?.result.take()?;
        self.slots.pop_front();
        self.first += 1;
        Some(result)
    }

    /// Takes out the oldest message that is to go again by now.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<u64> {
        let due = self.again.iter().enumerate();
        let due = due.filter(|(_, (at, _))| *at <= now);
        let (place, _) = due.min_by_key(|(_, (_, number))| *number)?;
        Some(self.again.swap_remove(place).1)
    }

    /// When the next message is to go again.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.again.iter().map(|(at, _)| *at).min()
    }

    /// A message for the connection.
    pub(crate) fn begin(&mut self, number: u64) -> Option<Consignment<'a>> {
        let message = self.slot(number)?.attempts.message();
        self.under_way.push_back(number);
        Some(message)
    }

    /// A new connection begins.
    pub(crate) fn begin_connection(&mut self) {
        self.has_lost = false;
    }

    /// Takes the result of the message that went first on the connection.
    pub(crate) fn settle(&mut self, result: Result<Outcome>, retry: Option<&Retry>, now: Instant) {
        let Some(number) = self.under_way.pop_front() else {
            return;
        };
        match &result {
            Err(error) if is_lost(error) => {
                let is_first = !std::mem::replace(&mut self.has_lost, true);
                let may_go = !is_first || is_stale(error) && self.has_try_left(number);
                if may_go {
                    self.go_again(number, now);
                    return;
                }
            }
            _ => {}
        }
        self.note(number, result, retry, now);
    }

    /// Whether a message that was lost with a connection may go over another.
    fn has_try_left(&mut self, number: u64) -> bool {
        let Some(slot) = self.slot(number) else {
            return false;
        };
        slot.losses += 1;
        slot.losses < MOST_LOSSES
    }

    fn go_again(&mut self, number: u64, now: Instant) {
        if let Some(slot) = self.slot(number) {
            slot.attempts.note_lost();
            self.again.push((now, number));
        }
    }

    /// Takes the result of an attempt.
    pub(crate) fn note(
        &mut self,
        number: u64,
        result: Result<Outcome>,
        retry: Option<&Retry>,
        now: Instant,
    ) {
        let Some(slot) = self.slot(number) else {
            return;
        };
        match slot.attempts.note(result, retry, now) {
            Next::Done(result) => slot.result = Some(result),
            Next::Again(pause) => {
                slot.losses = 0;
                let at = now.checked_add(pause).unwrap_or(now);
                self.again.push((at, number));
            }
        }
    }

    fn slot(&mut self, number: u64) -> Option<&mut Slot<'a>> {
        let place = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.slots.get_mut(place)
    }
}
