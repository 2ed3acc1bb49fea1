//! What the peer expects from the client, and its sentence if the client does something else.
use crate::peer::Script;
use crate::peer_tests::{BOUND, Client, breaks, passes, pause};

#[test]
fn line_is_compared_octet_for_octet() {
    breaks("C: EHLO a", 1, r#"expected "EHLO a", got "EHLO a ""#, |c| {
        c.send("EHLO a \r\n");
    });
    breaks("C: EHLO a", 1, r#"expected "EHLO a", got "ehlo a""#, |c| {
        c.send("ehlo a\r\n");
    });
    breaks("C: *", 1, r#"expected "*", got "AUTH""#, |c| {
        c.send("AUTH\r\n");
    });
    passes("C: \nC: *", |c| c.send("\r\n*\r\n"));
}

#[test]
fn line_must_end_in_crlf() {
    breaks(
        "C: NOOP",
        1,
        r#"bare LF before octet 4, near "NOOP\n""#,
        |c| c.send("NOOP\n"),
    );
    let why = r#"bare CR before octet 3, near "NO\rOP\r\n""#;
    breaks("C: NOOP", 1, why, |c| c.send("NO\rOP\r\n"));
    breaks(
        "C: NOOP",
        1,
        r#"expected a line, the client closed after "NOOP""#,
        |c| c.send("NOOP"),
    );
}

#[test]
fn pattern_leaves_open_what_the_star_stands_for() {
    for pattern in [
        "MAIL FROM:<*> SIZE=*",
        "*",
        "MAIL*SIZE=10",
        "MAIL FROM:<a@b> SIZE=10*",
    ] {
        passes(&format!("C~: {pattern}"), |c| {
            c.send("MAIL FROM:<a@b> SIZE=10\r\n");
        });
    }
    for pattern in [
        "MAIL*SIZE=1",
        "MAIL",
        "*SIZE",
        "AIL*",
        "*b*a@*",
        "MAIL FROM:<a@b> SIZE=10?*",
    ] {
        let why = format!("expected \"{pattern}\", got \"MAIL FROM:<a@b> SIZE=10\"");
        breaks(&format!("C~: {pattern}"), 1, &why, |c| {
            c.send("MAIL FROM:<a@b> SIZE=10\r\n");
        });
    }
}

#[test]
fn raw_octets_need_no_line() {
    passes(r"Craw: a\0\xff\n", |c| c.send(b"a\0\xff\n"));
    breaks(r"Craw: a\0", 1, r#"expected "a\x00", got "ab""#, |c| {
        c.send("ab");
    });
}

#[test]
fn body_lines_are_those_of_the_wire() {
    let script = r"
        C: DATA
        S: 354 go
        C| Subject: \xfc\\
        C|
        C|  indented
        C| ..dot
        C| .
        S: 250 ok
        C: QUIT
    ";
    let wire = b"Subject: \xfc\\\r\n\r\n indented\r\n..dot\r\n.\r\n";
    let exchanged = passes(script, |client| {
        client.send("DATA\r\n");
        client.expect("354 go\r\n");
        client.send(wire);
        client.expect("250 ok\r\n");
        client.send("QUIT\r\n");
    });
    assert_eq!(exchanged.body(0).wire(), wire);
    assert_eq!(
        exchanged.body(0).message(),
        b"Subject: \xfc\\\r\n\r\n indented\r\n.dot\r\n"
    );
    assert_eq!(exchanged.commands(), ["DATA", "QUIT"]);
}

#[test]
fn body_line_that_differs_is_shown() {
    let why = r#"expected "..", got ".""#;
    breaks("C| a\nC| ..\nC| .", 2, why, |c| c.send("a\r\n.\r\n"));
}

#[test]
fn body_broken_off_is_kept() {
    let exchanged = passes("C| a\nC| ..b\nCclose", |c| c.send("a\r\n..b\r\n"));
    assert_eq!(exchanged.body(0).wire(), b"a\r\n..b\r\n");
    assert_eq!(exchanged.body(0).message(), b"a\r\n.b\r\n");
}

#[test]
fn data_is_read_to_its_dot_wherever_segments_end() {
    let wire = "..\r\na\r\n.b\r\n\r\n...\r\n.\r\n";
    let script = "Cdata 15\nC: QUIT";
    for at in 1..wire.len() {
        let exchanged = passes(script, |client| {
            client.send(&wire[..at]);
            if at % 4 == 0 {
                pause();
            }
            client.send(&wire[at..]);
            client.send("QUIT\r\n");
        });
        assert_eq!(exchanged.body(0).wire(), wire.as_bytes());
        assert_eq!(exchanged.body(0).message(), b".\r\na\r\nb\r\n\r\n..\r\n");
    }
}

#[test]
fn empty_data_is_a_lone_dot() {
    let exchanged = passes("Cdata 0\nCdata 2", |c| c.send(".\r\n\r\n.\r\n"));
    assert_eq!(exchanged.bodies(), 2);
    assert_eq!(exchanged.body(1).message(), b"\r\n");
}

#[test]
fn data_is_held_to_its_form_and_length() {
    let why = "expected a message of 4 octets, got 3";
    breaks("Cdata 4", 1, why, |c| c.send("a\r\n.\r\n"));
    let why = r#"bare LF before octet 3, near "a\r\n\n.\r\n.\r\n""#;
    breaks("Cdata", 1, why, |c| c.send("a\r\n\n.\r\n.\r\n"));
    let why = r#"bare CR before octet 2, near "a\r.\r\n.\r\n""#;
    breaks("Cdata", 1, why, |c| c.send("a\r.\r\n.\r\n"));
    let why = "expected the end of the message data, the client closed";
    breaks("Cdata", 1, why, |c| c.send("a\r\n"));
}

