//! [`Ledger`]: what the replies of one transaction mean.

use crate::address::Address;
use crate::exchange::Framing;
use crate::exchange::verb::Verb;
use crate::outcome::{Outcome, RecipientOutcome, RecipientStatus};
use crate::reply::{Code, Reply};
use crate::step::Step;

/// Records one transaction: what each reply means, and the result for each recipient. It sends
/// nothing.
#[derive(Debug)]
pub(crate) struct Ledger {
    rules: Rules,
    recipients: Vec<RecipientOutcome>,
    /// Whether all recipients are known. In a transaction by hand they come one by one.
    is_complete: bool,
    /// How many replies to RCPT have come.
    answered: usize,
    /// How many of them were positive.
    accepted: usize,
    sender: Sender,
    /// The reply to DATA.
    data: Option<Reply>,
    end: End,
    /// The newest reply to the whole message.
    verdict_reply: Option<Reply>,
    ending: Option<(Verdict, Aftermath)>,
}

/// What a transaction may do.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rules {
    /// One reply per accepted recipient follows the message (RFC 2033, 4.2).
    pub(crate) lmtp: bool,
    /// One refused recipient cancels the whole message.
    pub(crate) require_all: bool,
}

/// The reply to MAIL.
#[derive(Debug)]
enum Sender {
    Unanswered,
    Accepted,
    Refused(Reply),
}

/// How much of the message was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    NotWritten,
    /// The whole message: the server may have accepted it. In LMTP, the accepted recipients before
    /// this place have their replies.
    Written(usize),
}

/// What may be sent once all replies have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Permit {
    /// DATA must be sent first.
    Ask,
    /// The message.
    Body,
    /// Only the final dot: 354 came, although no recipient is left (RFC 2920, 3.1).
    LoneDot,
    /// Nothing.
    Nothing,
}

/// How a transaction ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The message was accepted for at least one recipient.
    Sent,
    SenderRefused(Reply),
    /// No recipient was accepted, or not all that had to be.
    RecipientsRefused,
    /// DATA or the message itself was refused.
    DataRefused,
    /// 421, or RSET refused: nothing more can be done on this connection.
    Broken(Step, Reply),
    /// A code that is not a reply to this command.
    Unexpected(Step, Code),
}

/// What must be sent after a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Aftermath {
    /// Nothing: the next transaction can begin.
    Clean,
    /// RSET before the next transaction (RFC 5321, 4.1.1.5).
    ResetOwed,
    /// The connection is of no further use.
    Close,
}

/// The end of a transaction.
#[derive(Debug)]
pub(crate) struct Settlement {
    /// `None` if it only ended because the connection did.
    pub(crate) verdict: Option<Verdict>,
    pub(crate) outcome: Outcome,
    pub(crate) aftermath: Aftermath,
}

impl Ledger {
    /// A ledger for an envelope with these recipients.
    pub(crate) fn new(rules: Rules, recipients: Vec<RecipientOutcome>) -> Self {
        Self {
            rules,
            recipients,
            is_complete: true,
            answered: 0,
            accepted: 0,
            sender: Sender::Unanswered,
            data: None,
            end: End::NotWritten,
            verdict_reply: None,
            ending: None,
        }
    }

    /// A ledger for an envelope whose recipients come one by one.
    pub(crate) fn open(rules: Rules) -> Self {
        Self {
            is_complete: false,
            ..Self::new(rules, Vec::new())
        }
    }

    /// Adds a recipient, and returns its place.
    pub(crate) fn add(&mut self, address: Address) -> usize {
        self.recipients.push(RecipientOutcome::unanswered(address));
        self.recipients.len() - 1
    }

    /// No recipient follows.
    pub(crate) fn complete(&mut self) {
        self.is_complete = true;
    }

    /// Whether all recipients are known.
    pub(crate) fn is_complete(&self) -> bool {
        self.is_complete
    }

    pub(crate) fn rules(&self) -> Rules {
        self.rules
    }

