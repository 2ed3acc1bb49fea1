//! A server for many connections at a time, which knows what it has accepted.
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// What a server does with a command.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// The usual reply.
    Usual,
    /// This reply.
    Reply(&'static str),
    /// This reply, and then the connection is closed.
    Farewell(&'static str),
    /// The connection is closed without a reply.
    Drop,
    /// The usual reply, after this delay.
    Late(Duration),
}

/// Decides by the number of the connection, the number of the command on it, and the command.
/// `CONNECT` is the beginning, and `.` the end of a message.
pub(super) type Rule = dyn Fn(usize, usize, &str) -> Answer + Send + Sync;

/// A server for many connections at a time.
pub(super) struct Crowd {
    port: u16,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    offers: Vec<&'static str>,
    rule: Box<Rule>,
    is_over: AtomicBool,
    open: AtomicUsize,
    most_open: AtomicUsize,
    connections: AtomicUsize,
    /// How often each message was accepted, by its first line.
    taken: Mutex<HashMap<String, usize>>,
    order: Mutex<Vec<(usize, String)>>,
}

/// The configuration for a crowd on this port.
pub(super) fn config(port: u16) -> smtplib::Config {
    smtplib::Config::new("127.0.0.1")
        .port(port)
        .security(smtplib::Security::None)
        .hello_name("client.example")
        .timeout(Duration::from_secs(20))
}

impl Crowd {
    pub(super) fn new(
        offers: &[&'static str],
        rule: impl Fn(usize, usize, &str) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            offers: offers.to_vec(),
            rule: Box::new(rule),
            is_over: AtomicBool::new(false),
            open: AtomicUsize::new(0),
            most_open: AtomicUsize::new(0),
            connections: AtomicUsize::new(0),
            taken: Mutex::default(),
            order: Mutex::default(),
        });
        let thread = thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.accept(&listener)
        });
        Self {
            port,
            shared,
            thread: Some(thread),
        }
    }

    pub(super) fn config(&self) -> smtplib::Config {
        config(self.port)
    }

    #[cfg(all(target_os = "linux", target_pointer_width = "64"))]
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// How many connections there have been.
    pub(super) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// The most connections that were open at the same time.
    pub(super) fn most_open(&self) -> usize {
        self.shared.most_open.load(Ordering::SeqCst)
    }

    /// How often each message was accepted.
    pub(super) fn taken(&self) -> HashMap<String, usize> {
        self.shared.taken.lock().unwrap().clone()
    }

    /// The messages in the order in which they were accepted, each with the number of its
    /// connection.
    pub(super) fn order(&self) -> Vec<(usize, String)> {
        self.shared.order.lock().unwrap().clone()
    }

    /// Waits until every client has closed.
    pub(super) fn finish(mut self) {
        self.stop();
        let start = std::time::Instant::now();
        while self.shared.open.load(Ordering::SeqCst) > 0 {
            assert!(
                start.elapsed() < Duration::from_secs(20),
                "a client holds its connection"
            );
            thread::sleep(Duration::from_millis(1));
        }
    }

    fn stop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port));
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Shared {
    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming() {
            if self.is_over.load(Ordering::SeqCst) {
                return;
            }
            let Ok(stream) = stream else { continue };
            let number = self.connections.fetch_add(1, Ordering::SeqCst);
            let open = self.open.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_open.fetch_max(open, Ordering::SeqCst);
            let shared = Arc::clone(self);
            thread::spawn(move || {
                let session = Session {
                    shared: &shared,
                    number,
                    commands: 0,
                    input: BufReader::new(stream.try_clone().unwrap()),
                    output: stream,
                    has_sender: false,
                    recipients: 0,
                    body: Vec::new(),
                };
                let _ = session.serve();
                shared.open.fetch_sub(1, Ordering::SeqCst);
            });
        }
    }
}

struct Session<'a> {
    shared: &'a Shared,
    number: usize,
    commands: usize,
    input: BufReader<TcpStream>,
    output: TcpStream,
    has_sender: bool,
    recipients: usize,
    body: Vec<u8>,
}

