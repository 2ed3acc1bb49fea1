//! [`Session`]: an SMTP server without a socket.

use std::io::{self, ErrorKind};
use std::time::Instant;

use crate::address::Address;
use crate::capabilities::Capabilities;
use crate::parameter::{At, Parameter};
use crate::places::dots::DotDecoder;
use crate::places::offers::{Offers, SERVER};
use crate::places::request::Request;
use crate::places::rules;
use crate::places::store::{Answer, Halt, Mail, Store};
use crate::protocol::line::MAX_LINE;

/// The server's side of a dialog: bytes of the client in, replies out.
///
/// It takes commands in groups (RFC 2920) and chunks (RFC 3030), cut anywhere, and keeps to what it
/// offers. Each command has one reply, in order. The message goes to the store as it comes.
#[derive(Debug)]
pub(crate) struct Session<S> {
    pub(crate) store: S,
    offers: Offers,
    state: State,
    /// The part of the next command that has arrived.
    line: Vec<u8>,
    /// Its last byte was a CR.
    is_behind_cr: bool,
    greeted: Greeted,
    transaction: Option<Transaction>,
    output: Vec<u8>,
    /// How many bytes of the output were read.
    read: usize,
    end: Option<End>,
}

/// The meaning of the next bytes.
#[derive(Debug)]
enum State {
    Commands,
    Data(DotDecoder),
    Chunk {
        left: u64,
        then: Then,
    },
    /// No bytes are expected: the message is complete, and its reply was not read yet.
    Complete,
}

/// What follows a chunk.
#[derive(Debug)]
enum Then {
    More,
    Last,
    /// The chunk is refused with this reply.
    Refuse(Answer),
}

/// How the client has said hello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Greeted {
    No,
    Helo,
    Ehlo,
    Lhlo,
}

/// How the connection has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The server has closed it.
    Closed,
    /// The server sends nothing more.
    Silent,
}

/// A message under way.
#[derive(Debug, Default)]
struct Transaction {
    mail: Mail,
    size: u64,
    is_begun: bool,
    /// The reply that refuses the rest of the message.
    refusal: Option<Answer>,
}

impl<S: Store> Session<S> {
    /// A session at its beginning, with the greeting said.
    pub(crate) fn new(store: S, offers: Offers) -> Self {
        let mut session = Self {
            store,
            offers,
            state: State::Commands,
            line: Vec::new(),
            is_behind_cr: false,
            greeted: Greeted::No,
            transaction: None,
            output: Vec::new(),
            read: 0,
            end: None,
        };
        session.say(&Answer::new(220, format!("{SERVER} ESMTP")));
        session
    }

    /// How the connection has ended, if it has and all was read.
    pub(crate) fn end(&self) -> Option<End> {
        self.end.filter(|_| self.is_read())
    }

    /// Whether nothing is under way, and nothing is left to be read.
    pub(crate) fn is_idle(&self) -> bool {
        let is_at_rest = matches!(self.state, State::Commands) && self.line.is_empty();
        is_at_rest && self.transaction.is_none() && self.is_read()
    }

    fn is_read(&self) -> bool {
        self.read == self.output.len()
    }

    /// Takes replies out, as many as fit.
    pub(crate) fn take_output(&mut self, buffer: &mut [u8]) -> usize {
        let unread = self.output.get(self.read..).unwrap_or_default();
        let length = unread.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(unread) {
            *to = *from;
        }
        self.read += length;
        if self.is_read() {
            self.output.clear();
            self.read = 0;
        }
        length
    }

    /// Takes bytes from the client, up to the end of a message at most: its reply must be read
    /// first.
    pub(crate) fn feed(&mut self, octets: &[u8], deadline: Option<Instant>) -> io::Result<usize> {
        self.complete(deadline);
        let mut rest = octets;
        while !rest.is_empty() && self.end.is_none() {
            let taken = match &self.state {
                State::Commands => self.take_line(rest),
                State::Data(_) => self.take_data(rest, deadline),
                State::Chunk { .. } => self.take_chunk(rest, deadline),
                State::Complete => break,
            };
            rest = rest.get(taken..).unwrap_or_default();
        }
        match (octets.len() - rest.len(), self.end) {
            (0, Some(End::Closed)) => Err(ErrorKind::BrokenPipe.into()),
            (0, Some(End::Silent)) => Err(ErrorKind::TimedOut.into()),
            (taken, _) => Ok(taken),
        }
    }

