//! [`Job`]: a message under way, in one transaction or in several.

use crate::address::Places;
use crate::connection::cargo::Load;
use crate::connection::verdict::judge;
use crate::envelope::Recipient;
use crate::error::{Error, Result};
use crate::exchange::Id;
use crate::exchange::ledger::{Settlement, Verdict};
use crate::outcome::{Outcome, RecipientOutcome, RecipientStatus};
use crate::parameter::Parameter;
use crate::reply::Reply;

/// A message under way.
#[derive(Debug)]
pub(crate) struct Job<'m> {
    pub(crate) load: Option<Load<'m>>,
    pub(crate) id: Option<Id>,
    is_lmtp: bool,
    /// Whether it may take more than one transaction.
    is_splittable: bool,
    shares: Option<Shares>,
    /// Parameters that are left out, because the server does not offer them.
    pub(crate) ignored: Vec<Parameter>,
    pub(crate) result: Option<Result<Outcome>>,
}

/// The recipients of a message that does not reach them in one transaction.
#[derive(Debug)]
struct Shares {
    /// Every place of the envelope.
    recipients: Vec<RecipientOutcome>,
    /// The places of the transaction under way.
    current: Vec<usize>,
    /// The places that wait for another one.
    waiting: Vec<usize>,
    /// Places that have the same recipient as an earlier one.
    copies: Vec<(usize, usize)>,
    /// Most recipients of one transaction.
    most: usize,
    is_lmtp: bool,
    reply: Option<Reply>,
}

impl<'m> Job<'m> {
    /// A message for a server that takes so many recipients at once; one that answers for each
    /// recipient is given none of them twice.
    pub(crate) fn new(load: Load<'m>, most: Option<u64>, is_lmtp: bool) -> Self {
        let most = most.and_then(|most| usize::try_from(most).ok());
        // What can be written only once goes in one transaction, whatever the server says to it.
        let is_splittable = load.cargo.is_lasting() && !load.envelope.is_all_required();
        let most = most.filter(|_| is_splittable);
        let shares = Shares::of(&load, most.unwrap_or(usize::MAX), is_lmtp);
        Self {
            load: Some(load),
            id: None,
            is_lmtp,
            is_splittable,
            shares,
            ignored: Vec::new(),
            result: None,
        }
    }

    /// A message that cannot be sent.
    pub(crate) fn failed(error: Error) -> Self {
        Self {
            load: None,
            id: None,
            is_lmtp: false,
            is_splittable: false,
            shares: None,
            ignored: Vec::new(),
            result: Some(Err(error)),
        }
    }

    /// The places of the envelope that the next transaction is for, unless they are all.
    pub(crate) fn places(&self) -> Option<&[usize]> {
        self.shares.as_ref().map(|shares| shares.current.as_slice())
    }

    /// Takes the end of a transaction. Without a result, another one is needed, and may begin.
    pub(crate) fn settle(
        &mut self,
        settlement: Settlement,
        failure: Option<Error>,
        may_begin: bool,
    ) {
        self.id = None;
        let Settlement {
            verdict, outcome, ..
        } = settlement;
        if self.shares.is_none() && verdict == Some(Verdict::Sent) {
            self.shares = self.split(&outcome);
        }
        let Some(shares) = &mut self.shares else {
            self.result = Some(judge(verdict, outcome, failure));
            return;
        };
        shares.note(outcome);
        let is_sent = verdict == Some(Verdict::Sent);
        let may_go_on = is_sent || verdict == Some(Verdict::RecipientsRefused);
        let may_go_on = may_go_on && self.is_splittable && may_begin;
        if !(may_go_on && shares.prepare_next(is_sent)) {
            self.finish(verdict, failure);
        }
    }

    /// Ends a message that took several transactions, of which this is the last.
    fn finish(&mut self, verdict: Option<Verdict>, failure: Option<Error>) {
        let Some(shares) = self.shares.take() else {
            return;
        };
        let outcome = shares.outcome();
        let is_any_accepted = outcome.accepted().next().is_some();
        let verdict =
            match verdict {
                // The outcome lists recipients that a later transaction did not reach.
                Some(
                    Verdict::SenderRefused(_) | Verdict::RecipientsRefused | Verdict::DataRefused,
                ) if is_any_accepted => Some(Verdict::Sent),
                verdict => verdict,
            };
        self.result = Some(judge(verdict, outcome, failure));
    }

