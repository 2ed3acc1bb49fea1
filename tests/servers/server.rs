//! A server as a process that ends with its value, and never outlives the tests.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use std::{fs, io};

use smtplib::{Config, Credentials};
use tempfile::TempDir;

use crate::ca::{Leaf, TestCa};

/// How long a server on this machine may take for a step, so that a test ends that waits in vain.
pub(crate) const BUDGET: Duration = Duration::from_secs(30);

/// A running server. Both scripts stop theirs when their input ends, so it also stops when this
/// process is killed; dropping the value closes the input and waits.
pub(crate) struct Server(Child);

impl Server {
    /// Runs a script that prints `ready` once its server answers, and returns what follows the word.
    pub(crate) fn start(command: &mut Command) -> (Self, String) {
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
        let mut line = String::new();
        let output = process.stdout.take().expect("a pipe");
        let server = Self(process);
        BufReader::new(output)
            .read_line(&mut line)
            .expect("one line from the server's script");
        match line.strip_prefix("ready") {
            Some(rest) => (server, rest.trim().to_owned()),
            None => panic!("{command:?} did not start its server; its own words stand above"),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// One server for all tests that run at the moment: started by the first that asks for it and
/// stopped when the last lets go, in a panic too, which a plain `static` would not be.
pub(crate) struct Shared<T>(Mutex<Weak<T>>);

impl<T> Shared<T> {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(Weak::new()))
    }

    pub(crate) fn get(&self, start: impl FnOnce() -> T) -> Arc<T> {
        // A start that failed has failed its own test; the next one tries again.
        let mut current = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        current.upgrade().unwrap_or_else(|| {
            let server = Arc::new(start());
            *current = Arc::downgrade(&server);
            server
        })
    }
}

/// A new directory with what both scripts expect in it: the server's certificate and its key.
pub(crate) fn new_directory() -> io::Result<TempDir> {
    let directory = TempDir::with_prefix("smtplib-servers-")?;
    let pem = TestCa::get().leaf(Leaf::Good);
    fs::write(directory.path().join("certificate.pem"), &pem.certificate)?;
    fs::write(directory.path().join("key.pem"), &pem.key)?;
    Ok(directory)
}

/// How a client reaches a server with that certificate.
pub(crate) fn config(port: u16) -> Config {
    let config = Config::new("localhost").port(port).timeout(BUDGET);
    let authority = TestCa::get().root_pem().as_bytes();
    config
        .root_certificates(authority)
        .expect("one certificate in PEM")
}

/// The user whom both servers know.
pub(crate) fn alice() -> Credentials {
    Credentials::password("alice@example.test", "wonderland")
}
