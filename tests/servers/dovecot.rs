//! Dovecot's submission service, run by `dovecot_server.sh`.

use std::process::Child;
use std::sync::OnceLock;

use smtplib::{Config, Security};
use tempfile::TempDir;

use crate::aiosmtpd::Aiosmtpd;
use crate::server::{alice, as_root, config, free_port, new_directory, start};

pub(crate) struct Dovecot {
    /// Whether it is a 2.3. What came after it words a refused token in another way.
    pub(crate) is_2_3: bool,
    /// A bearer token of alice's that Dovecot takes.
    pub(crate) token: String,
    /// Another, which expired yesterday.
    pub(crate) expired: String,
    submission_port: u16,
    submissions_port: u16,
    // Its input, a pipe, keeps the server running.
    _process: Child,
    _directory: TempDir,
}

impl Dovecot {
    /// The one server of this process, started when a test first asks for it.
    pub(crate) fn shared() -> &'static Self {
        static DOVECOT: OnceLock<Dovecot> = OnceLock::new();
        DOVECOT.get_or_init(Self::start)
    }

    fn start() -> Self {
        let directory = new_directory().expect("a new directory");
        let (submission_port, submissions_port) = (free_port(), free_port());
        let relay = Aiosmtpd::shared().smtp_port;
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/servers/dovecot_server.sh"
        );
        let mut command = as_root(script);
        command.arg(directory.path());
        command.args([submission_port, submissions_port, relay].map(|port| port.to_string()));
        let (process, words) = start(&mut command);
        let words: Vec<_> = words.split(' ').collect();
        let [version, token, expired] = words[..] else {
            panic!("not a version and two tokens: {words:?}");
        };
        Self {
            is_2_3: version.starts_with("2.3."),
            token: token.to_owned(),
            expired: expired.to_owned(),
            submission_port,
            submissions_port,
            _process: process,
            _directory: directory,
        }
    }

    /// STARTTLS, or no TLS.
    pub(crate) fn submission(&self, security: Security) -> Config {
        config(self.submission_port)
            .security(security)
            .credentials(alice())
    }

    /// TLS from the first byte.
    pub(crate) fn submissions(&self) -> Config {
        config(self.submissions_port)
            .security(Security::ImplicitTls)
            .credentials(alice())
    }
}
