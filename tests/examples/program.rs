//! Running an example, and its result.
use crate::peer::Peer;
#[cfg(target_os = "linux")]
use crate::terminal::Terminal;
use std::env;
use std::ffi::OsStr;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// An example to run, with an environment that has no settings for it.
#[derive(Debug)]
pub(crate) struct Program {
    command: Command,
    input: Vec<u8>,
}

/// How the program ended, and its output.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Program {
    pub(crate) fn new(name: &str) -> Self {
        Self::with_command(Command::new(path(name)))
    }

    /// An example that a shell starts after it has run these lines.
    #[cfg(target_os = "linux")]
    pub(crate) fn in_shell(lines: &str, name: &str) -> Self {
        let mut command = Command::new("sh");
        command
            .args(["-e", "-c", &format!("{lines}\nexec \"$0\" \"$@\"")])
            .arg(path(name));
        Self::with_command(command)
    }

    fn with_command(mut command: Command) -> Self {
        for variable in [
            "SMTP_URL",
            "SMTP_FROM",
            "SMTP_TO",
            "OAUTH_TOKEN_URL",
            "OAUTH_CLIENT_ID",
            "OAUTH_REFRESH_TOKEN",
            "REDIS_URL",
            "SSL_CERT_FILE",
            "SSL_CERT_DIR",
        ] {
            command.env_remove(variable);
        }
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self {
            command,
            input: Vec::new(),
        }
    }

    pub(crate) fn args<T: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = T>) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Sets its standard input; by default it is empty.
    pub(crate) fn input(mut self, octets: impl Into<Vec<u8>>) -> Self {
        self.input = octets.into();
        self
    }

    /// Connects its standard error to a terminal.
    #[cfg(target_os = "linux")]
    pub(crate) fn stderr_to(mut self, terminal: &Terminal) -> Self {
        self.command.stderr(terminal.side_of_the_program());
        self
    }

    /// Connects its standard input to a terminal.
    #[cfg(target_os = "linux")]
    pub(crate) fn stdin_from(mut self, terminal: &Terminal) -> Self {
        self.command.stdin(terminal.side_of_the_program());
        self
    }

    pub(crate) fn spawn(&mut self) -> Child {
        self.command.spawn().unwrap_or_else(|error| {
            panic!(
                "{:?}: {error}; run `cargo build --examples` first",
                self.command
            )
        })
    }

    pub(crate) fn run(mut self) -> Ended {
        let mut child = self.spawn();
        if let Some(mut stdin) = child.stdin.take() {
            // A program that needs no input may have ended already.
            let _ = stdin.write_all(&self.input);
        }
        let output = child.wait_with_output().unwrap();
        Ended {
            status: output.status.code().expect("no signal ends an example"),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ended {
    /// The standard output of a program that succeeded and wrote no errors.
    pub(crate) fn success(self) -> String {
        assert_eq!((self.status, self.stderr.as_str()), (0, ""), "{self:#?}");
        self.stdout
    }

    /// The error message of a program that failed with this status.
    pub(crate) fn failure(self, status: i32) -> String {
        assert_eq!(
            (self.status, self.stdout.as_str()),
            (status, ""),
            "{self:#?}"
        );
        self.stderr
    }
}

/// The address of a peer that speaks without TLS.
pub(crate) fn plain_url(peer: &Peer) -> String {
    format!("smtp://{}?tls=none", peer.addr())
}

/// Cargo puts the examples beside the folder of the tests.
pub(crate) fn path(name: &str) -> PathBuf {
    let mut path = env::current_exe().unwrap();
    path.pop();
    path.pop();
    path.push("examples");
    path.push(format!("{name}{}", env::consts::EXE_SUFFIX));
    path
}