    pub(crate) fn recipients(&self) -> &[RecipientOutcome] {
        &self.recipients
    }

    /// Whether the sender was refused. Then nothing more of the transaction needs to be sent.
    pub(crate) fn is_sender_refused(&self) -> bool {
        matches!(self.sender, Sender::Refused(_))
    }

    /// Whether the connection is of no further use.
    pub(crate) fn is_broken(&self) -> bool {
        matches!(self.ending, Some((_, Aftermath::Close)))
    }

    /// What may be sent, now that all replies have come. If something was refused, the transaction
    /// ends here.
    pub(crate) fn permit(&mut self, framing: Framing) -> Permit {
        if self.ending.is_some() {
            return Permit::Nothing;
        }
        let is_data_open = self.data.as_ref().is_some_and(|reply| reply.code() == 354);
        match (self.refusal(), &self.data) {
            (None, None) if framing == Framing::Dot => Permit::Ask,
            (None, None) => Permit::Body,
            (None, Some(_)) if is_data_open => Permit::Body,
            (None, Some(reply)) => {
                let reply = reply.clone();
                self.refuse_accepted(&reply);
                self.end(Verdict::DataRefused, Aftermath::ResetOwed)
            }
            (Some(verdict), _) if is_data_open => self.end_at_once(verdict),
            (Some(verdict), _) => self.end(verdict, Aftermath::ResetOwed),
        }
    }

    /// Takes the reply to this part of the transaction.
    pub(crate) fn reply(&mut self, verb: Verb, reply: Reply) {
        if self.is_broken() {
            return;
        }
        match verb {
            Verb::Chunk | Verb::End if !verb.expects(reply.code()) => {
                self.settle_unknown();
                self.end(
                    Verdict::Unexpected(verb.step(), reply.code()),
                    Aftermath::Close,
                );
            }
            Verb::Chunk => self.chunk_reply(reply),
            Verb::End if self.rules.lmtp => self.recipient_reply(reply),
            Verb::End => self.message_reply(reply),
            Verb::LoneEnd => self.lone_reply(&reply),
            _ => self.command_reply(verb, reply),
        }
    }

    /// Notes that the end of the message was written. From now on the server may have accepted it.
    /// Returns how many replies follow.
    pub(crate) fn end_written(&mut self) -> usize {
        self.end = End::Written(0);
        if self.rules.lmtp { self.accepted } else { 1 }
    }

    /// The server refused the message while it was being written, and closed the connection.
    pub(crate) fn refused_in_body(&mut self, reply: &Reply) {
        // An earlier refusal is the reason to report.
        let refusal = self.refusal();
        self.refuse_accepted(reply);
        self.end(refusal.unwrap_or(Verdict::DataRefused), Aftermath::Close);
    }

    /// The end of the message was not sent, so the server cannot have accepted it, whatever was
    /// noted before.
    pub(crate) fn end_lost(&mut self) {
        self.end = End::NotWritten;
    }

    /// How it ended, the result for each recipient, and what must be sent next.
    ///
    /// If the transaction has no end yet, it ends here because the connection did. A refusal counts
    /// nevertheless. Without a refusal there is no verdict.
    pub(crate) fn conclude(mut self) -> Settlement {
        self.settle_unknown();
        let refusal = self.refusal();
        let (verdict, aftermath) = match self.ending {
            Some((verdict, aftermath)) => (Some(verdict), aftermath),
            None => (refusal, Aftermath::Close),
        };
        let outcome = Outcome {
            recipients: self.recipients,
            reply: self.verdict_reply,
            ignored: Vec::new(),
            attempts: 1,
        };
        Settlement {
            verdict,
            outcome,
            aftermath,
        }
    }

    /// The refusal that ends the transaction, as soon as it is certain.
    fn refusal(&self) -> Option<Verdict> {
        match &self.sender {
            Sender::Refused(reply) => return Some(Verdict::SenderRefused(reply.clone())),
            Sender::Unanswered => return None,
            Sender::Accepted => {}
        }
        let is_certain = self.is_complete && self.answered == self.recipients.len();
        let any_refused = self.accepted < self.recipients.len();
        let is_lacking = self.accepted == 0 || (self.rules.require_all && any_refused);
        (is_certain && is_lacking).then_some(Verdict::RecipientsRefused)
    }

