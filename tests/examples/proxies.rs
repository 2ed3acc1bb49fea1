use crate::peer::{Peer, Script, TestCa};
use crate::program::{Ended, Program};
use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use tempfile::TempDir;

/// The server for the program: a name that only the proxy knows.
const SERVER: &str = "mx.example.org:2525";

/// Through the proxy come TLS, verified against the name, and a login.
const SESSION: &str = "
    S: 220 mx.example.org
    C~: EHLO *
    S: 250-mx.example.org
    S: 250 STARTTLS
    C: STARTTLS
    S: 220 go ahead
    TLS
    C~: EHLO *
    S: 250-mx.example.org
    S: 250 AUTH PLAIN
    C: AUTH PLAIN AHRpbQB0YW5zdGFhZg==
    S: 235 2.7.0 welcome
    C: MAIL FROM:<ann@example.org>
    S: 250 ok
    C: RCPT TO:<ben@example.org>
    S: 250 ok
    C: DATA
    S: 354 go ahead
    Cdata
    S: 250 2.0.0 taken
    C: QUIT
    S: 221 bye
    Cclose";

/// A proxy for one connection. It reports where it was asked to connect, and connects to the peer.
struct Proxy {
    address: SocketAddr,
    thread: JoinHandle<io::Result<String>>,
}

impl Proxy {
    fn start(speak: fn(&mut TcpStream) -> io::Result<(String, bool)>, to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let thread = thread::spawn(move || {
            let (mut client, _) = listener.accept()?;
            let (target, is_open) = speak(&mut client)?;
            if is_open {
                relay(&client, &TcpStream::connect(to)?)?;
            }
            Ok(target)
        });
        Self { address, thread }
    }

    /// Returns where it was asked to connect.
    fn end(self) -> String {
        self.thread.join().unwrap().unwrap()
    }
}

/// Copies bytes in both directions until one has ended.
fn relay(client: &TcpStream, server: &TcpStream) -> io::Result<()> {
    let pass = |mut from: &TcpStream, mut to: &TcpStream| {
        // A reset counts as an end.
        let _ = io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    };
    thread::scope(|scope| {
        scope.spawn(|| pass(server, client));
        pass(client, server);
    });
    Ok(())
}

/// RFC 1928, without a login.
fn socks5(client: &mut TcpStream) -> io::Result<(String, bool)> {
    let target = asked_by_socks5(client)?;
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
    Ok((target, true))
}

/// Connection not allowed by ruleset (RFC 1928, 6).
fn socks5_refusing(client: &mut TcpStream) -> io::Result<(String, bool)> {
    let target = asked_by_socks5(client)?;
    client.write_all(&[5, 2, 0, 1, 0, 0, 0, 0, 0, 0])?;
    Ok((target, false))
}

fn asked_by_socks5(client: &mut TcpStream) -> io::Result<String> {
    assert_eq!(octets::<3>(client)?, [5, 1, 0]);
    client.write_all(&[5, 0])?;
    let [version, command, _, kind, length] = octets(client)?;
    assert_eq!((version, command, kind), (5, 1, 3), "a name is asked for");
    let mut name = vec![0; length.into()];
    client.read_exact(&mut name)?;
    let port = u16::from_be_bytes(octets(client)?);
    Ok(format!("{}:{port}", String::from_utf8(name).unwrap()))
}

fn octets<const N: usize>(client: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut octets = [0; N];
    client.read_exact(&mut octets)?;
    Ok(octets)
}

/// RFC 9110, 9.3.6. The server's greeting follows at once, perhaps in the same segment.
fn http(client: &mut TcpStream) -> io::Result<(String, bool)> {
    let target = asked_by_http(client)?;
    client.write_all(b"HTTP/1.1 200 Connection established\r\nVia: 1.1 tests\r\n\r\n")?;
    Ok((target, true))
}

fn http_refusing(client: &mut TcpStream) -> io::Result<(String, bool)> {
    let target = asked_by_http(client)?;
    client.write_all(b"HTTP/1.1 403 No \x1b[1mmail\r\nContent-Length: 0\r\n\r\n")?;
    Ok((target, false))
}

