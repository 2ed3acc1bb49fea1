//! Postfix, run by `postfix_server.sh`, and what it delivered.

use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};
use std::{fs, process, thread};

use crate::authority::Authority;
use crate::scratch::Scratch;
use crate::server::{Server, Shared};

/// The size that `postfix_server.sh` configures, in octets.
pub(crate) const SIZE_LIMIT: usize = 4_194_304;

/// How long Postfix may take from its "250 queued" to the file in the mailbox.
const DELIVERY: Duration = Duration::from_secs(30);

pub(crate) struct Postfix {
    /// As on port 25: no login, STARTTLS offered.
    pub(crate) plain: u16,
    /// As on port 587: STARTTLS and a login demanded.
    pub(crate) submission: u16,
    /// As on port 465: TLS from the first octet, a login demanded.
    pub(crate) smtps: u16,
    pub(crate) authority: Authority,
    // Dropped in this order: the server stops before its directory goes.
    _server: Server,
    directory: Scratch,
}

/// One file of a mailbox.
pub(crate) struct Delivered {
    /// The trace headers that Postfix put in front, `LF` at the end of each line.
    pub(crate) trace: String,
    /// All that follows them, `LF` at the end of each line.
    pub(crate) message: Vec<u8>,
}

impl Postfix {
    pub(crate) fn shared() -> Arc<Self> {
        static POSTFIX: Shared<Postfix> = Shared::new();
        POSTFIX.get(Self::start)
    }

    fn start() -> Self {
        let directory = Scratch::new("postfix");
        let authority = Authority::new();
        authority.issue(directory.path());
        let [plain, submission, smtps] = [free_port(), free_port(), free_port()];
        let user = id("-u", None);
        let owner = if user == "0" {
            id("-u", Some("postfix"))
        } else {
            user.clone()
        };
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/servers/postfix_server.sh"
        );
        let mut command = if user == "0" {
            Command::new(script)
        } else {
            // Postfix has to begin as root; without a password to type, or not at all.
            let mut sudo = Command::new("sudo");
            sudo.args(["-n", script]);
            sudo
        };
        command.arg(directory.path()).arg(owner);
        command.args([plain, submission, smtps].map(|port| port.to_string()));
        let (server, _) = Server::start(&mut command);
        Self {
            plain,
            submission,
            smtps,
            authority,
            _server: server,
            directory,
        }
    }

    /// Waits for the message of `name` that begins with `first_line`, a header no other test uses.
    pub(crate) fn delivered(&self, name: &str, first_line: &str) -> Delivered {
        let deadline = Instant::now() + DELIVERY;
        loop {
            if let Some(delivered) = self.find(name, first_line) {
                return delivered;
            }
            assert!(
                Instant::now() < deadline,
                "no message for {name} begins with {first_line:?}; Postfix says:\n{}",
                self.log(),
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Everything Postfix has logged so far.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("maillog")).expect("a log")
    }

    fn find(&self, name: &str, first_line: &str) -> Option<Delivered> {
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
}

/// A port below those the system gives to connections, so that none takes it before Postfix does.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 10_000;
    let seed = u16::try_from(process::id() % u32::from(COUNT)).expect("less than COUNT");
    (0..COUNT)
        .map(|_| FIRST + (seed + NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT)
        .find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("a free port")
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
