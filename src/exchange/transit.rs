//! [`Transit`]: a transaction on its way.

use crate::exchange::ledger::{Ledger, Permit};
use crate::exchange::verb::Verb;
use crate::outcome::RecipientOutcome;

const RSET: &[u8] = b"RSET\r\n";
const DATA: &[u8] = b"DATA\r\n";

/// A message up to this size may be sent together with its envelope. A larger one waits for the
/// replies to RCPT, because it might be sent for nothing.
pub(crate) const EARLY_CHUNK: u64 = 64 * 1024;

/// The bytes of a usual command line.
const USUAL_LINE: usize = 48;
/// How much memory is kept from one transaction for the next.
const MOST_SPARE: usize = 8 * 1024;

/// A transaction to carry out.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) commands: Commands,
    pub(crate) recipients: Vec<RecipientOutcome>,
    /// One refused recipient cancels the whole message.
    pub(crate) require_all: bool,
    pub(crate) framing: Framing,
    /// The whole message is at hand. If reading a message may fail, it waits until nothing else is
    /// due, because a failure closes the connection.
    pub(crate) is_firm: bool,
}

/// How a message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// After DATA, up to the final dot.
    Dot,
    /// As one chunk of this many bytes (RFC 3030).
    Chunk(u64),
    /// As chunks, since its length is unknown.
    Chunks,
}

/// The lines of MAIL and RCPT, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Commands {
    octets: Vec<u8>,
    /// Where each line ends.
    ends: Vec<usize>,
}

impl Commands {
    /// Makes room for this many lines of the usual length.
    pub(crate) fn reserve(&mut self, lines: usize) {
        self.octets.reserve(lines * USUAL_LINE + USUAL_LINE);
        self.ends.reserve(lines);
    }

    /// An empty list that reuses this memory, unless it is large.
    pub(crate) fn emptied(mut self) -> Self {
        if self.octets.capacity() > MOST_SPARE {
            return Self::default();
        }
        self.octets.clear();
        self.ends.clear();
        self
    }

    /// Where the next line is appended; [`end_line`](Self::end_line) must follow.
    pub(crate) fn octets(&mut self) -> &mut Vec<u8> {
        &mut self.octets
    }

    /// The line that was appended ends here.
    pub(crate) fn end_line(&mut self) {
        self.ends.push(self.octets.len());
    }

    /// The lines from one up to another.
    fn lines(&self, from: usize, to: usize) -> Option<&[u8]> {
        let place = |line: usize| match line.checked_sub(1) {
            Some(before) => self.ends.get(before).copied(),
            None => Some(0),
        };
        self.octets.get(place(from)?..place(to)?)
    }
}

/// A transaction on its way.
#[derive(Debug)]
pub(crate) struct Transit {
    pub(crate) commands: Commands,
    /// How many lines of `commands` were written.
    lines_sent: usize,
    is_reset_due: bool,
    is_data_sent: bool,
    pub(crate) framing: Framing,
    pub(crate) is_firm: bool,
    /// The message is only a dot, without recipients. It is not recorded in the ledger.
    pub(crate) is_lone: bool,
    pub(crate) ledger: Ledger,
    /// The message has left when the connection is written up to this position.
    pub(crate) end_at: Option<u64>,
}

impl Transit {
    pub(crate) fn new(ledger: Ledger, commands: Commands, framing: Framing, is_firm: bool) -> Self {
        Self {
            commands,
            lines_sent: 0,
            is_reset_due: false,
            is_data_sent: false,
            framing,
            is_firm,
            is_lone: false,
            ledger,
            end_at: None,
        }
    }

    /// The same, with RSET before it if `yes`.
    pub(crate) fn behind_reset(mut self, yes: bool) -> Self {
        self.is_reset_due = yes;
        self
    }