#[test]
fn large_body_is_recorded_whole() {
    let text = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcd\r\n".repeat(16_384);
    let exchanged = passes("Cdata 1048576\nS: 250 ok", |client| {
        client.send(&text);
        client.send(".\r\n");
        client.expect("250 ok\r\n");
    });
    assert_eq!(exchanged.body(0).message(), text.as_bytes());
    assert!(
        exchanged.to_string().lines().count() < 300,
        "the record is too long to be read"
    );
}

#[test]
fn chunks_are_read_by_their_size() {
    let exchanged = passes("Cbdat\nCbdat LAST\nC: QUIT", |client| {
        client.send(b"BDAT 4\r\n.\r\n\0BDAT 2 LAST\r\n\r\rQUIT\r\n");
    });
    assert_eq!(exchanged.body(0).wire(), b".\r\n\0");
    assert_eq!(exchanged.body(1).message(), b"\r\r");
    assert_eq!(exchanged.commands(), ["BDAT 4", "BDAT 2 LAST", "QUIT"]);
}

#[test]
fn chunk_of_the_wrong_kind_is_refused() {
    breaks(
        "Cbdat LAST",
        1,
        "expected the last chunk, got another",
        |c| c.send("BDAT 1\r\nx"),
    );
    let why = "expected a chunk that is not the last, got the last";
    breaks("Cbdat", 1, why, |c| c.send("BDAT 1 LAST\r\nx"));
    breaks("Cbdat", 1, r#"expected BDAT, got "DATA""#, |c| {
        c.send("DATA\r\n");
    });
    breaks("Cbdat", 1, r#""x" is no chunk size"#, |c| {
        c.send("BDAT x\r\n");
    });
    breaks(
        "Cbdat",
        1,
        "expected 3 octets, the client closed after \"ab\"",
        |c| {
            c.send("BDAT 3\r\nab");
        },
    );
}

#[test]
fn octets_are_counted_and_recorded() {
    let exchanged = passes("Coctets 5\nC: x", |c| c.send(b"\r\n\0\r\nx\r\n"));
    assert_eq!(exchanged.body(0).message(), b"\r\n\0\r\n");
}

#[test]
fn group_comes_in_one_segment() {
    let script = "C: EHLO a\nS: 250 b\nCgroup\nC: MAIL\nC~: RCPT*\nCraw: x\nC| y\nS: 250 ok";
    passes(script, |client| {
        client.send("EHLO a\r\n");
        client.expect("250 b\r\n");
        client.send("MAIL\r\nRCPT TO\r\nxy\r\n");
        client.expect("250 ok\r\n");
    });
    breaks(
        script,
        5,
        "expected the group in one segment, it came in several",
        |client| {
            client.send("EHLO a\r\n");
            client.expect("250 b\r\n");
            client.send("MAIL\r\nRCPT ");
            pause();
            client.send("TO\r\nxy\r\n");
        },
    );
}

#[test]
fn group_may_come_behind_a_body() {
    passes("Cdata\nCgroup\nC: RSET\nC: MAIL\nS: 250 ok", |client| {
        client.send("a\r\n.\r\nRSET\r\nMAIL\r\n");
        client.expect("250 ok\r\n");
    });
}

#[test]
fn silence_is_asserted() {
    passes("C-silence 20ms\nS: 220 late\nC: x", |client| {
        client.expect("220 late\r\n");
        client.send("x\r\n");
    });
    let why = r#"expected 1s of silence, got "x\r\n""#;
    breaks("C-silence 1s", 1, why, |c| c.send("x\r\n"));
    breaks("C: a\nC-silence 1s", 2, why, |c| c.send("a\r\nx\r\n"));
    breaks(
        "C-silence 1s",
        1,
        "expected 1s of silence, the client closed",
        |_| {},
    );
}

#[test]
fn close_is_asserted() {
    passes("C: x\nCclose", |c| c.send("x\r\n"));
    let why = r#"expected the client to close, got "QUIT\r\n""#;
    breaks("Cclose", 1, why, |c| c.send("QUIT\r\n"));
    let peer = Script::new("Cclose").bound(BOUND).listen();
    let _client = Client::connect(&peer);
    let failure = peer.outcome().unwrap_err();
    assert!(
        failure.contains("line 1: expected the client to close, it did not"),
        "{failure}"
    );
}

#[test]
fn close_or_quit_takes_either() {
    passes("Cclose or QUIT", |_| {});
    passes("Cclose or QUIT", |client| {
        client.send("QUIT\r\n");
        client.expect("221 2.0.0 bye\r\n");
    });
    let why = r#"expected "QUIT", got "RSET""#;
    breaks("Cclose or QUIT", 1, why, |c| c.send("RSET\r\n"));
}

#[test]
fn ignored_octets_are_read_to_the_end() {
    passes("C: x\nCignore", |client| {
        client.send("x\r\n");
        client.send("y".repeat(100_000));
    });
}

#[test]
fn surplus_behind_the_end_is_a_failure() {
    let peer = Script::new("C: one").listen();
    let mut client = Client::connect(&peer);
    client.send("one\r\n");
    pause();
    client.send("two\r\n");
    let failure = peer.outcome().unwrap_err();
    let why = "the dialog broke on connection 1, behind the end of the script, \
               the client sent \"two\\r\\n\"";
    assert!(failure.starts_with(why), "{failure}");
}

#[test]
fn long_line_is_no_line() {
    let why = "more than 65536 octets and no end of line";
    breaks("C: x", 1, why, |c| c.send("x".repeat(200_000)));
}
