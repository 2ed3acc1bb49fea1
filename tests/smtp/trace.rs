//! The dialog in the trace: every line of it, and no secret.
use crate::peer::Script;
use crate::support::session::{
    Lines, config, connect_watched, failure, hello, implicit, said, session, starttls,
    wait_for_input,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use smtplib::auth::Mechanism;
use smtplib::connection::TraceLine;
use smtplib::{Config, Credentials, Error};
use std::fmt::Debug;

/// Connects with a trace, and returns its lines, without the one that names the server.
fn traced(config: Config) -> (Result<(), Error>, Vec<String>) {
    let lines = Lines::default();
    let result = config.trace(lines.sink()).connect().map(drop);
    let mut lines = lines.take();
    let first = lines.remove(0);
    assert!(first.starts_with("*: connecting to "), "{first}");
    (result, lines)
}

// Python's test_debuglevel: the whole dialog, in its order.
#[test]
fn every_line_is_shown() {
    let rest = format!(
        "C: STARTTLS\nS: 220 go ahead\nTLS\n{}\nC: AUTH PLAIN AHRpbQB0YW5zdGFhZg==\nS: 235 2.7.0 welcome\nC: QUIT\nS: 221 bye",
        hello(&["AUTH PLAIN"])
    );
    let peer = session(&["SIZE 1000", "STARTTLS"], &rest).listen();
    let lines = Lines::default();
    let config = starttls(&peer).credentials(Credentials::password("tim", "tanstaaf"));
    config.trace(lines.sink()).connect().unwrap().quit();
    let connecting = format!("*: connecting to 127.0.0.1:{}", peer.port());
    assert_eq!(
        lines.take(),
        [
            &connecting,
            "S: 220 mx.example.org",
            "C: EHLO client.example",
            "S: 250-mx.example.org",
            "S: 250-SIZE 1000",
            "S: 250 STARTTLS",
            "C: STARTTLS",
            "S: 220 go ahead",
            "*: TLS from here on, with 127.0.0.1",
            "C: EHLO client.example",
            "S: 250-mx.example.org",
            "S: 250 AUTH PLAIN",
            "C: AUTH PLAIN ***",
            "S: 235 2.7.0 welcome",
            "C: QUIT",
            "S: 221 bye",
            "*: closed",
        ]
    );
    peer.finish();
}

// 4954-18, Z1: every line of every mechanism that could have a secret.
#[test]
fn log_ins_are_masked() {
    let login = "
        C: AUTH LOGIN
        S: 334 VXNlcm5hbWU6
        C: dGlt
        S: 334 UGFzc3dvcmQ6
        C: dGFuc3RhYWY=
        S: 535 5.7.8 no
        C: QUIT
        S: 221 bye";
    let peer = session(&["AUTH LOGIN"], login).listen_tls();
    let (result, lines) = traced(with_password(implicit(&peer)));
    assert!(result.is_err());
    let expected = [
        "C: AUTH LOGIN",
        "S: 334 VXNlcm5hbWU6",
        "C: ***",
        "S: 334 UGFzc3dvcmQ6",
        "C: ***",
        "S: 535 5.7.8 no",
        "C: QUIT",
        "S: 221 bye",
        "*: closed",
    ];
    assert_eq!(lines[5..], expected);
    peer.finish();

    let xoauth2 = "C~: AUTH XOAUTH2 *\nS: 334 e30=\nCraw: \\r\\n\nS: 535 no\nC: QUIT\nS: 221 bye";
    let peer = session(&["AUTH XOAUTH2"], xoauth2).listen_tls();
    let bearer = Credentials::bearer("tim", "tanstaaf");
    let (_, lines) = traced(implicit(&peer).credentials(bearer));
    let expected = ["C: AUTH XOAUTH2 ***", "S: 334 e30=", "C: ***", "S: 535 no"];
    assert_eq!(lines[5..9], expected);
    peer.finish();
}

// An empty first response and a cancellation have no secret, and are shown.
#[test]
fn what_holds_no_secret_is_shown() {
    #[derive(Debug)]
    struct External;

    impl Mechanism for External {
        fn name(&self) -> &str {
            "EXTERNAL"
        }

        fn initial_response(&mut self) -> Option<Vec<u8>> {
            Some(Vec::new())
        }

        fn respond(&mut self, _challenge: &[u8]) -> Option<Vec<u8>> {
            None
        }
    }

    let peer = session(&[], "C: AUTH EXTERNAL =\nS: 334 aGk=\nC: *\nS: 501 no").listen_tls();
    let mut smtp = implicit(&peer).connect().unwrap();
    let lines = Lines::default();
    smtp.set_trace(lines.sink());
    smtp.authenticate(&mut External).unwrap_err();
    assert_eq!(
        lines.take(),
        ["C: AUTH EXTERNAL =", "S: 334 aGk=", "C: *", "S: 501 no"]
    );
    drop(smtp);
    peer.finish();
}

/// Every form in which a server can repeat the password `tanstaaf` of `tim`.
fn forms() -> [String; 4] {
    [
        "tanstaaf".to_owned(),
        STANDARD.encode("\0tim\0tanstaaf"),
        STANDARD.encode("tanstaaf"),
        STANDARD.encode("user=tim\x01auth=Bearer tanstaaf\x01\x01"),
    ]
}

fn with_password(config: Config) -> Config {
    config.credentials(Credentials::password("tim", "tanstaaf"))
}

fn check_nothing_leaks(what: &dyn Debug, text: &str) {
    let shown = format!("{text} {what:?} {what:#?}");
    for form in forms() {
        assert!(!shown.contains(&form), "{form}: {shown}");
    }
}

/// Logs in to a server that repeats what it gets, and checks everything that is shown.
fn check_echo(config: Config, shows: &str) {
    let lines = Lines::default();
    let error = failure(&config.trace(lines.sink()));
    check_nothing_leaks(&error, &error.to_string());
    check_nothing_leaks(
        &error.reply(),
        &format!("{:?}", error.reply().map(smtplib::Reply::text)),
    );
    let raw = error
        .reply()
        .map(|reply| String::from_utf8_lossy(reply.raw()).into_owned());
    check_nothing_leaks(&raw, "");
    let lines = lines.take();
    check_nothing_leaks(&lines, "");
    assert!(lines.iter().any(|line| line == shows), "{lines:#?}");
}

// 4954-18, Z3: a server that repeats the password, plain or encoded, on any line and with any code.
#[test]
fn what_the_server_repeats_is_masked() {
    let plain = STANDARD.encode("\0tim\0tanstaaf");
    for (reply, shows) in [
        (
            "535 5.7.8 no tanstaaf for tim",
            "S: 535 5.7.8 no *** for tim",
        ),
        ("454 tanstaaf,tanstaaf", "S: 454 ***,***"),
        ("421 tanstaaf", "S: 421 ***"),
    ] {
        let rest = format!("C: AUTH PLAIN {plain}\nS: {reply}\nCclose or QUIT");
        let peer = session(&["AUTH PLAIN"], &rest).listen_tls();
        check_echo(with_password(implicit(&peer)), shows);
        peer.finish();
    }
    for rest in [
        format!("S: 535-{plain}\nS: 535 no"),
        format!("S: 334 {plain}\nC: *\nS: 501 {plain}"),
        format!("S: 334 !\nC: *\nS: 501-what is {plain}?\nS: 501 or tanstaaf?"),
    ] {
        let rest = format!("C: AUTH PLAIN {plain}\n{rest}\nCclose or QUIT");
        let peer = session(&["AUTH PLAIN"], &rest).listen_tls();
        check_echo(with_password(implicit(&peer)), "C: AUTH PLAIN ***");
        peer.finish();
    }
    let rest = "
        C: AUTH LOGIN
        S: 334
        C: dGlt
        S: 334
        C: dGFuc3RhYWY=
        S: 535 dGFuc3RhYWY= is tanstaaf
        Cclose or QUIT";
    let peer = session(&["AUTH LOGIN"], rest).listen_tls();
    check_echo(with_password(implicit(&peer)), "S: 535 *** is ***");
    peer.finish();
}

// Z3, 7628-02: the explanation of a failure, which is base64 on the wire.
#[test]
fn what_the_explanation_repeats_is_masked() {
    let json = STANDARD.encode(r#"{"status":"401","token":"tanstaaf"}"#);
    let rest =
        format!("C~: AUTH XOAUTH2 *\nS: 334 {json}\nCraw: \\r\\n\nS: 535 no\nCclose or QUIT");
    let peer = session(&["AUTH XOAUTH2"], &rest).listen_tls();
    let lines = Lines::default();
    let bearer = Credentials::bearer("tim", "tanstaaf");
    let error = failure(&implicit(&peer).credentials(bearer).trace(lines.sink()));
    assert_eq!(
        said(&error),
        r#"the server refused the login with XOAUTH2: 535 no ({"status":"401","token":"***"})"#
    );
    check_nothing_leaks(&error, "");
    let lines = lines.take();
    assert!(lines.iter().any(|line| line == "S: 334 ***"), "{lines:#?}");
    assert!(!lines.concat().contains(&json));
    peer.finish();
}

// Masking never touches the code, even if it is the password.
#[test]
fn a_password_that_looks_like_a_code() {
    let rest = "C~: AUTH PLAIN *\nS: 535-5.7.8 535 no\nS: 535 535\nCclose or QUIT";
    let peer = session(&["AUTH PLAIN"], rest).listen_tls();
    let password = Credentials::password("tim", "535");
    let (result, lines) = traced(implicit(&peer).credentials(password));
    assert_eq!(lines[6..8], ["S: 535-5.7.8 *** no", "S: 535 ***"]);
    let error = result.unwrap_err();
    assert_eq!(error.code().unwrap(), 535);
    assert_eq!(error.reply().unwrap().text(), "5.7.8 *** no\n***");
    peer.finish();
}

// E7: a secret that was sent stays hidden as long as the connection lives. The bytes of replies are
// not changed.
#[test]
fn a_server_that_remembers_the_password_does_not_show_it() {
    let plain = STANDARD.encode("\0tim\0tanstaaf");
    let rest = format!(
        "C: AUTH PLAIN {plain}
        S: 235 welcome
        C: MAIL FROM:<a@client.example>
        S: 550-5.7.1 not with tanstaaf
        S: 550 5.7.1 nor with {plain}
        C: RSET
        S: 250 ok
        C: NOOP
        S: 250 tanstaaf
        C: NOOP
        S: what tanstaaf? no tans
        Cclose"
    );
    let peer = session(&["AUTH PLAIN"], &rest).listen_tls();
    let lines = Lines::default();
    let config = with_password(implicit(&peer)).trace(lines.sink());
    let mut smtp = config.connect().unwrap();
    let error = smtp
        .sendmail("a@client.example", ["b@x.example"], "")
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the server refused the sender: 550 5.7.1 not with *** / nor with ***"
    );
    check_nothing_leaks(&error, &error.to_string());
    let reply = error.reply().unwrap();
    let raw = format!("550-5.7.1 not with tanstaaf\r\n550 5.7.1 nor with {plain}\r\n");
    assert_eq!(reply.raw(), raw.as_bytes());
    smtp.rset().unwrap();
    smtp.noop().unwrap();
    let error = smtp.noop().unwrap_err();
    check_nothing_leaks(&error, &error.to_string());
    let lines = lines.take();
    check_nothing_leaks(&lines, "");
    for line in ["S: 250 ***", "S: what ***? no ***"] {
        assert!(lines.iter().any(|shown| shown == line), "{lines:#?}");
    }
    peer.finish();
}

// E7: the same in an unsolicited reply, and in a farewell.
#[test]
fn what_comes_unasked_is_masked() {
    for (words, shows) in [
        ("250 tanstaaf", "S: 250 ***"),
        ("421 4.3.2 bye, tanstaaf", "S: 421 4.3.2 bye, ***"),
    ] {
        let rest = format!("C~: AUTH PLAIN *\nS: 235 welcome\nS~20ms: {words}\nCclose");
        let peer = session(&["AUTH PLAIN"], &rest).listen();
        let lines = Lines::default();
        let config = with_password(config(&peer)).danger_allow_plaintext_auth(true);
        let (mut smtp, watched) = connect_watched(&peer, &config.trace(lines.sink()));
        wait_for_input(&watched);
        let error = smtp.noop().unwrap_err();
        check_nothing_leaks(&error, &error.to_string());
        let lines = lines.take();
        check_nothing_leaks(&lines, "");
        assert!(lines.iter().any(|line| line == shows), "{lines:#?}");
        peer.finish();
    }
}

// D1: the server repeats the password and closes while the client still writes.
#[test]
fn last_words_during_a_login_are_masked() {
    let rest =
        "C: AUTH LOGIN\nS: 334\nC: dGlt\nS: 334\nC: *\nS: 535 no tanstaaf\nEOF\nCclose or QUIT";
    let rest = rest.replace("C: *", "C: dGFuc3RhYWY=");
    let peer = session(&["AUTH LOGIN"], &rest).listen_tls();
    check_echo(with_password(implicit(&peer)), "S: 535 no ***");
    peer.finish();

    let rest = "C: AUTH LOGIN\nS: 334\nC: dGlt\nS: 334\nS+ 535 no such password: tanstaaf\nRST";
    let peer = session(&["AUTH LOGIN"], rest).listen_tls();
    let lines = Lines::default();
    let error = failure(&with_password(implicit(&peer)).trace(lines.sink()));
    check_nothing_leaks(&error, &error.to_string());
    check_nothing_leaks(&lines.take(), "");
    peer.finish();
}

// Z3: a challenge that repeats the password behind the end of the dialog, at once or later. Only its
// code is shown.
#[test]
fn a_challenge_that_nobody_waits_for_is_not_shown() {
    let echo = STANDARD.encode("no tanstaaf here");
    let log_in = "C: AUTH LOGIN\nS: 334\nC: dGlt\nS: 334\nC: dGFuc3RhYWY=";
    for rest in [
        format!("{log_in}\nSraw: 334 eA==\\r\\n334 {echo}\\r\\n\nCclose"),
        format!("{log_in}\nSraw: 334 eA==\\r\\n334 {echo}\nCclose"),
        format!("{log_in}\nSraw: 334 eA==\\r\\n250-a\\r\\n334 {echo}\\r\\n\nCclose"),
        format!("{log_in}\nS: 535 no\nC: QUIT\nS: 334 {echo}\nCclose"),
    ] {
        let peer = session(&["AUTH LOGIN"], &rest).listen_tls();
        let lines = Lines::default();
        let error = failure(&with_password(implicit(&peer)).trace(lines.sink()));
        let lines = lines.take();
        let shown = format!("{error} {error:?} {lines:?}");
        assert!(!shown.contains(&echo), "{shown}");
        peer.finish();
    }
    for words in [
        format!("S: 334 {echo}"),
        format!("S: 334-{echo}\nS: 334 {echo}"),
        format!("S: 334-{echo}\nS: 250 ok"),
        format!("Sraw: 334 {echo}"),
    ] {
        let rest = format!("C~: AUTH PLAIN *\nS: 235 welcome\nC: NOOP\n{words}\nEOF\nCclose");
        let peer = session(&["AUTH PLAIN"], &rest).listen_tls();
        let lines = Lines::default();
        let config = with_password(implicit(&peer)).trace(lines.sink());
        let error = config.connect().unwrap().noop().unwrap_err();
        let lines = lines.take();
        let shown = format!("{error} {error:?} {lines:?}");
        assert!(!shown.contains(&echo), "{shown}");
        assert!(shown.contains("S: 334"), "{shown}");
        peer.finish();
    }
}

// Z3: padding, and more than one line, are no way to show the password.
#[test]
fn a_challenge_that_is_none_is_not_shown() {
    let echo = STANDARD.encode("tanstaaf");
    let bare = echo.trim_end_matches('=');
    for challenge in [
        format!("334 {bare}"),
        format!("334-{echo}\nS: 334 {bare}"),
        format!("334 password {bare}"),
    ] {
        let rest = format!(
            "C: AUTH LOGIN\nS: 334 User:\nC: dGlt\nS: 334\nC: {echo}\nS: {challenge}\nC: *\nS: 501 no\nCclose or QUIT"
        );
        let peer = session(&["AUTH LOGIN"], &rest).listen_tls();
        let lines = Lines::default();
        failure(&with_password(implicit(&peer)).trace(lines.sink()));
        let lines = lines.take();
        assert!(!lines.concat().contains(bare), "{lines:#?}");
        for line in ["S: 334 User:", "S: 334 ***"] {
            assert!(lines.iter().any(|shown| shown == line), "{lines:#?}");
        }
        peer.finish();
    }
}

// Z1: nothing that can be printed has a password, before, during and after its use.
#[test]
fn nothing_that_can_be_printed_holds_a_secret() {
    for credentials in [
        Credentials::password("tim", "tanstaaf"),
        Credentials::bearer("tim", "tanstaaf"),
    ] {
        check_nothing_leaks(&credentials, "");
        let rest = "C~: AUTH *\nS: 235 welcome, tanstaaf";
        let peer = session(&["AUTH PLAIN XOAUTH2"], rest).listen_tls();
        let config = implicit(&peer).credentials(credentials);
        check_nothing_leaks(&config, "");
        let smtp = config.connect().unwrap();
        check_nothing_leaks(&smtp, "");
        // The received bytes are not shown either, in any notation.
        assert!(!format!("{smtp:?}").contains("116, 97, 110, 115"));
        drop(smtp);
        peer.finish();
    }
    check_nothing_leaks(&smtplib::auth::Plain::new("tim", "tanstaaf").unwrap(), "");
    check_nothing_leaks(&smtplib::auth::Login::new("tim", "tanstaaf").unwrap(), "");
    check_nothing_leaks(&smtplib::auth::XOAuth2::new("tim", "tanstaaf").unwrap(), "");
    check_nothing_leaks(
        &smtplib::auth::OAuthBearer::new("tim", "tanstaaf").unwrap(),
        "",
    );
}

// R12: received text cannot control a terminal, and cannot begin a new line.
#[test]
fn control_characters_are_escaped() {
    let script = r"Sraw: 220 \x1b[2Jmx\x07\xe2\x80\xae \xc2\x85\xff\r\n
        C: EHLO client.example
        S: 250 mx";
    let peer = Script::new(script).listen();
    let (result, lines) = traced(config(&peer));
    result.unwrap();
    assert_eq!(
        lines[0],
        "S: 220 \\u{1b}[2Jmx\\u{7}\\u{202e} \\u{85}\u{fffd}"
    );
    let line = TraceLine::Note("a\r\nb");
    assert_eq!(line.to_string(), r"*: a\r\nb");
    peer.finish();
}

// Errors are in the trace, too.
#[test]
fn the_end_is_shown() {
    let peer = Script::new("S: 554 no\nC: QUIT\nS: 221 bye").listen();
    let (_, lines) = traced(config(&peer));
    assert_eq!(lines, ["S: 554 no", "C: QUIT", "S: 221 bye", "*: closed"]);
    peer.finish();

    for (script, expected) in [
        ("S: hello\nCclose", &["S: hello", "*: cut off"][..]),
        (
            "S: 220-mx\nS: 250 mx\nCclose",
            &["S: 220-mx", "S: 250 mx", "*: cut off"],
        ),
        (
            "S: 220-mx\nSraw: 22\nEOF\nCclose",
            &["S: 220-mx", "S: 22", "*: cut off"],
        ),
        ("EOF\nCclose", &["*: cut off"]),
    ] {
        let peer = Script::new(script).listen();
        let (_, lines) = traced(config(&peer));
        assert_eq!(lines, expected);
        peer.finish();
    }

    let peer = session(&[], "S~20ms: 421 idle").listen();
    let (mut smtp, watched) = connect_watched(&peer, &config(&peer));
    let lines = Lines::default();
    smtp.set_trace(lines.sink());
    wait_for_input(&watched);
    smtp.noop().unwrap_err();
    assert_eq!(lines.take(), ["S: 421 idle", "*: cut off"]);
    drop(smtp);
    peer.finish();

    // During AUTH, half a reply is not shown, because it may be half a password.
    let rest = "C~: AUTH PLAIN *\nS: 535-no\nSraw: 535 tanst\nEOF\nCclose";
    let peer = session(&["AUTH PLAIN"], rest).listen_tls();
    let (_, lines) = traced(with_password(implicit(&peer)));
    assert_eq!(lines[5..], ["C: AUTH PLAIN ***", "*: cut off"]);
    peer.finish();
}

// Python's set_debuglevel() on an open connection.
#[test]
fn the_trace_can_be_turned_on_later() {
    let peer = session(&[], "C: NOOP\nS: 250 ok\nC: HELP\nS: 214 a").listen();
    let mut smtp = config(&peer).connect().unwrap();
    smtp.noop().unwrap();
    let lines = Lines::default();
    smtp.set_trace(lines.sink());
    smtp.help("").unwrap();
    assert_eq!(lines.take(), ["C: HELP", "S: 214 a"]);
    drop(smtp);
    peer.finish();
}

// The trace names the server in the same form as other places.
#[test]
fn addresses_and_paths_are_shown() {
    let peer = session(&[], "").listen_v6();
    let lines = Lines::default();
    drop(config(&peer).trace(lines.sink()).connect().unwrap());
    assert_eq!(
        lines.take()[0],
        format!("*: connecting to [::1]:{}", peer.port())
    );
    peer.finish();

    #[cfg(unix)]
    {
        let peer = Script::new("S: 220 mx\nC~: LHLO *\nS: 250 mx").listen_unix();
        let smtp = Config::lmtp_unix(peer.path()).trace(lines.sink()).connect();
        assert_eq!(
            lines.take()[0],
            format!("*: connecting to {}", peer.path().display())
        );
        drop(smtp);
        peer.finish();
    }
}
