//! [`SmtpConnection`]: greeting, EHLO, STARTTLS, AUTH, and the verbs by hand.

use std::net::{IpAddr, Ipv4Addr, TcpStream};

use crate::auth::Mechanism;
use crate::auth::credentials::Credentials;
use crate::auth::dialog::{AuthReason, Dialog, Turn};
use crate::config::{Config, Protocol, Security};
use crate::dial::dial;
use crate::error::{Error, Result, Unsupported};
use crate::protocol::capabilities::Capabilities;
use crate::protocol::command::{self, CommandError, HelloName};
use crate::protocol::error::ProtocolError;
use crate::protocol::reply::{Code, Reply};
use crate::step::Step;
use crate::stream::Stream;
use crate::trace::{Trace, TraceLine};
use crate::wire::Wire;

/// A connection to an SMTP or LMTP server.
///
/// It is made by [`Config::connect`], which does everything a configuration asks for, or step by step as in Python:
///
/// ```no_run
/// use smtplib::SmtpConnection;
///
/// # fn main() -> Result<(), smtplib::Error> {
/// let mut smtp = SmtpConnection::connect("mail.example.com", 587)?;
/// smtp.starttls()?;
/// smtp.login("alice", "secret")?;
/// let outcome = smtp.sendmail(
///     "alice@example.com",
///     ["bob@example.org"],
///     "Subject: Lunch?\n\nNoon at the usual place?\n",
/// )?;
/// println!("{} refused", outcome.refused().count());
/// smtp.quit();
/// # Ok(())
/// # }
/// ```
///
/// After an I/O error, a timeout, a violation of the protocol or the code 421 the connection is closed for good, and every
/// further call is [`Error::Closed`]. Dropping it closes it without a word; [`quit`](Self::quit) says goodbye.
#[derive(Debug)]
pub struct SmtpConnection {
    pub(crate) wire: Wire,
    pub(crate) config: Box<Config>,
    greeting: Reply,
    pub(crate) capabilities: Capabilities,
    /// RSET has to go before the next transaction.
    pub(crate) is_reset_owed: bool,
}

impl Config {
    /// Connects, and does all that the configuration asks for: TLS, EHLO, STARTTLS, logging in.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] and [`Error::Credentials`] before anything is sent; otherwise whatever the first step that
    /// failed says. There is no connection then, and no password was sent without TLS.
    pub fn connect(&self) -> Result<SmtpConnection> {
        self.check_all()?;
        let (host, port) = self.host_and_port();
        self.trace.note(format_args!("connecting to {host}:{port}"));
        let budget = self
            .deadline
            .map_or(self.timeouts.connect, |d| d.min(self.timeouts.connect));
        let stream = dial(self, budget).map_err(|error| match error.kind() {
            std::io::ErrorKind::TimedOut => Error::Timeout(Step::Connect),
            _ => Error::Io {
                step: Step::Connect,
                source: error,
            },
        })?;
        SmtpConnection::open(stream, self)
    }

    /// Everything that can be wrong before a socket is opened.
    fn check_all(&self) -> Result<()> {
        self.check()?;
        if let Some(name) = &self.hello_name {
            name.parse::<HelloName>()?;
        }
        if self.security != Security::None {
            self.tls.connector().map_err(Error::Tls)?;
        }
        let Some(credentials) = &self.credentials else {
            return Ok(());
        };
        credentials.check()?;
        if self.security == Security::None && !self.allow_plaintext_auth {
            return Err(Error::PlaintextAuth);
        }
        Ok(())
    }
}

impl SmtpConnection {
    /// Connects without TLS and reads the greeting and the answer to EHLO: Python's `SMTP(host, port)`.
    ///
    /// Nothing secret can be sent before [`starttls`](Self::starttls).
    ///
    /// # Errors
    ///
    /// As [`Config::connect`].
    pub fn connect(host: &str, port: u16) -> Result<Self> {
        Config::new(host)
            .port(port)
            .security(Security::None)
            .connect()
    }

