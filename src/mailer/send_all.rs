//! [`SendAll`]: many messages, over as many connections as they need.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::connection::cargo::Consignment;
use crate::connection::rest::Rest;
use crate::connection::run::{Progress, Run};
use crate::error::{Error, Result};
use crate::mailer::Mailer;
use crate::mailer::attempts::Attempts;
use crate::mailer::book::{Book, Left, Taken};
use crate::mailer::concurrently::Concurrently;
use crate::mailer::lease::{LONGEST_HOLD, Lease, wait_until};
use crate::mailer::pool::Pool;
use crate::outcome::Outcome;
use crate::reply::Code;

/// How long to wait before looking for a reply again, while a message waits for its turn.
const GLANCE: Duration = Duration::from_millis(5);
/// The most messages that have no result, or a result that is not returned yet.
const MOST_WAITING: usize = 8192;

impl Mailer {
    /// Sends many messages, and returns an iterator over their results in the same order.
    ///
    /// The messages go over one connection. If the server allows it, the next one is sent without
    /// waiting for the reply to the one before, as in
    /// [`SmtpConnection::send_all`](crate::SmtpConnection::send_all). Messages are taken from the
    /// iterator when there is room for them. If it does not promise another message
    /// ([`Iterator::size_hint`]), it may wait for it: everything before it is sent first. Nothing is
    /// sent until you ask for the first result.
    ///
    /// When a connection is lost, too old, or has sent
    /// [`messages_per_connection`](Self::messages_per_connection), the messages that were certainly
    /// not delivered go over a new one. A message that loses its connection twice fails, since it may
    /// be the cause. A message that may have been delivered is never sent again: see
    /// [`Error::delivery`](crate::Error::delivery).
    ///
    /// [`rate`](Self::rate) applies, and sending pauses when the server says that messages come too
    /// fast. With [`retry`](Self::retry), the other messages are sent while one waits for its next
    /// attempt.
    ///
    /// ```no_run
    /// use smtplib::{Mailer, Message};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mailer = Mailer::from_env("SMTP_URL")?;
    /// let readers = ["ann@example.org", "bob@example.org"];
    /// let messages = readers.map(|reader| {
    ///     Message::builder().from("news@example.com").to(reader).subject("News").text("Hi!\n").build()
    /// });
    /// let messages = messages.into_iter().collect::<Result<Vec<_>, _>>()?;
    ///
    /// for (reader, result) in readers.iter().zip(mailer.send_all(&messages)) {
    ///     match result {
    ///         Ok(_) => println!("{reader}: sent"),
    ///         Err(error) => eprintln!("{reader}: {error}"),
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn send_all<'a, I>(&self, messages: I) -> SendAll<'a, I::IntoIter>
    where
        I: IntoIterator,
        I::Item: Into<Consignment<'a>>,
    {
        SendAll {
            pool: Arc::clone(&self.pool),
            rest: Rest::new(messages.into_iter()),
            is_exhausted: false,
            run: None,
            book: Book::default(),
            chosen: None,
            silent_since: None,
            most: MOST_WAITING,
            is_one_of_many: false,
            failure: None,
        }
    }
}

/// The results of [`Mailer::send_all`], one for each message, in the same order.
///
/// If you drop it early, it closes the connection unless every message that it took has a result.
///
/// ```no_run
/// use smtplib::{Mailer, Message};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let messages: Vec<Message> = Vec::new();
/// let mailer = Mailer::from_env("SMTP_URL")?;
/// let sent = mailer.send_all(&messages).filter(|result| result.is_ok()).count();
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing is sent until you ask for a result"]
pub struct SendAll<'a, I> {
    pool: Arc<Pool>,
    rest: Rest<I>,
    is_exhausted: bool,
    run: Option<Run<'a, Lease>>,
    book: Book<'a>,
    chosen: Option<Chosen>,
    /// Since when a reply is due, while messages wait for their turns.
    silent_since: Option<Instant>,
    /// The most messages on the connection at a time.
    most: usize,
    /// Other threads take messages from the same list. So it may get more after it was empty.
    is_one_of_many: bool,
    /// Why no connection could be opened, if this is one of many.
    failure: Option<Error>,
}

/// The next message.
#[derive(Clone, Copy, Debug)]
struct Chosen {
    number: u64,
    /// When it may be sent.
    turn: Instant,
}

