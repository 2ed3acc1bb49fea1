//! Runs a client and takes its figures.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::MetadataExt;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::case::Case;
use crate::peer::{Peer, is_on_path};

/// How often a program that does not tell its figures is looked at.
const GLANCE: Duration = Duration::from_millis(1);

/// The figures of a run.
pub struct Run {
    pub messages: f64,
    pub seconds: f64,
    /// Seconds of CPU time.
    pub cpu: f64,
    /// The most memory the process had, in KiB.
    pub peak: Option<f64>,
}

pub fn measure(peer: &Peer, case: &Case, to: SocketAddr, limit: Duration) -> Run {
    let limit = peer.seconds(case, limit.as_secs_f64());
    let count = peer.count(case, limit);
    if peer.reports() {
        return report(&peer.words(case, to, count, limit));
    }
    // What one message costs is what the run with more costs in addition.
    let one = watch(&peer.words(case, to, 0, limit));
    let many = watch(&peer.words(case, to, count, limit));
    Run {
        messages: count as f64,
        seconds: many.seconds - one.seconds,
        cpu: many.cpu - one.cpu,
        peak: many.peak,
    }
}

pub fn command(words: &[String]) -> Command {
    let (program, arguments) = words.split_first().expect("no words");
    let mut command = Command::new(program);
    command.args(arguments);
    command
}

/// Runs a client that prints its figures.
fn report(words: &[String]) -> Run {
    let output = command(words).stderr(Stdio::inherit()).output();
    let output = output.unwrap_or_else(|error| panic!("cannot run {words:?}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout);
    let figures: Vec<f64> = text.split_whitespace().flat_map(str::parse).collect();
    let [messages, seconds, cpu, peak] = figures[..] else {
        panic!("{words:?} printed {text:?}");
    };
    Run {
        messages,
        seconds,
        cpu,
        peak: Some(peak),
    }
}

/// Runs a client and looks at it from outside, to its end.
fn watch(words: &[String]) -> Run {
    let start = Instant::now();
    let child = command(words).stdout(Stdio::null()).spawn();
    let mut child = child.unwrap_or_else(|error| panic!("cannot run {words:?}: {error}"));
    let folder = format!("/proc/{}", child.id());
    let mut most = 0;
    loop {
        let status = fs::read_to_string(format!("{folder}/status")).unwrap_or_default();
        // It has ended, and its times can be read until it is waited for.
        if status.contains("State:\tZ") {
            break;
        }
        most = most.max(peak(&status).unwrap_or_default());
        thread::sleep(GLANCE);
    }
    let seconds = start.elapsed().as_secs_f64();
    let times = fs::read_to_string(format!("{folder}/schedstat")).unwrap_or_default();
    let cpu = times.split(' ').next().and_then(|time| time.parse().ok());
    let status = child.wait().expect("cannot wait");
    assert!(status.success(), "{words:?} failed");
    Run {
        messages: 1.0,
        seconds,
        cpu: cpu.unwrap_or(0.0) / 1e9,
        peak: Some(most as f64),
    }
}

/// The peak of the memory in KiB, from a process's status.
pub fn peak(status: &str) -> Option<u64> {
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// Postfix's smtp-sink, ended with this value.
pub struct SmtpSink {
    child: Child,
    pub address: SocketAddr,
}

impl SmtpSink {
    pub fn start() -> Option<Self> {
        if !is_on_path("smtp-sink") {
            println!("smtp-sink is not installed: left out");
            return None;
        }
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let address = free.expect("no port for smtp-sink");
        let mut command = Command::new("smtp-sink");
        if fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0) {
            command.args(["-u", "nobody"]);
        }
        let child = command.args([&address.to_string(), "100"]).spawn();
        let child = child.expect("cannot run smtp-sink");
        while TcpStream::connect(address).is_err() {
            thread::sleep(GLANCE);
        }
        Some(Self { child, address })
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
