//! [`Exchange`]: one mail transaction, planned without a socket.

use crate::address::Address;
use crate::outcome::{Outcome, RecipientOutcome, RecipientStatus};
use crate::protocol::reply::{Code, Reply};
use crate::step::Step;

/// Most octets of commands that wait for their replies. RFC 2920, 3.1: whoever writes more than the windows of both
/// sides can hold, while the other side is blocked writing replies, waits for ever.
const GROUP_OCTETS: usize = 4096;
/// Most commands that wait for their replies, so that the replies fit into the windows as well.
const GROUP_COMMANDS: usize = 100;

/// Decides what may be sent now, what each reply means, and what became of each recipient.
///
/// Commands are queued; [`next`](Self::next) says what to do, and [`reply`](Self::reply) takes what the server answered.
/// Replies are attributed to commands by their position alone. Lock-step and pipelined transactions, SMTP and LMTP are
/// the same machine under other [`Rules`].
#[derive(Debug)]
pub(crate) struct Exchange {
    rules: Rules,
    /// All commands, one behind the other.
    octets: Vec<u8>,
    /// What each command is, and where it ends in `octets`.
    commands: Vec<(Verb, usize)>,
    sent: usize,
    answered: usize,
    /// The message goes as one chunk behind the envelope (RFC 3030), without DATA.
    is_chunked: bool,
    recipients: Vec<RecipientOutcome>,
    /// Which recipients the server accepted at RCPT, by index, until the message has its own answer.
    accepted: Vec<usize>,
    /// The newest answer to the message as a whole.
    verdict_reply: Option<Reply>,
    stage: Stage,
}

/// What this exchange may do.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rules {
    /// The server offers PIPELINING (RFC 2920).
    pub(crate) pipelining: bool,
    /// One reply per accepted recipient follows the message (RFC 2033, 4.2).
    pub(crate) lmtp: bool,
    /// One refused recipient calls the whole message off.
    pub(crate) require_all: bool,
}

/// A command of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Rset,
    Mail,
    Rcpt(usize),
    Data,
}

#[derive(Debug)]
enum Stage {
    /// Sending RSET, MAIL, RCPT and DATA, and reading their replies.
    Envelope {
        sender: Option<Reply>,
        data: Option<Reply>,
    },
    /// 354 came, and somebody is to get the message.
    Body,
    /// 354 came although nobody is left to get a message: end it at once (RFC 2920, 3.1).
    LoneDot(Verdict),
    /// The message is out; this many replies to it have come.
    EndOfData(usize),
    /// The reply to a lone dot tells nothing new.
    EndOfNothing(Verdict),
    Over(Verdict, Aftermath),
}

/// What to do next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Action<'a> {
    /// Write these commands, of which this is the first.
    Send(Step, &'a [u8]),
    /// Read one reply, to this command.
    Read(Step),
    /// Write the message and its end, then call [`Exchange::body_sent`].
    Body,
    /// Write the end of data alone, then call [`Exchange::body_sent`].
    LoneDot,
    /// Everything queued was answered; queue the next command.
    Idle,
    /// It is over; ask [`Exchange::conclude`].
    Done,
}

/// How a transaction ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The message was taken for at least one recipient.
    Sent,
    SenderRefused(Reply),
    /// No recipient was accepted, or not all that had to be.
    RecipientsRefused,
    /// DATA or the message itself was refused.
    DataRefused,
    /// 421, or RSET refused: nothing more can be done on this connection.
    Broken(Step, Reply),
    /// A code that is no answer to this command.
    Unexpected(Step, Code),
}

/// What the connection owes after a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aftermath {
    /// Nothing: the next transaction can begin.
    Clean,
    /// RSET before the next transaction (RFC 5321, 4.1.1.5).
    ResetOwed,
    /// The connection is of no further use.
    Close,
}

