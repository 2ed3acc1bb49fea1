//! What happens to one message, and what the planner must report about it.

use crate::exchange::ledger::{Aftermath, Settlement, Verdict};
use crate::exchange::transit::Framing;
use crate::outcome::{Outcome, RecipientOutcome, RecipientStatus};
use crate::step::Step;

/// What happened to one message.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) framing: Framing,
    pub(super) is_firm: bool,
    /// Commands that are queued and not written, the next one last.
    pub(super) later: Vec<(Step, String)>,
    pub(super) is_begun: bool,
    pub(super) recipients: usize,
    /// Whether DATA may be written. By hand, only after it was asked for.
    pub(super) is_complete: bool,
    pub(super) log: Log,
    pub(super) end_at: Option<u64>,
    pub(super) is_end_taken: bool,
    pub(super) settlement: Option<Settlement>,
}

/// What the server replied.
#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) rset: Option<u16>,
    pub(super) mail: Option<u16>,
    pub(super) rcpt: Vec<u16>,
    pub(super) data: Option<u16>,
    pub(super) chunks: Vec<u16>,
    pub(super) body: Option<BodyFate>,
    pub(super) end: Vec<u16>,
    /// Whether the dialog cannot go on.
    pub(super) is_broken: bool,
}

/// What happened to the text of a message when the planner asked for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyFate {
    Cut,
    LoneDot,
    Refused,
    Sent,
}

/// The kind of a verdict, without its values.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Sent,
    SenderRefused,
    RecipientsRefused,
    DataRefused,
    Broken,
    Unexpected,
}

impl Message {
    /// DATA is sent only if a recipient may get the message.
    pub(super) fn check_data(&self, is_alone: bool, require_all: bool) {
        let log = &self.log;
        assert!(log.mail.is_none_or(|code| code < 400));
        let accepted = log.accepted().count();
        if is_alone {
            assert!(accepted > 0, "DATA for nobody that was sent alone: {log:?}");
        }
        if require_all {
            assert_eq!(
                accepted, self.recipients,
                "DATA although somebody was refused"
            );
        }
    }

    /// A message is sent only if a recipient was accepted.
    pub(super) fn check_body(&self, require_all: bool) {
        let log = &self.log;
        assert_eq!(log.data, (self.framing == Framing::Dot).then_some(354));
        assert!(log.mail.is_some_and(|code| code < 300));
        assert!(log.accepted().count() > 0, "a message for nobody");
        assert_eq!(log.rcpt.len(), self.recipients);
        if require_all {
            assert_eq!(log.accepted().count(), self.recipients);
        }
    }

    pub(super) fn check(&self, is_lmtp: bool, require_all: bool, is_lost: bool) {
        let log = &self.log;
        let Some(Settlement {
            verdict,
            outcome,
            aftermath,
        }) = &self.settlement
        else {
            panic!("no end")
        };
        let told = statuses(outcome);
        assert_eq!(told, self.expected_statuses(is_lmtp), "{self:?}");
        let kind = verdict.as_ref().map(kind);
        assert_eq!(
            kind,
            self.expected_kind(&told, is_lmtp, require_all),
            "{self:?}"
        );
        assert!(!told.contains(&RecipientStatus::Unknown) || self.is_end_taken);
        if *aftermath == Aftermath::Clean {
            assert!(log.body.is_some() && !log.is_broken);
        }
        if verdict.is_none() {
            assert!(is_lost && *aftermath == Aftermath::Close);
        }
        if let Some(Verdict::SenderRefused(reply)) = verdict {
            assert_eq!(Some(reply.code().as_u16()), log.mail);
        }
    }

    fn expected_statuses(&self, is_lmtp: bool) -> Vec<RecipientStatus> {
        let log = &self.log;
        let mut answers = log.end.iter().copied();
        let refused_chunk = log.refused_chunk();
        // The reply to the message as a whole: a refusal, or the only reply to it.
        let shared = match (log.body, log.data) {
            (Some(BodyFate::Refused), _) => Some(552),
            _ if refused_chunk.is_some() => refused_chunk,
            (Some(BodyFate::Sent), _) if !is_lmtp => answers.next(),
            (None, Some(code)) if code >= 400 => Some(code),
            _ => None,
        };
        let is_lmtp = is_lmtp && log.body == Some(BodyFate::Sent) && refused_chunk.is_none();
        let may_be_taken = self.is_end_taken && log.body == Some(BodyFate::Sent);
        let mut codes = log.rcpt.iter().copied();
        let mut next = || {
            let of_rcpt = codes.next();
            match (log.is_without_sender(), of_rcpt) {
                (false, None | Some(300..=399)) if may_be_taken => {
                    return RecipientStatus::Unknown;
                }
                (false, Some(200..=299)) => {}
                (false, Some(code)) if code >= 400 && code != 421 => {
                    return RecipientStatus::Refused;
                }
                _ => return RecipientStatus::NotSent,
            }
            let of_message = if is_lmtp { answers.next() } else { shared };
            match of_message {
                Some(421) => RecipientStatus::NotSent,
                Some(400..) => RecipientStatus::Refused,
                Some(200..=299) => RecipientStatus::Accepted,
                _ if may_be_taken => RecipientStatus::Unknown,
                _ => RecipientStatus::NotSent,
            }
        };
        (0..self.recipients).map(|_| next()).collect()
    }

