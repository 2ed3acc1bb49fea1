//! [`Transit`]: a transaction on its way.

use crate::exchange::ledger::{Ledger, Permit};
use crate::exchange::verb::Verb;
use crate::outcome::RecipientOutcome;

const RSET: &[u8] = b"RSET\r\n";
const DATA: &[u8] = b"DATA\r\n";

/// A message up to this size goes behind its envelope in the same flight, where that is allowed; a
/// larger one waits for the answers to its recipients, since it may be sent for nothing.
pub(crate) const EARLY_CHUNK: u64 = 64 * 1024;

/// Octets of most command lines.
const USUAL_LINE: usize = 48;
/// How much memory is kept from one transaction for the next.
const MOST_SPARE: usize = 8 * 1024;

/// A transaction to carry out.
#[derive(Debug)]
pub(crate) struct Order {
    pub(crate) commands: Commands,
    pub(crate) recipients: Vec<RecipientOutcome>,
    /// One refused recipient calls the whole message off.
    pub(crate) require_all: bool,
    pub(crate) framing: Framing,
    /// The whole message is at hand. What may fail while it is read waits until nothing else is
    /// under way: its failure cuts the connection.
    pub(crate) is_firm: bool,
}

/// How a message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Behind DATA, up to the final dot.
    Dot,
    /// As one chunk of so many octets (RFC 3030).
    Chunk(u64),
    /// As chunks, since nobody knows how long it is.
    Chunks,
}

/// MAIL and RCPT as lines, one behind the other.
#[derive(Debug, Default)]
pub(crate) struct Commands {
    octets: Vec<u8>,
    /// Where each line ends.
    ends: Vec<usize>,
}

impl Commands {
    /// Makes room for so many lines of the usual length.
    pub(crate) fn reserve(&mut self, lines: usize) {
        self.octets.reserve(lines * USUAL_LINE + USUAL_LINE);
        self.ends.reserve(lines);
    }

    /// No commands, in the memory of these, unless that is much.
    pub(crate) fn emptied(mut self) -> Self {
        if self.octets.capacity() > MOST_SPARE {
            return Self::default();
        }
        self.octets.clear();
        self.ends.clear();
        self
    }

    /// Where a line goes; [`end_line`](Self::end_line) follows.
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
    /// What ends the message: a dot for nobody is none of the ledger's business.
    pub(crate) is_lone: bool,
    pub(crate) ledger: Ledger,
    /// Up to where the connection has to be written for the message to have left.
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

    /// The same with RSET in front.
    pub(crate) fn behind_reset(mut self, yes: bool) -> Self {
        self.is_reset_due = yes;
        self
    }

    /// The next command of the envelope: nothing behind a sender who was refused.
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

    /// Whether DATA is the next command, if the envelope is answered as one hopes.
    pub(crate) fn is_data_next(&self) -> bool {
        self.framing == Framing::Dot
            && !self.is_data_sent
            && !self.is_reset_due
            && self.ledger.is_complete()
            && !self.ledger.is_sender_refused()
    }

    /// The octets of a command that is next.
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

    /// The command that is next is written now.
    pub(crate) fn sent(&mut self, verb: Verb) {
        match verb {
            Verb::Rset => self.is_reset_due = false,
            Verb::Data => self.is_data_sent = true,
            _ => self.lines_sent += 1,
        }
    }

    /// The lines behind the one that was written last, and their octets: nothing behind a sender who
    /// was refused.
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

    /// So many lines of the rest are written now.
    pub(crate) fn rest_sent(&mut self, lines: usize) {
        self.lines_sent += lines;
    }

    /// The octets of a command that was written last, and of the envelope from this line on.
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

    /// What may be written, now that everything written was answered.
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

    /// The message, if it may go before its envelope is answered. In LMTP nobody knows yet how many
    /// replies would follow it.
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
    /// Nothing before a reply has come.
    Wait,
    /// Nothing before something else is queued.
    Idle,
    /// Nothing will be written for it any more.
    Over,
}
