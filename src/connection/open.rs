//! Opening a connection: all that a configuration asks for, up to the login.

use std::net::TcpStream;
use std::time::Instant;

use crate::auth::choice::may_go_without_tls;
use crate::auth::user::User;
use crate::capabilities::Capabilities;
use crate::config::{Config, Security};
use crate::connection::smtp_connection::{SmtpConnection, State};
use crate::error::{Error, Result};
use crate::exchange::Exchange;
use crate::net::dial::dial;
use crate::net::stream::{Stream, deadline_in};
use crate::net::wire::Wire;
use crate::protocol::command::HelloName;
use crate::reply::{Code, Reply};
use crate::step::Step;
use crate::transport::Transport;

impl Config {
    /// Connects, sets up TLS and logs in, as the configuration says.
    ///
    /// # Errors
    ///
    /// [`Error::Config`] and [`Error::Credentials`] before anything is sent; otherwise the error of
    /// the first step that failed. No password is ever sent without TLS, unless you allowed it.
    pub fn connect(&self) -> Result<SmtpConnection> {
        self.check().map_err(|error| error.at(self.endpoint()))?;
        let deadline = self.deadline.map(deadline_in);
        self.trace
            .note(format_args!("connecting to {}", self.endpoint()));
        let budget_ends = deadline_in(self.timeouts.connect);
        let stream = dial(
            self,
            deadline.map_or(budget_ends, |limit| limit.min(budget_ends)),
        );
        self.begin(stream, deadline)
    }

    /// Begins the session on an open stream.
    fn begin(&self, stream: Result<Stream>, deadline: Option<Instant>) -> Result<SmtpConnection> {
        let opened = stream.and_then(|stream| {
            self.check_privacy(stream.is_protected_below())?;
            SmtpConnection::open(stream, self, deadline)
        });
        opened.map_err(|error| error.at(self.endpoint()))
    }

    /// Checks the configuration without connecting; certificate files are read.
    ///
    /// [`connect`](Self::connect) does this first.
    ///
    /// # Errors
    ///
    /// [`Error::Config`], [`Error::Command`] for the name in EHLO, [`Error::Credentials`] and
    /// [`Error::PlaintextAuth`]. With a [`transport`](Self::transport), the last comes only from
    /// [`connect`](Self::connect).
    pub fn check(&self) -> Result<()> {
        self.check_but_privacy()?;
        self.check_privacy(self.opener.is_some())
    }

    fn check_but_privacy(&self) -> Result<()> {
        self.check_values()?;
        if let Some(name) = &self.hello_name {
            name.parse::<HelloName>()?;
        }
        if self.security != Security::None || self.tls.is_any_set() {
            self.tls.connector()?;
        }
        if let Some(credentials) = &self.credentials {
            credentials.check()?;
        }
        Ok(())
    }

    /// Checks that the credentials need not be sent without TLS, as far as that is known before the
    /// server says what it offers.
    fn check_privacy(&self, is_protected: bool) -> Result<()> {
        let Some(credentials) = &self.credentials else {
            return Ok(());
        };
        let is_plain = self.security == Security::None && !is_protected;
        let may_go = || may_go_without_tls(credentials.kind(), self.mechanisms.as_deref());
        if is_plain && !self.allow_plaintext_auth && !may_go() {
            return Err(Error::plaintext_auth());
        }
        Ok(())
    }
}

impl SmtpConnection {
    /// Connects without TLS and sends EHLO: Python's `SMTP(host, port)`.
    ///
    /// No password can be sent before [`starttls`](Self::starttls). [`Config::connect`] does
    /// everything in one call.
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

    /// Connects with TLS from the first byte: Python's `SMTP_SSL(host, port)`.
    ///
    /// The certificate is verified.
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

    /// Takes over a connected `TcpStream` on which nothing has been sent or received yet.
    ///
    /// TLS, EHLO and logging in follow, as in [`Config::connect`]. Use it if you connect yourself,
    /// for instance through a proxy.
    ///
    /// ```no_run
    /// use std::net::TcpStream;
    /// use smtplib::{Config, SmtpConnection};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let stream = TcpStream::connect("127.0.0.1:2525")?;
    /// let mut smtp = SmtpConnection::from_tcp_stream(stream, &Config::new("mail.example.com"))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Config::connect`].
    pub fn from_tcp_stream(stream: TcpStream, config: &Config) -> Result<Self> {
        config
            .check()
            .map_err(|error| error.at(config.endpoint()))?;
        let stream = Stream::tcp(stream).map_err(|source| Error::io(Step::Connect, source));
        config.begin(stream, config.deadline.map(deadline_in))
    }

    /// Takes over an open [`Transport`] on which nothing has been sent or received yet.
    ///
    /// TLS, EHLO and logging in follow, as with [`Config::transport`].
    ///
    /// ```no_run
    /// use std::time::{Duration, Instant};
    /// use smtplib::connection::TcpTransport;
    /// use smtplib::{Config, SmtpConnection};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let deadline = Instant::now() + Duration::from_secs(30);
    /// let tunnel = TcpTransport::connect("127.0.0.1", 2525, deadline)?;
    /// let mut smtp = SmtpConnection::from_transport(tunnel, &Config::new("mail.example.com"))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Config::connect`].
    pub fn from_transport(transport: impl Transport + 'static, config: &Config) -> Result<Self> {
        config.check_but_privacy()?;
        let stream = Ok(Stream::new(transport));
        config.begin(stream, config.deadline.map(deadline_in))
    }

    /// Does all steps of the configuration on an open stream.
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
            state: State::default(),
            spare: Exchange::default(),
            user: User::Nobody,
        };
        if let Err(error) = connection.prepare() {
            connection.wire.leave();
            return Err(error);
        }
        Ok(connection)
    }

    /// Sends EHLO, and STARTTLS and AUTH if the configuration asks for them.
    fn prepare(&mut self) -> Result<()> {
        self.hello()?;
        match self.config.security {
            Security::StartTls => drop(self.upgrade()?),
            Security::Opportunistic if self.capabilities.has("STARTTLS") => drop(self.upgrade()?),
            _ => {}
        }
        match self.config.credentials.clone() {
            Some(credentials) => self.log_in(&credentials).map(drop),
            None => Ok(()),
        }
    }
}

/// Reads the greeting, which must be 220. After another code, QUIT ends the connection (RFC 5321,
/// 3.1).
fn read_greeting(wire: &mut Wire) -> Result<Reply> {
    let reply = wire.read_alone(Step::Greeting)?;
    if reply.code() == 220 {
        return Ok(reply);
    }
    if reply.code() == Code::SERVICE_CLOSING {
        wire.close();
    }
    wire.leave();
    Err(Error::refused(Step::Greeting, reply))
}
