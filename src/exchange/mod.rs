//! [`Exchange`]: one mail transaction, planned without a socket.

pub(crate) mod admission;
pub(crate) mod error;
pub(crate) mod pipeline;

use crate::address::Address;
use crate::exchange::pipeline::{Grouping, Pipeline, Verb};
use crate::outcome::{Outcome, RecipientOutcome, RecipientStatus};
use crate::reply::{Code, Reply};
use crate::step::Step;

/// Decides what may be sent now, what each reply means, and what became of each recipient.
///
/// Commands are queued; [`next`](Self::next) says what to do, and [`reply`](Self::reply) takes what
/// the server answered. Replies are attributed to commands by their position alone. Lock-step and
/// pipelined transactions, SMTP and LMTP are the same machine under other [`Rules`].
#[derive(Debug)]
pub(crate) struct Exchange {
    rules: Rules,
    pipeline: Pipeline,
    /// The message goes as one chunk behind the envelope (RFC 3030), without DATA.
    is_chunked: bool,
    recipients: Vec<RecipientOutcome>,
    /// Whom the server accepted at RCPT, by index: the fate of the message is theirs.
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

#[derive(Debug)]
enum Stage {
    /// Sending RSET, MAIL, RCPT and DATA, and reading their replies.
    Envelope {
        /// The refusal of MAIL.
        sender: Option<Reply>,
        /// The answer to DATA.
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
        let grouping = match rules {
            Rules {
                pipelining: false, ..
            } => Grouping::Never,
            Rules {
                require_all: true, ..
            } => Grouping::BeforeData,
            _ => Grouping::All,
        };
        Self {
            rules,
            pipeline: Pipeline::new(grouping),
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
        self.pipeline.queue(Verb::Rset, b"RSET\r\n");
    }

    /// Queues a MAIL command.
    pub(crate) fn queue_mail(&mut self, line: &[u8]) {
        self.pipeline.queue(Verb::Mail, line);
    }

    /// Queues a RCPT command.
    pub(crate) fn queue_rcpt(&mut self, address: Address, line: &[u8]) {
        let verb = Verb::Rcpt(self.recipients.len());
        self.pipeline.queue(verb, line);
        self.recipients.push(RecipientOutcome::new(address));
    }

    /// Queues DATA.
    pub(crate) fn queue_data(&mut self) {
        self.pipeline.queue(Verb::Data, b"DATA\r\n");
    }

    /// Ends the envelope without DATA: the message will be one chunk, `BDAT n LAST` (RFC 3030, 2).
    pub(crate) fn expect_chunk(&mut self) {
        self.is_chunked = true;
    }

    /// What to do next.
    pub(crate) fn next(&mut self) -> Action<'_> {
        if matches!(self.stage, Stage::Envelope { .. }) {
            if let Some(verb) = self.pipeline.awaited() {
                return Action::Read(verb.step());
            }
            self.decide();
        }
        match self.stage {
            Stage::Envelope { .. } => match self.pipeline.next_group() {
                Some((first, commands)) => Action::Send(first.step(), commands),
                None => Action::Idle,
            },
            Stage::Body => Action::Body,
            Stage::LoneDot(_) => Action::LoneDot,
            Stage::EndOfData(_) | Stage::EndOfNothing(_) => Action::Read(Step::EndOfData),
            Stage::Over(..) => Action::Done,
        }
    }

