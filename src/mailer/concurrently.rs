//! [`Concurrently`]: many messages over several connections at a time.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::iter::{self, Enumerate};
use std::marker::PhantomData;
use std::mem;
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::connection::cargo::Consignment;
use crate::error::Result;
use crate::mailer::Mailer;
use crate::mailer::book::{Left, Taken};
use crate::outcome::Outcome;

/// Most results that wait to be looked at.
const MOST_RESULTS: usize = 256;
/// How many messages are on one connection at a time, depending on how many there are: no connection
/// may take all of them while the others have nothing to do.
const FEWEST_UNDER_WAY: usize = 8;
const MOST_UNDER_WAY: usize = 256;

/// Many messages to send over several connections at a time, made by
/// [`SendAll::concurrency`](crate::mailer::SendAll::concurrency).
///
/// ```
/// use smtplib::{Mailer, Message};
///
/// let (mailer, outbox) = Mailer::outbox();
/// let message = Message::builder().from("news@example.com").to("ann@example.org").build()?;
/// let messages = vec![message; 10];
///
/// let all = mailer.send_all(&messages).concurrency(4); // sends nothing yet
/// all.for_each(|place, result| assert!(result.is_ok(), "message {place}"));
/// assert_eq!(outbox.len(), 10);
/// # Ok::<(), smtplib::error::MessageError>(())
/// ```
#[derive(Debug)]
#[must_use = "nothing is sent before for_each"]
pub struct Concurrently<'a, I> {
    mailer: Mailer,
    messages: I,
    threads: usize,
    /// The most messages on a connection at a time.
    most: usize,
    lifetime: PhantomData<&'a ()>,
}

impl<'a, I> Concurrently<'a, I> {
    pub(crate) fn new(mailer: Mailer, messages: I, threads: usize, most: usize) -> Self {
        let connections = mailer.pool.options.connections;
        Self {
            threads: threads.clamp(1, connections),
            mailer,
            messages,
            most,
            lifetime: PhantomData,
        }
    }
}

impl<'a, I> Concurrently<'a, I>
where
    I: Iterator + Send,
    I::Item: Into<Consignment<'a>>,
{
    /// Sends all messages, and calls this function with the position of each message and its
    /// result.
    ///
    /// Positions count from 0, and results come as soon as they are known. The function runs on the
    /// calling thread, once for each message. If the server allows fewer connections, those that it
    /// allows send everything. If the system has no thread left, the calling thread sends. All threads
    /// have ended when this returns. The list must not wait for the results of earlier messages.
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
        let share = (fewest / threads).clamp(FEWEST_UNDER_WAY, MOST_UNDER_WAY);
        let most = share.min(self.most);
        let mailer = &self.mailer;
        let crew = Crew::new(self.messages);
        let (results, received) = mpsc::sync_channel(MOST_RESULTS);
        let started = thread::scope(|scope| {
            let crew = &crew;
            // Locked, so that nobody gives messages back to a thread that cannot be started.
            let mut team = crew.team();
            for results in iter::repeat_n(results, threads) {
                let work = move || crew.work(mailer, most, &results);
                if thread::Builder::new().spawn_scoped(scope, work).is_err() {
                    break;
                }
                team.at_work += 1;
            }
            let started = team.at_work;
            drop(team);
            for (place, result) in received {
                take(place, result);
            }
            started
        });
        if started == 0 {
            let messages = crew.into_messages();
            let sent = mailer.send_all(messages).one_by_one(most == 1);
            sent.enumerate()
                .for_each(|(place, result)| take(place, result));
        }
    }
}

type Results = SyncSender<(usize, Result<Outcome>)>;

/// Threads that share a list of messages.
struct Crew<'a, I> {
    /// Locked while the caller's iterator runs, which may wait for a message.
    rest: Mutex<Enumerate<I>>,
    team: Mutex<Team<'a>>,
}

struct Team<'a> {
    /// What a thread without a connection has given back, each with its place.
    returned: Vec<(usize, Left<'a>)>,
    /// How many threads are at work. The last of them does all that is left.
    at_work: usize,
}

