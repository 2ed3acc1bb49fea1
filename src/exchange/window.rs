//! [`Window`]: the commands that wait for a reply.

use std::collections::VecDeque;

use crate::exchange::Id;
use crate::exchange::verb::Verb;
use crate::step::Step;

/// How much may be under way without a reply.
///
/// RFC 2920, 3.1: a client can write more than the windows of both sides hold, while the server is
/// blocked writing replies. Then both wait for ever. So both directions have a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Bounds {
    /// The most bytes that may be written without a reply.
    pub(crate) octets: usize,
    /// The most replies that may be due.
    pub(crate) replies: usize,
    /// The most bytes of replies that may be due. The size of a reply is estimated from the longest
    /// so far.
    pub(crate) reply_octets: usize,
    /// After the window was full, nothing is written until this many sixteenths of it hold all that
    /// is due and the next command. So single replies do not cause single writes.
    refill: usize,
}

impl Bounds {
    /// One command at a time: the server does not offer PIPELINING.
    pub(crate) const LOCK_STEP: Self = Self {
        octets: 0,
        replies: 1,
        reply_octets: usize::MAX,
        refill: 0,
    };
    /// The envelope of one transaction.
    pub(crate) const ENVELOPE: Self = Self {
        octets: 4096,
        replies: 100,
        reply_octets: usize::MAX,
        refill: 0,
    };
    /// Many transactions. The smallest receive buffers in use hold 64 KiB of replies.
    pub(crate) const STREAM: Self = Self {
        octets: 1024 * 1024,
        replies: 8192,
        reply_octets: 64 * 1024,
        refill: 15,
    };
}

impl Default for Bounds {
    fn default() -> Self {
        Self::LOCK_STEP
    }
}

/// The memory of a window is kept for this many replies.
const MOST_SPARE: usize = 128;

/// How many bytes a reply is expected to have before the first one has come.
const USUAL_REPLY: usize = 64;

/// The commands that wait for a reply, oldest first. The position of a reply says which command it
/// belongs to.
#[derive(Debug, Default)]
pub(crate) struct Window {
    limits: Bounds,
    owed: VecDeque<Owed>,
    octets: usize,
    /// The bytes of the longest reply so far; 0 before the first.
    longest_reply: usize,
    /// How many replies to DATA, and to ends of messages, are due: the server may take longer for
    /// them.
    slow: [usize; 2],
    /// The window was full, and must not be filled again yet.
    is_draining: bool,
}

#[derive(Clone, Copy, Debug)]
struct Owed {
    id: Id,
    verb: Verb,
    octets: usize,
    end_at: u64,
}

/// Which reply comes next, and what else the server works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Awaited {
    pub(crate) step: Step,
    /// The slowest other command of the group. A server may reply to the whole group at once, so
    /// every reply may take as long as the slowest.
    pub(crate) with: Option<Step>,
    /// Where the command ends on the connection. A reply that comes before the connection is
    /// written up to here belongs to no command.
    pub(crate) end_at: u64,
}

impl Awaited {
    /// The reply to a command that is sent alone. Nothing else is due.
    pub(crate) const fn alone(step: Step) -> Self {
        Self {
            step,
            with: None,
            end_at: 0,
        }
    }
}

impl Window {
    /// An empty window that reuses this one's memory, up to a limit.
    pub(crate) fn emptied(self) -> Self {
        let mut owed = self.owed;
        owed.clear();
        owed.shrink_to(MOST_SPARE);
        Self {
            owed,
            ..Self::default()
        }
    }

    pub(crate) fn limit(&mut self, limits: Bounds) {
        self.limits = limits;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.owed.is_empty()
    }

    /// How many replies are due.
    pub(crate) fn len(&self) -> usize {
        self.owed.len()
    }

    /// Whether this many bytes may be written, with one more reply due. If nothing is due, one
    /// command is always allowed.
    pub(crate) fn has_room(&mut self, octets: usize) -> bool {
        let part = if self.is_draining {
            self.limits.refill
        } else {
            16
        };
        let within = |limit: usize| limit.saturating_mul(part) / 16;
        let replies = self.owed.len() + 1;
        let longest = match self.longest_reply {
            0 => USUAL_REPLY,
            longest => longest,
        };
        let fits = self.octets + octets <= within(self.limits.octets)
            && replies <= within(self.limits.replies)
            && replies.saturating_mul(longest) <= within(self.limits.reply_octets);
        let has_room = self.owed.is_empty() || fits;
        self.is_draining = !has_room;
        has_room
    }

    /// Notes that this many bytes were written, up to this place, and wait for a reply.
    pub(crate) fn sent(&mut self, id: Id, verb: Verb, octets: usize, end_at: u64) {
        self.octets += octets;
        if let Some(count) = self.slow_count(verb) {
            *count += 1;
        }
        self.owed.push_back(Owed {
            id,
            verb,
            octets,
            end_at,
        });
    }

    /// Takes a reply of this many bytes, and returns what it belongs to.
    pub(crate) fn answer(&mut self, reply_octets: usize) -> Option<(Id, Verb)> {
        let Owed {
            id, verb, octets, ..
        } = self.owed.pop_front()?;
        self.octets -= octets;
        self.longest_reply = self.longest_reply.max(reply_octets);
        if let Some(count) = self.slow_count(verb) {
            *count -= 1;
        }
        Some((id, verb))
    }

    /// The reply that comes next.
    pub(crate) fn awaited(&self) -> Option<Awaited> {
        let Owed { verb, end_at, .. } = *self.owed.front()?;
        let step = verb.step();
        let [data, ends] = self.slow;
        let with = match (data, ends) {
            (0, 0) => None,
            (_, 0) => Some(Step::Data),
            _ => Some(Step::EndOfData),
        };
        Some(Awaited {
            step,
            with: with.filter(|with| *with != step),
            end_at,
        })
    }

    /// Whether the oldest reply that is due belongs to this transaction.
    pub(crate) fn owes_oldest(&self, id: Id) -> bool {
        self.owed.front().is_some_and(|owed| owed.id == id)
    }

    /// Whether the newest reply that is due belongs to this transaction.
    pub(crate) fn owes_newest(&self, id: Id) -> bool {
        self.owed.back().is_some_and(|owed| owed.id == id)
    }

    fn slow_count(&mut self, verb: Verb) -> Option<&mut usize> {
        let [data, ends] = &mut self.slow;
        match verb {
            Verb::Data => Some(data),
            Verb::End | Verb::LoneEnd => Some(ends),
            _ => None,
        }
    }
}
