//! Running the worker's commands.

use std::ffi::OsStr;
use std::io::Write;
use std::process::{Command, Stdio};

/// The worker.
pub(super) const PATH: &str = env!("CARGO_BIN_EXE_worker");

/// The worker to run, with an environment that has no settings for it.
pub(super) struct Program {
    command: Command,
    input: &'static str,
}

impl Program {
    pub(super) fn new() -> Self {
        let mut command = Command::new(PATH);
        command
            .env_remove("SMTP_URL")
            .env_remove("REDIS_URL")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self { command, input: "" }
    }

    pub(super) fn args<T: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = T>) -> Self {
        self.command.args(args);
        self
    }

    pub(super) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Sets its standard input; by default it is empty.
    pub(super) fn input(mut self, text: &'static str) -> Self {
        self.input = text;
        self
    }

    /// The standard output of a program that must succeed and write no errors.
    pub(super) fn success(self) -> String {
        let (status, stdout, stderr) = self.run();
        assert_eq!((status, stderr.as_str()), (Some(0), ""), "{stdout}");
        stdout
    }

    /// The error message of a program that must fail.
    pub(super) fn failure(self) -> String {
        let (status, stdout, stderr) = self.run();
        assert_eq!((status, stdout.as_str()), (Some(1), ""), "{stderr}");
        stderr
    }

    fn run(mut self) -> (Option<i32>, String, String) {
        let mut child = self.command.spawn().unwrap();
        if let Some(mut stdin) = child.stdin.take() {
            // A program that needs no input may have ended already.
            let _ = stdin.write_all(self.input.as_bytes());
        }
        let output = child.wait_with_output().unwrap();
        let [stdout, stderr] =
            [output.stdout, output.stderr].map(|octets| String::from_utf8(octets).unwrap());
        (output.status.code(), stdout, stderr)
    }
}