    /// Stores a complete message, and replies with the result.
    pub(crate) fn complete(&mut self, deadline: Option<Instant>) {
        let State::Complete = self.state else { return };
        self.state = State::Commands;
        let Some(transaction) = self.transaction.take() else {
            return;
        };
        let kept = match transaction.refusal {
            Some(refusal) => Ok(refusal),
            None => self.store.end(deadline),
        };
        match kept {
            Ok(answer) | Err(Halt::Refused(answer)) => {
                // RFC 2033, 4.2: one for each recipient.
                let replies = match self.greeted {
                    Greeted::Lhlo => transaction.mail.recipients.len(),
                    _ => 1,
                };
                (0..replies).for_each(|_| self.say(&answer));
            }
            Err(Halt::Lost) => self.end = Some(End::Closed),
            Err(Halt::TimedOut) => self.end = Some(End::Silent),
        }
    }

    fn say(&mut self, answer: &Answer) {
        answer.append_to(&mut self.output);
        if answer.code == 421 {
            self.end = Some(End::Closed);
        }
    }

    /// Closes the connection; unread replies are lost.
    fn lose(&mut self, end: End) {
        self.reset();
        self.output.clear();
        self.read = 0;
        self.end = Some(end);
    }

    /// Forgets the message under way.
    fn reset(&mut self) {
        if self.transaction.take().is_some_and(|it| it.is_begun) {
            self.store.abort();
        }
    }

    /// Takes what belongs to the next command; returns how many octets that are.
    fn take_line(&mut self, octets: &[u8]) -> usize {
        let end = octets.iter().position(|octet| *octet == b'\n');
        let taken = end.map_or(octets.len(), |end| end + 1);
        let part = octets.get(..taken).unwrap_or_default();
        // Of a too long line, only one byte more than allowed is kept.
        let room = (MAX_LINE + 1).saturating_sub(self.line.len());
        let kept = part.get(..room.min(part.len())).unwrap_or_default();
        self.line.extend_from_slice(kept);
        let is_over = match part {
            [.., b'\r', b'\n'] => true,
            [b'\n'] => self.is_behind_cr,
            _ => false,
        };
        self.is_behind_cr = part.ends_with(b"\r");
        if !is_over {
            return taken;
        }
        let line = std::mem::take(&mut self.line);
        self.obey(&line);
        match self.end {
            // Bytes that did not arrive were not taken: above all the end of an empty chunk.
            Some(_) if self.output.is_empty() => taken - 1,
            _ => taken,
        }
    }

    fn obey(&mut self, line: &[u8]) {
        let is_waiting = !self.is_read();
        let request = match line.strip_suffix(b"\r\n") {
            Some(text) if line.len() <= MAX_LINE => Request::parse(text),
            _ => Err(Answer::new(500, "5.5.2 the command is too long")),
        };
        let result = request.and_then(|request| match request {
            Request::Bdat { size, is_last } => self.chunk(size, is_last),
            _ if is_waiting && !self.known().is_some_and(Capabilities::pipelining) => {
                Err(wrong_order("PIPELINING is not offered: wait for the reply"))
            }
            request => self.command(request),
        });
        match result {
            Ok(Some(answer)) | Err(answer) => self.say(&answer),
            Ok(None) => {}
        }
    }