    /// The recipients for whom there was no room in the transaction (RFC 5321, 4.5.3.1.10).
    fn split(&self, outcome: &Outcome) -> Option<Shares> {
        let crowded = |recipient: &RecipientOutcome| is_crowded(recipient, self.is_lmtp);
        if !self.is_splittable || !outcome.recipients().iter().any(crowded) {
            return None;
        }
        Some(Shares {
            recipients: outcome.recipients().to_vec(),
            current: (0..outcome.recipients().len()).collect(),
            waiting: Vec::new(),
            copies: Vec::new(),
            most: usize::MAX,
            is_lmtp: self.is_lmtp,
            reply: None,
        })
    }
}

impl Shares {
    /// More than one share, if it takes more.
    fn of(load: &Load<'_>, most: usize, is_lmtp: bool) -> Option<Self> {
        let recipients = load.envelope.recipients_with_parameters();
        if recipients.len() <= most && !(is_lmtp && recipients.len() > 1) {
            return None;
        }
        let (mut waiting, mut copies) = (Vec::new(), Vec::new());
        let mut places = Places::default();
        for (place, recipient) in recipients.iter().enumerate() {
            let first = places.first_of(&recipient.address, place);
            match is_lmtp && first < place {
                true => copies.push((place, first)),
                false => waiting.push(place),
            }
        }
        if copies.is_empty() && recipients.len() <= most {
            return None;
        }
        let outcome =
            |recipient: &Recipient| RecipientOutcome::unanswered(recipient.address.clone());
        let mut shares = Self {
            recipients: recipients.iter().map(outcome).collect(),
            current: Vec::new(),
            waiting,
            copies,
            most,
            is_lmtp,
            reply: None,
        };
        shares.prepare_next(false);
        Some(shares)
    }

    /// Takes the result of the current share.
    fn note(&mut self, outcome: Outcome) {
        // Once a recipient has the message, the reply that says so stays.
        let is_news = outcome.accepted().next().is_some()
            || !self.recipients.iter().any(RecipientOutcome::is_accepted);
        for (place, recipient) in self.current.iter().zip(outcome.recipients) {
            if let Some(known) = self.recipients.get_mut(*place) {
                *known = recipient;
            }
        }
        if is_news && outcome.reply.is_some() {
            self.reply = outcome.reply;
        }
    }

    /// Chooses the next share, if there is one: those who have not been asked for, and those for
    /// whom there was no room beside others.
    fn prepare_next(&mut self, was_any_accepted: bool) -> bool {
        if was_any_accepted {
            let (recipients, is_lmtp) = (&self.recipients, self.is_lmtp);
            let is_left = |place: &usize| {
                let recipient = recipients.get(*place);
                recipient.is_some_and(|recipient| is_crowded(recipient, is_lmtp))
            };
            let mut left = std::mem::take(&mut self.current);
            left.retain(is_left);
            left.append(&mut self.waiting);
            self.waiting = left;
        }
        let count = self.waiting.len().min(self.most);
        let later = self.waiting.split_off(count);
        self.current = std::mem::replace(&mut self.waiting, later);
        !self.current.is_empty()
    }

    fn outcome(mut self) -> Outcome {
        for (copy, first) in self.copies {
            let known = self.recipients.get(first).cloned();
            if let (Some(known), Some(place)) = (known, self.recipients.get_mut(copy)) {
                *place = known;
            }
        }
        Outcome {
            recipients: self.recipients,
            reply: self.reply,
            ignored: Vec::new(),
            attempts: 1,
        }
    }
}

/// Whether the server took no further recipient: 452 in RFC 5321, 4.5.3.1.10; others say X.5.3. In
/// LMTP 452 is more often a full mailbox.
fn is_crowded(recipient: &RecipientOutcome, is_lmtp: bool) -> bool {
    let Some(reply) = recipient.reply() else {
        return false;
    };
    recipient.status() == RecipientStatus::Refused
        && match reply.enhanced() {
            Some(code) => reply.is_transient() && (code.subject(), code.detail()) == (5, 3),
            None => reply.code() == 452 && !is_lmtp,
        }
}
