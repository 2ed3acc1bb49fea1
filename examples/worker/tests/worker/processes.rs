//! A Redis that the test starts, and workers: processes that end with the thread that starts them.

use crate::program::{PATH, Program};
use redis::{Client, Connection, FromRedisValue};
use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer than every step here takes on a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// After this long without a sign of life a worker counts as dead. This is the shortest time that
/// the example allows.
pub(super) const LEASE: Duration = Duration::from_secs(3);

/// A Redis that keeps nothing on disk.
pub(super) struct Redis {
    directory: TempDir,
    process: Child,
}

/// A job that was set aside, field by field.
pub(super) type Aside = HashMap<String, String>;

impl Redis {
    pub(super) fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let process = serve(directory.path());
        Self { directory, process }
    }

    /// Kills it and starts it again, empty.
    pub(super) fn restart(&mut self) {
        end(&mut self.process);
        self.process = serve(self.directory.path());
    }

    pub(super) fn url(&self) -> String {
        url(self.directory.path())
    }

    pub(super) fn ask<T: FromRedisValue>(&self, words: &[&str]) -> T {
        let mut connection = connect(&self.url()).unwrap();
        let [name, arguments @ ..] = words else {
            panic!("no command");
        };
        let mut command = redis::cmd(name);
        command.arg(arguments).query(&mut connection).unwrap()
    }

    /// Adds a job, and returns its id.
    pub(super) fn put(&self, to: &str, data: &str, again: &str) -> String {
        let from = "news@example.com";
        self.ask(&[
            "XADD", "mail", "*", "from", from, "to", to, "data", data, "again", again,
        ])
    }

    /// The jobs that were set aside in a stream.
    pub(super) fn set_aside(&self, stream: &str) -> Vec<Aside> {
        let entries: Vec<(String, Aside)> = self.ask(&["XRANGE", stream, "-", "+"]);
        entries.into_iter().map(|(_, entry)| entry).collect()
    }

    /// Waits until the queue is empty, and asserts that nothing is left over.
    pub(super) fn wait_until_empty(&self) {
        wait_for(|| self.ask::<u64>(&["XLEN", "mail"]) == 0);
        let pending: Vec<redis::Value> = self.ask(&["XPENDING", "mail", "senders", "-", "+", "9"]);
        assert!(pending.is_empty(), "{pending:?}");
        assert_eq!(self.ask::<u64>(&["ZCARD", "mail:later"]), 0);
        let known: Vec<String> = self.ask(&["KEYS", "mail:job:*"]);
        assert!(known.is_empty(), "{known:?}");
    }

    /// The example, for this Redis.
    pub(super) fn program(&self) -> Program {
        Program::new().env("REDIS_URL", self.url())
    }

    /// Starts a worker.
    pub(super) fn worker(&self, server: &str) -> Worker {
        let log = File::options()
            .append(true)
            .create(true)
            .open(self.log())
            .unwrap();
        let process = bound(Path::new(PATH))
            .env("REDIS_URL", self.url())
            .env("SMTP_URL", format!("smtp://{server}?tls=none"))
            .env("WORKER_LEASE", LEASE.as_secs().to_string())
            .env("WORKER_THREADS", THREADS.to_string())
            .env("WORKER_PAUSE", "1")
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Worker { process }
    }

    /// The output of all workers.
    pub(super) fn said(&self) -> String {
        fs::read_to_string(self.log()).unwrap_or_default()
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("log")
    }
}

/// How many messages a worker sends at a time.
pub(super) const THREADS: usize = 2;

impl Drop for Redis {
    fn drop(&mut self) {
        end(&mut self.process);
        if thread::panicking() {
            println!("{}", self.said());
        }
    }
}

/// A worker that runs.
pub(super) struct Worker {
    process: Child,
}

impl Worker {
    /// SIGKILL.
    pub(super) fn kill(mut self) {
        end(&mut self.process);
    }

    /// Sends a signal by its name.
    pub(super) fn signal(&self, name: &str) {
        // Not every system has a program `kill`; every shell has the command.
        let mut kill = Command::new("sh");
        let id = self.process.id().to_string();
        kill.args(["-c", "kill -s \"$1\" \"$2\"", "sh", name, &id]);
        assert!(kill.status().unwrap().success());
    }

    /// Waits until the worker has ended.
    pub(super) fn wait(mut self) -> ExitStatus {
        wait_for(|| self.process.try_wait().unwrap().is_some());
        self.process.wait().unwrap()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        end(&mut self.process);
    }
}

pub(super) fn wait_for(mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain");
        thread::sleep(Duration::from_millis(10));
    }
}

fn serve(directory: &Path) -> Child {
    let mut command = bound(Path::new("redis-server"));
    command.args(["--port", "0", "--unixsocket", "redis"]);
    command.args(["--save", "", "--appendonly", "no", "--dir"]);
    let log = File::create(directory.join("redis.log")).unwrap();
    let process = command.arg(directory).stdout(log).spawn().unwrap();
    wait_for(|| connect(&url(directory)).is_ok());
    process
}

fn url(directory: &Path) -> String {
    format!("redis+unix://{}/redis", directory.display())
}

fn connect(url: &str) -> redis::RedisResult<Connection> {
    Client::open(url)?.get_connection()
}

/// A program that the system kills when this thread ends.
fn bound(program: &Path) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).arg(program);
    command.stdin(Stdio::null());
    command
}

fn end(process: &mut Child) {
    let _ = process.kill();
    let _ = process.wait();
}