    /// Takes the reply that [`Action::Read`] asked for.
    pub(crate) fn reply(&mut self, reply: Reply) {
        match &self.stage {
            Stage::Envelope { .. } => self.command_reply(reply),
            Stage::EndOfData(_) if reply.code().is_intermediate() => {
                self.settle_unknown();
                let verdict = Verdict::Unexpected(Step::EndOfData, reply.code());
                self.end(verdict, Aftermath::Close);
            }
            Stage::EndOfData(_) if self.rules.lmtp => self.recipient_reply(reply),
            Stage::EndOfData(_) => self.message_reply(reply),
            Stage::EndOfNothing(verdict) => {
                let verdict = verdict.clone();
                self.end(verdict, after(&reply));
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
    pub(crate) fn refused_in_body(&mut self, reply: &Reply) {
        if matches!(self.stage, Stage::Body) {
            self.refuse_accepted(reply);
            self.end(Verdict::DataRefused, Aftermath::Close);
        }
    }

    /// How it ended, what became of each recipient, and what the connection owes.
    ///
    /// Before [`Action::Done`] it has only ended because the connection did. A refusal stands all
    /// the same; without one there is no verdict.
    pub(crate) fn conclude(mut self) -> (Option<Verdict>, Outcome, Aftermath) {
        self.settle_unknown();
        let refusal = self.refusal();
        let (verdict, aftermath) = match self.stage {
            Stage::Over(verdict, aftermath) => (Some(verdict), aftermath),
            Stage::LoneDot(verdict) | Stage::EndOfNothing(verdict) => {
                (Some(verdict), Aftermath::Close)
            }
            Stage::Envelope { .. } => (refusal, Aftermath::Close),
            Stage::Body | Stage::EndOfData(_) => (None, Aftermath::Close),
        };
        let outcome = Outcome {
            recipients: self.recipients,
            reply: self.verdict_reply,
        };
        (verdict, outcome, aftermath)
    }

    /// The answer to the newest RCPT, once it has come.
    pub(crate) fn last_rcpt_reply(&self) -> Option<&Reply> {
        self.recipients.last()?.reply.as_ref()
    }

    /// Whether any RCPT was queued.
    pub(crate) fn has_recipients(&self) -> bool {
        !self.recipients.is_empty()
    }

    /// Everything sent was answered: can it still go on?
    fn decide(&mut self) {
        let Stage::Envelope { data, .. } = &self.stage else {
            return;
        };
        match (self.refusal(), data.clone()) {
            (None, None) if self.is_chunk_due() => self.stage = Stage::Body,
            (None, None) => {}
            (None, Some(reply)) if reply.code() == 354 => self.stage = Stage::Body,
            (None, Some(reply)) => {
                self.refuse_accepted(&reply);
                self.end(Verdict::DataRefused, Aftermath::ResetOwed);
            }
            (Some(verdict), Some(reply)) if reply.code() == 354 => self.end_at_once(verdict),
            (Some(verdict), _) => self.end(verdict, Aftermath::ResetOwed),
        }
    }

    /// The refusal that ends the transaction, once it is certain.
    fn refusal(&self) -> Option<Verdict> {
        let Stage::Envelope { sender, .. } = &self.stage else {
            return None;
        };
        if let Some(reply) = sender {
            return Some(Verdict::SenderRefused(reply.clone()));
        }
        let any_refused = self.accepted.len() < self.recipients.len();
        let is_lacking = self.accepted.is_empty() || (self.rules.require_all && any_refused);
        let is_due = self.pipeline.is_data_due() || self.is_chunk_due();
        (is_due && is_lacking).then_some(Verdict::RecipientsRefused)
    }

    fn is_chunk_due(&self) -> bool {
        self.is_chunked && self.pipeline.is_answered()
    }

    /// The server waits for a message that nobody is to get.
    fn end_at_once(&mut self, verdict: Verdict) {
        // Whom the server took behind a refused MAIL would get an empty message. And in LMTP nobody
        // knows how many replies follow a message without recipients.
        if self.accepted.is_empty() && !self.rules.lmtp {
            self.stage = Stage::LoneDot(verdict);
        } else {
            self.end(verdict, Aftermath::Close);
        }
    }

    fn command_reply(&mut self, reply: Reply) {
        let Some(verb) = self.pipeline.awaited() else {
            return;
        };
        let code = reply.code();
        if code == Code::SERVICE_CLOSING || (verb == Verb::Rset && !code.is_positive()) {
            self.note_rcpt_reply(verb, &reply);
            // If somebody was refused before, that is the reason to tell.
            let refusal = self.refusal();
            let verdict = refusal.unwrap_or_else(|| Verdict::Broken(verb.step(), reply));
            return self.end(verdict, Aftermath::Close);
        }
        if !verb.expects(code) {
            return self.end(Verdict::Unexpected(verb.step(), code), Aftermath::Close);
        }
        self.pipeline.answer();
        self.note_rcpt_reply(verb, &reply);
        match (verb, &mut self.stage) {
            (Verb::Mail, Stage::Envelope { sender, .. }) if !code.is_positive() => {
                *sender = Some(reply);
            }
            (Verb::Data, Stage::Envelope { data, .. }) => *data = Some(reply),
            _ => {}
        }
    }

    fn note_rcpt_reply(&mut self, verb: Verb, reply: &Reply) {
        let Verb::Rcpt(index) = verb else { return };
        if reply.is_positive() {
            self.accepted.push(index);
        }
        // Behind a refused MAIL the answers to RCPT say nothing about the recipients.
        if let Stage::Envelope { sender: None, .. } = self.stage {
            let status = match status(reply) {
                RecipientStatus::Accepted => RecipientStatus::NotSent,
                status => status,
            };
            self.settle(&[index], status, Some(reply));
        }
    }

    /// SMTP: one reply decides for all who were accepted.
    fn message_reply(&mut self, reply: Reply) {
        let status = status(&reply);
        let accepted = std::mem::take(&mut self.accepted);
        self.settle(&accepted, status, Some(&reply));
        self.verdict_reply = Some(reply.clone());
        let verdict = match status {
            RecipientStatus::Accepted => Verdict::Sent,
            RecipientStatus::Refused => Verdict::DataRefused,
            _ => Verdict::Broken(Step::EndOfData, reply.clone()),
        };
        // A refused chunk leaves the transaction open (RFC 3030, 2).
        let aftermath = match verdict {
            Verdict::DataRefused if self.is_chunked => Aftermath::ResetOwed,
            _ => after(&reply),
        };
        self.end(verdict, aftermath);
    }

    /// LMTP: one reply for each who was accepted, in the order of RCPT (RFC 2033, 4.2).
    fn recipient_reply(&mut self, reply: Reply) {
        let Stage::EndOfData(answered) = &mut self.stage else {
            return;
        };
        let index = self.accepted.get(*answered).copied();
        *answered += 1;
        let is_last = *answered >= self.accepted.len();
        self.settle(index.as_slice(), status(&reply), Some(&reply));
        self.verdict_reply = Some(reply.clone());
        let is_closing = reply.code() == Code::SERVICE_CLOSING;
        if is_last && self.recipients.iter().any(RecipientOutcome::is_accepted) {
            self.end(Verdict::Sent, after(&reply));
        } else if is_closing {
            self.settle_unknown();
            self.end(Verdict::Broken(Step::EndOfData, reply), Aftermath::Close);
        } else if is_last {
            self.end(Verdict::RecipientsRefused, Aftermath::Clean);
        }
    }

    /// The message was refused as a whole, and so for everybody who would have got it.
    fn refuse_accepted(&mut self, reply: &Reply) {
        let accepted = std::mem::take(&mut self.accepted);
        self.settle(&accepted, RecipientStatus::Refused, Some(reply));
        self.verdict_reply = Some(reply.clone());
    }

    /// Behind the end of data, whoever has no answer yet may get the message or not.
    fn settle_unknown(&mut self) {
        if let Stage::EndOfData(answered) = self.stage {
            let open = self.accepted.get(answered..).unwrap_or_default().to_vec();
            self.settle(&open, RecipientStatus::Unknown, None);
        }
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

/// What an answer means for a recipient; 421 is about the connection (RFC 5321, 3.8).
fn status(reply: &Reply) -> RecipientStatus {
    if reply.is_positive() {
        RecipientStatus::Accepted
    } else if reply.code() == Code::SERVICE_CLOSING {
        RecipientStatus::NotSent
    } else {
        RecipientStatus::Refused
    }
}

/// What is owed after the answer to a message.
fn after(reply: &Reply) -> Aftermath {
    if reply.code() == Code::SERVICE_CLOSING || reply.code().is_intermediate() {
        Aftermath::Close
    } else {
        Aftermath::Clean
    }
}

#[cfg(any(test, fuzzing))]
mod check;
#[cfg(any(test, fuzzing))]
pub(crate) use check::fuzz_exchange;
#[cfg(test)]
mod tests;
