//! [`Job`]: one message of the queue; [`Verdict`]: the result of one try.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use smtplib::{Delivery, Error, Outcome, RecipientOutcome, RecipientStatus};

/// After this time a message that cannot be delivered fails (RFC 5321, 4.5.4.1).
const GIVE_UP: Duration = Duration::from_secs(5 * 24 * 60 * 60);

/// The longest pause between two tries.
const LONGEST_PAUSE: Duration = Duration::from_secs(60 * 60);

/// Names and values, as Redis has them.
pub(crate) type Fields = HashMap<Vec<u8>, Vec<u8>>;

/// One message of the queue.
pub(crate) struct Job {
    pub(crate) id: String,
    /// The sender; empty for the null sender of bounces.
    pub(crate) from: String,
    /// The recipients that have not got it.
    pub(crate) to: Vec<String>,
    /// The message, header and body.
    pub(crate) data: Vec<u8>,
    /// Whether a duplicate does no harm.
    pub(crate) again: bool,
    /// How many tries have failed.
    pub(crate) tries: u32,
    /// Whether a worker has begun to send it and has never said how that ended.
    pub(crate) is_begun: bool,
}

/// The result of one try.
#[derive(Default)]
pub(crate) struct Verdict {
    /// The recipients for another try.
    pub(crate) left: Vec<String>,
    pub(crate) refused: SetAside,
    pub(crate) unknown: SetAside,
}

/// Recipients for a person to decide about, and a sentence for each reason.
#[derive(Default)]
pub(crate) struct SetAside {
    pub(crate) to: Vec<String>,
    pub(crate) why: Vec<String>,
}

/// What to do about a recipient that has not got the message.
#[derive(Clone, Copy)]
enum Fate {
    Later,
    Refused,
    Unknown,
}

impl Job {
    /// A job from the queue's entry, and from what is known of earlier tries.
    pub(crate) fn new(id: String, mut entry: Fields, known: &Fields) -> Self {
        let text = |octets: Option<&Vec<u8>>| {
            let octets = octets.map(Vec::as_slice).unwrap_or_default();
            String::from_utf8_lossy(octets).into_owned()
        };
        let to = known.get(&b"to"[..]).or_else(|| entry.get(&b"to"[..]));
        Self {
            id,
            from: text(entry.get(&b"from"[..])),
            to: text(to).lines().map(str::to_owned).collect(),
            again: text(entry.get(&b"again"[..])) == "yes",
            tries: text(known.get(&b"tries"[..])).parse().unwrap_or(0),
            is_begun: known.contains_key(&b"begun"[..]),
            data: entry.remove(&b"data"[..]).unwrap_or_default(),
        }
    }

    /// The pause before the next try, twice as long each time.
    pub(crate) fn pause(&self, first: Duration) -> Duration {
        let doubled = first.saturating_mul(1 << self.tries.min(20));
        doubled.min(LONGEST_PAUSE)
    }

    /// Sets a job aside whose worker died while sending it: the server may have it or not.
    pub(crate) fn orphaned(&self) -> Option<Verdict> {
        let is_unknown = self.is_begun && !self.again;
        let why = "the worker died while sending";
        is_unknown.then(|| Verdict::for_all(Fate::Unknown, &self.to, why))
    }

    /// Sets a job aside if it is not valid.
    pub(crate) fn unfit(&self) -> Option<Verdict> {
        let is_garbled = |text: &String| text.contains(char::REPLACEMENT_CHARACTER);
        let why = match () {
            () if self.data.is_empty() => "the job has no message in the field `data`",
            () if self.to.iter().any(is_garbled) || is_garbled(&self.from) => {
                "the job has an address that is not UTF-8"
            }
            () => return None,
        };
        Some(Verdict::for_all(Fate::Refused, &self.to, why))
    }

    /// Judges the result of a try.
    pub(crate) fn judge(&self, result: &Result<Outcome, Error>) -> Verdict {
        match result {
            Ok(outcome) => self.judge_each(outcome),
            Err(error) => match error.outcome() {
                Some(outcome) => self.judge_each(outcome),
                None => Verdict::for_all(self.revise(fate_of_all(error)), &self.to, error),
            },
        }
    }

    fn judge_each(&self, outcome: &Outcome) -> Verdict {
        let mut verdict = Verdict::default();
        for recipient in outcome.recipients().iter().filter(|r| !r.is_accepted()) {
            let to = recipient.address().to_string();
            verdict.add(self.revise(fate_of(recipient)), &[to], recipient);
        }
        verdict
    }

    /// Tries again what may be sent twice, and gives up in the end.
    fn revise(&self, fate: Fate) -> Fate {
        let is_too_old = self.age() > GIVE_UP;
        match fate {
            Fate::Unknown if self.again && !is_too_old => Fate::Later,
            Fate::Later if is_too_old => Fate::Refused,
            fate => fate,
        }
    }

    /// How long ago it was put into the queue: an id begins with the milliseconds since 1970.
    fn age(&self) -> Duration {
        let put = self.id.split('-').next().and_then(|ms| ms.parse().ok());
        let put = UNIX_EPOCH + Duration::from_millis(put.unwrap_or(0));
        SystemTime::now().duration_since(put).unwrap_or_default()
    }
}

fn fate_of(recipient: &RecipientOutcome) -> Fate {
    match recipient.status() {
        RecipientStatus::Unknown => Fate::Unknown,
        _ if recipient.is_worth_retrying() => Fate::Later,
        _ => Fate::Refused,
    }
}

fn fate_of_all(error: &Error) -> Fate {
    match error.delivery() {
        Delivery::Unknown => Fate::Unknown,
        _ if error.is_permanent() && is_about_the_job(error) => Fate::Refused,
        _ => Fate::Later,
    }
}

/// Whether the job is the cause. No job may fail because of a wrong password or an unknown server.
pub(crate) fn is_about_the_job(error: &Error) -> bool {
    let may_be = matches!(
        error,
        Error::Address { .. }
            | Error::Content(_)
            | Error::DataRefused(_)
            | Error::NoRecipients
            | Error::RecipientsRefused(_)
            | Error::SenderRefused(_)
            | Error::TooLarge { .. }
            | Error::Unsupported(_)
    );
    may_be && error.server().is_none()
}

impl Verdict {
    fn for_all(fate: Fate, to: &[String], why: impl ToString) -> Self {
        let mut verdict = Self::default();
        verdict.add(fate, to, why);
        verdict
    }

    fn add(&mut self, fate: Fate, to: &[String], why: impl ToString) {
        let aside = match fate {
            Fate::Later => return self.left.extend_from_slice(to),
            Fate::Refused => &mut self.refused,
            Fate::Unknown => &mut self.unknown,
        };
        aside.to.extend_from_slice(to);
        aside.why.push(why.to_string());
    }
}
