//! A server that accepts everything, for tests that are not about the dialog.
use crate::peer::ca::Leaf;
use crate::peer::conn::Conn;
use crate::peer::failure::Result;
use crate::peer::link::Fill;
use crate::peer::script::Script;
use std::time::Duration;

/// A server that offers what it is told to, accepts every message, and refuses what a rule says.
///
/// It knows EHLO, HELO, LHLO, STARTTLS (if offered), AUTH with an initial response, MAIL, RCPT,
/// DATA, BDAT, RSET, NOOP and QUIT. Its bodies and commands are those of
/// [`crate::peer::Exchanged`].
#[derive(Debug, Default)]
pub(crate) struct Server {
    capabilities: Vec<String>,
    rules: Vec<(String, String)>,
    drain: bool,
}

impl Server {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Offers one more extension, such as `SIZE 1000`.
    pub(crate) fn offer(mut self, capability: &str) -> Self {
        self.capabilities.push(capability.into());
        self
    }

    /// Replies to each command that begins with `start` with `reply`, which need not end in CRLF.
    /// The first rule that fits counts. For the replies to message data the command is `.`.
    pub(crate) fn on(mut self, start: &str, reply: &str) -> Self {
        self.rules.push((start.into(), reply.into()));
        self
    }

    /// Replies only after it has read everything that has come: one half of a possible deadlock.
    pub(crate) fn answer_after_drain(mut self) -> Self {
        self.drain = true;
        self
    }

    /// The server as a script, which can listen in every way.
    pub(crate) fn script(self) -> Script {
        Script::handler(move |conn| Dialog::new(&self, conn).run())
    }
}

/// One connection of the server.
struct Dialog<'a> {
    server: &'a Server,
    conn: &'a mut Conn,
    /// Replies that are not written yet.
    replies: Vec<u8>,
    recipients: usize,
    lmtp: bool,
}

impl<'a> Dialog<'a> {
    fn new(server: &'a Server, conn: &'a mut Conn) -> Self {
        Self {
            server,
            conn,
            replies: Vec::new(),
            recipients: 0,
            lmtp: false,
        }
    }

    fn run(&mut self) -> Result<()> {
        self.reply("220 mx.example.org")?;
        while self.more()? {
            let line = self.conn.read_line()?;
            self.command(&line)?;
            if line == "QUIT" {
                break;
            }
        }
        self.flush()
    }

    /// Whether the client sends more. If it does not at once, writes the replies that wait.
    fn more(&mut self) -> Result<bool> {
        if self.conn.link.look(DRAINED)? == Fill::Quiet {
            self.flush()?;
        }
        Ok(self.conn.link.look(self.conn.link.bound())? == Fill::Octets)
    }

    fn command(&mut self, line: &str) -> Result<()> {
        if let Some((_, reply)) = self
            .server
            .rules
            .iter()
            .find(|(start, _)| line.starts_with(start))
        {
            return self.reply(reply);
        }
        match line.split(' ').next().unwrap_or_default() {
            "EHLO" => self.hello(),
            "LHLO" => {
                self.lmtp = true;
                self.hello()
            }
            "STARTTLS" if self.offers("STARTTLS") => self.start_tls(),
            "AUTH" if self.offers("AUTH") => self.reply("235 2.7.0 welcome"),
            "MAIL" | "RSET" => {
                self.recipients = 0;
                self.reply("250 2.0.0 ok")
            }
            "RCPT" => {
                self.recipients += 1;
                self.reply("250 2.1.5 ok")
            }
            "DATA" => self.data(),
            "BDAT" => self.chunk(line),
            "HELO" | "NOOP" => self.reply("250 2.0.0 ok"),
            "QUIT" => self.reply("221 2.0.0 bye"),
            _ => self.reply("502 5.5.1 not known here"),
        }
    }

    fn offers(&self, keyword: &str) -> bool {
        self.server
            .capabilities
            .iter()
            .any(|c| c.split(' ').next() == Some(keyword))
    }

    fn hello(&mut self) -> Result<()> {
        let mut lines = vec!["mx.example.org"];
        lines.extend(self.server.capabilities.iter().map(String::as_str));
        let last = lines.pop().unwrap_or_default();
        let mut reply: String = lines.iter().map(|line| format!("250-{line}\r\n")).collect();
        reply.push_str(&format!("250 {last}"));
        self.reply(&reply)
    }

    fn start_tls(&mut self) -> Result<()> {
        self.reply("220 2.0.0 go ahead")?;
        self.flush()?;
        self.conn.start_tls(Leaf::Good)
    }

    fn data(&mut self) -> Result<()> {
        if self.recipients == 0 {
            return self.reply("554 5.5.1 no valid recipients");
        }
        self.reply("354 go ahead")?;
        self.flush()?;
        self.conn.read_data()?;
        self.verdicts()
    }

    fn chunk(&mut self, line: &str) -> Result<()> {
        let (_, last) = self.conn.read_chunk(line)?;
        match (self.recipients, last) {
            (0, _) => self.reply("554 5.5.1 no valid recipients"),
            (_, true) => self.verdicts(),
            (_, false) => self.reply("250 2.0.0 go on"),
        }
    }

    /// One reply to the message, or one for each recipient (RFC 2033, 4.2).
    fn verdicts(&mut self) -> Result<()> {
        let rule = self.server.rules.iter().find(|(start, _)| start == ".");
        let reply = rule.map_or("250 2.0.0 taken", |(_, reply)| reply);
        let replies = if self.lmtp { self.recipients } else { 1 };
        self.recipients = 0;
        (0..replies).try_for_each(|_| self.reply(reply))
    }

    fn reply(&mut self, reply: &str) -> Result<()> {
        self.replies.extend_from_slice(reply.as_bytes());
        self.replies.extend_from_slice(b"\r\n");
        if self.server.drain {
            Ok(())
        } else {
            self.flush()
        }
    }

    fn flush(&mut self) -> Result<()> {
        if !self.replies.is_empty() {
            self.conn.write(&self.replies)?;
            self.replies.clear();
        }
        Ok(())
    }
}

/// A client that sends nothing for this long waits for a reply.
const DRAINED: Duration = Duration::from_millis(2);