impl Session<'_> {
    fn serve(mut self) -> std::io::Result<()> {
        self.output.set_nodelay(true)?;
        let mut is_on = self.answer("CONNECT")?;
        let mut line = String::new();
        while is_on {
            line.clear();
            is_on = self.input.read_line(&mut line)? > 0 && self.command(line.trim_end())?;
        }
        // Unread bytes must not turn the farewell into a reset.
        self.output.shutdown(Shutdown::Write)?;
        std::io::copy(&mut self.input, &mut std::io::sink())?;
        Ok(())
    }

    fn say(&mut self, reply: &str) -> std::io::Result<()> {
        self.output.write_all(format!("{reply}\r\n").as_bytes())
    }

    /// Replies to a command. Returns false at the end.
    fn command(&mut self, line: &str) -> std::io::Result<bool> {
        let verb = line.split(' ').next().unwrap_or_default();
        if verb == "BDAT" {
            self.read_chunk(line)?;
        }
        if ["DATA", "BDAT"].contains(&verb) && self.recipients == 0 {
            // They were refused in the same group of commands.
            self.body.clear();
            self.say("503 there are no recipients")?;
            return Ok(true);
        }
        let is_end = verb == "BDAT" && line.ends_with("LAST");
        if !self.answer(if is_end { "." } else { line })? {
            return Ok(false);
        }
        Ok(verb != "QUIT")
    }

    fn answer(&mut self, line: &str) -> std::io::Result<bool> {
        self.commands += 1;
        match (self.shared.rule)(self.number, self.commands, line) {
            Answer::Usual => return self.usual(line),
            Answer::Late(wait) => {
                thread::sleep(wait);
                return self.usual(line);
            }
            Answer::Reply(reply) => {
                if line == "." || line.starts_with("BDAT") {
                    self.reset();
                }
                self.say(reply)?;
            }
            Answer::Farewell(reply) => {
                self.say(reply)?;
                return Ok(false);
            }
            Answer::Drop => return Ok(false),
        }
        Ok(true)
    }

    fn usual(&mut self, line: &str) -> std::io::Result<bool> {
        match line.split(' ').next().unwrap_or_default() {
            "EHLO" => {
                let offers = self.shared.offers.iter();
                let offers: String = offers.map(|offer| format!("250-{offer}\r\n")).collect();
                self.say(&format!("250-mx.example.org\r\n{offers}250 8BITMIME"))
            }
            "RSET" => {
                self.reset();
                self.say("250 ok")
            }
            "MAIL" => {
                self.reset();
                self.has_sender = true;
                self.say("250 ok")
            }
            "RCPT" if !self.has_sender => self.say("503 there is no sender"),
            "RCPT" => {
                self.recipients += 1;
                self.say("250 ok")
            }
            "CONNECT" => self.say("220 mx.example.org"),
            "DATA" => {
                self.say("354 go")?;
                self.read_data()?;
                return self.answer(".");
            }
            "QUIT" => self.say("221 bye"),
            "." => {
                self.take();
                self.say("250 taken")
            }
            _ => self.say("250 ok"),
        }?;
        Ok(true)
    }

    /// From here on the server has the message, whether the client gets the reply or not.
    fn take(&mut self) {
        let text = String::from_utf8_lossy(&self.body);
        let name = text.lines().next().unwrap_or_default().to_owned();
        *self
            .shared
            .taken
            .lock()
            .unwrap()
            .entry(name.clone())
            .or_default() += 1;
        self.shared.order.lock().unwrap().push((self.number, name));
        self.reset();
    }

    /// Forgets the message under way.
    fn reset(&mut self) {
        self.has_sender = false;
        self.recipients = 0;
        self.body.clear();
    }

    fn read_chunk(&mut self, line: &str) -> std::io::Result<()> {
        let size = line.split(' ').nth(1).and_then(|size| size.parse().ok());
        let mut chunk = vec![0; size.unwrap_or(0)];
        self.input.read_exact(&mut chunk)?;
        self.body.extend(chunk);
        Ok(())
    }

    fn read_data(&mut self) -> std::io::Result<()> {
        self.body.clear();
        loop {
            let start = self.body.len();
            if self.input.read_until(b'\n', &mut self.body)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            if &self.body[start..] == b".\r\n" {
                self.body.truncate(start);
                return Ok(());
            }
        }
    }
}
