//! [`Case`]: what is sent to whom over which distance.

use std::time::Duration;

use crate::message::Kind;

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Server {
    Ours,
    /// Postfix's.
    SmtpSink,
}

pub struct Case {
    pub server: Server,
    /// What the relay adds to a round trip.
    pub delay: Duration,
    pub size: usize,
    pub kind: Kind,
    pub recipients: usize,
    /// Whether system calls and instructions are counted instead of time.
    pub counts: bool,
}

impl Case {
    /// All cases: what takes time, and then what is counted.
    pub fn all() -> impl Iterator<Item = Self> {
        let mut cases = Vec::new();
        for server in [Server::Ours, Server::SmtpSink] {
            for delay in [0, 10, 50].map(Duration::from_millis) {
                for (size, recipients) in SHAPES {
                    cases.push(Self {
                        server,
                        delay,
                        size,
                        kind: Kind::Clean,
                        recipients,
                        counts: false,
                    });
                }
            }
        }
        let kinds = [Kind::Dots, Kind::Lf].map(|kind| (10 * MIB, 1, kind));
        let shapes = SHAPES.map(|(size, recipients)| (size, recipients, Kind::Clean));
        for (size, recipients, kind) in shapes.into_iter().chain(kinds) {
            cases.push(Self {
                server: Server::Ours,
                delay: Duration::ZERO,
                size,
                kind,
                recipients,
                counts: true,
            });
        }
        cases.into_iter()
    }

    pub fn title(&self) -> String {
        self.parts().join(", ")
    }

    /// Whether each word, a list of parts of the title, has one of this case's parts.
    pub fn is_wanted(&self, words: &[String]) -> bool {
        let parts = self.parts();
        words
            .iter()
            .all(|word| word.split(',').any(|part| parts.iter().any(|p| p == part)))
    }

    fn parts(&self) -> Vec<String> {
        let server = match (self.counts, self.server) {
            (true, _) => "counts",
            (false, Server::Ours) => "our sink",
            (false, Server::SmtpSink) => "smtp-sink",
        };
        let size = match self.size {
            size if size >= MIB => format!("{} MiB", size / MIB),
            size => format!("{} KiB", size / KIB),
        };
        let recipients = match self.recipients {
            1 => "1 recipient".to_owned(),
            recipients => format!("{recipients} recipients"),
        };
        let mut parts = vec![server.to_owned(), size, recipients];
        if self.counts {
            parts.push(self.kind.name().to_owned());
        } else {
            parts.insert(1, format!("{} ms", self.delay.as_millis()));
        }
        parts
    }
}

const SHAPES: [(usize, usize); 6] = [
    (KIB, 1),
    (KIB, 50),
    (100 * KIB, 1),
    (100 * KIB, 50),
    (10 * MIB, 1),
    (10 * MIB, 50),
];