impl<'a, I> SendAll<'a, I> {
    /// Uses up to this many connections at a time, each on its own thread.
    ///
    /// Results then come as soon as they are known, each with its position in the list. There are
    /// never more connections than [`Mailer::connections`] allows. Call this before you ask for the
    /// first result.
    pub fn concurrency(self, threads: usize) -> Concurrently<'a, I> {
        Concurrently::new(
            Mailer { pool: self.pool },
            self.rest.messages,
            threads,
            self.most,
        )
    }

    /// If true, waits for the result of each message before the next is sent over the same
    /// connection; false by default.
    ///
    /// Use it for servers that fail when a command directly follows a message. It costs one or two
    /// round trips for each message. Call it before [`concurrency`](Self::concurrency).
    pub fn one_by_one(mut self, yes: bool) -> Self {
        self.most = if yes { 1 } else { MOST_WAITING };
        self
    }

    /// Returns the messages that were not taken from the iterator.
    ///
    /// The connection is closed if a message that was taken has no result yet.
    pub fn into_rest(self) -> I {
        self.rest.messages
    }

    /// Makes it one of many that take messages from the same list, with at most `most` on its
    /// connection.
    ///
    /// If no connection can be opened, it ends, and [`take_failure`](Self::take_failure) returns
    /// why.
    pub(crate) fn one_of_many(mut self, most: usize) -> Self {
        self.is_one_of_many = true;
        self.most = most;
        self
    }

    pub(crate) fn take_failure(&mut self) -> Option<Error> {
        self.failure.take()
    }

    /// Takes out every message that was taken and has not returned its result.
    pub(crate) fn hand_over(&mut self) -> impl Iterator<Item = Taken<'a>> + use<'a, I> {
        self.chosen = None;
        self.book.hand_over()
    }

    /// Adds a message that another one of the many had taken.
    pub(crate) fn take_over(&mut self, left: Left<'a>) {
        self.book.take_over(left, Instant::now());
    }

    /// Ends the attempt of the next message with this error.
    pub(crate) fn fail(&mut self, error: Error) {
        if let Some(Chosen { number, .. }) = self.chosen.take() {
            let now = Instant::now();
            let retry = self.pool.options.retry.as_ref();
            let pause = self.book.note(number, Err(error), retry, now);
            self.pool.note_again(pause);
        }
    }
}

