//! What the servers have in common: a script that runs them, a folder, a certificate, a user.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;
use std::{fs, io, process};

use smtplib::{Config, Credentials};
use tempfile::TempDir;

use crate::ca::{Leaf, TestCa};

/// How long a server on this machine may take for a step. So a test that waits in vain ends.
pub(crate) const BUDGET: Duration = Duration::from_secs(30);

/// Runs a script that prints `ready` when its server replies. Returns the text after that word.
///
/// The script stops its server and removes its folder when its input ends. The input is a pipe from
/// this process, and the system closes it when the process ends, in any way. So a server may be in
/// a `static`, and none outlives the tests.
pub(crate) fn start(command: &mut Command) -> (Child, String) {
    let mut process = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    let mut line = String::new();
    let output = process.stdout.take().expect("a pipe");
    let read = BufReader::new(output).read_line(&mut line);
    read.expect("one line from the script");
    let Some(rest) = line.strip_prefix("ready") else {
        panic!("{command:?} did not start its server; its own words stand above");
    };
    (process, rest.trim().to_owned())
}

/// A command that runs a script as root, directly or by `sudo`.
pub(crate) fn as_root(script: &str) -> Command {
    let id = Command::new("id")
        .arg("-u")
        .output()
        .expect("the program id");
    if id.stdout == b"0\n" {
        return Command::new(script);
    }
    let mut sudo = Command::new("sudo");
    sudo.args(["--non-interactive", script]);
    sudo
}

/// A port below those that the system gives to connections, so that no connection takes it before
/// the server.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 10_000;
    let seed = u16::try_from(process::id() % u32::from(COUNT)).expect("less than COUNT");
    (0..COUNT)
        .map(|_| FIRST + (seed + NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
}

/// A new folder with what the scripts expect in it: the server's certificate and its key.
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
    config.root_certificates(authority)
}

/// The user that the servers know.
pub(crate) fn alice() -> Credentials {
    Credentials::password("alice@example.test", "wonderland")
}
