//! [`Pipeline`]: the commands of a transaction, queued, sent in groups, and answered in order.

use crate::reply::Code;
use crate::step::Step;

/// Most octets of commands that wait for their replies. RFC 2920, 3.1: whoever writes more than the
/// windows of both sides can hold, while the other side is blocked writing replies, waits for ever.
pub(crate) const GROUP_OCTETS: usize = 4096;
/// Most commands that wait for their replies, so that the replies fit into the windows as well.
pub(crate) const GROUP_COMMANDS: usize = 100;

/// The commands of a transaction, queued, sent in groups, and answered in order.
///
/// A group goes out when everything before it was answered; without PIPELINING it is one command.
#[derive(Debug)]
pub(crate) struct Pipeline {
    grouping: Grouping,
    /// All commands, one behind the other.
    octets: Vec<u8>,
    /// What each command is, and where it ends in `octets`.
    commands: Vec<(Verb, usize)>,
    sent: usize,
    answered: usize,
}

/// What may go out together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grouping {
    /// Nothing: the server does not offer PIPELINING.
    Never,
    /// Everything, DATA last.
    All,
    /// Everything but DATA, which goes alone: once 354 has come, the message cannot be called off.
    BeforeData,
}

/// A command of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Rset,
    Mail,
    Rcpt(usize),
    Data,
}

impl Pipeline {
    pub(crate) fn new(grouping: Grouping) -> Self {
        Self {
            grouping,
            octets: Vec::new(),
            commands: Vec::new(),
            sent: 0,
            answered: 0,
        }
    }

    /// Queues a command.
    pub(crate) fn queue(&mut self, verb: Verb, line: &[u8]) {
        self.octets.extend_from_slice(line);
        self.commands.push((verb, self.octets.len()));
    }

    /// The command whose reply comes next.
    pub(crate) fn awaited(&self) -> Option<Verb> {
        let (verb, _) = self.commands.get(self.answered)?;
        (self.answered < self.sent).then_some(*verb)
    }

    /// The awaited reply has come.
    pub(crate) fn answer(&mut self) {
        self.answered += 1;
    }

    /// Whether DATA is queued, and everything before it was answered.
    pub(crate) fn is_data_due(&self) -> bool {
        matches!(self.commands.last(), Some((Verb::Data, _)))
            && self.answered + 1 >= self.commands.len()
    }

    /// Whether everything queued was answered.
    pub(crate) fn is_answered(&self) -> bool {
        self.answered >= self.commands.len()
    }

    /// The next commands that may go out together, and the first of them.
    pub(crate) fn next_group(&mut self) -> Option<(Verb, &[u8])> {
        let (verb, _) = *self.commands.get(self.sent)?;
        let (first, start) = (self.sent, self.offset(self.sent));
        self.sent += 1;
        while self.may_join(first, start) {
            self.sent += 1;
        }
        let group = self.octets.get(start..self.offset(self.sent))?;
        Some((verb, group))
    }

    /// Whether the next command may join the group that begins with `first` at `start`.
    fn may_join(&self, first: usize, start: usize) -> bool {
        let Some((verb, end)) = self.commands.get(self.sent) else {
            return false;
        };
        let fits = end - start <= GROUP_OCTETS && self.sent - first < GROUP_COMMANDS;
        match self.grouping {
            Grouping::Never => false,
            Grouping::All => fits,
            Grouping::BeforeData => fits && *verb != Verb::Data,
        }
    }

    /// Where the command begins in `octets`.
    fn offset(&self, command: usize) -> usize {
        command
            .checked_sub(1)
            .and_then(|before| self.commands.get(before))
            .map_or(0, |(_, end)| *end)
    }
}

impl Verb {
    pub(crate) fn step(self) -> Step {
        match self {
            Self::Rset => Step::Reset,
            Self::Mail => Step::Mail,
            Self::Rcpt(_) => Step::Rcpt,
            Self::Data => Step::Data,
        }
    }

    /// Whether the code is an answer to this command at all (RFC 5321, 4.3.2).
    pub(crate) fn expects(self, code: Code) -> bool {
        match self {
            Self::Data => code == 354 || code.is_transient() || code.is_permanent(),
            _ => !code.is_intermediate(),
        }
    }
}
