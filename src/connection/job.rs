//! [`Job`]: a message under way, in one transaction or in several.

use crate::address::Places;
use crate::connection::cargo::Load;
use crate::connection::verdict::{has_unknown, judge};
use crate::envelope::Recipient;
use crate::error::{Error, Result};
use crate::exchange::Id;
use crate::exchange::ledger::{Settlement, Verdict};
use crate::outcome::{Outcome, RecipientOutcome, RecipientStatus};
use crate::parameter::Parameter;
use crate::reply::Reply;
use crate::step::Step;

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

/// The recipients of a message that is not sent to each of them in one transaction.
#[derive(Debug)]
struct Shares {
    /// Every place of the envelope.
    recipients: Vec<RecipientOutcome>,
    /// The places of the transaction under way.
    current: Vec<usize>,
    /// The places that wait for another one.
    waiting: Vec<usize>,
    /// Places with the same recipient as an earlier place, and that place.
    copies: Vec<(usize, usize)>,
    /// The most recipients of one transaction.
    most: usize,
    is_lmtp: bool,
    reply: Option<Reply>,
}

impl<'m> Job<'m> {
    /// Makes a job for a server that takes this many recipients in a transaction. LMTP servers get
    /// each recipient once.
    pub(crate) fn new(load: Load<'m>, most: Option<u64>, is_lmtp: bool) -> Self {
        let most = most.and_then(|most| usize::try_from(most).ok());
        // A message from a reader can be written only once, so it is not split.
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

    /// The places in the envelope that the next transaction is for; `None` if it is for all.
    pub(crate) fn places(&self) -> Option<&[usize]> {
        self.shares.as_ref().map(|shares| shares.current.as_slice())
    }

    /// Takes the end of a transaction. If there is no result then, another transaction is needed
    /// and may begin. Returns a failure that the result does not tell.
    pub(crate) fn settle(
        &mut self,
        settlement: Settlement,
        failure: Option<Error>,
        may_begin: bool,
    ) -> Option<Error> {
        self.id = None;
        let Settlement {
            verdict, outcome, ..
        } = settlement;
        if self.shares.is_none() && verdict == Some(Verdict::Sent) {
            self.shares = self.split(&outcome);
        }
        let Some(shares) = &mut self.shares else {
            self.result = Some(judge(verdict, outcome, failure));
            return None;
        };
        if !is_doubtful(verdict.as_ref(), &outcome) {
            shares.note(outcome);
        }
        let is_sent = verdict == Some(Verdict::Sent);
        let may_go_on = is_sent || verdict == Some(Verdict::RecipientsRefused);
        let may_go_on = may_go_on && self.is_splittable && may_begin;
        match may_go_on && shares.prepare_next(is_sent) {
            true => None,
            false => self.finish(verdict, failure),
        }
    }

    /// Ends a message that took several transactions, of which this is the last.
    fn finish(&mut self, verdict: Option<Verdict>, failure: Option<Error>) -> Option<Error> {
        let mut outcome = self.shares.take()?.outcome();
        let is_any_accepted = outcome.accepted().next().is_some();
        if !is_any_accepted || has_unknown(&outcome) {
            // Some were not tried, so this is not the refusal of all.
            let verdict = verdict
                .filter(|verdict| *verdict != Verdict::RecipientsRefused || !is_any_left(&outcome));
            self.result = Some(judge(verdict, outcome, failure));
            return None;
        }
        // Some have the message, and the outcome lists the others as certainly without it. As an
        // error, this would ask the caller to send the message to everybody again.
        if let Some(Verdict::Broken(_, reply) | Verdict::SenderRefused(reply)) = verdict {
            outcome.explain(&reply);
        }
        self.result = Some(Ok(outcome));
        failure
    }

    /// The shares of a message if the transaction had no room for some recipients (RFC 5321,
    /// 4.5.3.1.10).
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
    /// The shares of a message, if it needs them.
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
        // Once a recipient was accepted, the reply that says so is kept.
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

    /// Chooses the next share, and returns false if there is none. After a share of which some were
    /// accepted, the recipients that it had no room for come first; then those not tried yet.
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

/// Whether there are recipients that the server was not asked about.
fn is_any_left(outcome: &Outcome) -> bool {
    let mut recipients = outcome.recipients().iter();
    recipients.any(|recipient| recipient.reply().is_none())
}

/// Whether nobody can say which of the replies belong to whom: one before the message was none to its
/// command.
fn is_doubtful(verdict: Option<&Verdict>, outcome: &Outcome) -> bool {
    let step = match verdict {
        Some(Verdict::Unexpected(step, _)) => *step,
        _ => return false,
    };
    step != Step::EndOfData && !has_unknown(outcome)
}

/// Whether the server had no room for another recipient: 452 (RFC 5321, 4.5.3.1.10), or X.5.3 from
/// some servers. In LMTP, 452 more often means a full mailbox.
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
