//! Connections that the caller opens, without TLS of this crate. `transport_tls` has the others.
use crate::peer::{Conn, Peer, Script};
use crate::support::own::{Answering, Calls, Nature, Own};
use crate::support::sending::{facts, send_hi, taken};
use crate::support::session::{
    Lines, PATIENCE, SHORT, config_for, failure, opening, said, session, soon, wait_for_input,
};
use smtplib::config::Timeouts;
use smtplib::connection::{TcpTransport, Transport};
use smtplib::protocol::Step;
use smtplib::{Config, Credentials, Envelope, Error, SmtpConnection};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpStream};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Instant;

/// A configuration for a host that does not exist: only the transport knows where the peer is.
fn own_config() -> Config {
    config_for("mail.example", 2525)
}

fn own(peer: &Peer, calls: &Calls) -> Own {
    Own::new(TcpStream::connect(peer.addr()).unwrap(), calls)
}

fn connect(peer: &Peer, calls: &Calls) -> SmtpConnection {
    SmtpConnection::from_transport(own(peer, calls), &own_config()).unwrap()
}

/// The last calls to the transport.
const ENDED: [&str; 2] = ["shutdown", "drop"];

// The function opens the connection. The configuration decides everything else.
#[test]
fn a_function_opens_the_connection() {
    let rest = "
        C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        C: DATA
        S: 354 go ahead
        C| Hi!
        C| .
        S: 250 taken
        C: QUIT
        S: 221 bye";
    let script = format!("{}\n{rest}", opening(&[]));
    let peer = Script::sessions([&script, &script]).listen();
    let address = peer.addr();
    let (calls, asked) = (Calls::default(), Arc::new(Mutex::new(Vec::new())));
    let (noted, asking) = (calls.clone(), Arc::clone(&asked));
    let config = own_config().transport(move |config, deadline| {
        let (host, port) = (config.get_host().map(str::to_owned), config.get_port());
        asking.lock().unwrap().push((host, port, deadline));
        Ok(Own::new(TcpStream::connect(address)?, &noted))
    });
    config.check().unwrap();
    let begun = Instant::now();
    // A configuration can be cloned, with a transport, too.
    for config in [config.clone(), config] {
        let mut smtp = config.connect().unwrap();
        assert!(!smtp.is_tls() && smtp.peer_certificate().is_none());
        taken(send_hi(&mut smtp, &["ann@example.org"]));
        smtp.quit();
        assert_eq!(calls.take().split_off(calls_of_two_looks()), ENDED);
    }
    for (host, port, deadline) in asked.lock().unwrap().iter() {
        assert_eq!((host.as_deref(), *port), (Some("mail.example"), Some(2525)));
        let budget = PATIENCE;
        assert!((begun + budget..Instant::now() + budget).contains(deadline));
    }
    assert_eq!(asked.lock().unwrap().len(), 2);
    peer.finish();
}

/// How many calls make two checks without waiting: one before a transaction and one before QUIT.
fn calls_of_two_looks() -> usize {
    2 * ["nonblocking true", "nonblocking false"].len()
}

// A whole session without a network, in pieces of a few bytes.
#[test]
fn a_server_in_memory() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&lines);
    let answer = move |line: &str| {
        heard.lock().unwrap().push(line.to_owned());
        let reply = match line.split([' ', ':']).next() {
            Some("EHLO") => "250 mx.example.org",
            Some("DATA") => "354 go ahead",
            Some("MAIL" | "RCPT" | ".") => "250 ok",
            Some("QUIT") => "221 bye",
            _ => return String::new(),
        };
        format!("{reply}\r\n")
    };
    let mut server = Answering::new("220 mx.example.org\r\n", answer);
    // A signal is not a failure.
    server.trouble.extend([ErrorKind::Interrupted; 3]);
    let mut smtp = SmtpConnection::from_transport(server, &own_config()).unwrap();
    taken(send_hi(&mut smtp, &["ann@example.org"]));
    assert_eq!(smtp.noop().unwrap_err().step(), Some(Step::Command));
    assert_eq!(
        *lines.lock().unwrap(),
        [
            "EHLO client.example",
            "MAIL FROM:<me@client.example>",
            "RCPT TO:<ann@example.org>",
            "DATA",
            "Hi!",
            ".",
            "NOOP"
        ]
    );
}

