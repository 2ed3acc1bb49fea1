//! [`Attempts`]: one message, and its results so far.

use std::time::{Duration, Instant};

use crate::connection::cargo::Consignment;
use crate::error::{Delivery, Error, GaveUp, Interrupted, Result};
use crate::mailer::retry::Retry;
use crate::outcome::Outcome;

/// One message on its way through several attempts.
#[derive(Debug)]
pub(crate) struct Attempts<'a> {
    whole: Consignment<'a>,
    /// The message for the recipients that are left, once one of them has a reply.
    rest: Option<Consignment<'a>>,
    /// The places of those recipients.
    places: Vec<usize>,
    /// The results so far of all recipients.
    known: Option<Outcome>,
    begun: Instant,
    /// How many times the message was tried.
    tried: u32,
    /// How many of the attempts that the policy counts have failed.
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

    /// The message for the recipients who have not got it.
    pub(crate) fn message(&self) -> Consignment<'a> {
        self.rest.as_ref().unwrap_or(&self.whole).clone()
    }

    /// Counts a try that has failed because of the connection alone.
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
        // A result of several tries is one attempt.
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

    /// The first result is the last.
    fn counted(&self, mut result: Result<Outcome>) -> Result<Outcome> {
        count(&mut result, self.tried);
        result
    }

    /// Chooses the recipients for another attempt; false if there are none, or none may be tried.
    fn prepare(&mut self, result: &Result<Outcome>) -> bool {
        let outcome = match result {
            Ok(outcome) => Some(outcome),
            // That includes what may have been delivered.
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

    /// Leaves those who are worth another try.
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

    /// Takes over what an attempt has shown.
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
        // Once a recipient has the message, the reply that says so stays.
        let is_news = outcome.accepted().next().is_some() || known.accepted().next().is_none();
        if is_news && outcome.reply.is_some() {
            known.reply.clone_from(&outcome.reply);
        }
        for parameter in &outcome.ignored {
            if !known.ignored.contains(parameter) {
                known.ignored.push(parameter.clone());
            }
        }
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

/// Notes how many times a message was tried, where a result has a place for it.
pub(crate) fn count(result: &mut Result<Outcome>, tried: u32) {
    let outcome = match result {
        Ok(outcome) => outcome,
        Err(Error::DataRefused(outcome) | Error::RecipientsRefused(outcome)) => outcome,
        Err(Error::Interrupted(interrupted)) => &mut interrupted.outcome,
        Err(_) => return,
    };
    outcome.attempts = tried;
}

/// A failure after others were accepted: they have the message, and the rest has not got it, unless
/// nobody can know.
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