    /// Connects with TLS from the first octet: Python's `SMTP_SSL(host, port)`, with the certificate verified.
    ///
    /// # Errors
    ///
    /// As [`Config::connect`].
    pub fn connect_tls(host: &str, port: u16) -> Result<Self> {
        Config::new(host)
            .port(port)
            .security(Security::ImplicitTls)
            .connect()
    }

    /// Goes on where the caller connected, for instance through a proxy or from a local address. Nothing may have been
    /// read from the stream or written to it by TLS; that is the configuration's part, as in [`Config::connect`].
    ///
    /// # Errors
    ///
    /// As [`Config::connect`].
    pub fn from_tcp_stream(stream: TcpStream, config: &Config) -> Result<Self> {
        config.check_all()?;
        let stream = Stream::tcp(stream);
        let stream = stream.map_err(|source| Error::Io {
            step: Step::Connect,
            source,
        })?;
        Self::open(stream, config)
    }

    /// All steps from the open stream to the end of what the configuration asks for.
    pub(crate) fn open(stream: Stream, config: &Config) -> Result<Self> {
        let mut wire = Wire::new(stream, config.timeouts.clone(), config.trace.clone());
        wire.begin_call(config.deadline)?;
        if config.security == Security::ImplicitTls {
            wire.upgrade(&config.tls, config.host_and_port().0)?;
        }
        let greeting = read_greeting(&mut wire)?;
        let mut connection = Self {
            wire,
            config: Box::new(config.clone()),
            greeting,
            capabilities: Capabilities::default(),
            is_reset_owed: false,
        };
        connection.hello()?;
        connection.secure()?;
        if let Some(credentials) = config.credentials.clone() {
            connection.login_with(&credentials)?;
        }
        Ok(connection)
    }

    /// STARTTLS as far as the configuration asks for it.
    fn secure(&mut self) -> Result<()> {
        match self.config.security {
            Security::StartTls => self.upgrade(),
            Security::Opportunistic if self.capabilities.has("STARTTLS") => self.upgrade(),
            _ => Ok(()),
        }
    }

    /// Upgrades the connection to TLS and says EHLO again: Python's `starttls()`, with the certificate verified.
    ///
    /// Everything the server said before is forgotten. If anything goes wrong after the server has agreed, the connection
    /// is closed: there is no way back to plain text.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] if the server does not offer it or TLS is on already; [`Error::Refused`];
    /// [`Error::Tls`] if the handshake or the certificate fails.
    pub fn starttls(&mut self) -> Result<()> {
        self.begin()?;
        self.upgrade()
    }

    fn upgrade(&mut self) -> Result<()> {
        if self.is_tls() || !self.capabilities.has("STARTTLS") {
            return Err(Unsupported::Extension("STARTTLS".into()).into());
        }
        let reply = self.exchange(Step::StartTls, b"STARTTLS\r\n")?;
        // 220 and nothing else means that TLS begins (RFC 3207, 4).
        if reply.code() != 220 {
            return Err(self.refused(Step::StartTls, reply));
        }
        self.capabilities = Capabilities::default();
        self.wire
            .upgrade(&self.config.tls, self.config.host_and_port().0)?;
        self.hello()
    }

    /// Logs in with a user name and a password, by the best mechanism that server and configuration share.
    ///
    /// A wrong password is tried once, not once per mechanism: that is how accounts get locked.
    ///
    /// # Errors
    ///
    /// [`Error::PlaintextAuth`] without TLS; [`Error::Credentials`]; [`Error::Unsupported`] if the server offers no AUTH
    /// or no mechanism that fits; [`Error::AuthFailed`].
    pub fn login(&mut self, user: &str, password: &str) -> Result<()> {
        self.begin()?;
        self.login_with(&Credentials::password(user, password))
    }

