//! Exim, run by `exim_server.sh`, and its queue.

use std::path::Path;
use std::process::Child;
use std::sync::OnceLock;
use std::{env, fs};

use smtplib::{Config, Security};
use tempfile::TempDir;

use crate::ca::TestCa;
use crate::server::{as_root, config, free_port, new_directory, start};

pub(crate) struct Exim {
    plain_port: u16,
    smtps_port: u16,
    // The server runs as long as its input, a pipe, is open.
    _process: Child,
    directory: TempDir,
}

impl Exim {
    /// The server of this process. It starts when a test first needs it.
    pub(crate) fn shared() -> &'static Self {
        static EXIM: OnceLock<Exim> = OnceLock::new();
        EXIM.get_or_init(Self::start)
    }

    fn start() -> Self {
        let directory = new_directory().expect("a new directory");
        let authority = directory.path().join("authority.pem");
        fs::write(authority, TestCa::get().root_pem()).expect("a file");
        let (plain_port, smtps_port) = (free_port(), free_port());
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/servers/exim_server.sh");
        let mut command = as_root(script);
        command.arg(program()).arg(directory.path());
        command.args([plain_port, smtps_port].map(|port| port.to_string()));
        let (process, _) = start(&mut command);
        Self {
            plain_port,
            smtps_port,
            _process: process,
            directory,
        }
    }

    /// A configuration with STARTTLS or without TLS.
    pub(crate) fn plain(&self, security: Security) -> Config {
        config(self.plain_port).security(security)
    }

    /// A configuration with TLS from the first byte.
    pub(crate) fn smtps(&self) -> Config {
        config(self.smtps_port).security(Security::ImplicitTls)
    }

    /// The queue's record of the only message whose header has this line.
    pub(crate) fn queued(&self, line: &str) -> String {
        let queue = self.directory.path().join("spool/input");
        let files = fs::read_dir(queue).expect("a queue");
        let texts = files.map(|file| fs::read(file.expect("a file").path()).expect("its octets"));
        let mut texts = texts.map(|octets| String::from_utf8_lossy(&octets).into_owned());
        let is_it = |text: &String| text.contains(&format!(" {line}\n"));
        texts.find(is_it).expect("the message in the queue")
    }
}

/// The path of the program: from the environment, or where `.ci/run` unpacks it, or where Debian
/// installs it.
fn program() -> String {
    const UNPACKED: &str = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/target/servers-exim/usr/sbin/exim4"
    );
    let unpacked = Path::new(UNPACKED).exists();
    let usual = if unpacked {
        UNPACKED
    } else {
        "/usr/sbin/exim4"
    };
    env::var("SMTPLIB_TEST_EXIM").unwrap_or_else(|_| usual.to_owned())
}
