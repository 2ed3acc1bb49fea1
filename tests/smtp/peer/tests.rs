//! The peer itself, tried with raw sockets.
use crate::peer::{Peer, Script, TestCa};
use native_tls::TlsStream;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A client that writes what it is told and reads until there is enough.
fn connect(peer: &Peer) -> TcpStream {
    let client = TcpStream::connect(peer.addr()).unwrap();
    client.set_nodelay(true).unwrap();
    client
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    client
}

fn send(client: &mut impl Write, octets: &str) {
    client.write_all(octets.as_bytes()).unwrap();
}

fn expect(client: &mut impl Read, octets: &str) {
    let mut got = vec![0; octets.len()];
    client.read_exact(&mut got).unwrap();
    assert_eq!(String::from_utf8_lossy(&got), octets);
}

fn expect_eof(client: &mut impl Read) {
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
}

fn secure(client: TcpStream) -> TlsStream<TcpStream> {
    TestCa::get()
        .connector()
        .connect("localhost", client)
        .unwrap()
}

#[test]
fn a_dialog_that_is_followed_gives_what_was_exchanged() {
    let peer = Script::new(
        "
        S: 220 mx.example.org
        C: EHLO client.example
        S: 250-mx.example.org
        S: 250 SIZE 100
        C~: MAIL FROM:<*> SIZE=*
        S: 250 ok
        ",
    )
    .listen();
    let mut client = connect(&peer);
    expect(&mut client, "220 mx.example.org\r\n");
    send(&mut client, "EHLO client.example\r\n");
    expect(&mut client, "250-mx.example.org\r\n250 SIZE 100\r\n");
    send(&mut client, "MAIL FROM:<a@b> SIZE=5\r\n");
    expect(&mut client, "250 ok\r\n");
    let exchanged = peer.finish();
    assert_eq!(
        exchanged.commands(),
        ["EHLO client.example", "MAIL FROM:<a@b> SIZE=5"]
    );
    assert_eq!(
        exchanged.to_string(),
        "exchanged on connection 1:
    S: 220 mx.example.org
    C: EHLO client.example
    S: 250-mx.example.org
    S: 250 SIZE 100
    C: MAIL FROM:<a@b> SIZE=5
    S: 250 ok
"
    );
}

#[test]
fn starttls_upgrades_in_place_and_the_clear_part_is_known() {
    let peer = Script::new(
        "
        C: STARTTLS
        S: 220 go ahead
        TLS
        C: secret
        S: 235 ok
        Cclose
        ",
    )
    .listen();
    let mut client = connect(&peer);
    send(&mut client, "STARTTLS\r\n");
    expect(&mut client, "220 go ahead\r\n");
    let mut client = secure(client);
    send(&mut client, "secret\r\n");
    expect(&mut client, "235 ok\r\n");
    drop(client);
    let exchanged = peer.finish();
    assert_eq!(exchanged.clear(), b"STARTTLS\r\n");
    assert_eq!(exchanged.sessions[0].received(), b"STARTTLS\r\nsecret\r\n");
}
