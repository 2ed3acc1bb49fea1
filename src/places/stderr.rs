//! [`Stderr`]: the end of a program's standard error.

use std::io::{self, ErrorKind, Read};
use std::process::ChildStderr;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// How many bytes of the end are kept.
const MOST: usize = 500;

/// The end of a program's standard error, read by a thread, so that the program never blocks.
#[derive(Debug)]
pub(super) struct Stderr {
    stderr: SyncSender<ChildStderr>,
    tail: Arc<Mutex<Vec<u8>>>,
    /// Hangs up when the program has closed its end.
    end: Mutex<Receiver<()>>,
}

impl Stderr {
    /// Starts the thread, before there is a program.
    pub(super) fn new() -> io::Result<Self> {
        let (stderr, programs) = mpsc::sync_channel::<ChildStderr>(1);
        let tail = Arc::new(Mutex::new(Vec::new()));
        let (alive, end) = mpsc::sync_channel(1);
        let thread = thread::Builder::new().name("smtplib sendmail".to_owned());
        let shared = Arc::clone(&tail);
        thread.spawn(move || {
            let _alive = alive;
            let Ok(mut stderr) = programs.recv() else {
                return;
            };
            let mut buffer = [0; 1024];
            loop {
                let read = match stderr.read(&mut buffer) {
                    Ok(read @ 1..) => read,
                    Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                    _ => break,
                };
                let mut tail = shared.lock().unwrap_or_else(PoisonError::into_inner);
                tail.extend_from_slice(buffer.get(..read).unwrap_or_default());
                let surplus = tail.len().saturating_sub(MOST);
                tail.drain(..surplus);
            }
        })?;
        let end = Mutex::new(end);
        Ok(Self { stderr, tail, end })
    }

    /// Reads what this program says.
    pub(super) fn connect(&self, stderr: ChildStderr) {
        // The thread waits for it.
        let _ = self.stderr.send(stderr);
    }

    /// Waits this long, or until the program has closed its end; returns true if it has.
    pub(super) fn wait(&mut self, pause: Duration) -> bool {
        let end = self.end.get_mut().unwrap_or_else(PoisonError::into_inner);
        matches!(end.recv_timeout(pause), Err(RecvTimeoutError::Disconnected))
    }

    /// The end of the text, in one line.
    pub(super) fn text(&self) -> String {
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&tail);
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.collect::<Vec<_>>().join(" / ")
    }
}