/// What one thread takes from the list, and the places of that.
struct Share<'c, 'a, I> {
    crew: &'c Crew<'a, I>,
    places: &'c RefCell<VecDeque<usize>>,
}

impl<'a, I> Iterator for Share<'_, 'a, I>
where
    I: Iterator,
    I::Item: Into<Consignment<'a>>,
{
    type Item = I::Item;

    fn next(&mut self) -> Option<I::Item> {
        let rest = self.crew.rest.lock();
        let (place, message) = rest.unwrap_or_else(PoisonError::into_inner).next()?;
        self.places.borrow_mut().push_back(place);
        Some(message)
    }

    /// Promises nothing while another thread has the list, because it may wait for a message.
    fn size_hint(&self) -> (usize, Option<usize>) {
        let rest = self.crew.rest.try_lock();
        let least = rest.map_or(0, |rest| rest.size_hint().0.min(1));
        (least, None)
    }
}

impl<'a, I> Crew<'a, I>
where
    I: Iterator,
    I::Item: Into<Consignment<'a>>,
{
    fn new(messages: I) -> Self {
        Self {
            rest: Mutex::new(messages.enumerate()),
            team: Mutex::new(Team {
                returned: Vec::new(),
                at_work: 0,
            }),
        }
    }

    fn into_messages(self) -> impl Iterator<Item = I::Item> {
        let rest = self.rest.into_inner();
        let rest = rest.unwrap_or_else(PoisonError::into_inner);
        rest.map(|(_, message)| message)
    }

    /// What one thread does.
    fn work(&self, mailer: &Mailer, most: usize, results: &Results) {
        let places = RefCell::new(VecDeque::new());
        let share = Share {
            crew: self,
            places: &places,
        };
        let mut sent = mailer.send_all(share).one_of_many(most);
        loop {
            let left = match (sent.next(), sent.take_failure()) {
                (Some(result), _) => {
                    let place = places.borrow_mut().pop_front();
                    if place.is_none_or(|place| results.send((place, result)).is_err()) {
                        // Nobody listens any more: the caller's function has panicked.
                        return;
                    }
                    // The list may have no end, so this is not left for it.
                    Some(self.take_returned())
                }
                (None, Some(error)) if self.is_one_left() => {
                    sent.fail(error);
                    continue;
                }
                (None, Some(_)) => {
                    self.give_back(places.take().into_iter().zip(sent.hand_over()), results)
                }
                (None, None) => self.leave(),
            };
            let Some(left) = left else { return };
            for (place, message) in left {
                places.borrow_mut().push_back(place);
                sent.take_over(message);
            }
        }
    }

    fn take_returned(&self) -> Vec<(usize, Left<'a>)> {
        mem::take(&mut self.team().returned)
    }

    /// The end of a thread that finds nothing to do, unless there is something after all.
    fn leave(&self) -> Option<Vec<(usize, Left<'a>)>> {
        let mut team = self.team();
        if team.returned.is_empty() {
            team.at_work -= 1;
            return None;
        }
        Some(mem::take(&mut team.returned))
    }

    /// The end of a thread that has no connection, unless it has become the last meanwhile.
    fn give_back(
        &self,
        taken: impl Iterator<Item = (usize, Taken<'a>)>,
        results: &Results,
    ) -> Option<Vec<(usize, Left<'a>)>> {
        let mut left = Vec::new();
        for (place, taken) in taken {
            match taken {
                // Whether anybody listens shows with the next.
                Taken::Done(result) => drop(results.send((place, result))),
                Taken::Open(message) => left.push((place, message)),
            }
        }
        let mut team = self.team();
        if team.at_work == 1 {
            return Some(left);
        }
        team.at_work -= 1;
        team.returned.append(&mut left);
        None
    }

    fn is_one_left(&self) -> bool {
        self.team().at_work == 1
    }

    fn team(&self) -> MutexGuard<'_, Team<'a>> {
        self.team.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
