//! [`Run`]: messages under way on a connection.

use std::collections::VecDeque;
use std::ops::DerefMut;

use crate::connection::SmtpConnection;
use crate::connection::cargo::{Consignment, Load};
use crate::connection::drive::{FLIGHT, Pause};
use crate::connection::job::Job;
use crate::error::{Error, Result};
use crate::exchange::admission::order;
use crate::exchange::ledger::Settlement;
use crate::exchange::transit::{Commands, Framing};
use crate::exchange::{Exchange, Id};
use crate::net::body::{Body, BodyWriter};
use crate::outcome::Outcome;
use crate::step::Step;

/// The most messages that wait for their results. More would only use memory.
const MOST_JOBS: usize = 4096;

/// Messages under way on a connection, borrowed or held.
#[derive(Debug)]
pub(crate) struct Run<'m, C: DerefMut<Target = SmtpConnection>> {
    pub(crate) connection: C,
    exchange: Exchange,
    jobs: VecDeque<Job<'m>>,
    failure: Option<Error>,
    /// The message that was being written when the connection failed.
    cut: Option<Id>,
}

/// How far a run has come.
#[derive(Debug)]
pub(crate) enum Progress {
    /// The oldest message has its result.
    Result(Result<Outcome>),
    /// There is room for another message.
    Room,
    /// There is nothing more to do.
    Done,
}

impl<'m, C: DerefMut<Target = SmtpConnection>> Run<'m, C> {
    pub(crate) fn new(mut connection: C, across: bool) -> Self {
        let exchange = connection.begin_exchange(across);
        Self {
            connection,
            exchange,
            jobs: VecDeque::new(),
            failure: None,
            cut: None,
        }
    }

    /// Whether no further message can be taken, and every message that was taken has returned its
    /// result.
    pub(crate) fn is_over(&self) -> bool {
        self.jobs.is_empty() && !self.is_open()
    }

    /// Begins a call of the caller's.
    pub(crate) fn arm(&mut self) {
        // If the connection is closed, the next message gets the error.
        let _ = self.connection.arm();
    }

    /// Takes a message, or the reason why nothing can be sent.
    pub(crate) fn push(&mut self, message: Consignment<'m>, unfit: Option<Error>) {
        let job = match unfit {
            Some(error) => Job::failed(error),
            None if !self.is_open() => Job::failed(Error::Closed),
            None => match message
                .load(&self.connection.capabilities)
                .and_then(Load::firm)
            {
                Ok(load) => self.job(load),
                Err(error) => Job::failed(error),
            },
        };
        self.add(job);
    }

    /// Takes a message that is prepared for this server.
    pub(crate) fn push_load(&mut self, load: Load<'m>) {
        let job = self.job(load);
        self.add(job);
    }

