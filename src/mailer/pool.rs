//! [`Pool`]: the connections that a mailer keeps, and who gets the next one.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::config::Config;
use crate::connection::SmtpConnection;
use crate::error::seconds::Seconds;
use crate::error::{Error, Result};
use crate::mailer::options::Options;
use crate::mailer::pace::Pace;

/// The connections that a mailer keeps, and who gets the next one.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) config: Config,
    pub(crate) options: Options,
    pub(crate) pace: Pace,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Connections without a message, the one that was used last at the end.
    idle: Vec<Kept>,
    /// How many tickets are in use.
    tickets: usize,
    /// The callers that wait for a ticket, the oldest first. Empty while a ticket is free.
    queue: VecDeque<Arc<Turn>>,
    /// How often all connections were closed. A connection from before that is not kept.
    era: u64,
}

/// A caller that waits for a ticket.
#[derive(Debug, Default)]
struct Turn {
    has_come: AtomicBool,
    bell: Condvar,
}

/// A connection that can be kept.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) connection: SmtpConnection,
    /// When it was opened.
    opened: Instant,
    /// When it was last used.
    pub(crate) used: Instant,
    era: u64,
}

/// The right to have a connection.
#[derive(Debug)]
pub(crate) struct Ticket(pub(crate) Arc<Pool>);

impl Pool {
    pub(crate) fn new(config: Config, options: Options) -> Self {
        Self {
            pace: Pace::new(options.interval),
            config,
            options,
            state: Mutex::default(),
        }
    }

    /// Waits for the right to have a connection, in the order of the calls.
    pub(crate) fn ticket(self: &Arc<Self>) -> Result<Ticket> {
        let begun = Instant::now();
        let mut state = self.lock();
        if state.tickets < self.options.connections {
            state.tickets += 1;
            return Ok(Ticket(Arc::clone(self)));
        }
        let turn = Arc::new(Turn::default());
        state.queue.push_back(Arc::clone(&turn));
        loop {
            let left = self.options.patience.saturating_sub(begun.elapsed());
            if left.is_zero() {
                state.queue.retain(|other| !Arc::ptr_eq(other, &turn));
                return Err(self.busy(begun));
            }
            state = match turn.bell.wait_timeout(state, left) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
            if turn.has_come.load(Ordering::Relaxed) {
                return Ok(Ticket(Arc::clone(self)));
            }
        }
    }

    fn busy(&self, begun: Instant) -> Error {
        Error::Busy {
            waited: begun.elapsed(),
            connections: self.options.connections,
        }
    }

    /// Gives a ticket back, or to the next caller in the queue.
    fn release(&self) {
        let mut state = self.lock();
        match state.queue.pop_front() {
            Some(turn) => {
                turn.has_come.store(true, Ordering::Relaxed);
                turn.bell.notify_one();
            }
            None => state.tickets -= 1,
        }
    }

    /// If a message is sent again after a pause, writes that to the trace.
    pub(crate) fn note_again(&self, pause: Option<Duration>) {
        if let Some(pause) = pause {
            let pause = Seconds(pause);
            self.config
                .trace
                .note(format_args!("the message is sent again in {pause} s"));
        }
    }

    /// Opens a connection.
    pub(crate) fn open(&self) -> Result<Kept> {
        let era = self.lock().era;
        let connection = self.config.connect()?;
        let now = Instant::now();
        Ok(Kept {
            connection,
            opened: now,
            used: now,
            era,
        })
    }

    /// Takes the connection that was used last, because it is the least likely to have gone stale.
    /// Those that are too old, or were idle too long, are closed.
    pub(crate) fn take(&self) -> Option<Kept> {
        let expired = self.take_expired();
        // QUIT is sent without the lock.
        drop(expired);
        self.lock().idle.pop()
    }

    /// Takes a connection back.
    pub(crate) fn keep(&self, mut kept: Kept) {
        kept.used = Instant::now();
        let mut state = self.lock();
        if kept.era == state.era {
            state.idle.push(kept);
        }
    }

    /// Takes out all kept connections. Those in use now will not be kept either.
    pub(crate) fn clear(&self) -> Vec<Kept> {
        let mut state = self.lock();
        state.era += 1;
        std::mem::take(&mut state.idle)
    }

    /// Closes all idle connections, so that with a new one there are not more than allowed.
    pub(crate) fn close_idle(&self) {
        let idle = std::mem::take(&mut self.lock().idle);
        // QUIT is sent without the lock.
        drop(idle);
    }

    fn take_expired(&self) -> Vec<Kept> {
        let now = Instant::now();
        let mut state = self.lock();
        let (fit, expired) = std::mem::take(&mut state.idle)
            .into_iter()
            .partition(|kept| self.is_fresh(kept, now));
        state.idle = fit;
        expired
    }

    fn is_fresh(&self, kept: &Kept, now: Instant) -> bool {
        let idle = now.saturating_duration_since(kept.used);
        idle < self.options.idle && !self.is_worn(kept, now)
    }

    /// Whether a connection is too old, or has sent as many messages as allowed.
    pub(crate) fn is_worn(&self, kept: &Kept, now: Instant) -> bool {
        let age = now.saturating_duration_since(kept.opened);
        age >= self.options.age || kept.connection.transactions() >= self.options.messages
    }

    /// How many connections are kept now.
    pub(crate) fn idle_count(&self) -> usize {
        self.lock().idle.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.release();
    }
}

impl Drop for Kept {
    /// Sends QUIT, and does not wait for the reply.
    fn drop(&mut self) {
        self.connection.leave_unheard();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::thread;

    // Permits are given in the order of the calls.
    #[test]
    fn tickets_go_round_in_order() {
        let options = Options {
            connections: 1,
            ..Options::default()
        };
        let pool = Arc::new(Pool::new(Config::new("mail.example.com"), options));
        let first = pool.ticket().unwrap();
        let (sender, order) = mpsc::channel();
        let threads: Vec<_> = (0..20)
            .map(|number| {
                let (pool, sender) = (Arc::clone(&pool), sender.clone());
                let other = Arc::clone(&pool);
                let thread = thread::spawn(move || {
                    let _ticket = pool.ticket().unwrap();
                    sender.send(number).unwrap();
                });
                while other.lock().queue.len() <= number {
                    thread::yield_now();
                }
                thread
            })
            .collect();
        drop(first);
        threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
        assert!(order.try_iter().eq(0..20));
        assert_eq!(pool.lock().tickets, 0);
    }

    #[test]
    fn whoever_gives_up_leaves_the_queue() {
        let options = Options {
            connections: 1,
            patience: Duration::from_millis(10),
            ..Options::default()
        };
        let pool = Arc::new(Pool::new(Config::new("mail.example.com"), options));
        let held = pool.ticket().unwrap();
        assert!(matches!(pool.ticket(), Err(Error::Busy { .. })));
        assert!(pool.lock().queue.is_empty());
        drop(held);
        assert!(pool.ticket().is_ok());
    }
}