    /// Logs in with any kind of credentials; see [`login`](Self::login).
    ///
    /// # Errors
    ///
    /// As [`login`](Self::login).
    pub fn login_with(&mut self, credentials: &Credentials) -> Result<()> {
        credentials.check()?;
        let names = self.shared_mechanisms(credentials)?;
        let server = self.config.host_and_port();
        let server = (server.0.to_owned(), server.1);
        let mut failure = None;
        for name in names {
            let mut mechanism = credentials.mechanism(&name, (&server.0, server.1))?;
            match self.authenticate(mechanism.as_mut()) {
                Err(error) if may_try_next(&error) => failure = Some(error),
                result => return result,
            }
        }
        Err(failure.unwrap_or_else(|| Unsupported::Mechanism(Box::default()).into()))
    }

    /// The mechanisms that fit the credentials, are allowed, and are offered.
    fn shared_mechanisms(&self, credentials: &Credentials) -> Result<Vec<String>> {
        if !self.capabilities.has("AUTH") {
            return Err(Unsupported::Extension("AUTH".into()).into());
        }
        let offered: Vec<&str> = self.capabilities.auth_mechanisms().collect();
        let fitting = credentials.mechanisms();
        let wanted: Vec<&str> = match &self.config.mechanisms {
            Some(names) => names.iter().map(String::as_str).collect(),
            None => fitting.to_vec(),
        };
        let usable = |name: &&str| fitting.contains(name) && offered.contains(name);
        let names: Vec<String> = wanted
            .into_iter()
            .filter(usable)
            .map(str::to_owned)
            .collect();
        if names.is_empty() {
            return Err(Unsupported::Mechanism(offered.join(" ").into()).into());
        }
        Ok(names)
    }

    /// Logs in by a mechanism of the caller's choice, whether the server offers it or not: Python's `auth()`.
    ///
    /// # Errors
    ///
    /// [`Error::PlaintextAuth`] if the mechanism needs TLS and there is none; [`Error::Command`] if its name is none;
    /// [`Error::AuthFailed`].
    pub fn authenticate(&mut self, mechanism: &mut dyn Mechanism) -> Result<()> {
        self.begin()?;
        if mechanism.needs_tls() && !self.is_tls() && !self.config.allow_plaintext_auth {
            return Err(Error::PlaintextAuth);
        }
        check_mechanism_name(mechanism.name())?;
        // AUTH is not permitted inside a mail transaction (RFC 4954, 4).
        if self.is_reset_owed {
            self.reset()?;
        }
        let (mut dialog, mut line) = Dialog::start(mechanism);
        loop {
            self.wire
                .send(Step::Auth, &line.octets, Some(&line.shown))?;
            let reply = self.wire.read_reply_masked(Step::Auth, &dialog.secrets())?;
            self.close_on_421(reply.code());
            match dialog.reply(reply) {
                Turn::Send(next) => line = next,
                Turn::Success => return Ok(()),
                Turn::Failure(error) => return Err(self.auth_failed(error)),
                Turn::Nonsense => return Err(self.protocol(Step::Auth, ProtocolError::Unsolicited)),
            }
        }
    }

    /// An impostor that lets us in without the proof is not talked to any further.
    fn auth_failed(&mut self, error: Box<crate::auth::dialog::AuthError>) -> Error {
        if error.reason() == AuthReason::ServerUnproven {
            self.wire.abort();
        }
        Error::AuthFailed(error)
    }

    /// Says EHLO (LHLO) once more and takes the answer as the server's capabilities: Python's `ehlo()`.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], and everything that can happen to a connection.
    pub fn ehlo(&mut self) -> Result<&Capabilities> {
        self.begin()?;
        self.hello()?;
        Ok(&self.capabilities)
    }

    /// EHLO or LHLO; HELO where EHLO is unknown and nothing depends on it (RFC 5321, 3.2).
    fn hello(&mut self) -> Result<()> {
        self.capabilities = Capabilities::default();
        let name = self.hello_name()?;
        let verb = if self.config.protocol == Protocol::Lmtp {
            "LHLO"
        } else {
            "EHLO"
        };
        let reply = self.exchange(Step::Hello, &command::hello(verb, &name))?;
        if reply.is_positive() {
            self.capabilities = Capabilities::from_ehlo(&reply);
            self.is_reset_owed = false;
            return Ok(());
        }
        if !reply.is_permanent() || !self.may_say_helo() {
            return Err(self.refused(Step::Hello, reply));
        }
        let answer = self.exchange(Step::Hello, &command::hello("HELO", &name))?;
        // The reason is in the answer to EHLO; HELO's is often just as unhelpful as it is late.
        if answer.is_positive() {
            Ok(())
        } else {
            Err(self.refused(Step::Hello, reply))
        }
    }