#[test]
fn a_function_that_fails() {
    let fails = |kind: ErrorKind| {
        let config = own_config().transport(move |_, _| -> io::Result<TcpTransport> {
            Err(io::Error::new(kind, "the proxy says no"))
        });
        failure(&config)
    };
    let error = fails(ErrorKind::PermissionDenied);
    assert_eq!(
        error.to_string(),
        "could not connect to mail.example:2525: the proxy says no"
    );
    assert!(matches!(
        error,
        Error::Io {
            step: Step::Connect,
            ..
        }
    ));
    assert!(error.is_permanent() && error.is_closed());
    assert!(fails(ErrorKind::ConnectionRefused).is_transient());
    // A lost proxy is not the server. The second error is that of a socket's own timeout.
    let error = fails(ErrorKind::ConnectionReset);
    assert!(matches!(error, Error::Io { .. }), "{error:?}");
    for kind in [ErrorKind::TimedOut, ErrorKind::WouldBlock] {
        let error = fails(kind);
        assert_eq!(
            error.to_string(),
            "could not connect to mail.example:2525 in time"
        );
        assert_eq!(error.step(), Some(Step::Connect));
    }
}

// Many libraries for proxies have no deadline.
#[test]
fn a_function_that_does_not_come_back() {
    let (release, wait) = mpsc::channel::<()>();
    let (calls, peer) = (Calls::default(), session_without_client());
    let wait = Mutex::new(wait);
    let (noted, address) = (calls.clone(), peer.addr());
    let endless = own_config().transport(move |_, _| {
        let own = Own::new(TcpStream::connect(address)?, &noted);
        let _ = wait.lock().unwrap().recv();
        Ok(own)
    });
    for config in [
        endless
            .clone()
            .timeouts(Timeouts::default().connect(SHORT / 4)),
        endless.clone().deadline(SHORT / 4),
    ] {
        assert_eq!(
            failure(&config).to_string(),
            "could not connect to mail.example:2525 in time"
        );
    }
    assert_eq!(calls.take(), [""; 0]);
    // A connection that comes too late is closed, too.
    drop(release);
    let begun = Instant::now();
    while calls.count("drop") < 2 {
        assert!(begun.elapsed() < 5 * SHORT, "{:?}", calls.take());
        thread::yield_now();
    }
    assert_eq!(calls.count("shutdown"), 2);
}

/// A peer that accepts every client.
fn session_without_client() -> Peer {
    Peer::serve(Conn::expect_close)
}

#[test]
#[should_panic(expected = "the opening function's own")]
fn a_function_that_panics() {
    let config = own_config()
        .transport(|_, _| -> io::Result<TcpTransport> { panic!("the opening function's own") });
    let _ = config.connect();
}

// A transport is not shown: a function has no name, and cannot be in a URL.
#[test]
fn a_transport_has_no_place_in_a_url() {
    let config =
        own_config().transport(|_, _| TcpTransport::new(TcpStream::connect("127.0.0.1:1")?));
    assert_eq!(
        config.to_string().split('?').next(),
        Some("smtp://mail.example:2525")
    );
    assert!(!config.to_string().contains("transport"));
    assert!(format!("{config:?}").contains("opener: Some(Opener(..))"));
}

