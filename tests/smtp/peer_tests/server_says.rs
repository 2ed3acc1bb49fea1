//! What the peer writes, and in which segments.
use crate::peer::Script;
use crate::peer_tests::{BOUND, Client, breaks, passes, pause};
use std::io::Read;
use std::time::{Duration, Instant};

#[test]
fn lines_in_a_row_are_one_segment() {
    passes("S: 250-a\nS: 250 b\nS+ 250 c", |client| {
        assert_eq!(client.read(), b"250-a\r\n250 b\r\n250 c\r\n");
    });
}

#[test]
fn text_and_raw_octets_arrive_as_written() {
    let script = r"
        S: 334 \r stays, and so do  spaces
        Sraw: 250 \x00\xfF\0\t\\\r\n
    ";
    passes(script, |client| {
        assert_eq!(
            client.read(),
            b"334 \\r stays, and so do  spaces\r\n250 \0\xff\0\t\\\r\n"
        );
    });
}

#[test]
fn space_at_the_end_of_a_line_is_kept() {
    passes("S: 334 \nC: x", |client| {
        client.expect("334 \r\n");
        client.send("x\r\n");
    });
}

#[test]
fn delay_separates_segments() {
    let start = Instant::now();
    passes("S: 220-a\nS~400ms: 220 b", |client| {
        assert_eq!(client.read(), b"220-a\r\n");
        assert_eq!(client.read(), b"220 b\r\n");
    });
    assert!(start.elapsed() >= Duration::from_millis(400));
}

#[test]
fn drip_writes_octet_by_octet() {
    let start = Instant::now();
    passes("S.. 50ms: 220\nC: x", |client| {
        // A slow reader finds several bytes together.
        let first = client.read();
        assert!(b"220\r".starts_with(&first), "{first:?}");
        client.expect(&"220\r\n"[first.len()..]);
        client.send("x\r\n");
    });
    assert!(start.elapsed() >= 4 * Duration::from_millis(50));
}

#[test]
fn drip_ends_when_the_client_closes() {
    passes(
        "S.. 5ms: a reply that is much too long for this client\nCclose",
        |client| {
            client.expect("a rep");
        },
    );
}

#[test]
fn repeated_line_arrives_so_many_times() {
    passes("S*20000: 250-x\nS: 250 y\nC: done", |client| {
        client.expect(&("250-x\r\n".repeat(20_000) + "250 y\r\n"));
        client.send("done\r\n");
    });
}

#[test]
fn client_may_close_in_a_repetition() {
    passes("S*1000000: 250-x\nS: 250 y\nCclose", |client| {
        client.expect("250-x\r\n");
    });
}

#[test]
fn endless_reply_ends_when_the_client_closes() {
    passes("Sforever: 250-x\nCclose", |client| {
        client.expect(&"250-x\r\n".repeat(1000));
    });
    passes("S: 250-a\nS.. 1ms forever raw: x\nCclose", |client| {
        client.expect("250-a\r\nxxxx");
    });
}

#[test]
fn endless_drip_must_not_be_suffered() {
    let peer = Script::new("S.. 1ms forever raw: x")
        .bound(3 * BOUND)
        .listen();
    let mut client = Client::connect(&peer);
    while !client.read().is_empty() {}
    let failure = peer.outcome().unwrap_err();
    let why = "line 1: the client never gave up on a dripping reply";
    assert!(failure.contains(why), "{failure}");
}

#[test]
fn endless_reply_must_not_be_swallowed() {
    let why = "the client took 16777216 octets without closing";
    breaks("Sforever: 250-xxxxxxxx", 1, why, |client| {
        while client.stream.read(&mut [0; 1 << 16]).is_ok_and(|n| n > 0) {}
    });
}

#[test]
fn client_that_does_not_read_is_found_out() {
    let script = Script::new("Sforever: 250-x\nCclose").bound(BOUND);
    let peer = script.listen();
    let _client = Client::connect(&peer);
    let failure = peer.outcome().unwrap_err();
    assert!(
        failure.contains("line 1: the client does not read: "),
        "{failure}"
    );
}

#[test]
fn server_looks_for_a_client_ahead_before_it_speaks() {
    let script = "S: 220 a\nC: one\nS: 250 b\nC: two\nS: 250 c";
    breaks(
        script,
        3,
        "before this reply the client sent \"two\\r\\n\"",
        |client| {
            client.expect("220 a\r\n");
            client.send("one\r\ntwo\r\n");
            client.expect_eof();
        },
    );
    passes(&format!("ahead\n{script}"), |client| {
        client.send("one\r\ntwo\r\n");
        client.expect("220 a\r\n250 b\r\n250 c\r\n");
    });
}

/// A reader that is sometimes slow sees two segments as one, so the test may try again.
const LOOKS: usize = 50;

#[test]
fn split_writes_small_segments() {
    let segments = || {
        let peer = Script::new("S: 220 mx.example.org\nC: x").split(1).listen();
        let mut client = Client::connect(&peer);
        let mut segments = 0;
        let mut got = Vec::new();
        while got.len() < "220 mx.example.org\r\n".len() {
            got.append(&mut client.read());
            segments += 1;
        }
        assert_eq!(got, b"220 mx.example.org\r\n");
        client.send("x\r\n");
        drop(client);
        peer.finish();
        segments
    };
    assert!((0..LOOKS).any(|_| segments() > 3));
}

#[test]
fn split_at_cuts_each_block_once() {
    let script = || Script::new("S: 220-a\nS: 220 b\nC: x\nS: 250 ok");
    let first_segment = |at| {
        let peer = script().split_at(at).listen();
        let mut client = Client::connect(&peer);
        let first = client.read();
        client.expect(&"220-a\r\n220 b\r\n"[first.len()..]);
        client.send("x\r\n");
        client.expect("250 ok\r\n");
        first.len()
    };
    for at in 1..script().longest_block() {
        assert!((0..LOOKS).any(|_| first_segment(at) == at), "{at}");
    }
}

#[test]
fn injection_is_in_the_segment_of_the_line_before() {
    passes(
        "C: STARTTLS\nS: 220 go\nS+ 250 AUTH PLAIN\nS~400ms: late",
        |client| {
            client.send("STARTTLS\r\n");
            assert_eq!(client.read(), b"220 go\r\n250 AUTH PLAIN\r\n");
            pause();
            assert_eq!(client.read(), b"late\r\n");
        },
    );
}