    /// Without EHLO there is neither STARTTLS nor AUTH, and LMTP has no HELO (RFC 2033, 4.1).
    fn may_say_helo(&self) -> bool {
        let needs_starttls = self.config.security == Security::StartTls && !self.is_tls();
        !needs_starttls
            && self.config.credentials.is_none()
            && self.config.protocol == Protocol::Smtp
    }

    /// The configured name, or the socket's address, which is true without any look-up (RFC 5321, 4.1.4).
    fn hello_name(&self) -> Result<HelloName> {
        if let Some(name) = &self.config.hello_name {
            return Ok(name.parse()?);
        }
        let literal = match self.wire.stream().local_ip() {
            Some(IpAddr::V6(address)) => format!("[IPv6:{address}]"),
            Some(IpAddr::V4(address)) => format!("[{address}]"),
            None => format!("[{}]", Ipv4Addr::LOCALHOST),
        };
        Ok(literal.parse()?)
    }

    /// Sends a command of the caller's own and returns the reply, whatever its code: Python's `docmd()`.
    ///
    /// Commands that change the state of the connection are refused: they have methods of their own.
    ///
    /// # Errors
    ///
    /// [`Error::Command`] before anything is sent; [`Error::Refused`] for 421.
    pub fn command(&mut self, line: &str) -> Result<Reply> {
        let octets = command::custom(line)?;
        if !line.is_ascii() && !self.capabilities.has("SMTPUTF8") {
            return Err(Unsupported::Extension("SMTPUTF8".into()).into());
        }
        self.begin()?;
        self.exchange(Step::Command, &octets)
    }

    /// Calls off whatever transaction there may be; TLS, login and capabilities stay: Python's `rset()`.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`]; the connection is closed then, since nobody knows in what state it is.
    pub fn rset(&mut self) -> Result<()> {
        self.begin()?;
        self.reset()
    }

    pub(crate) fn reset(&mut self) -> Result<()> {
        let reply = self.exchange(Step::Reset, b"RSET\r\n")?;
        if !reply.is_positive() {
            self.wire.close();
            return Err(Error::Refused {
                step: Step::Reset,
                reply,
            });
        }
        self.is_reset_owed = false;
        Ok(())
    }

    /// Asks for nothing, to see whether the server is still there: Python's `noop()`.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], and everything that can happen to a connection.
    pub fn noop(&mut self) -> Result<()> {
        let reply = self.command("NOOP")?;
        if reply.is_positive() {
            Ok(())
        } else {
            Err(self.refused(Step::Command, reply))
        }
    }

    /// Asks whether a user exists: Python's `verify()`. 252 means that the server does not tell.
    ///
    /// # Errors
    ///
    /// As [`command`](Self::command).
    pub fn vrfy(&mut self, user: &str) -> Result<Reply> {
        self.command(&format!("VRFY {user}"))
    }

    /// Asks who is on a mailing list: Python's `expn()`.
    ///
    /// # Errors
    ///
    /// As [`command`](Self::command).
    pub fn expn(&mut self, list: &str) -> Result<Reply> {
        self.command(&format!("EXPN {list}"))
    }

    /// Asks for help, on a topic if it is not empty: Python's `help()`.
    ///
    /// # Errors
    ///
    /// As [`command`](Self::command).
    pub fn help(&mut self, topic: &str) -> Result<Reply> {
        self.command(format!("HELP {topic}").trim_end_matches(' '))
    }