    /// The reply to a command; none if it comes later or was sent already.
    fn command(&mut self, request: Request) -> Result<Option<Answer>, Answer> {
        let (code, text) = match request {
            Request::Ehlo => return Ok(self.hello(Greeted::Ehlo)),
            Request::Lhlo => return Ok(self.hello(Greeted::Lhlo)),
            Request::Helo => return Ok(self.hello(Greeted::Helo)),
            Request::Mail(sender, parameters) => return self.mail(sender, parameters),
            Request::Rcpt(recipient, parameters) => return self.recipient(recipient, parameters),
            Request::Data => return self.data(),
            Request::Rset => {
                self.reset();
                (250, "2.0.0 forgotten")
            }
            Request::Quit => {
                self.reset();
                self.end = Some(End::Closed);
                (221, "2.0.0 goodbye")
            }
            Request::Help => (214, "2.0.0 see RFC 5321"),
            Request::Vrfy => (252, "2.5.0 send it and see"),
            Request::Noop | Request::Bdat { .. } => (250, "2.0.0 ok"),
        };
        Ok(Some(Answer::new(code, text)))
    }

    fn hello(&mut self, greeted: Greeted) -> Option<Answer> {
        self.reset();
        self.greeted = greeted;
        if greeted == Greeted::Helo {
            return Some(Answer::new(250, SERVER));
        }
        self.output.extend_from_slice(self.offers.answer());
        None
    }

    /// The extensions, if the client has sent EHLO or LHLO.
    fn known(&self) -> Option<&Capabilities> {
        let is_extended = matches!(self.greeted, Greeted::Ehlo | Greeted::Lhlo);
        is_extended.then(|| self.offers.capabilities())
    }

    fn mail(
        &mut self,
        sender: Option<Address>,
        parameters: Vec<Parameter>,
    ) -> Result<Option<Answer>, Answer> {
        if self.greeted == Greeted::No {
            return Err(wrong_order("say EHLO first"));
        }
        if self.transaction.is_some() {
            return Err(wrong_order("the previous message has no end"));
        }
        if self.store.is_down() {
            self.lose(End::Closed);
            return Ok(None);
        }
        rules::parameters(&parameters, At::Mail, self.known())?;
        rules::declared_size(&parameters, self.offers.capabilities())?;
        let mail = Mail {
            sender,
            parameters,
            recipients: Vec::new(),
        };
        rules::address(&mail, mail.sender.as_ref())?;
        self.store.sender(mail.sender.as_ref())?;
        self.transaction = Some(Transaction {
            mail,
            ..Transaction::default()
        });
        Ok(Some(Answer::new(250, "2.1.0 sender ok")))
    }

    fn recipient(
        &mut self,
        recipient: Address,
        parameters: Vec<Parameter>,
    ) -> Result<Option<Answer>, Answer> {
        rules::parameters(&parameters, At::Rcpt, self.known())?;
        let most = self.offers.capabilities().limits().rcpt_max;
        let most = most.filter(|_| !self.store.takes_more());
        let Some(transaction) = &mut self.transaction else {
            return Err(wrong_order("there is no sender yet"));
        };
        if transaction.is_begun {
            return Err(wrong_order("the message has begun"));
        }
        let mail = &mut transaction.mail;
        rules::address(mail, Some(&recipient))?;
        if most.is_some_and(|most| mail.recipients.len() as u64 >= most) {
            return Err(Answer::new(452, "4.5.3 too many recipients"));
        }
        self.store.recipient(&recipient)?;
        mail.recipients.push((recipient, parameters));
        Ok(Some(Answer::new(250, "2.1.5 recipient ok")))
    }

    fn data(&mut self) -> Result<Option<Answer>, Answer> {
        let transaction = self.transaction.as_ref();
        if transaction.is_some_and(|it| it.is_begun || it.mail.is_binary()) {
            // RFC 3030, 2 and 3.
            return Err(wrong_order("the message has to come in chunks"));
        }
        self.begin()?;
        self.state = State::Data(DotDecoder::default());
        Ok(Some(Answer::new(
            354,
            "send the message, then a line with one dot",
        )))
    }

    /// The bytes of a chunk follow even if the command is refused.
    fn chunk(&mut self, size: u64, is_last: bool) -> Result<Option<Answer>, Answer> {
        let begun = match self.known().is_some_and(Capabilities::chunking) {
            true => self.begin(),
            false => Err(Answer::new(502, "5.5.1 CHUNKING is not offered")),
        };
        let then = match begun {
            Err(answer) => Then::Refuse(answer),
            Ok(()) if self.store.is_lost() => {
                self.lose(End::Closed);
                return Ok(None);
            }
            Ok(()) if is_last => Then::Last,
            Ok(()) => Then::More,
        };
        self.state = State::Chunk { left: size, then };
        if size == 0 {
            self.end_chunk();
        }
        Ok(None)
    }