/// A response head without an end: 200, and then far more than a client should read.
fn http_endless(client: &mut TcpStream) -> io::Result<(String, bool)> {
    let target = asked_by_http(client)?;
    client.write_all(b"HTTP/1.1 200 ok\r\n")?;
    while client.write_all(b"X-More: x\r\n").is_ok() {}
    Ok((target, false))
}

fn asked_by_http(client: &mut TcpStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.extend(octets::<1>(client)?);
    }
    let head = String::from_utf8(head).unwrap();
    let target = head.strip_prefix("CONNECT ").unwrap();
    let (target, rest) = target.split_once(" HTTP/1.1\r\n").unwrap();
    assert_eq!(rest, format!("Host: {target}\r\n\r\n"));
    Ok(target.to_owned())
}

/// A file with the certificate authority of the tests.
fn roots() -> (TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("roots.pem");
    fs::write(&path, TestCa::get().root_pem()).unwrap();
    (directory, path.to_str().unwrap().to_owned())
}

/// Runs an example with an argument and a URL.
fn run(name: &str, first: &str, url: &str) -> Ended {
    Program::new(name)
        .args([first, url, "ann@example.org", "ben@example.org"])
        .run()
}

fn assert_goes_through(name: &str, speak: fn(&mut TcpStream) -> io::Result<(String, bool)>) {
    let (_directory, roots) = roots();
    let peer = Script::new(SESSION).listen();
    let proxy = Proxy::start(speak, peer.addr());
    let url = format!("smtp://tim:tanstaaf@{SERVER}?ca={roots}&roots=only");
    let said = run(name, &proxy.address.to_string(), &url).success();
    assert_eq!(said, "ben@example.org was accepted: 250 2.0.0 taken\n");
    assert_eq!(proxy.end(), SERVER);
    peer.finish();
}

fn refusal(name: &str, speak: fn(&mut TcpStream) -> io::Result<(String, bool)>) -> String {
    let nobody = Script::sessions::<&str>([]).listen();
    let proxy = Proxy::start(speak, nobody.addr());
    let url = format!("smtp://{SERVER}?tls=none");
    let complaint = run(name, &proxy.address.to_string(), &url).failure(1);
    assert_eq!(proxy.end(), SERVER);
    nobody.finish();
    complaint
}

#[test]
fn by_socks5() {
    assert_goes_through("socks5", socks5);
    let complaint = refusal("socks5", socks5_refusing);
    let sentence = format!("socks5: could not connect to {SERVER}: ");
    assert!(complaint.starts_with(&sentence), "{complaint}");
}

#[test]
fn by_http() {
    assert_goes_through("http_connect", http);
    assert_eq!(
        refusal("http_connect", http_refusing),
        format!(
            "http_connect: could not connect to {SERVER}: the proxy says \"HTTP/1.1 403 No \\u{{1b}}[1mmail\"\n"
        )
    );
    assert_eq!(
        refusal("http_connect", http_endless),
        format!(
            "http_connect: could not connect to {SERVER}: the proxy says \"HTTP/1.1 200 ok\"\n"
        )
    );
}

/// The part of a session that follows TLS if TLS comes first.
fn inside_tls() -> String {
    let (_, inside) = SESSION.split_once("TLS\n    C~").unwrap();
    format!("S: 220 mx.example.org\nC~{inside}")
}

fn url(peer: &Peer) -> String {
    format!("smtps://tim:tanstaaf@{}", peer.addr())
}

// The password is sent, because the transport says that it is protected.
#[test]
fn by_rustls() {
    let (_directory, roots) = roots();
    let peer = Script::new(&inside_tls()).listen_tls();
    let said = run("rustls", &roots, &url(&peer)).success();
    assert_eq!(said, "ben@example.org was accepted: 250 2.0.0 taken\n");
    assert_eq!(peer.finish().clear(), b"");
}

#[test]
fn by_rustls_to_somebody_else() {
    let (_directory, roots) = roots();
    let peer = Script::new("TLS-refused wrong-name").listen();
    let complaint = run("rustls", &roots, &url(&peer)).failure(1);
    let sentence = format!(
        "rustls: could not connect to {}: invalid peer certificate: ",
        peer.addr()
    );
    assert!(complaint.starts_with(&sentence), "{complaint}");
    peer.finish();
}
