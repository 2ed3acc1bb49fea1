//! [`Pipe`]: writing to a program without waiting longer than a deadline.

use std::io::{self, ErrorKind, Write};
use std::process::ChildStdin;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The time limit if no deadline is set.
const PATIENCE: Duration = Duration::from_secs(600);

/// The time until the deadline.
pub(super) fn time_left(deadline: Option<Instant>) -> Duration {
    deadline.map_or(PATIENCE, |deadline| {
        deadline.saturating_duration_since(Instant::now())
    })
}

/// The input of a program, written by a thread, because a pipe has no deadlines.
///
/// One buffer is written while the next is filled. A program that does not read blocks only the
/// thread, which ends with the program.
#[derive(Debug)]
pub(super) struct Pipe {
    input: SyncSender<ChildStdin>,
    filled: SyncSender<Vec<u8>>,
    written: Mutex<Receiver<io::Result<Vec<u8>>>>,
    /// A buffer is on its way.
    is_busy: bool,
    spare: Vec<u8>,
}

impl Pipe {
    /// Starts the thread. It does so before there is a program, which would take the end of an input
    /// that no thread can write for the end of the message.
    pub(super) fn new() -> io::Result<Self> {
        let (input, inputs) = mpsc::sync_channel::<ChildStdin>(1);
        let (filled, buffers) = mpsc::sync_channel::<Vec<u8>>(1);
        let (tell, written) = mpsc::sync_channel(1);
        let thread = thread::Builder::new().name("smtplib sendmail".to_owned());
        thread.spawn(move || {
            let Ok(mut input) = inputs.recv() else { return };
            for mut buffer in buffers {
                let result = input.write_all(&buffer);
                buffer.clear();
                if tell.send(result.map(|()| buffer)).is_err() {
                    break;
                }
            }
        })?;
        Ok(Self {
            input,
            filled,
            written: Mutex::new(written),
            is_busy: false,
            spare: Vec::new(),
        })
    }

    /// Writes to this program from here on.
    pub(super) fn connect(&self, input: ChildStdin) {
        // The thread waits for it.
        let _ = self.input.send(input);
    }

    /// Starts writing a buffer, and returns an empty one. The next call returns the error, if there
    /// is one.
    pub(super) fn write(
        &mut self,
        buffer: Vec<u8>,
        deadline: Option<Instant>,
    ) -> io::Result<Vec<u8>> {
        self.finish(deadline)?;
        let sent = self.filled.send(buffer);
        sent.map_err(|_| io::Error::from(ErrorKind::BrokenPipe))?;
        self.is_busy = true;
        Ok(std::mem::take(&mut self.spare))
    }

    /// Waits until all was written. Dropping the pipe then ends the input.
    pub(super) fn finish(&mut self, deadline: Option<Instant>) -> io::Result<()> {
        if !self.is_busy {
            return Ok(());
        }
        let written = self.written.get_mut();
        let written = written.unwrap_or_else(PoisonError::into_inner);
        self.spare = match written.recv_timeout(time_left(deadline)) {
            Ok(result) => result?,
            Err(RecvTimeoutError::Timeout) => return Err(ErrorKind::TimedOut.into()),
            Err(RecvTimeoutError::Disconnected) => return Err(ErrorKind::BrokenPipe.into()),
        };
        self.is_busy = false;
        Ok(())
    }
}