impl<'a, I> SendAll<'a, I>
where
    I: Iterator,
    I::Item: Into<Consignment<'a>>,
{
    /// Does one step. Returns false at the end.
    fn advance(&mut self) -> bool {
        let Some(run) = &mut self.run else {
            return self.open();
        };
        match run.advance() {
            Progress::Result(result) => self.settle(result),
            Progress::Room if self.has_room() => self.feed(),
            Progress::Room | Progress::Done => self.drain(),
        }
        true
    }

    /// Takes a result from the connection.
    fn settle(&mut self, result: Result<Outcome>) {
        let now = Instant::now();
        let is_farewell = |error: &Error| error.code() == Some(Code::SERVICE_CLOSING);
        let is_first = self
            .run
            .as_ref()
            .is_some_and(|run| run.connection.transactions() <= 1);
        if is_first && result.as_ref().is_err_and(is_farewell) {
            // The server said goodbye to the first message of this connection.
            self.pool.pace.slow_down(now);
        }
        self.pool.pace.learn(&result, now);
        let retry = self.pool.options.retry.as_ref();
        let pause = self.book.settle(result, retry, now);
        self.pool.note_again(pause);
        self.arm();
    }

    /// Starts the deadline of a result.
    fn arm(&mut self) {
        if let Some(run) = &mut self.run {
            run.arm();
        }
    }

    /// Gets a connection for the next message.
    fn open(&mut self) -> bool {
        let Some(chosen) = self.choose() else {
            return self.wait_for_due();
        };
        wait_until(chosen.turn);
        if let Some(turn) = self.pool.pace.pause_at(Instant::now()) {
            self.chosen = Some(Chosen { turn, ..chosen });
            return true;
        }
        // Other kept connections to the same server are probably lost, too.
        let lease = match self.book.has_lost() {
            true => self.pool.new_lease(),
            false => self.pool.fit_lease(),
        };
        match lease {
            Ok(lease) => {
                self.book.begin_connection();
                self.run = Some(Run::new(lease, true));
                // Opening the connection had a deadline of its own.
                self.arm();
            }
            Err(error) => {
                self.learn_of(&error);
                if self.is_one_of_many {
                    self.failure = Some(error);
                    return false;
                }
                self.fail(error);
            }
        }
        true
    }

    /// A server that refuses connections with a transient error has too many of them.
    fn learn_of(&self, error: &Error) {
        let is_refusal = error.reply().is_some() && error.is_transient();
        if is_refusal {
            self.pool.pace.slow_down(Instant::now());
        }
    }

    /// Waits for a message that is to be sent again. Returns false if there is none.
    fn wait_for_due(&mut self) -> bool {
        self.book.next_due().map(wait_until).is_some()
    }

    /// Whether the connection takes another message now.
    fn has_room(&self) -> bool {
        let run = self.run.as_ref();
        self.book.under_way() < self.most
            && run.is_some_and(|run| run.is_open() && !run.connection.is_worn())
    }

    /// Sends the next message if it is its turn. If not, reads a reply or waits.
    fn feed(&mut self) {
        if self.rest.may_wait() && !self.run.as_mut().is_some_and(Run::flush) {
            return;
        }
        let Some(Chosen { number, .. }) = self.choose() else {
            return self.drain();
        };
        if !self.has_room() {
            // While a message was waited for, the connection has ended or become too old.
            return;
        }
        let wait = self.claim();
        if !wait.is_zero() {
            return self.pass(wait);
        }
        self.chosen = None;
        if let (Some(run), Some(message)) = (&mut self.run, self.book.begin(number)) {
            run.push(message, None);
        }
    }

    /// Uses some of the time before the next message has its turn, if there is a reply to read.
    fn pass(&mut self, wait: Duration) {
        if wait > LONGEST_HOLD {
            // Others may need the connection meanwhile.
            return self.drain();
        }
        let Some(run) = &mut self.run else { return };
        if !run.flush() || run.hear() {
            self.silent_since = None;
            return;
        }
        if !run.is_reply_due() {
            self.silent_since = None;
            thread::sleep(wait);
            run.arm();
            return run.check_idle();
        }
        // A reply that is a little late must not make the message late, too. Later, its own limit counts.
        let since = *self.silent_since.get_or_insert_with(Instant::now);
        if since.elapsed() > LONGEST_HOLD {
            return self.drain();
        }
        thread::sleep(wait.min(GLANCE));
        self.arm();
    }

    /// Reads a reply, or gives the connection back if none is due.
    fn drain(&mut self) {
        self.silent_since = None;
        if !self.run.as_mut().is_some_and(Run::wait) {
            self.run = None;
        }
    }

    /// The next message, and when it may be sent.
    fn choose(&mut self) -> Option<Chosen> {
        if self.chosen.is_none() {
            let now = Instant::now();
            let number = self.book.take_due(now).or_else(|| self.take_next())?;
            self.chosen = Some(Chosen {
                number,
                turn: self.pool.pace.turn_of_many(Instant::now()),
            });
        }
        self.chosen
    }

    /// How long the next message still has to wait. If not at all, its turn is used.
    fn claim(&mut self) -> Duration {
        let (now, pace) = (Instant::now(), &self.pool.pace);
        let Some(chosen) = &mut self.chosen else {
            return Duration::ZERO;
        };
        if chosen.turn <= now {
            // The turn may have been missed, or a pause may have begun since.
            chosen.turn = pace.claim_of_many(chosen.turn, now);
        }
        chosen.turn.saturating_duration_since(now)
    }

    fn take_next(&mut self) -> Option<u64> {
        if self.is_exhausted || self.book.len() >= MOST_WAITING {
            return None;
        }
        let Some(message) = self.rest.next(self.run.as_mut()) else {
            self.is_exhausted = !self.is_one_of_many;
            return None;
        };
        let attempts = Attempts::new(message.into(), Instant::now());
        Some(self.book.add(Box::new(attempts)))
    }
}

impl<'a, I> Iterator for SendAll<'a, I>
where
    I: Iterator,
    I::Item: Into<Consignment<'a>>,
{
    type Item = Result<Outcome>;

    fn next(&mut self) -> Option<Result<Outcome>> {
        // What is known needs no connection.
        if let Some(result) = self.book.take_result() {
            return Some(result);
        }
        self.rest.enter(self.run.as_mut());
        let mut result = None;
        while result.is_none() && self.advance() {
            result = self.book.take_result();
        }
        self.rest.leave();
        result
    }
}