    /// The server waits for a message without recipients.
    fn end_at_once(&mut self, verdict: Verdict) -> Permit {
        // Recipients that the server accepted after a refused MAIL would get an empty message. In
        // LMTP, the number of replies to a message without recipients is not known.
        if self.accepted == 0 && !self.rules.lmtp {
            self.ending = Some((verdict, Aftermath::Clean));
            Permit::LoneDot
        } else {
            self.end(verdict, Aftermath::Close)
        }
    }

    fn command_reply(&mut self, verb: Verb, reply: Reply) {
        let code = reply.code();
        if code == Code::SERVICE_CLOSING || (verb == Verb::Rset && !code.is_positive()) {
            if let Verb::Rcpt(place) = verb {
                self.rcpt_reply(place, reply.clone());
            }
            if code == Code::SERVICE_CLOSING && matches!(verb, Verb::Rset | Verb::Mail) {
                // Without a sender the server cannot accept a message.
                self.end = End::NotWritten;
            }
            // An earlier refusal is the reason to report.
            let refusal = self.refusal();
            let verdict = refusal.unwrap_or_else(|| Verdict::Broken(verb.step(), reply));
            self.end(verdict, Aftermath::Close);
            return;
        }
        if !verb.expects(code) {
            self.end(Verdict::Unexpected(verb.step(), code), Aftermath::Close);
            return;
        }
        match verb {
            Verb::Rcpt(place) => self.rcpt_reply(place, reply),
            Verb::Mail if code.is_positive() => self.sender = Sender::Accepted,
            Verb::Mail => self.sender = Sender::Refused(reply),
            Verb::Data => self.data = Some(reply),
            _ => {}
        }
    }

    fn rcpt_reply(&mut self, place: usize, reply: Reply) {
        // 421 is about the connection, and says nothing about the recipient.
        self.answered += usize::from(reply.code() != Code::SERVICE_CLOSING);
        self.accepted += usize::from(reply.is_positive());
        // After a refused MAIL the replies to RCPT say nothing about the recipients.
        if !self.is_sender_refused() {
            let status = match status(&reply) {
                RecipientStatus::Accepted => RecipientStatus::NotSent,
                status => status,
            };
            self.settle(place, status, reply);
        }
    }

    /// The reply to a chunk before the last. If it was refused, so was the message (RFC 3030, 2).
    fn chunk_reply(&mut self, reply: Reply) {
        if reply.code() == Code::SERVICE_CLOSING {
            self.end(Verdict::Broken(Step::Body, reply), Aftermath::Close);
        } else if !reply.is_positive() {
            self.refused_in_body(&reply);
        }
    }

    /// SMTP: one reply decides for all accepted recipients.
    fn message_reply(&mut self, reply: Reply) {
        // If a chunk followed the envelope at once, all recipients may have been refused before.
        let refusal = self.refusal();
        let status = status(&reply);
        self.settle_accepted(status, Some(&reply));
        self.end = End::NotWritten;
        let is_closing = reply.code() == Code::SERVICE_CLOSING;
        let verdict = match (refusal, status) {
            (Some(refusal), _) => refusal,
            (None, RecipientStatus::Accepted) => Verdict::Sent,
            (None, RecipientStatus::Refused) => Verdict::DataRefused,
            (None, _) => Verdict::Broken(Step::EndOfData, reply.clone()),
        };
        let aftermath = match verdict {
            _ if is_closing => Aftermath::Close,
            Verdict::Sent => Aftermath::Clean,
            _ => self.after_refusal(),
        };
        self.verdict_reply = Some(reply);
        self.end(verdict, aftermath);
    }

    /// A refused chunk leaves the transaction open (RFC 3030, 2). A refused message after DATA does
    /// not.
    fn after_refusal(&self) -> Aftermath {
        match self.data {
            Some(_) => Aftermath::Clean,
            None => Aftermath::ResetOwed,
        }
    }

