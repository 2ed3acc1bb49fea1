//! The connections of a mailer: when they are opened, kept, replaced and closed.
use super::crowd::{Answer, Crowd};
use super::{LEAVES, carries, connections, mailer, message, send, sent};
use crate::peer::{Refusing, Script};
use crate::support::sending::{config, session};
use smtplib::{Attachment, Config, Credentials, Error, Mailer, Message, Security};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

const MS: Duration = Duration::from_millis(1);

#[test]
fn it_can_be_shared() {
    fn is_shared<T: Clone + Send + Sync + std::fmt::Debug + 'static>() {}
    is_shared::<Mailer>();
}

#[test]
fn nothing_connects_before_the_first_message() {
    let peer = connections::<&str>([]);
    let mailer = mailer(&peer);
    mailer.close();
    let all = mailer.send_all(Vec::<Message>::new());
    assert_eq!(all.count(), 0);
    drop(mailer);
    peer.finish();
}

#[test]
fn a_url_is_enough() {
    let peer = connections([carries(1)]);
    let url = format!(
        "smtp://127.0.0.1:{}?tls=none&hello=client.example",
        peer.port()
    );
    let mailer: Mailer = url.parse().unwrap();
    assert!(send(&mailer).unwrap().is_complete());
    let same = Mailer::try_from(url).unwrap();
    assert_eq!(same.config().to_string(), mailer.config().to_string());
    drop(mailer);
    peer.finish();
}

#[test]
fn a_variable_that_is_not_set_is_named() {
    let error = Mailer::from_env("SMTPLIB_NEVER_SET").unwrap_err();
    assert!(error.to_string().contains("SMTPLIB_NEVER_SET"), "{error}");
    assert!(error.is_permanent());
    let error = Mailer::from_env("PATH").unwrap_err();
    assert!(matches!(error, Error::Config(_)), "{error}");
}

#[test]
fn messages_share_a_connection_and_clones_share_the_mailer() {
    let peer = connections([carries(3)]);
    let mailer = mailer(&peer);
    let clone = mailer.clone();
    assert!(send(&mailer).unwrap().is_complete());
    assert!(send(&clone).unwrap().is_complete());
    drop(mailer);
    let outcome = thread::spawn(move || send(&clone)).join().unwrap().unwrap();
    assert_eq!(outcome.attempts(), 1);
    peer.finish();
}

// Dropping does not wait: the server does not reply to QUIT.
#[test]
fn the_last_clone_says_quit() {
    let peer = connections([carries(1)]);
    let mailer = mailer(&peer);
    sent(&mailer);
    drop(mailer);
    peer.finish();
}

#[test]
fn close_hears_the_farewell_and_the_mailer_goes_on() {
    let farewell = message("250 taken") + "C: QUIT\nS: 221 bye\nCclose\n";
    let peer = connections([session(&[], &farewell), carries(1)]);
    let (lines, heard) = mpsc::channel();
    let config = config(&peer).trace(move |line| lines.send(line.to_string()).unwrap());
    let mailer = Mailer::new(config);
    sent(&mailer);
    mailer.close();
    let heard: Vec<String> = heard.try_iter().collect();
    assert!(heard.contains(&"S: 221 bye".to_owned()), "{heard:?}");
    sent(&mailer);
    drop(mailer);
    peer.finish();
}

#[test]
fn check_logs_in_and_says_goodbye() {
    let dialog = "C: AUTH PLAIN AGFubgBzZWNyZXQ=\nS: 235 welcome\nC: QUIT\nS: 221 bye\nCclose\n";
    let refusal = "C: AUTH PLAIN AGFubgBzZWNyZXQ=\nS: 535 no\nC: QUIT\nS: 221 bye\nCclose\n";
    let offers = ["AUTH PLAIN"];
    let peer = connections([session(&offers, dialog), session(&offers, refusal)]);
    let config = config(&peer)
        .credentials(Credentials::password("ann", "secret"))
        .danger_allow_plaintext_auth(true);
    let mailer = Mailer::from(config);
    mailer.check().unwrap();
    assert!(matches!(mailer.check().unwrap_err(), Error::AuthFailed(_)));
    peer.finish();
}

#[test]
fn each_connection_has_a_fresh_token() {
    let dialog = |token: &str| {
        let login = format!("C~: AUTH XOAUTH2 {token}\nS: 235 welcome\n");
        session(&["AUTH XOAUTH2"], &(login + &message("250 taken") + LEAVES))
    };
    // user=ann^Aauth=Bearer one^A^A, and two
    let responses = [
        "dXNlcj1hbm4BYXV0aD1CZWFyZXIgb25lAQE=",
        "dXNlcj1hbm4BYXV0aD1CZWFyZXIgdHdvAQE=",
    ];
    let peer = connections(responses.map(dialog));
    let tokens = Mutex::new(vec!["two", "one"]);
    let next = move || tokens.lock().unwrap().pop().ok_or("no token is left");
    let config = config(&peer)
        .credentials(Credentials::token_from("ann", next))
        .danger_allow_plaintext_auth(true);
    let mailer = Mailer::new(config).messages_per_connection(1);
    (0..2).for_each(|_| sent(&mailer));
    drop(mailer);
    peer.finish();
}