    /// Begins the message, unless an earlier chunk did.
    fn begin(&mut self) -> Result<(), Answer> {
        let Some(transaction) = &mut self.transaction else {
            return Err(wrong_order("there is no sender yet"));
        };
        if transaction.mail.recipients.is_empty() {
            return Err(Answer::new(554, "5.5.1 there are no valid recipients"));
        }
        if transaction.is_begun {
            return Ok(());
        }
        transaction.is_begun = true;
        let begun = self.store.begin(&transaction.mail);
        if begun.is_err() {
            self.reset();
        }
        begun
    }

    fn take_data(&mut self, octets: &[u8], deadline: Option<Instant>) -> usize {
        if self.store.is_lost() {
            self.lose(End::Closed);
        }
        let State::Data(decoder) = &mut self.state else {
            return 0;
        };
        if self.end.is_some() {
            return 0;
        }
        let mut decoder = *decoder;
        let (taken, is_over) = decoder.decode(octets, |part| self.keep(part, deadline));
        if self.end.is_some() {
            return 0;
        }
        self.state = match is_over {
            true => State::Complete,
            false => State::Data(decoder),
        };
        taken
    }

    fn take_chunk(&mut self, octets: &[u8], deadline: Option<Instant>) -> usize {
        let State::Chunk { left, then } = &mut self.state else {
            return 0;
        };
        let most = usize::try_from(*left).unwrap_or(usize::MAX);
        let taken = most.min(octets.len());
        *left -= taken as u64;
        let is_over = *left == 0;
        if !matches!(then, Then::Refuse(_)) {
            self.keep(octets.get(..taken).unwrap_or_default(), deadline);
        }
        if self.end.is_some() {
            return 0;
        }
        if is_over {
            self.end_chunk();
        }
        taken
    }

    fn end_chunk(&mut self) {
        let state = std::mem::replace(&mut self.state, State::Commands);
        let State::Chunk { then, .. } = state else {
            return;
        };
        let refusal = self.transaction.as_mut().and_then(|it| it.refusal.take());
        match (then, refusal) {
            (Then::Refuse(answer), _) | (Then::More, Some(answer)) => {
                // RFC 3030, 2: only RSET is allowed now.
                self.reset();
                self.say(&answer);
            }
            (Then::More, None) => self.say(&Answer::new(250, "2.0.0 go on")),
            (Then::Last, refusal) => {
                if let Some(transaction) = &mut self.transaction {
                    transaction.refusal = refusal;
                }
                self.state = State::Complete;
            }
        }
    }

    /// Passes bytes of the message to the store, unless the message was refused.
    fn keep(&mut self, octets: &[u8], deadline: Option<Instant>) {
        let Some(transaction) = self.transaction.as_mut().filter(|_| !octets.is_empty()) else {
            return;
        };
        transaction.size += octets.len() as u64;
        let size = transaction.size;
        if transaction.refusal.is_some() || self.end.is_some() {
            return;
        }
        let limit = rules::limit(size, self.offers.capabilities());
        let result = match limit.and_then(|()| rules::bits(octets, self.known())) {
            Ok(()) => self.store.write(octets, deadline),
            Err(answer) => Err(answer.into()),
        };
        match result {
            Ok(()) => {}
            Err(Halt::Refused(answer)) => {
                self.store.abort();
                if let Some(transaction) = &mut self.transaction {
                    transaction.refusal = Some(answer);
                }
            }
            Err(Halt::Lost) => self.lose(End::Closed),
            Err(Halt::TimedOut) => self.lose(End::Silent),
        }
    }
}

fn wrong_order(text: &'static str) -> Answer {
    Answer::new(503, format!("5.5.1 {text}"))
}

#[cfg(test)]
#[cfg(properties)]
mod tests;
