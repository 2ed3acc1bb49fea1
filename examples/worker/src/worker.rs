//! [`Worker`]: threads that send the queue's jobs through one `Mailer`.

use std::collections::BTreeSet;
use std::env;
use std::error::Error;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

use redis::Client;
use smtplib::{Mailer, Outcome};

use crate::job::{Job, Verdict, is_about_the_job};
use crate::queue::Queue;

/// How often a worker says that it is alive; a lease is several times as long.
const PULSE: Duration = Duration::from_secs(1);

/// The longest pause before a server that cannot be reached is tried again, in pulses.
const LONGEST_PAUSE: u32 = 60;

/// Threads that send the queue's jobs through one `Mailer`.
pub(crate) struct Worker {
    client: Client,
    mailer: Mailer,
    name: String,
    threads: usize,
    lease: Duration,
    first_pause: Duration,
    /// The jobs that the threads are working on.
    held: Mutex<BTreeSet<String>>,
    is_stopping: AtomicBool,
}

impl Worker {
    /// A worker with a new name, configured by environment variables.
    pub(crate) fn join(client: Client) -> Result<Self, Box<dyn Error>> {
        let threads = usize::try_from(number("WORKER_THREADS", 4)?)?.max(1);
        let lease = Duration::from_secs(number("WORKER_LEASE", 30)?).max(3 * PULSE);
        Ok(Self {
            mailer: Mailer::from_env("SMTP_URL")?.connections(threads),
            name: Queue::new(client.clone()).join(lease),
            threads,
            lease,
            first_pause: Duration::from_secs(number("WORKER_PAUSE", 2)?),
            held: Mutex::default(),
            is_stopping: AtomicBool::new(false),
            client,
        })
    }

    /// Works until it is asked to stop.
    pub(crate) fn run(&self) {
        let mut queue = Queue::new(self.client.clone());
        let stops = queue.renew(&self.name, &[]);
        thread::scope(|scope| {
            let threads = (0..self.threads).map(|_| scope.spawn(|| self.send_jobs()));
            let threads: Vec<_> = threads.collect();
            while !threads.iter().all(ScopedJoinHandle::is_finished) {
                thread::sleep(PULSE);
                let held: Vec<String> = lock(&self.held).iter().cloned().collect();
                if queue.renew(&self.name, &held) != stops {
                    self.is_stopping.store(true, Ordering::Relaxed);
                }
            }
        });
        self.mailer.close();
    }

    fn send_jobs(&self) {
        let mut queue = Queue::new(self.client.clone());
        while !self.is_stopping() {
            let Some(job) = queue.take(&self.name, self.lease) else {
                continue;
            };
            let hand = Hand::new(&job.id, &self.held);
            let is_server_well = self.work_on(&job, &mut queue);
            drop(hand);
            if !is_server_well {
                self.wait_for_server();
            }
        }
    }

    /// Works on a job; false if the server fails in a way that the next job would meet, too.
    fn work_on(&self, job: &Job, queue: &mut Queue) -> bool {
        if let Some(verdict) = job.unfit().or_else(|| job.orphaned()) {
            self.settle(job, &verdict, queue);
            return true;
        }
        if !queue.begin(&self.name, job) {
            return true;
        }
        let result = self.mailer.sendmail(&job.from, &job.to, &job.data);
        self.settle(job, &job.judge(&result), queue);
        report(job, &result);
        result.as_ref().err().is_none_or(is_about_the_job)
    }

    fn settle(&self, job: &Job, verdict: &Verdict, queue: &mut Queue) {
        if !queue.settle(&self.name, job, verdict, self.first_pause) {
            eprintln!("{}: settled before, or claimed by another worker", job.id);
        }
    }

    /// Waits until a connection works, so that no jobs are tried while the server is down or the
    /// password wrong.
    fn wait_for_server(&self) {
        let mut pause = 1;
        while let Err(error) = self.mailer.check() {
            eprintln!("{}: {error}", self.name);
            for _ in 0..pause {
                if self.is_stopping() {
                    return;
                }
                thread::sleep(PULSE);
            }
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Relaxed)
    }
}

/// A job at work. Its lease is renewed until this is dropped, even by a panic.
struct Hand<'a> {
    id: &'a str,
    held: &'a Mutex<BTreeSet<String>>,
}

impl<'a> Hand<'a> {
    fn new(id: &'a str, held: &'a Mutex<BTreeSet<String>>) -> Self {
        lock(held).insert(id.to_owned());
        Self { id, held }
    }
}

impl Drop for Hand<'_> {
    fn drop(&mut self) {
        lock(self.held).remove(self.id);
    }
}

fn lock(held: &Mutex<BTreeSet<String>>) -> MutexGuard<'_, BTreeSet<String>> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

fn report(job: &Job, result: &Result<Outcome, smtplib::Error>) {
    match result {
        Ok(outcome) => outcome
            .recipients()
            .iter()
            .for_each(|recipient| println!("{}: {recipient}", job.id)),
        Err(error) => eprintln!("{}: {error}", job.id),
    }
}

fn number(variable: &str, default: u64) -> Result<u64, String> {
    let Ok(text) = env::var(variable) else {
        return Ok(default);
    };
    text.parse()
        .map_err(|_| format!("{variable} is not a number"))
}
