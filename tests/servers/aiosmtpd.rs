//! aiosmtpd, run by `aiosmtpd_server.py`, and what it received.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::{env, fs};

use crate::authority::Authority;
use crate::scratch::Scratch;
use crate::server::{Server, Shared};

/// The bearer token that `aiosmtpd_server.py` takes.
pub(crate) const TOKEN: &str = "ya29.dHJhbnNpZW50";

pub(crate) struct Aiosmtpd {
    /// STARTTLS and a login offered.
    pub(crate) smtp: u16,
    /// TLS from the first octet.
    pub(crate) smtps: u16,
    /// LMTP, one reply per recipient.
    pub(crate) lmtp: u16,
    pub(crate) authority: Authority,
    // Dropped in this order: the server stops before its directory goes.
    _server: Server,
    directory: Scratch,
}

/// One message for one recipient.
pub(crate) struct Received {
    /// Envelope and circumstances as one line of JSON.
    pub(crate) facts: String,
    /// The exact octets between `DATA` and the final dot, the stuffed dots taken out.
    pub(crate) message: Vec<u8>,
}

impl Aiosmtpd {
    pub(crate) fn shared() -> Arc<Self> {
        static AIOSMTPD: Shared<Aiosmtpd> = Shared::new();
        AIOSMTPD.get(Self::start)
    }

    fn start() -> Self {
        let directory = Scratch::new("aiosmtpd");
        let authority = Authority::new();
        authority.issue(directory.path());
        let python = env::var("SMTPLIB_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/servers/aiosmtpd_server.py"
        );
        let mut command = Command::new(python);
        command.arg(script).arg(directory.path());
        let (server, ports) = Server::start(&mut command);
        let mut ports = ports.split(' ').map(|port| port.parse().expect("a port"));
        let mut port = || ports.next().expect("three ports");
        let (smtp, smtps, lmtp) = (port(), port(), port());
        Self {
            smtp,
            smtps,
            lmtp,
            authority,
            _server: server,
            directory,
        }
    }

    /// Where LMTP listens beside its port.
    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.path().join("lmtp.sock")
    }

    /// The message of `name` that begins with `first_line`, a header no other test uses. It was
    /// written before the server said 250, so there is nothing to wait for.
    pub(crate) fn received(&self, name: &str, first_line: &str) -> Option<Received> {
        let start = format!("{first_line}\r\n");
        let entries = fs::read_dir(self.directory.path().join("mail").join(name)).ok()?;
        let mut paths = entries.map(|entry| entry.expect("an entry").path());
        paths.find_map(|path| {
            let message = fs::read(path.with_extension("eml")).expect("a message");
            message.starts_with(start.as_bytes()).then(|| Received {
                facts: fs::read_to_string(path.with_extension("json")).expect("an envelope"),
                message,
            })
        })
    }
}
