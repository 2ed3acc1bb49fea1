//! Several connections, other sockets, bounds, and the text of a failure.
use crate::peer::{Peer, Refusing, Script};
use crate::peer_tests::{BOUND, Client, passes, pause};
use std::io::{ErrorKind, Write};
use std::net::TcpStream;
use std::panic::catch_unwind;
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn dialog_that_is_followed_gives_what_was_exchanged() {
    let script = "
        # Comments and empty lines do not count.
        S: 220 mx.example.org

        C: EHLO client.example
        S: 250-mx.example.org
        S: 250 SIZE 100
    ";
    let exchanged = passes(script, |client| {
        client.expect("220 mx.example.org\r\n");
        client.send("EHLO client.example\r\n");
        client.expect("250-mx.example.org\r\n250 SIZE 100\r\n");
    });
    let record = "exchanged on connection 1:
    S: 220 mx.example.org
    C: EHLO client.example
    S: 250-mx.example.org
    S: 250 SIZE 100
";
    assert!(exchanged.to_string().starts_with(record), "{exchanged}");
}

#[test]
fn failure_shows_both_sides_and_marks_the_line() {
    let result = catch_unwind(|| {
        let script = "
            S: 220 hi
            C: EHLO a

            S: 250 hi
        ";
        let peer = Script::new(script).listen();
        let mut client = Client::connect(&peer);
        client.expect("220 hi\r\n");
        client.send("EHLO b\x07\r\nNOOP");
        client.expect_eof();
        peer.finish();
    });
    let panic = result.unwrap_err();
    assert_eq!(
        panic.downcast_ref::<String>().unwrap(),
        r#"the dialog broke on connection 1, line 3: expected "EHLO a", got "EHLO b\x07"
script:
      2 S: 220 hi
-->   3 C: EHLO a
      5 S: 250 hi

exchanged on connection 1:
    S: 220 hi
    C: EHLO b\x07
    C: NOOP (no CRLF)
"#
    );
}

#[test]
fn peer_that_is_dropped_asserts_as_well() {
    let panic = catch_unwind(|| {
        let peer = Script::new("C: x").listen();
        Client::connect(&peer).send("y\r\n");
    });
    let text = panic.unwrap_err().downcast_ref::<String>().unwrap().clone();
    assert!(text.contains(r#"expected "x", got "y""#), "{text}");
}

#[test]
fn peer_of_a_test_that_panics_is_dropped_at_once() {
    let start = Instant::now();
    let panic = catch_unwind(|| {
        let peer = Script::new("C: x").listen();
        let _client = Client::connect(&peer);
        pause();
        assert_eq!(peer.port(), 0, "the test's own reason");
    });
    let text = panic.unwrap_err().downcast_ref::<String>().unwrap().clone();
    assert!(text.contains("the test's own reason"), "{text}");
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn client_that_falls_silent_is_waited_for_no_longer_than_the_bound() {
    let peer = Script::new("C: x").bound(BOUND).listen();
    let start = Instant::now();
    let _client = Client::connect(&peer);
    let failure = peer.outcome().unwrap_err();
    assert!(
        failure.contains("line 1: expected a line, nothing came in 1s"),
        "{failure}"
    );
    assert!((BOUND..BOUND * 5).contains(&start.elapsed()));
}

#[test]
fn connection_held_behind_the_end_is_given_up_at_the_bound() {
    let peer = Script::new("S: 220 hi").bound(BOUND).listen();
    let mut client = Client::connect(&peer);
    client.expect("220 hi\r\n");
    client.expect_eof();
    let failure = peer.outcome().unwrap_err();
    assert!(
        failure.contains("the client held the connection for 1s more"),
        "{failure}"
    );
}

#[test]
fn finish_does_not_wait_for_a_client_that_is_done() {
    let peer = Script::new("S: 220 hi").listen();
    let mut client = Client::connect(&peer);
    client.expect("220 hi\r\n");
    let start = Instant::now();
    peer.finish();
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn client_that_never_comes_is_a_failure() {
    let failure = Script::new("S: 220 hi")
        .bound(BOUND)
        .listen()
        .outcome()
        .unwrap_err();
    assert_eq!(
        failure,
        "the dialog broke before its end: connections to come: 1\n"
    );
}

#[test]
fn client_may_connect_after_finish_was_called() {
    let peer = Script::new("C: x").listen();
    let address = peer.addr();
    let client = thread::spawn(move || {
        pause();
        TcpStream::connect(address)
            .unwrap()
            .write_all(b"x\r\n")
            .unwrap();
    });
    peer.finish();
    client.join().unwrap();
}

#[test]
fn sessions_follow_one_another() {
    let peer = Script::sessions(["S: 421 later\nEOF", "S: 220 now\nC: x"]).listen();
    let mut first = Client::connect(&peer);
    first.expect("421 later\r\n");
    // The first connection may still be open.
    let mut second = Client::connect(&peer);
    second.expect("220 now\r\n");
    second.send("x\r\n");
    drop((first, second));
    let exchanged = peer.finish();
    assert_eq!(exchanged.sessions[0].commands, [""; 0]);
    assert_eq!(exchanged.sessions[1].commands, ["x"]);
}

#[test]
fn connection_more_than_scripts_is_a_failure() {
    let peer = Script::sessions([""; 0]).listen();
    let mut client = Client::connect(&peer);
    client.expect_eof();
    let failure = peer.outcome().unwrap_err();
    let why = "the dialog broke behind its end: a connection more than scripts\n";
    assert!(failure.starts_with(why), "{failure}");
    Script::sessions([""; 0]).listen().finish();
}

#[test]
fn surplus_on_a_former_connection_is_found() {
    let peer = Script::sessions(["C: x", "C: y"]).listen();
    let mut first = Client::connect(&peer);
    first.send("x\r\n");
    let mut second = Client::connect(&peer);
    second.send("y\r\n");
    pause();
    first.send("z\r\n");
    let failure = peer.outcome().unwrap_err();
    assert!(
        failure.contains("on connection 1, behind the end of the script"),
        "{failure}"
    );
}

#[test]
fn listens_on_either_kind_of_address() {
    let first = Script::new("C: x").listen();
    let peers: [Peer; 2] = [
        Script::new("C: x").listen_v6(),
        Script::new("C: x").listen_at(([127, 0, 0, 1], 0).into()),
    ];
    for peer in peers.into_iter().chain([first]) {
        assert_eq!(peer.host(), peer.addr().ip().to_string());
        Client::connect(&peer).send("x\r\n");
        peer.finish();
    }
}

#[cfg(unix)]
#[test]
fn listens_on_a_unix_socket() {
    use std::io::Read;

    let peer = Script::new("S: 220 hi\nC: LHLO a\nS: 250 hi\nCclose").listen_unix();
    let mut stream = std::os::unix::net::UnixStream::connect(peer.path()).unwrap();
    stream.write_all(b"").unwrap();
    let mut reply = [0; 8];
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"220 hi\r\n");
    stream.write_all(b"LHLO a\r\n").unwrap();
    stream.read_exact(&mut reply).unwrap();
    drop(stream);
    let directory = peer.path().parent().unwrap().to_owned();
    peer.finish();
    assert!(!directory.exists());
}

#[test]
fn nobody_is_at_some_addresses() {
    let refusing = Refusing::new();
    let error = TcpStream::connect(refusing.addr()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

#[cfg(target_os = "linux")]
#[test]
fn deaf_address_does_not_answer() {
    let deaf = crate::peer::Deaf::new();
    let error = TcpStream::connect_timeout(&deaf.addr(), Duration::from_millis(50)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
}
