//! [`Book`]: the messages of a batch that have no result yet, and the results that wait for their
//! turn.

use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::time::{Duration, Instant};

use crate::connection::cargo::Consignment;
use crate::error::Result;
use crate::mailer::attempts::{Attempts, Next};
use crate::mailer::lease::{is_lost, is_stale};
use crate::mailer::retry::Retry;
use crate::outcome::Outcome;

/// How often a message may lose its connection before it fails. The messages after it must not wait
/// for ever.
const MOST_LOSSES: u32 = 2;

/// The messages of a batch, in their order.
#[derive(Debug, Default)]
pub(crate) struct Book<'a> {
    slots: VecDeque<Slot<'a>>,
    /// The number of the first slot.
    first: u64,
    /// The messages on the connection, in the order in which they were sent.
    under_way: VecDeque<u64>,
    /// The messages that are sent again, and when.
    again: Vec<(Instant, u64)>,
    /// A message was lost with the connection. If one message is the cause, it is the first one
    /// that was lost.
    has_lost: bool,
}

/// A message that is taken out: it has a result or not.
#[derive(Debug)]
pub(crate) enum Taken<'a> {
    Open(Left<'a>),
    Done(Result<Outcome>),
}

/// A message for another thread.
#[derive(Debug)]
pub(crate) struct Left<'a> {
    attempts: Box<Attempts<'a>>,
    /// When it may be sent again, if it waits for that.
    due: Option<Instant>,
}

/// A message in its place. Once it has a result, the message itself is not kept.
#[derive(Debug)]
enum Slot<'a> {
    Open {
        attempts: Box<Attempts<'a>>,
        losses: u32,
    },
    Done(Result<Outcome>),
}

impl<'a> Book<'a> {
    /// Adds a message at the end, and returns its number.
    pub(crate) fn add(&mut self, attempts: Box<Attempts<'a>>) -> u64 {
        self.slots.push_back(Slot::Open {
            attempts,
            losses: 0,
        });
        self.first + self.slots.len() as u64 - 1
    }

    /// Adds a message from another thread. If it does not wait for another attempt, it is sent at once.
    pub(crate) fn take_over(&mut self, left: Left<'a>, now: Instant) {
        let number = self.add(left.attempts);
        self.again.push((left.due.unwrap_or(now), number));
    }