    /// LMTP: one reply for each accepted recipient, in the order of RCPT (RFC 2033, 4.2).
    fn recipient_reply(&mut self, reply: Reply) {
        let End::Written(from) = self.end else { return };
        let Some(place) = self.next_accepted(from) else {
            return;
        };
        self.end = End::Written(place + 1);
        let is_last = self.next_accepted(place + 1).is_none();
        self.settle(place, status(&reply), reply.clone());
        let is_closing = reply.code() == Code::SERVICE_CLOSING;
        self.verdict_reply = Some(reply.clone());
        if is_last && self.recipients.iter().any(RecipientOutcome::is_accepted) {
            self.end(Verdict::Sent, after(&reply));
        } else if is_closing {
            self.settle_unknown();
            self.end(Verdict::Broken(Step::EndOfData, reply), Aftermath::Close);
        } else if is_last {
            self.end(Verdict::RecipientsRefused, self.after_refusal());
        }
    }

    /// The reply to a lone dot says nothing new, unless it ends the connection.
    fn lone_reply(&mut self, reply: &Reply) {
        if let Some((_, aftermath)) = &mut self.ending {
            *aftermath = after(reply);
        }
    }

    /// The message was refused as a whole, and so for every accepted recipient.
    fn refuse_accepted(&mut self, reply: &Reply) {
        self.settle_accepted(RecipientStatus::Refused, Some(reply));
        self.end = End::NotWritten;
        self.verdict_reply = Some(reply.clone());
    }

    /// Once the end of the message was written, the result is unknown for recipients without a
    /// final reply.
    fn settle_unknown(&mut self) {
        let End::Written(from) = self.end else { return };
        if self.is_sender_refused() {
            return;
        }
        let from = if self.rules.lmtp { from } else { 0 };
        for recipient in self.recipients.iter_mut().skip(from) {
            // If a recipient has no reply at all, its RCPT went out in the same flight as the
            // message.
            if is_accepted(recipient) || recipient.reply.is_none() {
                recipient.status = RecipientStatus::Unknown;
            }
        }
    }

    fn settle_accepted(&mut self, status: RecipientStatus, reply: Option<&Reply>) {
        for recipient in &mut self.recipients {
            if is_accepted(recipient) {
                recipient.status = status;
                recipient.reply = reply.cloned();
            }
        }
    }

    fn settle(&mut self, place: usize, status: RecipientStatus, reply: Reply) {
        if let Some(recipient) = self.recipients.get_mut(place) {
            recipient.status = status;
            recipient.reply = Some(reply);
        }
    }

    /// The first place from here on whose recipient waits for the reply to the message.
    fn next_accepted(&self, from: usize) -> Option<usize> {
        let mut rest = self.recipients.iter().skip(from);
        rest.position(is_accepted).map(|place| from + place)
    }

    fn end(&mut self, verdict: Verdict, aftermath: Aftermath) -> Permit {
        self.ending = Some((verdict, aftermath));
        Permit::Nothing
    }
}

/// Whether RCPT was accepted and nothing more is known.
fn is_accepted(recipient: &RecipientOutcome) -> bool {
    recipient.status == RecipientStatus::NotSent
        && recipient.reply.as_ref().is_some_and(Reply::is_positive)
}

/// What a reply means for a recipient; 421 is about the connection (RFC 5321, 3.8).
fn status(reply: &Reply) -> RecipientStatus {
    if reply.is_positive() {
        RecipientStatus::Accepted
    } else if reply.code() == Code::SERVICE_CLOSING {
        RecipientStatus::NotSent
    } else {
        RecipientStatus::Refused
    }
}

/// What must be sent after the reply to a message.
fn after(reply: &Reply) -> Aftermath {
    if reply.code() == Code::SERVICE_CLOSING || reply.code().is_intermediate() {
        Aftermath::Close
    } else {
        Aftermath::Clean
    }
}