    /// Says goodbye and closes: Python's `quit()`. It waits at most 5 seconds for the farewell, and returns it if it came.
    ///
    /// No answer can change what became of the messages sent before, so this cannot fail.
    pub fn quit(mut self) -> Option<Reply> {
        let farewell = self
            .begin()
            .and_then(|()| self.exchange(Step::Quit, b"QUIT\r\n"));
        self.wire.close();
        match farewell {
            Ok(reply) | Err(Error::Refused { reply, .. }) => Some(reply),
            Err(_) => None,
        }
    }

    /// The server's first words.
    #[must_use]
    pub fn greeting(&self) -> &Reply {
        &self.greeting
    }

    /// What the server offers, by its newest answer to EHLO; nothing if it only knows HELO.
    #[must_use]
    pub fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    /// Whether TLS protects the connection.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.wire.stream().is_tls()
    }

    /// The server's certificate in DER, if TLS protects the connection.
    #[must_use]
    pub fn peer_certificate(&self) -> Option<Vec<u8>> {
        self.wire.stream().peer_certificate()
    }

    /// Whether another message may go this way: the connection is open, and the server has not said goodbye meanwhile.
    ///
    /// It asks the socket, not the server.
    pub fn is_reusable(&mut self) -> bool {
        self.begin().is_ok()
    }

    /// Shows every line of the dialog from here on to this function: Python's `set_debuglevel()`.
    pub fn set_trace(&mut self, sink: impl Fn(TraceLine<'_>) + Send + Sync + 'static) {
        self.wire.trace = Trace::new(sink);
    }

    /// Begins a call of the user's on an idle connection.
    pub(crate) fn begin(&mut self) -> Result<()> {
        self.wire.begin_call(self.config.deadline)?;
        self.wire.check_idle(Step::Command)
    }

    /// One command and its reply. 421 ends the connection, whatever it answers (RFC 5321, 3.8).
    fn exchange(&mut self, step: Step, octets: &[u8]) -> Result<Reply> {
        self.wire.send(step, octets, None)?;
        let reply = self.wire.read_reply(step)?;
        if reply.code().is_intermediate() {
            return Err(self.protocol(step, ProtocolError::UnexpectedCode(reply.code())));
        }
        if reply.code() == Code::SERVICE_CLOSING {
            return Err(self.refused(step, reply));
        }
        Ok(reply)
    }

    fn refused(&mut self, step: Step, reply: Reply) -> Error {
        self.close_on_421(reply.code());
        Error::Refused { step, reply }
    }

    fn protocol(&mut self, step: Step, source: ProtocolError) -> Error {
        self.wire.abort();
        Error::Protocol { step, source }
    }

    fn close_on_421(&mut self, code: Code) {
        if code == Code::SERVICE_CLOSING {
            self.wire.close();
        }
    }
}

/// The greeting must be 220; whatever else it is, the server is left politely (RFC 5321, 3.1).
fn read_greeting(wire: &mut Wire) -> Result<Reply> {
    let greeting = wire.read_reply(Step::Greeting)?;
    if greeting.code() == 220 {
        return Ok(greeting);
    }
    if greeting.code() != Code::SERVICE_CLOSING {
        // The farewell matters to the server only; the error is the greeting either way.
        let _ = wire.send(Step::Quit, b"QUIT\r\n", None);
    }
    wire.close();
    Err(Error::Refused {
        step: Step::Greeting,
        reply: greeting,
    })
}

/// RFC 4422, 3.1.
fn check_mechanism_name(name: &str) -> Result<()> {
    let is_octet = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
    if matches!(name.len(), 1..=20) && name.bytes().all(is_octet) {
        Ok(())
    } else {
        Err(CommandError::Mechanism.into())
    }
}

/// After 504, 534 or 538 the fault is the mechanism's, and after a challenge that makes no sense, too; everything else is
/// about the credentials or the server (RFC 4954, 6).
fn may_try_next(error: &Error) -> bool {
    let Error::AuthFailed(failure) = error else {
        return false;
    };
    match failure.reason() {
        AuthReason::BadChallenge => true,
        AuthReason::Refused => failure
            .reply()
            .is_some_and(|reply| matches!(reply.code().as_u16(), 504 | 534 | 538)),
        _ => false,
    }
}
