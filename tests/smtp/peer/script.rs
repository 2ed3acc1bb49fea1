//! The settings of a peer before it listens.
use crate::peer::Peer;
use crate::peer::ca::Leaf;
use crate::peer::conn::Conn;
use crate::peer::failure::Result;
use crate::peer::listen::{Endpoint, Listener};
use crate::peer::parse::{Action, Step, parse};
use crate::peer::settings::{Control, Cut, Settings};
use crate::peer::worker::Worker;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// The server's part in a test, as a text or as a function, and the settings of its socket.
///
/// The language of the text is described at the beginning of [`crate::peer`].
#[derive(Debug)]
pub(crate) struct Script {
    part: Part,
    settings: Settings,
    recv_buffer: Option<usize>,
}

pub(crate) type Handler = Box<dyn FnMut(&mut Conn) -> Result<()> + Send>;

/// What is done on the connections.
pub(crate) enum Part {
    /// The same for any number of connections.
    Handler(Handler),
    /// One dialog for each connection, and no further connection.
    Dialogs(Vec<Dialog>),
}

impl fmt::Debug for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handler(_) => f.write_str("Handler"),
            Self::Dialogs(dialogs) => f.debug_tuple("Dialogs").field(dialogs).finish(),
        }
    }
}

/// One connection's script.
#[derive(Debug)]
pub(crate) struct Dialog {
    text: String,
    pub(crate) steps: Vec<Step>,
}

impl Dialog {
    fn new(text: &str) -> Self {
        Self {
            text: text.into(),
            steps: parse(text),
        }
    }

    /// The text, with a mark at one line.
    pub(crate) fn marked(&self, line: usize) -> String {
        let lines = self
            .text
            .lines()
            .enumerate()
            .filter(|(_, text)| !text.trim().is_empty());
        lines
            .map(|(n, text)| {
                let mark = if n + 1 == line { "-->" } else { "   " };
                format!("{mark} {:3} {}\n", n + 1, text.trim_start())
            })
            .collect()
    }
}

impl Script {
    /// A script for one connection.
    ///
    /// # Panics
    ///
    /// When a line is not understood.
    pub(crate) fn new(text: &str) -> Self {
        Self::sessions([text])
    }

    /// One script for each connection, in order. Without a script nobody may connect.
    pub(crate) fn sessions<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::part(Part::Dialogs(
            texts
                .into_iter()
                .map(|text| Dialog::new(text.as_ref()))
                .collect(),
        ))
    }

    /// A function for any number of connections, one at a time. The connection closes when it
    /// returns.
    pub(crate) fn handler(handler: impl FnMut(&mut Conn) -> Result<()> + Send + 'static) -> Self {
        Self::part(Part::Handler(Box::new(handler)))
    }

    fn part(part: Part) -> Self {
        let settings = Settings {
            bound: BOUND,
            cut: Cut::Never,
        };
        Self {
            part,
            settings,
            recv_buffer: None,
        }
    }

    /// Sets the longest wait for the client; the default is 10 s.
    pub(crate) fn bound(mut self, bound: Duration) -> Self {
        self.settings.bound = bound;
        self
    }

    /// Writes this many bytes in each segment, or in each record under TLS.
    pub(crate) fn split(mut self, octets: usize) -> Self {
        self.settings.cut = Cut::Every(octets);
        self
    }

    /// Cuts each block of server lines once, after this many bytes. A shorter block stays whole.
    pub(crate) fn split_at(mut self, octets: usize) -> Self {
        self.settings.cut = Cut::At(octets);
        self
    }

    /// Asks for a small receive buffer, so that a client that does not read blocks soon. Linux
    /// doubles the number.
    pub(crate) fn recv_buffer(mut self, octets: usize) -> Self {
        self.recv_buffer = Some(octets);
        self
    }

    /// The longest block of server lines, in bytes: `1..longest` are all places where `split_at`
    /// can cut.
    pub(crate) fn longest_block(&self) -> usize {
        let Part::Dialogs(dialogs) = &self.part else {
            return 0;
        };
        let blocks = dialogs
            .iter()
            .flat_map(|d| &d.steps)
            .filter_map(|step| match &step.action {
                Action::Send(block) => Some(block.octets.len()),
                _ => None,
            });
        blocks.max().unwrap_or(0)
    }

    /// Listens on a free port of 127.0.0.1.
    pub(crate) fn listen(self) -> Peer {
        self.listen_at(([127, 0, 0, 1], 0).into())
    }

    /// Listens on a free port of `::1`.
    pub(crate) fn listen_v6(self) -> Peer {
        self.listen_at(([0, 0, 0, 0, 0, 0, 0, 1], 0).into())
    }

    /// Listens on a free port of 127.0.0.1, with TLS from the first byte.
    pub(crate) fn listen_tls(mut self) -> Peer {
        let tls = || Step {
            line: 0,
            action: Action::Tls(Leaf::Good),
        };
        self.part = match self.part {
            Part::Dialogs(mut dialogs) => {
                dialogs
                    .iter_mut()
                    .for_each(|dialog| dialog.steps.insert(0, tls()));
                Part::Dialogs(dialogs)
            }
            Part::Handler(mut handler) => Part::Handler(Box::new(move |conn: &mut Conn| {
                conn.start_tls(Leaf::Good)?;
                handler(conn)
            })),
        };
        self.listen()
    }

    /// Listens on this address, such as the port of another peer on `::1`.
    pub(crate) fn listen_at(self, address: SocketAddr) -> Peer {
        let (listener, endpoint) = Listener::tcp(address, self.recv_buffer);
        self.start(listener, endpoint)
    }

    /// Listens on a Unix socket in a new folder.
    #[cfg(unix)]
    pub(crate) fn listen_unix(self) -> Peer {
        let (listener, endpoint) = Listener::unix();
        self.start(listener, endpoint)
    }

    fn start(self, listener: Listener, endpoint: Endpoint) -> Peer {
        let control = Arc::new(Control::default());
        let worker = Worker::new(listener, self.part, self.settings, Arc::clone(&control));
        Peer::new(control, thread::spawn(|| worker.run()), endpoint)
    }
}

/// Long for a machine under load, short for a person.
const BOUND: Duration = Duration::from_secs(10);
