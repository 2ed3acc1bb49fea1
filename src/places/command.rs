//! [`Sendmail`]: messages for a program.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::places::local_lines::LocalLines;
use crate::places::offers::Offers;
use crate::places::pipe::{Pipe, time_left};
use crate::places::stderr::Stderr;
use crate::places::store::{Answer, Halt, Mail, Store};
use crate::places::{LOCAL_OFFERS, Place, sysexits};
use crate::transport::Transport;

/// How much of a message is gathered before it is written.
const BUFFER: usize = 64 * 1024;
/// The pauses between two looks whether the program has ended.
const PAUSES: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(50)];
/// How long the last words of a program are waited for that has ended: one that it has started may
/// still have its standard error.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// How long a program that was killed is waited for.
const KILLED: Duration = Duration::from_secs(1);

/// The program by which other programs send mail, run once for each message.
#[derive(Debug)]
pub(crate) struct Sendmail {
    program: PathBuf,
    running: Option<Running>,
}

/// Opens the way to a program, which must be there.
pub(crate) fn open(program: &Path) -> io::Result<Box<dyn Transport>> {
    check_program(program)?;
    let sendmail = Sendmail {
        // A name alone would be looked for elsewhere.
        program: Path::new(".").join(program),
        running: None,
    };
    Ok(Box::new(Place::new(sendmail, Offers::new(LOCAL_OFFERS))))
}

fn check_program(program: &Path) -> io::Result<()> {
    let metadata = program.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is no program"));
    }
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::mode(&metadata) & 0o111 == 0 {
        return Err(io::Error::new(
            ErrorKind::PermissionDenied,
            "it is not executable",
        ));
    }
    Ok(())
}

impl Store for Sendmail {
    fn begin(&mut self, mail: &Mail) -> Result<(), Answer> {
        let running = Running::start(&self.program, mail).map_err(|error| {
            let program = self.program.display();
            Answer::new(451, format!("4.3.0 {program} cannot be run: {error}"))
        })?;
        self.running = Some(running);
        Ok(())
    }

    fn write(&mut self, octets: &[u8], deadline: Option<Instant>) -> Result<(), Halt> {
        match &mut self.running {
            Some(running) => running.write(octets, deadline),
            None => Err(Halt::Lost),
        }
    }

    fn end(&mut self, deadline: Option<Instant>) -> Result<Answer, Halt> {
        match self.running.take() {
            Some(running) => running.end(&self.program, deadline),
            None => Err(Halt::Lost),
        }
    }

    fn abort(&mut self) {
        self.running = None;
    }
}

/// The program at work on a message. Dropped before its end, it is killed.
#[derive(Debug)]
struct Running {
    /// None once it has ended.
    child: Option<Child>,
    /// None once the program has read everything, or does not want to.
    pipe: Option<Pipe>,
    is_deaf: bool,
    stderr: Stderr,
    lines: LocalLines,
    buffer: Vec<u8>,
}

impl Running {
    fn start(program: &Path, mail: &Mail) -> io::Result<Self> {
        let sender = mail.sender.as_ref().map(ToString::to_string);
        let recipients = mail.recipients.iter();
        let mut command = Command::new(program);
        command
            // -i: a dot alone is no end. Sendmail, Postfix, Exim and msmtp read `<>` as the null
            // sender; an empty argument some of them take for a missing one.
            .args(["-i", "-f", sender.as_deref().unwrap_or("<>"), "--"])
            .args(recipients.map(|(recipient, _)| recipient.to_string()))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        // In a group of its own, it can be killed with all that it has started.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn()?;
        let pipes = child.stdin.take().zip(child.stderr.take());
        let pipes = pipes.ok_or_else(|| io::Error::from(ErrorKind::BrokenPipe));
        let pipes = pipes.and_then(|(stdin, stderr)| Ok((Pipe::new(stdin)?, Stderr::new(stderr)?)));
        match pipes {
            Ok((pipe, stderr)) => Ok(Self {
                child: Some(child),
                pipe: Some(pipe),
                is_deaf: false,
                stderr,
                lines: LocalLines::default(),
                buffer: Vec::new(),
            }),
            Err(error) => {
                kill(child);
                Err(error)
            }
        }
    }

