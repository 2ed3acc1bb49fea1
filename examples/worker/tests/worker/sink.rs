//! [`Sink`]: an SMTP server that counts messages and makes trouble on demand.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What happens to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Only this delay.
    Late(Duration),
    /// 451 to MAIL.
    SenderLater,
    /// 452 to the first recipient.
    RecipientLater,
    /// 451 to the message.
    DataLater,
    /// The connection is dropped instead of the reply to DATA.
    DropBefore,
    /// The connection is dropped after the message, which is accepted.
    DropTaken,
    /// The connection is dropped after the message, which is not accepted.
    DropUntaken,
    /// The message is accepted, and gets its reply when the test allows it.
    Hold,
}

/// An SMTP server that counts messages and makes trouble on demand.
pub(super) struct Sink {
    pub(super) address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    trouble: Box<dyn Fn(u64) -> Trouble + Send + Sync>,
    messages: AtomicU64,
    state: Mutex<State>,
}

#[derive(Clone, Default)]
pub(super) struct State {
    /// How often each message was accepted for each recipient, by its `Message-ID` and the address.
    pub(super) taken: HashMap<(String, String), u32>,
    /// The messages without a reply to their end.
    pub(super) unanswered: HashSet<String>,
    /// The message that was accepted last.
    pub(super) last: String,
    is_held: bool,
    /// Whether every client is refused.
    is_closed: bool,
}

impl Sink {
    /// Starts a server. The function decides what happens to the message of each number, counted
    /// from 0.
    pub(super) fn start(trouble: impl Fn(u64) -> Trouble + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            trouble: Box::new(trouble),
            messages: AtomicU64::new(0),
            state: Mutex::new(State {
                is_held: true,
                ..State::default()
            }),
        });
        let server = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let server = Arc::clone(&server);
                thread::spawn(move || Session::new(stream.unwrap(), &server).run());
            }
        });
        Self { address, shared }
    }

    pub(super) fn state(&self) -> State {
        self.shared.state.lock().unwrap().clone()
    }

    /// From now on, greets with 554 or no longer does.
    pub(super) fn close(&self, yes: bool) {
        self.shared.state.lock().unwrap().is_closed = yes;
    }

    /// Sends the replies to the messages that are held.
    pub(super) fn release(&self) {
        self.shared.state.lock().unwrap().is_held = false;
    }
}

struct Session<'a> {
    reader: BufReader<TcpStream>,
    shared: &'a Shared,
    trouble: Trouble,
    recipients: Vec<String>,
    is_first_recipient: bool,
}

impl<'a> Session<'a> {
    fn new(stream: TcpStream, shared: &'a Shared) -> Self {
        Self {
            reader: BufReader::new(stream),
            shared,
            trouble: Trouble::Hold,
            recipients: Vec::new(),
            is_first_recipient: true,
        }
    }

    /// Runs the session to its end.
    fn run(mut self) {
        let is_closed = self.shared.state.lock().unwrap().is_closed;
        let mut go_on = match is_closed {
            true => self.say("554 5.7.1 not now").and(None),
            false => self.say("220 sink"),
        };
        while go_on.is_some() {
            go_on = self.line().and_then(|line| self.command(&line));
        }
    }

    /// Carries out a command; `None` ends the session.
    fn command(&mut self, line: &str) -> Option<()> {
        let verb = line.get(..4).unwrap_or_default();
        match verb {
            "MAIL" => self.mail(),
            "RCPT" => self.recipient(line),
            "DATA" if self.trouble == Trouble::DropBefore => None,
            "DATA" => self.data(),
            "QUIT" => self.say("221 bye").and(None),
            _ => self.say("250 ok"),
        }
    }

    fn mail(&mut self) -> Option<()> {
        let number = self.shared.messages.fetch_add(1, Ordering::Relaxed);
        self.trouble = (self.shared.trouble)(number);
        self.recipients.clear();
        self.is_first_recipient = true;
        self.say(match self.trouble {
            Trouble::SenderLater => "451 4.3.0 busy",
            _ => "250 ok",
        })
    }

    fn recipient(&mut self, line: &str) -> Option<()> {
        let is_first = std::mem::take(&mut self.is_first_recipient);
        let (_, address) = line.split_once('<')?;
        let (address, _) = address.split_once('>')?;
        if address.starts_with("nobody") {
            return self.say("550 5.1.1 no such user");
        }
        if is_first && self.trouble == Trouble::RecipientLater {
            return self.say("452 4.2.2 full");
        }
        self.recipients.push(address.to_owned());
        self.say("250 ok")
    }

    fn data(&mut self) -> Option<()> {
        self.say("354 go ahead")?;
        let mut message = String::new();
        loop {
            let line = self.line()?;
            if line == "." {
                break;
            }
            message += &format!("{line}\n");
        }
        self.end_of_data(&message)
    }

    fn end_of_data(&mut self, message: &str) -> Option<()> {
        match self.trouble {
            Trouble::DataLater => return self.say("451 4.3.0 busy"),
            Trouble::DropUntaken => {
                self.note_unanswered(message);
                return None;
            }
            Trouble::DropTaken => {
                self.note_unanswered(message);
                self.take(message);
                return None;
            }
            Trouble::Late(delay) => thread::sleep(delay),
            _ => {}
        }
        self.take(message);
        while self.trouble == Trouble::Hold && self.shared.state.lock().unwrap().is_held {
            thread::sleep(Duration::from_millis(10));
        }
        self.say("250 2.0.0 taken")
    }

    fn take(&self, message: &str) {
        let mut state = self.shared.state.lock().unwrap();
        for recipient in &self.recipients {
            let entry = (message_id(message), recipient.clone());
            *state.taken.entry(entry).or_default() += 1;
        }
        message.clone_into(&mut state.last);
    }

    fn note_unanswered(&self, message: &str) {
        let mut state = self.shared.state.lock().unwrap();
        state.unanswered.insert(message_id(message));
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        // Longer than every line here. A killed client may leave less than a line.
        let read = self.reader.by_ref().take(4096).read_line(&mut line);
        read.ok()?;
        line.strip_suffix("\r\n").map(str::to_owned)
    }

    fn say(&mut self, reply: &str) -> Option<()> {
        let reply = format!("{reply}\r\n");
        self.reader.get_mut().write_all(reply.as_bytes()).ok()
    }
}

fn message_id(message: &str) -> String {
    let mut lines = message.lines();
    let id = lines.find_map(|line| line.strip_prefix("Message-ID: "));
    id.expect("a Message-ID").to_owned()
}