    /// How many messages have no result, or a result that is not returned yet.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn under_way(&self) -> usize {
        self.under_way.len()
    }

    /// Takes the result of the oldest message, if it has one.
    pub(crate) fn take_result(&mut self) -> Option<Result<Outcome>> {
        self.slots.front().filter(|slot| slot.is_done())?;
        self.first += 1;
        match self.slots.pop_front()? {
            Slot::Done(result) => Some(result),
            Slot::Open { .. } => None,
        }
    }

    /// Takes the oldest message that is due to be sent again.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<u64> {
        let due = self.again.iter().enumerate();
        let due = due.filter(|(_, (at, _))| *at <= now);
        let (place, _) = due.min_by_key(|(_, (_, number))| *number)?;
        Some(self.again.swap_remove(place).1)
    }

    /// When the next message is due to be sent again.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.again.iter().map(|(at, _)| *at).min()
    }

    /// Takes the message of this number for the connection.
    pub(crate) fn begin(&mut self, number: u64) -> Option<Consignment<'a>> {
        let (attempts, _) = self.slot(number)?.open()?;
        let message = attempts.message();
        self.under_way.push_back(number);
        Some(message)
    }

    /// Notes that a new connection begins.
    pub(crate) fn begin_connection(&mut self) {
        self.has_lost = false;
    }

    /// Whether a message was lost with the connection.
    pub(crate) fn has_lost(&self) -> bool {
        self.has_lost
    }

    /// Takes out everything, in order. No message may be under way.
    pub(crate) fn hand_over(&mut self) -> impl Iterator<Item = Taken<'a>> + use<'a> {
        let due: BTreeMap<u64, Instant> = self.again.drain(..).map(|(at, of)| (of, at)).collect();
        let numbers = self.first..;
        self.first += self.slots.len() as u64;
        let slots = mem::take(&mut self.slots).into_iter();
        numbers.zip(slots).map(move |(number, slot)| match slot {
            Slot::Done(result) => Taken::Done(result),
            Slot::Open { attempts, .. } => Taken::Open(Left {
                attempts,
                due: due.get(&number).copied(),
            }),
        })
    }

    /// Takes the result of the oldest message on the connection. If it is sent again, returns the
    /// pause before that.
    pub(crate) fn settle(
        &mut self,
        result: Result<Outcome>,
        retry: Option<&Retry>,
        now: Instant,
    ) -> Option<Duration> {
        let number = self.under_way.pop_front()?;
        match &result {
            Err(error) if is_lost(error) => {
                let is_first = !mem::replace(&mut self.has_lost, true);
                let may_go = !is_first || is_stale(error) && self.has_try_left(number);
                if may_go {
                    self.go_again(number, now);
                    return Some(Duration::ZERO);
                }
            }
            _ => {}
        }
        self.note(number, result, retry, now)
    }

    /// Whether a message that was lost with a connection may be sent over another.
    fn has_try_left(&mut self, number: u64) -> bool {
        let Some((_, losses)) = self.slot(number).and_then(Slot::open) else {
            return false;
        };
        *losses += 1;
        *losses < MOST_LOSSES
    }

    fn go_again(&mut self, number: u64, now: Instant) {
        if let Some((attempts, _)) = self.slot(number).and_then(Slot::open) {
            attempts.note_lost();
            self.again.push((now, number));
        }
    }

    /// Takes the result of an attempt. If there is another attempt, returns the pause before it.
    pub(crate) fn note(
        &mut self,
        number: u64,
        result: Result<Outcome>,
        retry: Option<&Retry>,
        now: Instant,
    ) -> Option<Duration> {
        let slot = self.slot(number)?;
        let (attempts, losses) = slot.open()?;
        match attempts.note(result, retry, now) {
            Next::Done(result) => {
                *slot = Slot::Done(result);
                None
            }
            Next::Again(pause) => {
                *losses = 0;
                let at = now.checked_add(pause).unwrap_or(now);
                self.again.push((at, number));
                Some(pause)
            }
        }
    }

    fn slot(&mut self, number: u64) -> Option<&mut Slot<'a>> {
        let place = usize::try_from(number.checked_sub(self.first)?).ok()?;
        self.slots.get_mut(place)
    }
}

impl<'a> Slot<'a> {
    fn is_done(&self) -> bool {
        matches!(self, Self::Done(_))
    }

    fn open(&mut self) -> Option<(&mut Attempts<'a>, &mut u32)> {
        match self {
            Self::Open { attempts, losses } => Some((attempts, losses)),
            Self::Done(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Envelope;
    use crate::error::Error;

    // A message that waits for its next attempt also waits on another thread.
    #[test]
    fn a_pause_is_handed_over() {
        let (now, pause) = (Instant::now(), Duration::from_secs(60));
        let retry = Retry::new(3).pauses(pause, pause);
        let consignment = || {
            let envelope = Envelope::parse("me@client.example", "ann@example.org").unwrap();
            Box::new(Attempts::new((envelope, "Hi!\r\n").into(), now))
        };
        let mut book = Book::default();
        let number = book.add(consignment());
        book.add(consignment());
        book.begin(number);
        let later = Err(Error::SenderRefused("450 greylisted".parse().unwrap()));
        assert!(book.settle(later, Some(&retry), now).is_some());

        let mut other = Book::default();
        for taken in book.hand_over() {
            let Taken::Open(left) = taken else {
                panic!("{taken:?}")
            };
            other.take_over(left, now);
        }
        assert_eq!(other.take_due(now), Some(1));
        assert_eq!(other.take_due(now), None);
        assert!(other.next_due().unwrap() > now + pause / 2);
    }
}