// 5321-57: a read that takes too long, byte by byte or without any, in the step where it happens.
#[test]
fn a_read_ends_at_the_deadline() {
    for stall in ["stall 300ms", "S.. 20ms forever raw: 2"] {
        let calls = Calls::default();
        let peer = session(&[], &format!("C: NOOP\n{stall}\nCclose")).listen();
        let config = own_config().timeouts(Timeouts::default().command(SHORT));
        let mut smtp = SmtpConnection::from_transport(own(&peer, &calls), &config).unwrap();
        let begun = Instant::now();
        let error = soon(|| smtp.noop()).unwrap_err();
        assert!(begun.elapsed() >= SHORT);
        assert_eq!(
            facts(&error),
            "not delivered, transient, timeout, closed, at the command"
        );
        // The connection is closed at once, not only when it is dropped.
        assert_eq!(calls.take().split_off(2), ENDED);
        assert!(matches!(smtp.noop().unwrap_err(), Error::Closed));
        peer.finish();
    }
}

// 5321-61: a server that does not read.
#[test]
fn a_write_ends_at_the_deadline() {
    let rest = "
        C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        C: DATA
        S: 354 go ahead
        stop-reading";
    let calls = Calls::default();
    let peer = session(&[], rest).recv_buffer(4096).listen();
    let config = own_config().timeouts(Timeouts::default().body(SHORT));
    let mut smtp = SmtpConnection::from_transport(own(&peer, &calls), &config).unwrap();
    let envelope = Envelope::new(
        Some("me@client.example".parse().unwrap()),
        ["ann@example.org".parse().unwrap()],
    );
    let error = soon(|| smtp.send(&envelope, io::repeat(b'\n'))).unwrap_err();
    assert_eq!(
        facts(&error),
        "not delivered, transient, timeout, closed, at the message"
    );
    assert_eq!(calls.count("shutdown"), 1);
    peer.finish();
}

// The error has the transport's own text.
#[test]
fn a_transport_that_cannot_be_set() {
    let peer = session(&[], "Cclose").listen();
    let own = Unsettable(own(&peer, &Calls::default()), "set_deadline");
    let error = SmtpConnection::from_transport(own, &own_config()).unwrap_err();
    assert_eq!(
        said(&error),
        "the connection to the server failed at the greeting: no set_deadline here"
    );
    drop(peer.outcome());

    let peer = session(&[], "Cclose").listen();
    let own = Unsettable(
        Own::new(TcpStream::connect(peer.addr()).unwrap(), &Calls::default()),
        "set_nonblocking",
    );
    let mut smtp = SmtpConnection::from_transport(own, &own_config()).unwrap();
    let error = smtp.noop().unwrap_err();
    assert_eq!(
        error.to_string(),
        "the connection to the server failed before the next command: no set_nonblocking here"
    );
    assert!(matches!(smtp.noop().unwrap_err(), Error::Closed));
    peer.finish();
}

