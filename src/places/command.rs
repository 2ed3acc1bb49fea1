//! [`Sendmail`]: hands messages to a program.

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
use crate::places::{LOCAL_OFFERS, PlaceStream, sysexits};
use crate::transport::Transport;

/// How much of a message is collected before it is written.
const BUFFER: usize = 64 * 1024;
/// The shortest and the longest pause between two checks whether the program has ended.
const PAUSES: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(50)];
/// How long to wait for the standard error of a program that has ended: a child of it may still
/// hold the pipe.
const LAST_WORDS: Duration = Duration::from_millis(200);
/// How long to wait for a program that was killed.
const KILLED: Duration = Duration::from_secs(1);

/// A command line has a limit, which is much lower on Windows. The client splits longer lists (RFC
/// 9422).
const MOST_RECIPIENTS: &str = if cfg!(windows) {
    "LIMITS RCPTMAX=200"
} else {
    "LIMITS RCPTMAX=1000"
};

/// A `sendmail` program, run once for each message.
#[derive(Debug)]
pub(crate) struct Sendmail {
    program: PathBuf,
    running: Option<Running>,
}

/// Makes a place for a program, which must exist.
pub(crate) fn open(program: &Path) -> io::Result<Box<dyn Transport>> {
    check_program(program)?;
    let sendmail = Sendmail {
        // A name without a path would be looked up in PATH.
        program: Path::new(".").join(program),
        running: None,
    };
    Ok(Box::new(PlaceStream::new(
        sendmail,
        Offers::new(LOCAL_OFFERS.into_iter().chain([MOST_RECIPIENTS])),
    )))
}

fn check_program(program: &Path) -> io::Result<()> {
    let metadata = program.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(
            ErrorKind::InvalidInput,
            "it is not a program",
        ));
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

/// The reply if the program cannot be started.
fn refusal(program: &Path, error: &io::Error) -> Answer {
    // Windows says the same about the names of files: ERROR_FILENAME_EXCED_RANGE.
    let is_too_long = error.kind() == ErrorKind::ArgumentListTooLong
        || cfg!(windows) && error.raw_os_error() == Some(206);
    let (code, enhanced) = match is_too_long {
        // The same recipients do not fit the next time either.
        true => (554, "5.5.3"),
        false => (451, "4.3.0"),
    };
    let program = program.display();
    Answer::new(code, format!("{enhanced} {program} cannot be run: {error}"))
}

impl Store for Sendmail {
    /// A message that the client cannot split may still fit.
    fn takes_more(&self) -> bool {
        true
    }

    fn begin(&mut self, mail: &Mail) -> Result<(), Answer> {
        let running = Running::start(&self.program, mail);
        self.running = Some(running.map_err(|error| refusal(&self.program, &error))?);
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
    /// None once the program has read everything, or has closed its input.
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
            // -i: a line with one dot does not end the message. Sendmail, Postfix, Exim and msmtp
            // read `<>` as the null sender; for some of them an empty argument is missing.
            .args(["-i", "-f", sender.as_deref().unwrap_or("<>"), "--"])
            .args(recipients.map(|(recipient, _)| recipient.to_string()))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        // In its own process group, it can be killed together with its children.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let (pipe, stderr) = (Pipe::new()?, Stderr::new()?);
        let mut child = command.spawn()?;
        if let Some(input) = child.stdin.take() {
            pipe.connect(input);
        }
        if let Some(output) = child.stderr.take() {
            stderr.connect(output);
        }
        Ok(Self {
            child: Some(child),
            pipe: Some(pipe),
            is_deaf: false,
            stderr,
            lines: LocalLines::default(),
            buffer: Vec::new(),
        })
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

    /// Uses the pipe until the program closes it; its exit status will say why it did.
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
            // It had the whole message, and may have accepted it.
            None => Err(Halt::Lost),
        }
    }

    /// Waits until the program has ended; `None` if it takes too long.
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
    /// Kill it while its input is open: so it cannot take a part for the whole message.
    fn drop(&mut self) {
        if let Some(child) = self.child.take() {
            kill(child);
        }
    }
}

/// Kills a program and its process group, and leaves no zombie.
fn kill(mut child: Child) {
    #[cfg(unix)]
    kill_group(child.id());
    let _ = child.kill();
    let until = Instant::now() + KILLED;
    let [mut pause, longest] = PAUSES;
    while let Ok(None) = child.try_wait() {
        if Instant::now() >= until {
            // It hangs in a system call.
            let reaper = thread::Builder::new().name("smtplib sendmail".to_owned());
            let _ = reaper.spawn(move || child.wait());
            return;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(longest);
    }
}

/// The standard library cannot signal a group, and not every system has a program `kill`: every
/// shell has it built in.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_that_is_too_long_is_refused_for_good() {
        for (kind, code) in [
            (ErrorKind::ArgumentListTooLong, 554),
            (ErrorKind::NotFound, 451),
            (ErrorKind::WouldBlock, 451),
        ] {
            assert_eq!(refusal(Path::new("mail"), &kind.into()).code, code);
        }
    }

    /// Set in a process that can start no threads.
    #[cfg(all(target_os = "linux", target_pointer_width = "64"))]
    const THREADLESS: &str = "SMTPLIB_TEST_THREADLESS";

    // The program would take the end of an input that nobody can write for the end of a message.
    #[test]
    #[cfg(all(target_os = "linux", target_pointer_width = "64"))]
    fn no_program_is_started_without_a_thread_for_its_input() {
        let test = "places::command::tests::a_program_that_is_not_started";
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--ignored", "--test-threads=1"])
            .env(THREADLESS, "yes")
            // No thread can have a stack of this size.
            .env("RUST_MIN_STACK", (1_u64 << 50).to_string())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}");
        assert!(said.contains("1 passed"), "there is no test {test}");
    }

    #[test]
    #[cfg(all(target_os = "linux", target_pointer_width = "64"))]
    #[ignore = "run by no_program_is_started_without_a_thread_for_its_input in a process of its own"]
    fn a_program_that_is_not_started() {
        use std::os::unix::fs::PermissionsExt;
        if std::env::var_os(THREADLESS).is_none() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("sendmail");
        std::fs::write(&program, "#!/bin/sh\n: >\"$0.started\"\n").unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o700)).unwrap();
        for _ in 0..20 {
            let mut sendmail = Sendmail {
                program: program.clone(),
                running: None,
            };
            assert_eq!(sendmail.begin(&Mail::default()).unwrap_err().code, 451);
        }
        assert!(!folder.path().join("sendmail.started").exists());
    }
}