#[test]
fn a_connection_is_replaced_behind_its_last_message() {
    let peer = connections([carries(2), carries(1)]);
    let mailer = mailer(&peer).messages_per_connection(2);
    (0..3).for_each(|_| sent(&mailer));
    drop(mailer);
    peer.finish();
}

#[test]
fn a_connection_is_not_kept_beyond_its_time() {
    for limit in [Mailer::idle_time, Mailer::max_age] {
        let peer = connections([carries(1), carries(1)]);
        let mailer = limit(mailer(&peer), Duration::ZERO);
        (0..2).for_each(|_| sent(&mailer));
        drop(mailer);
        peer.finish();
    }
}

// A refusal does not make a connection unusable.
#[test]
fn a_refusal_leaves_the_connection_fit() {
    let refused = "C: MAIL FROM:<me@client.example>\nS: 550 no\nC: RSET\nS: 250 ok\n";
    let peer = connections([session(
        &[],
        &format!("{refused}{}{LEAVES}", message("250 taken")),
    )]);
    let mailer = mailer(&peer);
    assert!(matches!(
        send(&mailer).unwrap_err(),
        Error::SenderRefused(_)
    ));
    sent(&mailer);
    drop(mailer);
    peer.finish();
}

// An error in the message itself shows before any of it is sent.
#[test]
fn an_unfit_message_leaves_the_connection_fit() {
    let peer = connections([carries(2)]);
    let mailer = mailer(&peer);
    sent(&mailer);
    let error = mailer.sendmail("me@client.example", "ann@example.org", "a\0b\r\n");
    assert!(matches!(error.unwrap_err(), Error::Content(_)));
    sent(&mailer);
    drop(mailer);
    peer.finish();
}

#[test]
fn a_caller_waits_as_long_as_told() {
    let (begun, has_begun) = mpsc::channel();
    let (release, wait) = mpsc::channel::<()>();
    let peer = Script::handler(move |conn| {
        conn.reply("220 mx.example.org")?;
        begun.send(()).unwrap();
        let _ = wait.recv();
        Ok(())
    });
    let peer = peer.listen();
    let mailer = mailer(&peer).connections(1).max_wait(30 * MS);
    thread::scope(|scope| {
        let first = scope.spawn(|| send(&mailer));
        has_begun.recv().unwrap();
        let start = Instant::now();
        let error = send(&mailer).unwrap_err();
        assert!(
            matches!(error, Error::Busy { connections: 1, .. }),
            "{error}"
        );
        assert!(error.is_transient() && error.is_timeout() && start.elapsed() >= 30 * MS);
        drop(release);
        first.join().unwrap().unwrap_err();
    });
    peer.finish();
}

// The connection fails, and its permit is given back.
#[test]
fn a_server_that_is_not_there_costs_no_place() {
    let refusing = Refusing::new();
    let config = Config::new("127.0.0.1")
        .port(refusing.addr().port())
        .security(Security::None);
    let mailer = Mailer::new(config)
        .connections(1)
        .max_wait(Duration::from_secs(60));
    for _ in 0..3 {
        let error = send(&mailer).unwrap_err();
        assert!(
            matches!(error, Error::Io { .. }) && error.is_transient(),
            "{error}"
        );
    }
}

#[test]
fn a_panic_in_a_source_leaves_the_mailer_usable() {
    let first = session(
        &[],
        "C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        C: DATA
        S: 354 go
        Cignore
        ",
    );
    let peer = connections([first, carries(1)]);
    let mailer = mailer(&peer).connections(1);
    let attachment = Attachment::streamed("a.bin", 100_000, || Ok(Panicking));
    let message = Message::builder()
        .from("me@client.example")
        .to("ann@example.org")
        .attach(attachment)
        .build()
        .unwrap();
    let sent = catch_unwind(AssertUnwindSafe(|| mailer.send(&message)));
    assert!(sent.is_err());
    assert!(send(&mailer).unwrap().is_complete());
    drop(mailer);
    peer.finish();
}

struct Panicking;

impl std::io::Read for Panicking {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        panic!("the source of a test")
    }
}

#[test]
fn messages_keep_their_distance() {
    let peer = connections([carries(4)]);
    let mailer = mailer(&peer).rate(50, Duration::from_secs(1));
    let start = Instant::now();
    (0..4).for_each(|_| sent(&mailer));
    assert!(start.elapsed() >= 60 * MS);
    drop(mailer);
    peer.finish();
}

// Who waits for a turn by the rate holds no connection.
#[test]
fn a_message_that_waits_for_its_turn_is_not_in_the_way() {
    let server = Crowd::new(&[], |_, _, _| Answer::Usual);
    let mailer = Mailer::new(server.config())
        .connections(1)
        .max_wait(600 * MS)
        .rate(1, 1000 * MS);
    thread::scope(|scope| {
        (0..3).for_each(|_| drop(scope.spawn(|| sent(&mailer))));
    });
    assert_eq!(server.connections(), 1);
    drop(mailer);
    server.finish();
}

#[test]
fn what_it_shows_of_itself() {
    let mailer: Mailer = "smtp://ann:secret@mail.example.com".parse().unwrap();
    let shown = format!("{mailer:?}");
    assert!(
        shown.contains("mail.example.com:587") && !shown.contains("secret"),
        "{shown}"
    );
}
