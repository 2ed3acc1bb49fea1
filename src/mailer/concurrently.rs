//! [`Concurrently`]: many messages over several connections at a time.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::iter::{self, Enumerate};
use std::marker::PhantomData;
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::connection::cargo::Consignment;
use crate::error::Result;
use crate::mailer::Mailer;
use crate::mailer::lease::Lease;
use crate::outcome::Outcome;

/// Most results that wait to be looked at.
const MOST_RESULTS: usize = 256;
/// How many messages are on one connection at a time, depending on how many there are: no connection
/// may take all of them while the others have nothing to do.
const FEWEST_UNDER_WAY: usize = 8;
const MOST_UNDER_WAY: usize = 256;

/// Many messages over several connections at a time; made by
/// [`MailerSendAll::concurrency`](crate::MailerSendAll::concurrency).
#[derive(Debug)]
#[must_use = "nothing is sent before for_each"]
pub struct Concurrently<'a, I> {
    mailer: Mailer,
    messages: I,
    threads: usize,
    lifetime: PhantomData<&'a ()>,
}

impl<'a, I> Concurrently<'a, I> {
    pub(crate) fn new(mailer: Mailer, messages: I, threads: usize) -> Self {
        let most = mailer.pool.options.connections;
        Self {
            threads: threads.clamp(1, most),
            mailer,
            messages,
            lifetime: PhantomData,
        }
    }
}

impl<'a, I> Concurrently<'a, I>
where
    I: Iterator + Send,
    I::Item: Into<Consignment<'a>>,
{
    /// Sends all messages, and calls this function on the calling thread with each result as it
    /// comes, and with the place of the message, which begins at 0.
    ///
    /// Each message has exactly one result. The other threads have ended when this returns.
    ///
    /// ```no_run
    /// use smtplib::{Mailer, Message};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let messages: Vec<Message> = Vec::new();
    /// let mailer = Mailer::from_env("SMTP_URL")?.connections(8);
    /// mailer.send_all(&messages).concurrency(8).for_each(|place, result| {
    ///     if let Err(error) = result {
    ///         eprintln!("message {place}: {error}");
    ///     }
    /// });
    /// # Ok(())
    /// # }
    /// ```
    pub fn for_each(self, mut take: impl FnMut(usize, Result<Outcome>)) {
        let (fewest, most) = self.messages.size_hint();
        let threads = self.threads.min(most.unwrap_or(usize::MAX)).max(1);
        let most = (fewest / threads).clamp(FEWEST_UNDER_WAY, MOST_UNDER_WAY);
        let mailer = &self.mailer;
        let feed = &Mutex::new(self.messages.enumerate());
        let (results, received) = mpsc::sync_channel(MOST_RESULTS);
        thread::scope(|scope| {
            for results in iter::repeat_n(results.clone(), threads - 1) {
                scope.spawn(move || {
                    // Without a connection there is nothing to help with.
                    if let Ok(lease) = mailer.pool.fit_lease() {
                        send_share(mailer, feed, Some(lease), most, &results);
                    }
                });
            }
            scope.spawn(move || send_share(mailer, feed, None, most, &results));
            for (place, result) in received {
                take(place, result);
            }
        });
    }
}

/// Sends messages for as long as there are any.
fn send_share<'a, I>(
    mailer: &Mailer,
    feed: &Mutex<Enumerate<I>>,
    lease: Option<Lease>,
    most: usize,
    results: &SyncSender<(usize, Result<Outcome>)>,
) where
    I: Iterator,
    I::Item: Into<Consignment<'a>>,
{
    let places = RefCell::new(VecDeque::new());
    let next = || {
        let mut feed = feed.lock().unwrap_or_else(PoisonError::into_inner);
        let (place, message) = feed.next()?;
        places.borrow_mut().push_back(place);
        Some(message)
    };
    let mut sent = mailer.send_all(iter::from_fn(next)).at_most(most);
    if let Some(lease) = lease {
        sent = sent.over(lease);
    }
    for result in sent {
        let Some(place) = places.borrow_mut().pop_front() else {
            return;
        };
        // Nobody listens any more if the caller's function has panicked.
        if results.send((place, result)).is_err() {
            return;
        }
    }
}
