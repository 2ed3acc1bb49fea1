//! [`SmtpConnection`]: greeting, EHLO, STARTTLS, AUTH, and the verbs by hand.

use std::fmt;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::time::Instant;

use crate::config::{Config, ConfigError, Protocol, Security};
use crate::dial::dial;
use crate::error::{Error, Result, TlsError, Unsupported};
use crate::protocol::capabilities::Capabilities;
use crate::protocol::command::{self, HelloName};
use crate::protocol::error::ProtocolError;
use crate::protocol::reply::{Code, Reply};
use crate::step::Step;
use crate::stream::{Stream, deadline_in};
use crate::trace::{Trace, TraceLine};
use crate::wire::Wire;

/// A connection to an SMTP or LMTP server.
///
/// It is made by [`Config::connect`], which does everything a configuration asks for, or step by
/// step as in Python:
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
/// After an I/O error, a timeout, a violation of the protocol or the code 421 the connection is
/// closed for good, and every further call is [`Error::Closed`]. Dropping it closes it without a
/// word; [`quit`](Self::quit) says goodbye.
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
    /// [`Error::Config`] and [`Error::Credentials`] before anything is sent; otherwise whatever the
    /// first step that failed says. There is no connection then, and no password was sent
    /// without TLS.
    pub fn connect(&self) -> Result<SmtpConnection> {
        self.check_all()?;
        let deadline = self.deadline.map(deadline_in);
        self.trace
            .note(format_args!("connecting to {}", self.endpoint()));
        let budget_ends = deadline_in(self.timeouts.connect);
        let stream = dial(
            self,
            deadline.map_or(budget_ends, |limit| limit.min(budget_ends)),
        );
        let stream = stream.map_err(|error| match error.kind() {
            ErrorKind::TimedOut => Error::Timeout(Step::Connect),
            _ => Error::Io {
                step: Step::Connect,
                source: error,
            },
        })?;
        SmtpConnection::open(stream, self, deadline)
    }

    /// Everything that can be wrong before a socket is opened.
    fn check_all(&self) -> Result<()> {
        self.check()?;
        if let Some(name) = &self.hello_name {
            name.parse::<HelloName>()?;
        }
        if self.security != Security::None {
            self.check_tls()?;
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

impl Config {
    /// Whether TLS can begin; some platforms find out only now that certificate and key do not
    /// match.
    fn check_tls(&self) -> Result<()> {
        match self.tls.connector() {
            Ok(_) => Ok(()),
            Err(_) if self.tls.has_identity() => Err(ConfigError::Identity.into()),
            Err(error) => {
                let error = TlsError::new(Step::Handshake, Box::new(error), false, None);
                Err(Error::Tls(Box::new(error)))
            }
        }
    }
}

impl SmtpConnection {
    /// Connects without TLS and reads the greeting and the answer to EHLO: Python's `SMTP(host,
    /// port)`.
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

    /// Connects with TLS from the first octet: Python's `SMTP_SSL(host, port)`, with the
    /// certificate verified.
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

    /// Goes on where the caller connected, for instance through a proxy or from a local address.
    /// Nothing may have been read from the stream or written to it by TLS; that is the
    /// configuration's part, as in [`Config::connect`].
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
        Self::open(stream, config, config.deadline.map(deadline_in))
    }

    /// All steps from the open stream to the end of what the configuration asks for.
    pub(crate) fn open(stream: Stream, config: &Config, deadline: Option<Instant>) -> Result<Self> {
        let mut wire = Wire::new(stream, config.timeouts.clone(), config.trace.clone());
        wire.begin_call(deadline)?;
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
        if let Err(error) = connection.prepare() {
            connection.wire.leave();
            return Err(error);
        }
        Ok(connection)
    }

    /// EHLO, and STARTTLS and AUTH as far as the configuration asks for them.
    fn prepare(&mut self) -> Result<()> {
        self.hello()?;
        match self.config.security {
            Security::StartTls => self.upgrade()?,
            Security::Opportunistic if self.capabilities.has("STARTTLS") => self.upgrade()?,
            _ => {}
        }
        match self.config.credentials.clone() {
            Some(credentials) => self.log_in(&credentials),
            None => Ok(()),
        }
    }

    /// Upgrades the connection to TLS and says EHLO again: Python's `starttls()`, with the
    /// certificate verified.
    ///
    /// Everything the server said before is forgotten. If anything goes wrong after the server has
    /// agreed, the connection is closed: there is no way back to plain text.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] if the server does not offer it or TLS is on already;
    /// [`Error::Config`] on a Unix socket; [`Error::Refused`]; [`Error::Tls`] if the handshake
    /// or the certificate fails.
    pub fn starttls(&mut self) -> Result<()> {
        self.begin()?;
        self.upgrade()
    }

    fn upgrade(&mut self) -> Result<()> {
        if self.is_tls() || !self.capabilities.has("STARTTLS") {
            return Err(Unsupported::Extension("STARTTLS".into()).into());
        }
        if !self.wire.stream().is_tcp() {
            return Err(ConfigError::TlsOnUnixSocket.into());
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

    /// Says EHLO (LHLO) once more and takes the answer as the server's capabilities: Python's
    /// `ehlo()`.
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

    /// The configured name, or the socket's address, which is true without any look-up (RFC 5321,
    /// 4.1.4).
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

    /// Sends a command of the caller's own and returns the reply, whatever its code: Python's
    /// `docmd()`.
    ///
    /// Commands that change the state of the connection are refused: they have methods of their
    /// own. A reply that asks for more (3yz) is an error, since there is nothing more.
    ///
    /// # Errors
    ///
    /// [`Error::Command`] before anything is sent; [`Error::Refused`] for 421; [`Error::Protocol`]
    /// for 3yz.
    pub fn command(&mut self, line: &str) -> Result<Reply> {
        let octets = command::custom(line)?;
        if !line.is_ascii() && !self.capabilities.has("SMTPUTF8") {
            return Err(Unsupported::Extension("SMTPUTF8".into()).into());
        }
        self.begin()?;
        self.exchange(Step::Command, &octets)
    }

    /// Calls off whatever transaction there may be; TLS, login and capabilities stay: Python's
    /// `rset()`.
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

    /// Says goodbye and closes: Python's `quit()`. It waits at most 5 seconds for the farewell, and
    /// returns it if it came.
    ///
    /// No answer can change what became of the messages sent before, so this cannot fail.
    pub fn quit(mut self) -> Option<Reply> {
        self.begin().ok()?;
        self.wire.leave()
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

    /// Whether another message may go this way: the connection is open, and the server has not said
    /// goodbye meanwhile.
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
        self.wire
            .begin_call(self.config.deadline.map(deadline_in))?;
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

    pub(crate) fn refused(&mut self, step: Step, reply: Reply) -> Error {
        self.close_on_421(reply.code());
        Error::Refused { step, reply }
    }

    pub(crate) fn protocol(&mut self, step: Step, source: ProtocolError) -> Error {
        self.wire.abort();
        Error::Protocol { step, source }
    }

    pub(crate) fn close_on_421(&mut self, code: Code) {
        if code == Code::SERVICE_CLOSING {
            self.wire.close();
        }
    }
}

impl fmt::Debug for SmtpConnection {
    /// What the network said and what messages held stays out of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpConnection")
            .field("server", &self.config.endpoint())
            .field("protocol", &self.config.protocol)
            .field("is_tls", &self.is_tls())
            .field("is_closed", &self.wire.is_closed())
            .finish_non_exhaustive()
    }
}

/// The greeting must be 220; whatever else it is, the server is left politely (RFC 5321, 3.1).
fn read_greeting(wire: &mut Wire) -> Result<Reply> {
    let reply = wire.read_reply(Step::Greeting)?;
    if reply.code() == 220 {
        return Ok(reply);
    }
    if reply.code() == Code::SERVICE_CLOSING {
        wire.close();
    }
    wire.leave();
    Err(Error::Refused {
        step: Step::Greeting,
        reply,
    })
}
