//! [`Attempts`]: one message, and its results so far.

use std::time::{Duration, Instant};

use crate::connection::cargo::Consignment;
use crate::error::{Delivery, Error, GaveUp, Interrupted, Result};
use crate::mailer::retry::Retry;
use crate::outcome::Outcome;
use crate::parameter;

/// One message and its attempts.
#[derive(Debug)]
pub(crate) struct Attempts<'a> {
    whole: Consignment<'a>,
    /// The message for the recipients that are left, if they are not all.
    rest: Option<Consignment<'a>>,
    /// The places of those recipients.
    places: Vec<usize>,
    /// The results so far of all recipients.
    known: Option<Outcome>,
    begun: Instant,
    /// How many times the message was tried.
    tried: u32,
    /// How many attempts the policy has counted.
    failures: u32,
}

/// What comes after an attempt.
#[derive(Debug)]
pub(crate) enum Next {
    /// Nothing: this is the result.
    Done(Result<Outcome>),
    /// Another attempt after this pause.
    Again(Duration),
}

impl<'a> Attempts<'a> {
    pub(crate) fn new(message: Consignment<'a>, now: Instant) -> Self {
        Self {
            whole: message,
            rest: None,
            places: Vec::new(),
            known: None,
            begun: now,
            tried: 0,
            failures: 0,
        }
    }

    /// The message for the recipients that do not have it yet.
    pub(crate) fn message(&self) -> Consignment<'a> {
        self.rest.as_ref().unwrap_or(&self.whole).clone()
    }

    /// Counts an attempt that failed only because of the connection.
    pub(crate) fn note_lost(&mut self) {
        self.tried += 1;
    }

    /// Takes the result of an attempt.
    pub(crate) fn note(
        &mut self,
        result: Result<Outcome>,
        retry: Option<&Retry>,
        now: Instant,
    ) -> Next {
        // A result may come from several tries. For the policy it is one attempt.
        self.tried += match &result {
            Ok(outcome) => outcome.attempts.max(1),
            Err(error) => error.attempts(),
        };
        let Some(retry) = retry else {
            return Next::Done(self.counted(result));
        };
        self.failures += 1;
        let elapsed = now.saturating_duration_since(self.begun);
        if let Some(pause) = retry.pause(self.failures, elapsed) {
            if self.prepare(&result) {
                return Next::Again(pause);
            }
        }
        Next::Done(self.finish(result))
    }

    /// Returns this result as the final one.
    fn counted(&self, mut result: Result<Outcome>) -> Result<Outcome> {
        count(&mut result, self.tried);
        result
    }

    /// Chooses the recipients for another attempt. Returns false if there are none, or no attempt
    /// is allowed.
    fn prepare(&mut self, result: &Result<Outcome>) -> bool {
        let outcome = match result {
            Ok(outcome) => Some(outcome),
            // This includes a message that may have been delivered.
            Err(error) if !error.is_transient() => return false,
            Err(error) => match error.outcome() {
                Some(outcome) => Some(outcome),
                // No recipient has a reply: all are left.
                None => return true,
            },
        };
        let is_all_required = self.whole.envelope().is_all_required();
        if is_all_required {
            return result.is_err();
        }
        outcome.is_some_and(|outcome| self.choose(outcome))
    }

    /// Keeps the recipients for which another attempt may help.
    fn choose(&mut self, outcome: &Outcome) -> bool {
        let places = self.places_of(outcome).into_iter();
        let left: Vec<usize> = places
            .zip(&outcome.recipients)
            .filter(|(_, recipient)| recipient.is_worth_retrying())
            .map(|(place, _)| place)
            .collect();
        if left.is_empty() {
            return false;
        }
        self.learn(outcome);
        self.rest = Some(self.whole.only(&left));
        self.places = left;
        true
    }

    /// The places of the recipients of the newest attempt.
    fn places_of(&self, outcome: &Outcome) -> Vec<usize> {
        match self.rest {
            Some(_) => self.places.clone(),
            None => (0..outcome.recipients.len()).collect(),
        }
    }

    /// Records the results of an attempt.
    fn learn(&mut self, outcome: &Outcome) {
        let places = self.places_of(outcome);
        let Some(known) = &mut self.known else {
            self.known = Some(outcome.clone());
            return;
        };
        for (place, newer) in places.into_iter().zip(&outcome.recipients) {
            if let Some(older) = known.recipients.get_mut(place) {
                *older = newer.clone();
            }
        }
        // Once a recipient was accepted, the reply that says so is kept.
        let is_news = outcome.accepted().next().is_some() || known.accepted().next().is_none();
        if is_news && outcome.reply.is_some() {
            known.reply.clone_from(&outcome.reply);
        }
        parameter::add_each_once(&mut known.ignored, outcome.ignored.iter().cloned());
    }

    /// The result of all attempts.
    fn finish(&mut self, result: Result<Outcome>) -> Result<Outcome> {
        if self.failures <= 1 {
            return self.counted(result);
        }
        let newest = match &result {
            Ok(outcome) => Some(outcome),
            Err(error) => error.outcome(),
        };
        if let Some(outcome) = newest {
            self.learn(outcome);
        }
        let known = self.known.take().map(|known| Outcome {
            attempts: self.tried,
            ..known
        });
        let is_any_accepted = |known: &Outcome| known.accepted().next().is_some();
        match (result, known) {
            (Ok(_), Some(known)) => Ok(known),
            (Ok(outcome), None) => Ok(outcome),
            (Err(error), Some(known)) if is_any_accepted(&known) => after_success(error, known),
            (Err(failure), outcome) => Err(Error::GaveUp(Box::new(GaveUp {
                attempts: self.tried,
                failure,
                outcome,
            }))),
        }
    }
}

/// Writes into a result how many times the message was tried, if the result has a field for it.
pub(crate) fn count(result: &mut Result<Outcome>, tried: u32) {
    let outcome = match result {
        Ok(outcome) => outcome,
        Err(Error::DataRefused(outcome) | Error::RecipientsRefused(outcome)) => outcome,
        Err(Error::Interrupted(interrupted)) => &mut interrupted.outcome,
        Err(_) => return,
    };
    outcome.attempts = tried;
}

/// An error after some recipients were accepted. They have the message; the others do not, or it is
/// unknown.
fn after_success(error: Error, outcome: Outcome) -> Result<Outcome> {
    if error.delivery() == Delivery::NotDelivered {
        return Ok(outcome);
    }
    let failure = match error {
        Error::Interrupted(interrupted) => interrupted.failure,
        error => error,
    };
    Err(Error::Interrupted(Box::new(Interrupted {
        outcome,
        failure,
    })))
}
