//! [`Queue`]: jobs in Redis, as a worker sees them. A step of several commands is a script, which Redis
//! runs as a whole.

use std::thread;
use std::time::Duration;

use redis::{Client, Connection, RedisResult, Script};

use crate::job::{Fields, Job, Verdict};

pub(crate) const MAIL: &str = "mail";
pub(crate) const LATER: &str = "mail:later";
pub(crate) const REFUSED: &str = "mail:refused";
pub(crate) const UNKNOWN: &str = "mail:unknown";
pub(crate) const STOPS: &str = "mail:stops";
const WORKERS: &str = "mail:workers";
/// Followed by the job's id: what is known of earlier tries.
const KNOWN: &str = "mail:job:";

/// How long Redis may take to connect or to reply.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long to wait for a new job, in milliseconds: others may become due meanwhile.
const WAIT: u64 = 1000;

/// The first pause before Redis is asked again, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));

/// The queue for one thread of a worker. It connects again after failures.
pub(crate) struct Queue {
    client: Client,
    connection: Option<Connection>,
    scripts: Scripts,
}

struct Scripts {
    join: Script,
    take: Script,
    begin: Script,
    renew: Script,
    settle: Script,
}

impl Queue {
    pub(crate) fn new(client: Client) -> Self {
        let scripts = Scripts {
            join: Script::new(include_str!("join.lua")),
            take: Script::new(include_str!("take.lua")),
            begin: Script::new(include_str!("begin.lua")),
            renew: Script::new(include_str!("renew.lua")),
            settle: Script::new(include_str!("settle.lua")),
        };
        Self {
            client,
            connection: None,
            scripts,
        }
    }

    /// Gives a new worker its name.
    pub(crate) fn join(&mut self, lease: Duration) -> String {
        self.ask(|scripts, connection| {
            let mut script = scripts.join.key(MAIL);
            script.key(WORKERS).arg(ms(lease)).invoke(connection)
        })
    }

    /// Takes a job: one that is due or orphaned, or else the next new one, for which it waits a
    /// little.
    ///
    /// If the reply is lost on its way, no worker has the job, and another worker claims it.
    pub(crate) fn take(&mut self, worker: &str, lease: Duration) -> Option<Job> {
        let claimed = self.ask(|scripts, connection| {
            let mut script = scripts.take.key(MAIL);
            script.key(LATER).arg(worker).arg(ms(lease)).arg(KNOWN);
            script.invoke::<Option<(String, Fields, Fields)>>(connection)
        });
        if let Some((id, entry, known)) = claimed {
            return Some(Job::new(id, entry, &known));
        }
        let read = self.ask(|_, connection| {
            let mut read = redis::cmd("XREADGROUP");
            read.arg("GROUP").arg("senders").arg(worker);
            read.arg("COUNT").arg(1).arg("BLOCK").arg(WAIT);
            read.arg("STREAMS").arg(MAIL).arg(">");
            read.query::<Option<[(String, [(String, Fields); 1]); 1]>>(connection)
        });
        let [(_, [(id, entry)])] = read?;
        Some(Job::new(id, entry, &Fields::new()))
    }

    /// Notes that a job is being sent; false if another worker has it by now.
    pub(crate) fn begin(&mut self, worker: &str, job: &Job) -> bool {
        self.ask(|scripts, connection| {
            let mut script = scripts.begin.key(MAIL);
            script.key(known(job)).arg(&job.id).arg(worker);
            script.invoke(connection)
        })
    }

    /// Does what a verdict says; false if another worker has the job by now.
    pub(crate) fn settle(
        &mut self,
        worker: &str,
        job: &Job,
        verdict: &Verdict,
        first: Duration,
    ) -> bool {
        self.ask(|scripts, connection| {
            let mut script = scripts.settle.key(MAIL);
            script.key(known(job)).key(LATER).key(REFUSED).key(UNKNOWN);
            script.arg(&job.id).arg(worker);
            for aside in [&verdict.refused, &verdict.unknown] {
                script.arg(aside.to.join("\n")).arg(aside.why.join("\n"));
            }
            script.arg(verdict.left.join("\n"));
            script.arg(job.tries + 1).arg(ms(job.pause(first)));
            script.invoke(connection)
        })
    }

    /// Says that a worker is at work on these jobs; returns how often the workers were asked to stop.
    pub(crate) fn renew(&mut self, worker: &str, jobs: &[String]) -> u64 {
        self.ask(|scripts, connection| {
            let mut script = scripts.renew.key(MAIL);
            script.key(STOPS).arg(worker).arg(jobs).invoke(connection)
        })
    }

    /// Asks until there is a reply. It is safe to ask each of these questions twice.
    fn ask<T>(&mut self, what: impl Fn(&Scripts, &mut Connection) -> RedisResult<T>) -> T {
        let (mut pause, longest) = PAUSES;
        loop {
            match self.ask_once(&what) {
                Ok(answer) => return answer,
                Err(error) => eprintln!("Redis: {error}"),
            }
            thread::sleep(pause);
            pause = longest.min(pause * 2);
        }
    }

    /// Keeps the connection if there was a reply.
    fn ask_once<T>(
        &mut self,
        what: impl Fn(&Scripts, &mut Connection) -> RedisResult<T>,
    ) -> RedisResult<T> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect(&self.client)?,
        };
        let answer = what(&self.scripts, &mut connection)?;
        self.connection = Some(connection);
        Ok(answer)
    }
}

/// Connects. A Redis that was restarted empty gets the group again.
fn connect(client: &Client) -> RedisResult<Connection> {
    let mut connection = client.get_connection_with_timeout(PATIENCE)?;
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.set_write_timeout(Some(PATIENCE))?;
    let mut create = redis::cmd("XGROUP");
    create
        .arg("CREATE")
        .arg(MAIL)
        .arg("senders")
        .arg(0)
        .arg("MKSTREAM");
    match create.query(&mut connection) {
        Err(error) if error.code() != Some("BUSYGROUP") => Err(error),
        Ok(()) | Err(_) => Ok(connection),
    }
}

fn known(job: &Job) -> String {
    format!("{KNOWN}{}", job.id)
}

fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