    fn expected_kind(
        &self,
        statuses: &[RecipientStatus],
        is_lmtp: bool,
        require_all: bool,
    ) -> Option<Kind> {
        let log = &self.log;
        let is_any = |status| statuses.contains(&status);
        if log.is_unexpected() {
            return Some(Kind::Unexpected);
        }
        if log.is_sender_refused() {
            return Some(Kind::SenderRefused);
        }
        if self.is_envelope_refused(require_all) {
            return Some(Kind::RecipientsRefused);
        }
        if is_any(RecipientStatus::Accepted) && !is_any(RecipientStatus::Unknown) {
            return Some(Kind::Sent);
        }
        if log.all().any(|(_, code)| code == 421) || log.rset.is_some_and(|code| code >= 300) {
            return Some(Kind::Broken);
        }
        let is_refused_in_body = log.body == Some(BodyFate::Refused)
            || log.refused_chunk().is_some()
            || (!is_lmtp
                && log.end.iter().any(|code| *code >= 400)
                && log.body == Some(BodyFate::Sent))
            || (log.body.is_none() && log.data.is_some_and(|code| code >= 400));
        if is_refused_in_body {
            return Some(Kind::DataRefused);
        }
        let all_answered = log.end.len() == log.accepted().count() && !log.end.is_empty();
        (is_lmtp && all_answered).then_some(Kind::RecipientsRefused)
    }

    /// Whether all recipients have a reply, and too many were refused.
    fn is_envelope_refused(&self, require_all: bool) -> bool {
        let log = &self.log;
        let answered = log.rcpt.iter().filter(|code| is_answer(Step::Rcpt, **code));
        let is_known = self.is_complete
            && log.mail.is_some_and(|code| code < 300)
            && answered.count() == self.recipients;
        let accepted = log.accepted().count();
        is_known && (accepted == 0 || (require_all && accepted < self.recipients))
    }
}

impl Log {
    pub(super) fn note(&mut self, step: Step, code: u16) {
        let must_accept = matches!(step, Step::Reset | Step::Body);
        self.is_broken |= !is_answer(step, code) || (must_accept && code >= 300);
        match step {
            Step::Reset => self.rset = Some(code),
            Step::Mail => self.mail = Some(code),
            Step::Rcpt => self.rcpt.push(code),
            Step::Data => self.data = Some(code),
            Step::Body => self.chunks.push(code),
            _ => self.end.push(code),
        }
    }

    /// All replies, in order.
    pub(super) fn all(&self) -> impl Iterator<Item = (Step, u16)> {
        let first = [(Step::Reset, self.rset), (Step::Mail, self.mail)];
        let first = first
            .into_iter()
            .filter_map(|(step, code)| Some((step, code?)));
        let rcpt = self.rcpt.iter().map(|code| (Step::Rcpt, *code));
        let data = self.data.into_iter().map(|code| (Step::Data, code));
        let chunks = self.chunks.iter().map(|code| (Step::Body, *code));
        let end = self.end.iter().map(|code| (Step::EndOfData, *code));
        first.chain(rcpt).chain(data).chain(chunks).chain(end)
    }

    /// Whether the server has no open transaction after this reply.
    pub(super) fn ends_cleanly(&self, step: Step, framing: Framing) -> bool {
        let is_taken = self.end.iter().any(|code| *code < 300);
        match framing {
            _ if step != Step::EndOfData => false,
            Framing::Dot => true,
            _ => is_taken && self.accepted().next().is_some(),
        }
    }

    /// Whether a code was not valid for its command. For RSET, everything but 2yz is a refusal.
    fn is_unexpected(&self) -> bool {
        let is_unexpected = |(step, code)| match step {
            Step::Reset => false,
            Step::Body => code / 100 == 3,
            Step::EndOfData => self.body == Some(BodyFate::Sent) && code / 100 == 3,
            _ => code != 421 && !is_answer(step, code),
        };
        self.all().any(is_unexpected)
    }

    /// The first refusal of a chunk. 421 is about the connection, so it does not count.
    fn refused_chunk(&self) -> Option<u16> {
        let mut codes = self.chunks.iter().copied();
        codes.find(|code| *code >= 400 && *code != 421)
    }

    pub(super) fn is_sender_refused(&self) -> bool {
        self.mail.is_some_and(|code| code >= 400 && code != 421)
    }

    /// Whether there can be no transaction: the sender was refused, or the server closes the
    /// connection.
    fn is_without_sender(&self) -> bool {
        self.is_sender_refused() || self.mail == Some(421) || self.rset == Some(421)
    }

    /// The replies to RCPT that were positive.
    pub(super) fn accepted(&self) -> impl Iterator<Item = u16> {
        self.rcpt.iter().copied().filter(|code| *code < 300)
    }
}

/// Whether a code is a valid reply to a command, so that the dialog goes on.
fn is_answer(step: Step, code: u16) -> bool {
    match code {
        421 => false,
        354 => step == Step::Data,
        200..=299 => step != Step::Data,
        300..=399 => false,
        _ => true,
    }
}

fn statuses(outcome: &Outcome) -> Vec<RecipientStatus> {
    let recipients = outcome.recipients().iter();
    recipients.map(RecipientOutcome::status).collect()
}

fn kind(verdict: &Verdict) -> Kind {
    match verdict {
        Verdict::Sent => Kind::Sent,
        Verdict::SenderRefused(_) => Kind::SenderRefused,
        Verdict::RecipientsRefused => Kind::RecipientsRefused,
        Verdict::DataRefused => Kind::DataRefused,
        Verdict::Broken(..) => Kind::Broken,
        Verdict::Unexpected(..) => Kind::Unexpected,
    }
}