impl Exchange {
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            rules,
            octets: Vec::new(),
            commands: Vec::new(),
            sent: 0,
            answered: 0,
            is_chunked: false,
            recipients: Vec::new(),
            accepted: Vec::new(),
            verdict_reply: None,
            stage: Stage::Envelope {
                sender: None,
                data: None,
            },
        }
    }

    /// Queues RSET, which an earlier transaction left owing.
    pub(crate) fn queue_rset(&mut self) {
        self.queue(Verb::Rset, b"RSET\r\n");
    }

    /// Queues a MAIL command.
    pub(crate) fn queue_mail(&mut self, line: &[u8]) {
        self.queue(Verb::Mail, line);
    }

    /// Queues a RCPT command.
    pub(crate) fn queue_rcpt(&mut self, address: Address, line: &[u8]) {
        self.queue(Verb::Rcpt(self.recipients.len()), line);
        self.recipients.push(RecipientOutcome::new(address));
    }

    /// Queues DATA.
    pub(crate) fn queue_data(&mut self) {
        self.queue(Verb::Data, b"DATA\r\n");
    }

    /// Ends the envelope without DATA: the message will be one chunk, `BDAT n LAST` (RFC 3030, 2).
    pub(crate) fn expect_chunk(&mut self) {
        self.is_chunked = true;
    }

    fn queue(&mut self, verb: Verb, line: &[u8]) {
        self.octets.extend_from_slice(line);
        self.commands.push((verb, self.octets.len()));
    }

    /// What to do next.
    pub(crate) fn next(&mut self) -> Action<'_> {
        if matches!(self.stage, Stage::Envelope { .. }) {
            if let Some(step) = self.awaited() {
                return Action::Read(step);
            }
            self.decide();
        }
        match &self.stage {
            Stage::Envelope { .. } if self.sent < self.commands.len() => self.send_group(),
            Stage::Envelope { .. } => Action::Idle,
            Stage::Body => Action::Body,
            Stage::LoneDot(_) => Action::LoneDot,
            Stage::EndOfData(_) | Stage::EndOfNothing(_) => Action::Read(Step::EndOfData),
            Stage::Over(..) => Action::Done,
        }
    }

    /// Takes the reply that [`Action::Read`] asked for.
    pub(crate) fn reply(&mut self, reply: Reply) {
        match &mut self.stage {
            Stage::Envelope { .. } => self.command_reply(reply),
            Stage::EndOfData(_) if reply.code().is_intermediate() => {
                self.settle_unknown();
                self.end(
                    Verdict::Unexpected(Step::EndOfData, reply.code()),
                    Aftermath::Close,
                );
            }
            Stage::EndOfData(_) if self.rules.lmtp => self.recipient_reply(reply),
            Stage::EndOfData(_) => self.message_reply(reply),
            Stage::EndOfNothing(verdict) => {
                let verdict = verdict.clone();
                self.end(verdict, after(&reply, Aftermath::Clean));
            }
            Stage::Body | Stage::LoneDot(_) | Stage::Over(..) => {}
        }
    }

    /// The end of data was written: from here on it may have been taken.
    pub(crate) fn body_sent(&mut self) {
        match &self.stage {
            Stage::Body => self.stage = Stage::EndOfData(0),
            Stage::LoneDot(verdict) => self.stage = Stage::EndOfNothing(verdict.clone()),
            _ => {}
        }
    }

    /// The server refused the message while it was being written, and is gone.
    pub(crate) fn refused_in_body(&mut self, reply: Reply) {
        if matches!(self.stage, Stage::Body) {
            self.refuse_accepted(&reply);
            self.end(Verdict::DataRefused, Aftermath::Close);
        }
    }

    /// How it ended, what became of each recipient, and what the connection owes.
    pub(crate) fn conclude(self) -> (Verdict, Outcome, Aftermath) {
        let Stage::Over(verdict, aftermath) = self.stage else {
            // Only a caller who does not wait for `Done` gets here; such an exchange has sent nothing for certain.
            let outcome = Outcome {
                recipients: self.recipients,
                reply: None,
            };
            return (Verdict::RecipientsRefused, outcome, Aftermath::Close);
        };
        let outcome = Outcome {
            recipients: self.recipients,
            reply: self.verdict_reply,
        };
        (verdict, outcome, aftermath)
    }

    /// What is known of the recipients when the connection failed; `None` if no recipient had an answer.
    pub(crate) fn interrupted(mut self) -> Option<Outcome> {
        if matches!(self.stage, Stage::EndOfData(_)) {
            self.settle_unknown();
        }
        let is_known = |recipient: &RecipientOutcome| {
            matches!(
                recipient.status,
                RecipientStatus::Refused | RecipientStatus::Accepted
            )
        };
        self.recipients.iter().any(is_known).then_some(Outcome {
            recipients: self.recipients,
            reply: None,
        })
    }

    /// The answer to the newest RCPT, once it has come.
    pub(crate) fn last_rcpt_reply(&self) -> Option<&Reply> {
        self.recipients.last()?.reply.as_ref()
    }

    /// Whether any RCPT was queued.
    pub(crate) fn has_recipients(&self) -> bool {
        !self.recipients.is_empty()
    }

    /// The command whose reply comes next.
    fn awaited(&self) -> Option<Step> {
        let (verb, _) = self
            .commands
            .get(self.answered)
            .filter(|_| self.answered < self.sent)?;
        Some(verb.step())
    }

    /// Everything sent was answered: can it still go on?
    fn decide(&mut self) {
        let Stage::Envelope { sender, data } = &mut self.stage else {
            return;
        };
        let (sender, data) = (sender.take(), data.take());
        let refused = match sender {
            Some(reply) => Some(Verdict::SenderRefused(reply)),
            None if self.is_refused() => Some(Verdict::RecipientsRefused),
            None => None,
        };
        match (refused, data) {
            (None, None) if self.is_chunked && self.sent == self.commands.len() => {
                self.stage = Stage::Body;
            }
            (None, None) => {}
            (None, Some(reply)) if reply.code() == 354 => self.stage = Stage::Body,
            (None, Some(reply)) => {
                self.refuse_accepted(&reply);
                self.end(Verdict::DataRefused, Aftermath::ResetOwed);
            }
            // A lone dot has no recipients to answer for in LMTP: nobody knows how many replies will come.
            (Some(verdict), Some(reply)) if reply.code() == 354 && self.rules.lmtp => {
                self.end(verdict, Aftermath::Close);
            }
            (Some(verdict), Some(reply)) if reply.code() == 354 => {
                self.stage = Stage::LoneDot(verdict);
            }
            (Some(verdict), _) => self.end(verdict, Aftermath::ResetOwed),
        }
    }

    /// Whether DATA is asked for and the answers to RCPT forbid it.
    fn is_refused(&self) -> bool {
        let all_asked = match self.commands.last() {
            Some((Verb::Data, _)) => self.sent + 1 >= self.commands.len(),
            _ => self.is_chunked && self.sent == self.commands.len(),
        };
        let any_refused = self.accepted.len() < self.recipients.len();
        all_asked && (self.accepted.is_empty() || (self.rules.require_all && any_refused))
    }

    /// As many commands as may go out together.
    fn send_group(&mut self) -> Action<'_> {
        let start = self.offset(self.sent);
        let first = self.sent;
        self.sent += 1;
        while self.rules.pipelining && self.may_join(first, start) {
            self.sent += 1;
        }
        let step = self
            .commands
            .get(first)
            .map_or(Step::Command, |(verb, _)| verb.step());
        Action::Send(
            step,
            self.octets
                .get(start..self.offset(self.sent))
                .unwrap_or_default(),
        )
    }

    /// Whether the next command may join the group that began with `first`.
    fn may_join(&self, first: usize, start: usize) -> bool {
        self.commands.get(self.sent).is_some_and(|(verb, end)| {
            let fits = end - start <= GROUP_OCTETS && self.sent - first < GROUP_COMMANDS;
            // Once 354 has come the message cannot be called off for those who were accepted.
            fits && !(*verb == Verb::Data && self.rules.require_all)
        })
    }

    /// Where the command begins in `octets`.
    fn offset(&self, command: usize) -> usize {
        command
            .checked_sub(1)
            .and_then(|before| self.commands.get(before))
            .map_or(0, |(_, end)| *end)
    }

    fn command_reply(&mut self, reply: Reply) {
        let Some((verb, _)) = self.commands.get(self.answered).copied() else {
            return;
        };
        self.answered += 1;
        let code = reply.code();
        if code == Code::SERVICE_CLOSING || (verb == Verb::Rset && !code.is_positive()) {
            return self.end(Verdict::Broken(verb.step(), reply), Aftermath::Close);
        }
        if !verb.expects(code) {
            return self.end(Verdict::Unexpected(verb.step(), code), Aftermath::Close);
        }
        let Stage::Envelope { sender, data } = &mut self.stage else {
            return;
        };
        match verb {
            Verb::Rset => {}
            Verb::Mail if code.is_positive() => {}
            Verb::Mail => *sender = Some(reply),
            // Behind a refused MAIL the answers to RCPT say nothing about the recipients.
            Verb::Rcpt(_) if sender.is_some() => {}
            Verb::Rcpt(index) => self.rcpt_reply(index, reply),
            Verb::Data => *data = Some(reply),
        }
    }

    fn rcpt_reply(&mut self, index: usize, reply: Reply) {
        let Some(recipient) = self.recipients.get_mut(index) else {
            return;
        };
        if reply.is_positive() {
            self.accepted.push(index);
        } else {
            recipient.status = RecipientStatus::Refused;
        }
        recipient.reply = Some(reply);
    }

    /// SMTP: one reply decides for all who were accepted.
    fn message_reply(&mut self, reply: Reply) {
        let status = status(&reply);
        let accepted = std::mem::take(&mut self.accepted);
        self.settle(&accepted, status, Some(&reply));
        self.verdict_reply = Some(reply.clone());
        match status {
            RecipientStatus::Accepted => self.end(Verdict::Sent, Aftermath::Clean),
            _ if reply.code() == Code::SERVICE_CLOSING => {
                self.end(Verdict::Broken(Step::EndOfData, reply), Aftermath::Close);
            }
            // A refused chunk leaves the transaction open (RFC 3030, 2).
            _ if self.is_chunked => self.end(Verdict::DataRefused, Aftermath::ResetOwed),
            _ => self.end(Verdict::DataRefused, Aftermath::Clean),
        }
    }

    /// LMTP: one reply for each who was accepted, in the order of RCPT (RFC 2033, 4.2).
    fn recipient_reply(&mut self, reply: Reply) {
        let Stage::EndOfData(answered) = &mut self.stage else {
            return;
        };
        let index = self.accepted.get(*answered).copied();
        *answered += 1;
        let is_last = *answered >= self.accepted.len();
        if let Some(index) = index {
            self.settle(&[index], status(&reply), Some(&reply));
        }
        self.verdict_reply = Some(reply.clone());
        if reply.code() == Code::SERVICE_CLOSING && !is_last {
            self.settle_unknown();
            self.end(Verdict::Broken(Step::EndOfData, reply), Aftermath::Close);
        } else if is_last {
            let is_sent = self.recipients.iter().any(RecipientOutcome::is_accepted);
            let verdict = if is_sent {
                Verdict::Sent
            } else {
                Verdict::RecipientsRefused
            };
            self.end(verdict, after(&reply, Aftermath::Clean));
        }
    }

    /// The message was refused as a whole, and so for everybody who would have got it.
    fn refuse_accepted(&mut self, reply: &Reply) {
        let accepted = std::mem::take(&mut self.accepted);
        self.settle(&accepted, RecipientStatus::Refused, Some(reply));
        self.verdict_reply = Some(reply.clone());
    }

    /// Whoever has no answer to the message yet may get it or not.
    fn settle_unknown(&mut self) {
        let answered = if let Stage::EndOfData(answered) = self.stage {
            answered
        } else {
            0
        };
        let open = self.accepted.get(answered..).unwrap_or_default().to_vec();
        self.settle(&open, RecipientStatus::Unknown, None);
    }

    fn settle(&mut self, indices: &[usize], status: RecipientStatus, reply: Option<&Reply>) {
        for index in indices {
            if let Some(recipient) = self.recipients.get_mut(*index) {
                recipient.status = status;
                recipient.reply = reply.cloned().or_else(|| recipient.reply.take());
            }
        }
    }

    fn end(&mut self, verdict: Verdict, aftermath: Aftermath) {
        self.stage = Stage::Over(verdict, aftermath);
    }
}

impl Verb {
    fn step(self) -> Step {
        match self {
            Self::Rset => Step::Reset,
            Self::Mail => Step::Mail,
            Self::Rcpt(_) => Step::Rcpt,
            Self::Data => Step::Data,
        }
    }

    /// Whether the code is an answer to this command at all (RFC 5321, 4.3.2).
    fn expects(self, code: Code) -> bool {
        match self {
            Self::Data => code == 354 || code.is_transient() || code.is_permanent(),
            _ => !code.is_intermediate(),
        }
    }
}

/// What the answer to the message means for a recipient.
fn status(reply: &Reply) -> RecipientStatus {
    if reply.is_positive() {
        RecipientStatus::Accepted
    } else if reply.code() == Code::SERVICE_CLOSING {
        RecipientStatus::NotSent
    } else {
        RecipientStatus::Refused
    }
}

/// 421 is the end of the connection, whatever it answers.
fn after(reply: &Reply, otherwise: Aftermath) -> Aftermath {
    if reply.code() == Code::SERVICE_CLOSING {
        Aftermath::Close
    } else {
        otherwise
    }
}