    fn write(&mut self, octets: &[u8], deadline: Option<Instant>) -> Result<(), Halt> {
        for piece in octets.chunks(BUFFER) {
            self.lines.convert(piece, &mut self.buffer);
            if self.buffer.len() >= BUFFER {
                self.flush(deadline)?;
            }
        }
        Ok(())
    }

    fn flush(&mut self, deadline: Option<Instant>) -> Result<(), Halt> {
        let buffer = std::mem::take(&mut self.buffer);
        self.with_pipe(|pipe| pipe.write(buffer, deadline))
            .map(|spare| self.buffer = spare.unwrap_or_default())
    }

    /// Does something with the pipe, as long as the program wants to read from it: why it does not,
    /// its exit status will say.
    fn with_pipe<T>(
        &mut self,
        act: impl FnOnce(&mut Pipe) -> io::Result<T>,
    ) -> Result<Option<T>, Halt> {
        match self.pipe.as_mut().map(act).transpose() {
            Ok(done) => Ok(done),
            Err(error) if error.kind() == ErrorKind::TimedOut => Err(Halt::TimedOut),
            Err(_) => {
                self.pipe = None;
                self.is_deaf = true;
                Ok(None)
            }
        }
    }

    fn end(mut self, program: &Path, deadline: Option<Instant>) -> Result<Answer, Halt> {
        self.lines.finish(&mut self.buffer);
        self.flush(deadline)?;
        self.with_pipe(|pipe| pipe.finish(deadline))?;
        // The end of the input.
        self.pipe = None;
        let status = match self.wait(deadline) {
            Ok(Some(status)) => status,
            Ok(None) => return Err(Halt::TimedOut),
            Err(_) => return Err(Halt::Lost),
        };
        let program = program.display().to_string();
        match status.code() {
            Some(0) => Ok(sysexits::answer(0, &program, "")),
            Some(code) => {
                self.stderr.wait(LAST_WORDS);
                Ok(sysexits::answer(code, &program, &self.stderr.text()))
            }
            None if self.is_deaf => {
                let text = format!("4.3.0 {program} was killed before it had the message");
                Ok(Answer::new(451, text))
            }
            // It had everything, and may have done everything.
            None => Err(Halt::Lost),
        }
    }

    /// Waits until the program has ended; none if it takes too long.
    fn wait(&mut self, deadline: Option<Instant>) -> io::Result<Option<ExitStatus>> {
        let [mut pause, longest] = PAUSES;
        let mut is_silent = false;
        loop {
            let Some(child) = &mut self.child else {
                return Ok(None);
            };
            if let Some(status) = child.try_wait()? {
                self.child = None;
                return Ok(Some(status));
            }
            let left = time_left(deadline);
            if left.is_zero() {
                return Ok(None);
            }
            // Most programs close their standard error when they end, and not before.
            match is_silent {
                true => thread::sleep(pause.min(left)),
                false => is_silent = self.stderr.wait(pause.min(left)),
            }
            pause = (pause * 2).min(longest);
        }
    }
}

impl Drop for Running {
    /// While its input is open the program cannot take what it has for the whole message.
    fn drop(&mut self) {
        if let Some(child) = self.child.take() {
            kill(child);
        }
    }
}

/// Kills a program, and all that it has started as far as that is known, and leaves no zombie.
fn kill(mut child: Child) {
    #[cfg(unix)]
    kill_group(child.id());
    let _ = child.kill();
    let until = Instant::now() + KILLED;
    let [mut pause, longest] = PAUSES;
    while let Ok(None) = child.try_wait() {
        if Instant::now() >= until {
            // It hangs in the operating system.
            let reaper = thread::Builder::new().name("smtplib sendmail".to_owned());
            let _ = reaper.spawn(move || child.wait());
            return;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(longest);
    }
}

/// The standard library signals a single process only, and not every system has a program for it: a
/// shell has one built in.
#[cfg(unix)]
fn kill_group(id: u32) {
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", "kill -s KILL -- \"-$1\"", "sh", &id.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let _ = command.status();
}
