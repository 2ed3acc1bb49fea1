//! aiosmtpd, run by `aiosmtpd_server.py`, and what it received.

use std::process::{Child, Command};
use std::sync::OnceLock;
use std::{env, fs};

use smtplib::{Config, Security};
use tempfile::TempDir;

use crate::server::{BUDGET, alice, config, new_directory, start};

/// The bearer token that `aiosmtpd_server.py` accepts.
pub(crate) const TOKEN: &str = "ya29.dHJhbnNpZW50";

pub(crate) struct Aiosmtpd {
    /// A port that offers STARTTLS and a login.
    pub(crate) smtp_port: u16,
    /// A port with TLS from the first byte.
    pub(crate) smtps_port: u16,
    /// A port for LMTP, with one reply per recipient.
    lmtp_port: u16,
    // The server runs as long as its input, a pipe, is open.
    _process: Child,
    directory: TempDir,
}

/// One message for one recipient.
pub(crate) struct Received {
    /// The envelope and other facts, as one line of JSON.
    pub(crate) facts: String,
    /// The exact bytes between `DATA` and the final dot, without the stuffed dots.
    pub(crate) message: Vec<u8>,
}

impl Aiosmtpd {
    /// The server of this process. It starts when a test first needs it.
    pub(crate) fn shared() -> &'static Self {
        static AIOSMTPD: OnceLock<Aiosmtpd> = OnceLock::new();
        AIOSMTPD.get_or_init(Self::start)
    }

    fn start() -> Self {
        let directory = new_directory().expect("a new directory");
        let python = env::var("SMTPLIB_TEST_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/servers/aiosmtpd_server.py"
        );
        let mut command = Command::new(python);
        command.arg(script).arg(directory.path());
        let (process, ports) = start(&mut command);
        let mut ports = ports.split(' ').map(|port| port.parse().expect("a port"));
        let mut port = || ports.next().expect("three ports");
        Self {
            smtp_port: port(),
            smtps_port: port(),
            lmtp_port: port(),
            _process: process,
            directory,
        }
    }

    /// SMTP with STARTTLS and a login.
    pub(crate) fn starttls(&self) -> Config {
        config(self.smtp_port).credentials(alice())
    }

    /// SMTP over implicit TLS with a login.
    pub(crate) fn implicit_tls(&self) -> Config {
        config(self.smtps_port)
            .security(Security::ImplicitTls)
            .credentials(alice())
    }

    pub(crate) fn lmtp(&self) -> Config {
        let config = Config::lmtp("localhost", self.lmtp_port).timeout(BUDGET);
        config.security(Security::None)
    }

    pub(crate) fn lmtp_unix(&self) -> Config {
        Config::lmtp_unix(self.directory.path().join("lmtp.sock")).timeout(BUDGET)
    }

    /// Removes and returns the message of `name` that begins with `first_line`, a header that no
    /// other test uses. It was stored before the server replied 250, so there is nothing to wait
    /// for.
    pub(crate) fn take(&self, name: &str, first_line: &str) -> Option<Received> {
        let start = format!("{first_line}\r\n");
        let entries = fs::read_dir(self.directory.path().join("mail").join(name)).ok()?;
        let paths = entries.map(|entry| entry.expect("an entry").path());
        for path in paths.filter(|path| path.extension() == Some("eml".as_ref())) {
            // Another test may be writing or removing its own message at this moment.
            let message = fs::read(&path).unwrap_or_default();
            if message.starts_with(start.as_bytes()) {
                fs::remove_file(&path).expect("a message to remove");
                let facts = fs::read_to_string(path.with_extension("json"));
                return Some(Received {
                    facts: facts.expect("an envelope"),
                    message,
                });
            }
        }
        None
    }
}
