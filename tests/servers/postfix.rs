//! Postfix, run by `postfix_server.sh`, and what it delivered.

use std::process::{Child, Command};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use std::{fs, thread};

use smtplib::{Config, Security};
use tempfile::TempDir;

use crate::server::{BUDGET, alice, config, free_port, new_directory, start};

/// The size limit that `postfix_server.sh` configures, in bytes.
pub(crate) const SIZE_LIMIT: usize = 4_194_304;

/// How long Postfix may take for what it does after its replies.
const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Postfix {
    /// Like port 25: no login, and STARTTLS is offered.
    plain_port: u16,
    /// Like port 587: STARTTLS and a login are required. The login may be anonymous.
    pub(crate) submission_port: u16,
    /// Like port 465: TLS from the first byte, and a login is required.
    pub(crate) smtps_port: u16,
    // The server runs as long as its input, a pipe, is open.
    _process: Child,
    directory: TempDir,
}

/// One file of a mailbox.
pub(crate) struct Delivered {
    /// The trace headers that Postfix put before the message, with LF at the end of each line.
    pub(crate) trace: String,
    /// All that follows them, with LF at the end of each line.
    pub(crate) message: Vec<u8>,
}

impl Postfix {
    /// The server of this process. It starts when a test first needs it.
    pub(crate) fn shared() -> &'static Self {
        static POSTFIX: OnceLock<Postfix> = OnceLock::new();
        POSTFIX.get_or_init(Self::start)
    }

    fn start() -> Self {
        let directory = new_directory().expect("a new directory");
        let ports = [free_port(), free_port(), free_port()];
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/servers/postfix_server.sh"
        );
        let user = id("-u", None);
        // Postfix must start as root. Its mail belongs to the user who runs the tests, or to
        // `postfix` if that user is root.
        let (mut command, owner) = if user == "0" {
            (Command::new(script), id("-u", Some("postfix")))
        } else {
            let mut sudo = Command::new("sudo");
            sudo.args(["--non-interactive", script]);
            (sudo, user)
        };
        command.arg(directory.path()).arg(owner);
        command.args(ports.map(|port| port.to_string()));
        let (process, _) = start(&mut command);
        let [plain_port, submission_port, smtps_port] = ports;
        Self {
            plain_port,
            submission_port,
            smtps_port,
            _process: process,
            directory,
        }
    }

    /// A configuration without a login.
    pub(crate) fn plain(&self, security: Security) -> Config {
        config(self.plain_port).security(security)
    }

    /// A configuration without a connection: the command `sendmail`.
    pub(crate) fn command(&self) -> Config {
        Config::sendmail_command(self.directory.path().join("sendmail")).timeout(BUDGET)
    }

    /// A configuration with STARTTLS and a login.
    pub(crate) fn submission(&self) -> Config {
        config(self.submission_port).credentials(alice())
    }

    /// A configuration with implicit TLS and a login.
    pub(crate) fn smtps(&self) -> Config {
        config(self.smtps_port)
            .security(Security::ImplicitTls)
            .credentials(alice())
    }

    /// Waits for the message of `name` with `first_line`, a header that no other test uses.
    pub(crate) fn delivered(&self, name: &str, first_line: &str) -> Delivered {
        self.wait_for(|| self.find(name, first_line), first_line)
    }

    /// The message of `name` with `first_line`, if it has been delivered.
    pub(crate) fn find(&self, name: &str, first_line: &str) -> Option<Delivered> {
        let inbox = self.directory.path().join("mail").join(name).join("new");
        let marker = format!("\n{first_line}\n");
        // Postfix makes the mailbox together with its first message.
        for entry in fs::read_dir(inbox).ok()? {
            let octets = fs::read(entry.expect("an entry").path()).expect("a whole message");
            let found = octets
                .windows(marker.len())
                .position(|part| part == marker.as_bytes());
            if let Some(at) = found {
                let (trace, message) = octets.split_at(at + 1);
                let trace = String::from_utf8(trace.to_vec()).expect("trace headers in ASCII");
                return Some(Delivered {
                    trace,
                    message: message.to_vec(),
                });
            }
        }
        None
    }

    /// The line that Postfix logs when the message with these trace headers comes in.
    pub(crate) fn log_of(&self, trace: &str) -> String {
        let (_, id) = trace.split_once(" id ").expect("a queue id");
        let (id, _) = id
            .split_once([';', '\n'])
            .expect("more behind the queue id");
        let start = format!(": {id}: client=");
        let find = || {
            self.log()
                .lines()
                .find(|line| line.contains(&start))
                .map(str::to_owned)
        };
        self.wait_for(find, &start)
    }

    /// How many commands of each kind the session of this message had, refused ones as
    /// `accepted/all`. Postfix logs this at the end of the session.
    pub(crate) fn session_of(&self, trace: &str) -> String {
        let start = self.log_of(trace);
        // "postfix/smtpd[123]: ": a process with one session at a time.
        let process = start
            .split(' ')
            .find(|word| word.contains("smtpd["))
            .expect("a process");
        let end = format!("{process} disconnect from unknown[127.0.0.1] ");
        let find = || {
            let log = self.log();
            let mut lines = log.lines().skip_while(|line| *line != start);
            let line = lines.find_map(|line| line.split_once(&end))?;
            Some(line.1.to_owned())
        };
        self.wait_for(find, &end)
    }

    /// Everything Postfix has logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("maillog")).expect("a log")
    }

    /// Checks again and again, because what Postfix does after its replies takes a moment.
    pub(crate) fn wait_for<T>(&self, mut look: impl FnMut() -> Option<T>, what: &str) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(
                Instant::now() < deadline,
                "no {what:?}; Postfix says:\n{}",
                self.log()
            );
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A user's number.
fn id(option: &str, user: Option<&str>) -> String {
    let output = Command::new("id")
        .arg(option)
        .args(user)
        .output()
        .expect("the program id");
    assert!(
        output.status.success(),
        "no user {user:?}: is Postfix installed?"
    );
    String::from_utf8(output.stdout)
        .expect("a number")
        .trim()
        .to_owned()
}
