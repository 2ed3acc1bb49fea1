//! Dovecot's submission service, run by `dovecot_server.sh`.

use std::process::Child;
use std::sync::OnceLock;

use smtplib::{Config, Security};
use tempfile::TempDir;

use crate::aiosmtpd::Aiosmtpd;
use crate::server::{alice, as_root, config, free_port, new_directory, start};

pub(crate) struct Dovecot {
    /// Whether this is version 2.3. Later versions refuse a token in other words.
    pub(crate) is_2_3: bool,
    /// A bearer token for alice that Dovecot accepts.
    pub(crate) token: String,
    /// Another token, which expired yesterday.
    pub(crate) expired: String,
    submission_port: u16,
    submissions_port: u16,
    // The server runs as long as its input, a pipe, is open.
    _process: Child,
    _directory: TempDir,
}

impl Dovecot {
    /// The server of this process. It starts when a test first needs it.
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

    /// A configuration with STARTTLS or without TLS.
    pub(crate) fn submission(&self, security: Security) -> Config {
        config(self.submission_port)
            .security(security)
            .credentials(alice())
    }

    /// A configuration with TLS from the first byte.
    pub(crate) fn submissions(&self) -> Config {
        config(self.submissions_port)
            .security(Security::ImplicitTls)
            .credentials(alice())
    }
}