/// A transport without one of the two methods that every transport needs.
struct Unsettable(Own, &'static str);

impl Unsettable {
    fn check(&self, name: &str) -> io::Result<()> {
        if self.1 == name {
            return Err(io::Error::other(format!("no {name} here")));
        }
        Ok(())
    }
}

impl io::Read for Unsettable {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl io::Write for Unsettable {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Transport for Unsettable {
    fn set_deadline(&mut self, deadline: Instant) -> io::Result<()> {
        self.check("set_deadline")?;
        self.0.set_deadline(deadline)
    }

    fn set_nonblocking(&mut self, yes: bool) -> io::Result<()> {
        self.check("set_nonblocking")?;
        self.0.set_nonblocking(yes)
    }
}

// However a connection ends, it is shut down once, before it is dropped.
#[test]
fn it_is_shut_down_once() {
    type End = fn(SmtpConnection);
    let ends: [(&str, End); 4] = [
        ("C: QUIT\nS: 221 bye\nCclose", |smtp| drop(smtp.quit())),
        ("Cclose", drop),
        ("C: NOOP\nS: 250-ok\nS: 251 ok\nCclose", |mut smtp| {
            drop(smtp.noop().unwrap_err());
            assert!(smtp.quit().is_none());
        }),
        ("C: NOOP\nS: 421 bye\nCclose", |mut smtp| {
            drop(smtp.noop().unwrap_err());
            drop(smtp.noop().unwrap_err());
        }),
    ];
    for (rest, end) in ends {
        let calls = Calls::default();
        let peer = session(&[], rest).listen();
        end(connect(&peer, &calls));
        let mut made = calls.take();
        made.retain(|call| !call.starts_with("nonblocking"));
        assert_eq!(made, ENDED, "{rest}");
        peer.finish();
    }
    // This is also true if the connection does not come about.
    let calls = Calls::default();
    let peer = Script::new("S: 554 no\nCclose or QUIT").listen();
    let own = own(&peer, &calls);
    let error = SmtpConnection::from_transport(own, &own_config()).unwrap_err();
    assert_eq!(said(&error), "the server refused the connection: 554 no");
    assert_eq!(calls.take(), ENDED);
    peer.finish();
}

// L7, B14: a connection is checked before it is used, and the check does not wait.
#[test]
fn a_farewell_on_an_idle_transport_is_noticed() {
    for (last, expected) in [
        (
            "S: 421 4.4.2 idle for too long\nEOF",
            ", saying: 421 4.4.2 idle for too long",
        ),
        ("EOF", ""),
        ("RST", ""),
    ] {
        let calls = Calls::default();
        let rest = format!("C: NOOP\nS: 250 ok\nstall 20ms\n{last}\nCclose");
        let peer = session(&[], &rest).listen();
        let own = own(&peer, &calls);
        let watched = own.socket.try_clone().unwrap();
        let mut smtp = SmtpConnection::from_transport(own, &own_config()).unwrap();
        assert!(soon(|| smtp.is_reusable()));
        assert_eq!(calls.take(), ["nonblocking true", "nonblocking false"]);
        smtp.noop().unwrap();
        wait_for_input(&watched);
        let error = smtp.noop().unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("the server closed the connection before the next command{expected}")
        );
        assert!(error.is_transient() && !smtp.is_reusable());
        assert_eq!(calls.count("shutdown"), 1);
        peer.finish();
    }
}

// The deadline of the last step does not count for the check of an idle connection.
#[test]
fn an_idle_transport_may_rest_beyond_its_deadline() {
    let peer = session(&[], "C: NOOP\nS: 250 ok").listen();
    let config = own_config().timeout(SHORT);
    let mut smtp = SmtpConnection::from_transport(own(&peer, &Calls::default()), &config).unwrap();
    thread::sleep(SHORT);
    smtp.noop().unwrap();
    drop(smtp);
    peer.finish();
}

// RFC 5321, 4.1.4: the transport's address, or that of the local host.
#[test]
fn the_address_in_ehlo() {
    let mapped = Ipv4Addr::new(192, 0, 2, 7).to_ipv6_mapped();
    for (local_ip, name) in [
        (None, "[127.0.0.1]"),
        (Some(IpAddr::from([192, 0, 2, 7])), "[192.0.2.7]"),
        (Some(IpAddr::from(mapped)), "[192.0.2.7]"),
        (
            Some(IpAddr::from(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7))),
            "[IPv6:2001:db8::7]",
        ),
    ] {
        let script = format!("S: 220 mx\nC: EHLO {name}\nS: 250 mx");
        let peer = Script::new(&script).listen();
        let own = own(&peer, &Calls::default()).with(Nature {
            local_ip,
            ..Nature::default()
        });
        let config = Config::new("mail.example").security(smtplib::Security::None);
        drop(SmtpConnection::from_transport(own, &config).unwrap());
        peer.finish();
    }
}

fn with_password(config: Config) -> Config {
    config.credentials(Credentials::password("tim", "tanstaaf"))
}

// B12, T11: a password is sent if the caller says that the transport is protected, by a function
// and by hand.
#[test]
fn a_password_goes_where_the_transport_is_protected() {
    let rest = "C: AUTH PLAIN AHRpbQB0YW5zdGFhZg==\nS: 235 2.7.0 welcome";
    let script = format!("{}\n{rest}", opening(&["AUTH PLAIN"]));
    let peer = Script::sessions([&script, &script]).listen();
    let config = with_password(own_config());
    let protected = own(&peer, &Calls::default()).with(Nature::protected());
    let smtp = SmtpConnection::from_transport(protected, &config).unwrap();
    assert!(smtp.is_tls());
    drop(smtp);

    let address = peer.addr();
    let config = config.transport(move |_, _| {
        let socket = TcpStream::connect(address)?;
        Ok(Own::new(socket, &Calls::default()).with(Nature::protected()))
    });
    config.check().unwrap();
    assert!(config.connect().unwrap().is_tls());
    peer.finish();
}

#[test]
fn a_password_goes_nowhere_else() {
    let refused = |result: Result<SmtpConnection, Error>, calls: &Calls| {
        assert!(matches!(result.unwrap_err(), Error::PlaintextAuth { .. }));
        assert_eq!(calls.take(), ENDED);
    };
    let (peer, calls) = (session_without_client(), Calls::default());
    // SCRAM, if this build has it, shows no password.
    let config = with_password(own_config()).mechanisms(["PLAIN"]);
    let own = Own::new(TcpStream::connect(peer.addr()).unwrap(), &calls);
    refused(SmtpConnection::from_transport(own, &config), &calls);

    // This is not known before the connection is open.
    let (address, noted) = (peer.addr(), calls.clone());
    let config = config.transport(move |_, _| Ok(Own::new(TcpStream::connect(address)?, &noted)));
    config.check().unwrap();
    refused(config.connect(), &calls);

    // A function that is not used does not make a plain socket protected.
    let socket = TcpStream::connect(peer.addr()).unwrap();
    let result = SmtpConnection::from_tcp_stream(socket, &config);
    assert!(matches!(result.unwrap_err(), Error::PlaintextAuth { .. }));
    assert_eq!(peer.finish().clear(), b"");

    // The same by hand.
    let peer = session(&["AUTH PLAIN"], "").listen();
    let mut smtp = connect(&peer, &calls);
    let error = smtp.login("tim", "tanstaaf").unwrap_err();
    assert!(matches!(error, Error::PlaintextAuth { .. }));
    drop(smtp);
    peer.finish();
}

// 8689-01: a transport that says it is protected has also verified the certificate.
#[test]
fn requiretls_is_the_callers_word() {
    let required = || {
        let from = "me@client.example".parse().unwrap();
        Envelope::new(Some(from), ["ann@example.org".parse().unwrap()]).require_tls()
    };
    let rest = "C: MAIL FROM:<me@client.example> REQUIRETLS\nS: 550 no\nC: RSET\nS: 250 ok\nCclose";
    let peer = session(&["REQUIRETLS"], rest).listen();
    let protected = own(&peer, &Calls::default()).with(Nature::protected());
    let mut smtp = SmtpConnection::from_transport(protected, &own_config()).unwrap();
    let error = smtp.send(&required(), &b"Hi!"[..]).unwrap_err();
    assert!(matches!(error, Error::SenderRefused(_)), "{error:?}");
    drop(smtp);
    drop(peer.outcome());

    let peer = session(&["REQUIRETLS"], "Cclose").listen();
    let mut smtp = connect(&peer, &Calls::default());
    let error = smtp.send(&required(), &b"Hi!"[..]).unwrap_err();
    let no_tls = "REQUIRETLS needs TLS with a verified certificate, and this connection has none";
    assert_eq!(error.to_string(), no_tls);
    drop(smtp);
    peer.finish();
}

#[test]
fn a_certificate_of_the_transports_own_is_shown() {
    let peer = session(&[], "").listen();
    let own = own(&peer, &Calls::default()).with(Nature {
        certificate: Some(b"DER".to_vec()),
        ..Nature::protected()
    });
    let smtp = SmtpConnection::from_transport(own, &own_config()).unwrap();
    assert_eq!(smtp.peer_certificate().as_deref(), Some(&b"DER"[..]));
    drop(smtp);
    peer.finish();
}

// RFC 5802, 6: the login is tied to the transport's TLS session.
#[cfg(feature = "scram")]
#[test]
fn a_login_is_tied_to_the_transports_session() {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    let peer = Peer::serve(|conn| {
        conn.reply("220 mx.example.org")?;
        conn.expect("EHLO client.example")?;
        conn.write(b"250-mx\r\n250 AUTH SCRAM-SHA-256 SCRAM-SHA-256-PLUS\r\n")?;
        let line = conn.read_line()?;
        let first = line.strip_prefix("AUTH SCRAM-SHA-256-PLUS ").unwrap();
        let first = STANDARD.decode(first).unwrap();
        assert!(first.starts_with(b"p=tls-server-end-point,,n=tim,r="));
        let nonce = String::from_utf8(first[32..].to_vec()).unwrap();
        let challenge = format!("r={nonce}server,s=c2FsdA==,i=4096");
        conn.reply(&format!("334 {}", STANDARD.encode(challenge)))?;
        let last = STANDARD.decode(conn.read_line()?).unwrap();
        let bound = STANDARD.encode(b"p=tls-server-end-point,,the hash");
        assert!(last.starts_with(format!("c={bound},").as_bytes()));
        conn.reply("535 5.7.8 no")?;
        conn.expect("QUIT")?;
        conn.reply("221 bye")
    });
    let own = own(&peer, &Calls::default()).with(Nature {
        end_point: Some(b"the hash".to_vec()),
        ..Nature::protected()
    });
    let error = SmtpConnection::from_transport(own, &with_password(own_config())).unwrap_err();
    assert_eq!(error.code().unwrap(), 535);
    peer.finish();
}

// A Unix socket in the configuration is not opened. It only names the server.
#[cfg(unix)]
#[test]
fn instead_of_a_unix_socket() {
    let script = "S: 220 mx\nC: LHLO client.example\nS: 250 mx\nC: QUIT\nS: 221 bye";
    let peer = Script::new(script).listen();
    let address = peer.addr();
    let config = Config::lmtp_unix("/nonexistent/lmtp")
        .hello_name("client.example")
        .transport(move |_, deadline| TcpTransport::connect("127.0.0.1", address.port(), deadline));
    config.connect().unwrap().quit();
    peer.finish();
    let error = failure(
        &config.transport(|_, _| -> io::Result<TcpTransport> { Err(ErrorKind::NotFound.into()) }),
    );
    let sentence = "could not connect to /nonexistent/lmtp: ";
    assert!(error.to_string().starts_with(sentence), "{error}");
}

// The crate's own socket, for those who build on it.
#[test]
fn a_tcp_connection_with_a_deadline() {
    use std::io::{Read, Write};

    let peer =
        Script::new("S: 220 mx\nCraw: x\nstall 100ms\nS.. 10ms forever raw: 2\nCclose").listen();
    let deadline = Instant::now() + SHORT;
    let mut tcp = TcpTransport::connect("localhost", peer.port(), deadline).unwrap();
    assert!(tcp.get_ref().nodelay().unwrap());
    assert_eq!(tcp.local_ip(), Some(IpAddr::from([127, 0, 0, 1])));
    let mut octets = vec![0; 8];
    tcp.read_exact(&mut octets).unwrap();
    tcp.write_all(b"x").unwrap();
    // The server drips. The deadline counts for all reads until another one is set.
    let error = soon(|| tcp.read_to_end(&mut octets)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(Instant::now() >= deadline && octets.starts_with(b"220 mx\r\n2"));
    tcp.set_nonblocking(true).unwrap();
    tcp.shutdown().unwrap();
    drop(tcp);
    peer.finish();

    let past = Instant::now();
    let error = TcpTransport::connect("127.0.0.1", 1, past).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
}

#[test]
fn the_trace_shows_where_it_goes() {
    let peer = session(&[], "").listen();
    let (lines, address) = (Lines::default(), peer.addr());
    let config = own_config()
        .trace(lines.sink())
        .transport(move |_, _| TcpTransport::new(TcpStream::connect(address)?));
    drop(config.connect().unwrap());
    assert_eq!(lines.take()[0], "*: connecting to mail.example:2525");
    peer.finish();
}