    fn job(&self, mut load: Load<'m>) -> Job<'m> {
        if load.envelope.recipients().next().is_none() {
            return Job::failed(Error::NoRecipients);
        }
        let ignored = match self.connection.admit(&mut load.envelope) {
            Ok(ignored) => ignored,
            Err(error) => return Job::failed(error),
        };
        let offers = &self.connection.capabilities;
        let mut job = Job::new(load, offers.limits().rcpt_max, self.exchange.is_lmtp());
        job.ignored = ignored;
        let checked = match (&job.load, job.places()) {
            // An error in a later recipient must show before any recipient has the message.
            (Some(load), Some(_)) => {
                let commands = Commands::default();
                order((&load.envelope, None), &load.facts, offers, commands)
            }
            _ => return job,
        };
        match checked {
            Ok(_) => job,
            Err(reason) => Job::failed(reason.into()),
        }
    }

    fn add(&mut self, job: Job<'m>) {
        self.jobs.push_back(job);
        self.begin(self.jobs.len() - 1);
    }

    /// Writes what waits in memory. Returns false if that ended the messages under way.
    pub(crate) fn flush(&mut self) -> bool {
        let written = self.connection.wire.flush(Step::Body);
        written.map_err(|error| self.lose(error)).is_ok()
    }

    /// Checks that the connection has not ended during a pause. On one that has, the result of a message
    /// that goes with its envelope would be unknown.
    pub(crate) fn check_idle(&mut self) {
        // Reading the replies would also write what waits in memory.
        let unsent = std::mem::take(self.connection.wire.outbox());
        while self.is_reply_due() && self.wait() {
            self.arm();
        }
        if self.exchange.is_over() || self.connection.wire.is_closed() {
            return;
        }
        match self.connection.wire.check_idle() {
            Ok(()) => *self.connection.wire.outbox() = unsent,
            Err(error) => self.lose(error),
        }
    }

    /// Whether the server has a command to which it has not replied.
    pub(crate) fn is_reply_due(&self) -> bool {
        let awaited = self.exchange.awaited();
        awaited.is_some_and(|awaited| awaited.end_at <= self.connection.wire.taken())
    }

    /// Whether another message can be taken.
    pub(crate) fn is_open(&self) -> bool {
        !self.exchange.is_over()
            && !self.connection.wire.is_closed()
            && self.connection.has_transaction_left()
    }

    /// Continues until a message has its result or another message can be taken.
    pub(crate) fn advance(&mut self) -> Progress {
        loop {
            if let Some(result) = self.take_result() {
                return Progress::Result(result);
            }
            match self.step() {
                Ok(true) => {}
                Ok(false) if self.has_room() => return Progress::Room,
                Ok(false) if self.wait() => {}
                Ok(false) => return Progress::Done,
                Err(error) => self.lose(error),
            }
        }
    }

    /// Waits for a reply, and returns false if none is due.
    pub(crate) fn wait(&mut self) -> bool {
        let Some(awaited) = self.exchange.awaited() else {
            return false;
        };
        match self.connection.wire.read_reply(awaited) {
            Ok(reply) => self.exchange.replied(reply),
            Err(error) => self.lose(error),
        }
        true
    }

    /// Reads the next reply if it has come, and returns false if not.
    pub(crate) fn hear(&mut self) -> bool {
        let Some(awaited) = self.exchange.awaited() else {
            return false;
        };
        match self.connection.wire.read_arrived(awaited) {
            Ok(None) => return false,
            Ok(Some(reply)) => self.exchange.replied(reply),
            Err(error) => self.lose(error),
        }
        true
    }

    fn has_room(&self) -> bool {
        self.jobs.len() < MOST_JOBS && !self.exchange.is_over()
    }

    fn take_result(&mut self) -> Option<Result<Outcome>> {
        self.jobs.front()?.result.as_ref()?;
        let job = self.jobs.pop_front()?;
        let mut result = job.result?;
        if let Ok(outcome) = &mut result {
            outcome.ignored = job.ignored;
        }
        Some(result)
    }

    /// Queues a transaction for a message.
    fn begin(&mut self, index: usize) {
        let Some(job) = self.jobs.get_mut(index) else {
            return;
        };
        let (Some(load), None) = (&job.load, &job.result) else {
            return;
        };
        let offers = &self.connection.capabilities;
        let recipients = (&*load.envelope, job.places());
        let commands = self.exchange.spare_commands();
        match order(recipients, &load.facts, offers, commands) {
            Ok(order) => {
                job.id = Some(self.exchange.push(order));
                self.connection.state.transactions += 1;
            }
            Err(reason) => job.result = Some(Err(reason.into())),
        }
    }

    /// Does what the exchange says. Returns false if that is nothing.
    fn step(&mut self) -> Result<bool> {
        match self.connection.drive(&mut self.exchange)? {
            Pause::Body(id, framing) => {
                let written = self.write_body(id, framing);
                self.cut = written.is_err().then_some(id);
                written?;
            }
            Pause::Settled(id, settlement) => self.settle(id, settlement),
            Pause::Idle => return Ok(false),
        }
        Ok(true)
    }

    fn write_body(&mut self, id: Id, framing: Framing) -> Result<()> {
        let SmtpConnection {
            wire, capabilities, ..
        } = &mut *self.connection;
        // The message to write is one of the newest.
        let mut jobs = self.jobs.iter_mut().rev();
        let job = jobs.find(|job| job.id == Some(id));
        let Some(load) = job.and_then(|job| job.load.as_mut()) else {
            return Err(Error::Closed);
        };
        if self.exchange.is_quiet() {
            wire.check_quiet(Step::Body)?;
        }
        let inspection = load.facts.inspection(&load.envelope, capabilities);
        let is_verbatim = load.facts.is_verbatim(framing);
        let body = Body::begin(wire, (id, framing), is_verbatim, inspection);
        let mut writer = BodyWriter::new(body, wire, &mut self.exchange);
        let written = load.cargo.write_to(&mut writer);
        writer.end(written)?;
        wire.flush_over(FLIGHT, Step::Body)
    }

    fn settle(&mut self, id: Id, settlement: Settlement) {
        let failure = self.failure_of(id);
        let Some(index) = self.jobs.iter().position(|job| job.id == Some(id)) else {
            return;
        };
        let may_begin = self.is_open();
        let job = self.jobs.get_mut(index);
        let untold = job.and_then(|job| job.settle(settlement, failure, may_begin));
        if let Some(failure) = untold {
            let trace = &self.connection.wire.trace;
            trace.note(format_args!("not all recipients were reached: {failure}"));
        }
        self.begin(index);
    }

    /// Why the connection failed, for one message: the failure itself for the one that was being
    /// written, or else for the last one, and the same about the connection for the others.
    fn failure_of(&mut self, id: Id) -> Option<Error> {
        let echo = self.failure.as_ref().map(Error::echo);
        let is_cause = match self.cut {
            Some(cut) => cut == id,
            None => !self.exchange.is_under_way(),
        };
        match is_cause {
            true => std::mem::replace(&mut self.failure, echo),
            false => echo,
        }
    }

    fn lose(&mut self, error: Error) {
        self.failure = self.connection.lose(&mut self.exchange, error);
    }
}

impl<C: DerefMut<Target = SmtpConnection>> Drop for Run<'_, C> {
    /// Closes the connection if a transaction has not ended, because nobody would read its replies.
    fn drop(&mut self) {
        if self.exchange.is_under_way() {
            self.connection.wire.abort();
        }
        self.connection.settle(std::mem::take(&mut self.exchange));
    }
}