    /// The next command of the envelope. After a refused sender there is none.
    pub(crate) fn next_command(&self) -> Option<Verb> {
        if self.is_reset_due {
            return Some(Verb::Rset);
        }
        if self.ledger.is_sender_refused() || self.commands.ends.len() <= self.lines_sent {
            return None;
        }
        Some(match self.lines_sent {
            0 => Verb::Mail,
            place => Verb::Rcpt(place - 1),
        })
    }

    /// Whether DATA is the next command, if the envelope is accepted.
    pub(crate) fn is_data_next(&self) -> bool {
        self.framing == Framing::Dot
            && !self.is_data_sent
            && !self.is_reset_due
            && self.ledger.is_complete()
            && !self.ledger.is_sender_refused()
    }

    /// The line of the next command.
    pub(crate) fn line(&self, verb: Verb) -> &[u8] {
        match verb {
            Verb::Rset => RSET,
            Verb::Data => DATA,
            _ => self.lines(self.lines_sent, self.lines_sent + 1),
        }
    }

    /// How many lines of the envelope were written.
    pub(crate) fn lines_sent(&self) -> usize {
        self.lines_sent
    }

    /// Notes that the next command is written.
    pub(crate) fn sent(&mut self, verb: Verb) {
        match verb {
            Verb::Rset => self.is_reset_due = false,
            Verb::Data => self.is_data_sent = true,
            _ => self.lines_sent += 1,
        }
    }

    /// The lines after the one that was written last, with their lengths. After a refused sender
    /// there are none.
    pub(crate) fn rest(&self) -> impl Iterator<Item = (Verb, usize)> {
        let sent = self.lines_sent;
        let ends = match sent.checked_sub(1) {
            Some(last) if !self.ledger.is_sender_refused() => self.commands.ends.get(last..),
            _ => None,
        };
        let behind = ends.unwrap_or_default().windows(2).enumerate();
        behind.filter_map(move |(line, ends)| match ends {
            [start, end] => Some((Verb::Rcpt(sent - 1 + line), end - start)),
            _ => None,
        })
    }

    /// Notes that this many lines of the rest are written.
    pub(crate) fn rest_sent(&mut self, lines: usize) {
        self.lines_sent += lines;
    }

    /// The bytes of the command that was written last. For MAIL and RCPT: the lines of the envelope
    /// from `start` on.
    pub(crate) fn octets(&self, verb: Verb, start: usize) -> &[u8] {
        match verb {
            Verb::Rset => RSET,
            Verb::Data => DATA,
            _ => self.lines(start, self.lines_sent),
        }
    }

    fn lines(&self, from: usize, to: usize) -> &[u8] {
        self.commands.lines(from, to).unwrap_or_default()
    }

    /// What may be written, now that all replies to this transaction have come.
    pub(crate) fn permitted(&mut self) -> Plan {
        match self.ledger.permit(self.framing) {
            Permit::Ask if self.ledger.is_complete() => Plan::Command(Verb::Data),
            Permit::Ask => Plan::Idle,
            Permit::Body => Plan::Body(self.framing),
            Permit::LoneDot => {
                self.is_lone = true;
                Plan::LoneDot
            }
            Permit::Nothing => Plan::Over,
        }
    }

    /// The message, if it may be sent before the replies to its envelope. Not in LMTP: the number
    /// of replies to the message is not known yet.
    pub(crate) fn early_chunk(&self) -> Plan {
        let is_allowed =
            self.is_firm && !self.ledger.rules().lmtp && !self.ledger.is_sender_refused();
        match self.framing {
            Framing::Chunk(size) if is_allowed && size <= EARLY_CHUNK => Plan::Body(self.framing),
            _ => Plan::Wait,
        }
    }
}

/// What comes next for a transaction.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Plan {
    Command(Verb),
    Body(Framing),
    LoneDot,
    /// Nothing, until a reply has come.
    Wait,
    /// Nothing, until something else is queued.
    Idle,
    /// Nothing more is written for this transaction.
    Over,
}
