//! [`Peer`]: the clients that are compared.

use std::env;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::LazyLock;

use crate::case::Case;
use crate::client::CONNECTIONS;
use crate::message;
use crate::sink::Offers;

/// A client, or a way to use one.
pub struct Peer {
    pub name: &'static str,
    /// What our sink offers it.
    pub offers: Offers,
    program: Program,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Program {
    /// This program, as a client of this name.
    This(&'static str),
    Python,
    SmtpSource,
}

use Offers::{Chunking, Pipelining, Plain, Tls};
use Program::{Python, SmtpSource, This};

/// The first is what the others are compared with.
pub const PEERS: [Peer; 21] = [
    Peer::new("sendmail", Pipelining, This("sendmail")),
    Peer::new("sendmail lock-step", Plain, This("sendmail")),
    Peer::new("sendmail +CHUNKING", Chunking, This("sendmail")),
    Peer::new("send_message", Pipelining, This("send_message")),
    Peer::new("send_message +CHUNKING", Chunking, This("send_message")),
    Peer::new("send_all", Pipelining, This("send_all")),
    Peer::new("send_all +CHUNKING", Chunking, This("send_all")),
    Peer::new("Mailer", Pipelining, This("mailer")),
    Peer::new("Mailer +CHUNKING", Chunking, This("mailer")),
    Peer::new("Mailer x 8", Pipelining, This("mailer-threads")),
    Peer::new("Mailer x 8 +CHUNKING", Chunking, This("mailer-threads")),
    Peer::new(
        "Mailer x 8 of 8 +CHUNKING",
        Chunking,
        This("mailer-threads-8"),
    ),
    Peer::new("lettre pool x 8", Pipelining, This("lettre-threads")),
    Peer::new("lettre", Pipelining, This("lettre")),
    Peer::new("lettre pool", Pipelining, This("lettre-pool")),
    Peer::new("mail-send", Pipelining, This("mail-send")),
    Peer::new("Python smtplib", Pipelining, Python),
    Peer::new("smtp-source", Pipelining, SmtpSource),
    Peer::new("pieces over TLS", Tls, This("pieces-tls")),
    Peer::new("sendmail over TLS", Tls, This("sendmail-tls")),
    Peer::new("lettre over TLS", Tls, This("lettre-tls")),
];

impl Peer {
    const fn new(name: &'static str, offers: Offers, program: Program) -> Self {
        Self {
            name,
            offers,
            program,
        }
    }

    /// Whether only our sink offers what this is about.
    pub fn needs_our_sink(&self) -> bool {
        self.offers != Pipelining
    }

    /// Whether the program tells its own figures; the others are watched from outside.
    pub fn reports(&self) -> bool {
        self.program != SmtpSource
    }

    /// Whether it sends without waiting between messages.
    pub fn is_stream(&self) -> bool {
        self.program == This("send_all")
    }

    /// Whether it can be run here; what cannot is named.
    pub fn is_installed(&self) -> bool {
        let program = match self.program {
            This(_) => return true,
            Python if PYTHON.is_some() => return true,
            Python => "python3",
            SmtpSource if is_on_path("smtp-source") => return true,
            SmtpSource => "smtp-source",
        };
        println!("{program} is not installed: left out");
        false
    }

    /// How long it sends in a round. A batch has one round trip more than messages, which must not
    /// show.
    pub fn seconds(&self, case: &Case, seconds: f64) -> f64 {
        let is_far = !case.delay.is_zero();
        seconds * if self.is_stream() && is_far { 8.0 } else { 1.0 }
    }

    /// How many messages a run may have, so that it takes about so many seconds.
    pub fn count(&self, case: &Case, seconds: f64) -> usize {
        let trips = match (self.program, self.offers) {
            (This("send_all"), Chunking) => 0.001,
            (This("sendmail" | "send_message" | "send_all" | "mailer"), Pipelining | Chunking) => {
                1.0
            }
            (This("sendmail-tls" | "pieces-tls"), _) => 1.0,
            (This("mailer-threads"), _) => 1.0 / CONNECTIONS as f64,
            (This("mailer-threads-8"), _) => 0.5 / CONNECTIONS as f64,
            (This("lettre-threads"), _) => (case.recipients as f64 + 4.0) / CONNECTIONS as f64,
            _ => case.recipients as f64 + 3.0,
        };
        let distance = trips * case.delay.as_secs_f64();
        let work = 2e-6 + case.size as f64 / 2e9;
        let most = 64e6 / case.size as f64;
        (seconds / (distance + work)).clamp(1.0, most.max(1.0)) as usize
    }

    /// The words that run it for so many messages after the first, and at most so many seconds.
    pub fn words(&self, case: &Case, to: SocketAddr, count: usize, seconds: f64) -> Vec<String> {
        let client = |name: &str| {
            vec![
                name.to_owned(),
                to.to_string(),
                case.size.to_string(),
                case.kind.name().to_owned(),
                case.recipients.to_string(),
                count.to_string(),
                seconds.to_string(),
            ]
        };
        match self.program {
            This(name) => {
                let this = env::current_exe().expect("this program has no path");
                let this = this.to_string_lossy().into_owned();
                [vec![this, "client".to_owned()], client(name)].concat()
            }
            Python => {
                let script = concat!(env!("CARGO_MANIFEST_DIR"), "/send.py");
                let python = PYTHON.clone().unwrap_or_default();
                [vec![python], client(script)].concat()
            }
            SmtpSource => smtp_source(case, to, count + 1),
        }
    }
}

fn smtp_source(case: &Case, to: SocketAddr, count: usize) -> Vec<String> {
    let name = format!("peers-{}-{}.eml", case.size, case.kind.name());
    let path = env::temp_dir().join(name);
    if !path.exists() {
        message::write_lines(&path, case.size, case.kind).expect("cannot write the message");
    }
    let file = path.to_string_lossy();
    let (count, recipients) = (count.to_string(), case.recipients.to_string());
    let to = format!("inet:{to}");
    let words = [
        "smtp-source",
        "-d",
        "-m",
        &count,
        "-r",
        &recipients,
        "-F",
        &file,
        "-f",
        message::SENDER,
        "-t",
        "reader@example.org",
        "-M",
        "localhost",
        &to,
    ];
    words.map(str::to_owned).to_vec()
}

/// The interpreter itself: what stands in the path may be a script that looks for it.
static PYTHON: LazyLock<Option<String>> = LazyLock::new(|| {
    let print = ["-c", "import sys; print(sys.executable)"];
    let output = Command::new("python3").args(print).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| path.trim().to_owned())
});

pub fn is_on_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(program).is_file())
}
