//! Limits, exact to the byte: of what is sent, and of what is accepted.
use crate::peer::Server;
use crate::support::sending::{connect, facts, listen, send_hi, taken};
use smtplib::error::CommandError;
use smtplib::protocol::{Parameter, Step};
use smtplib::{Address, Envelope, Error};
use std::time::{Duration, Instant};

const ANN: &str = "ann@example.org";

/// A parameter with a value of this length.
fn long(keyword: &str, octets: usize) -> Parameter {
    Parameter::new(keyword, Some(&"x".repeat(octets))).unwrap()
}

fn from_me(parameters: impl IntoIterator<Item = Parameter>) -> Envelope {
    let envelope = Envelope::new("me@client.example".parse::<Address>().unwrap(), []);
    parameters.into_iter().fold(envelope, Envelope::parameter)
}

// 5321-52: 512 bytes with CRLF, and what each extension adds. A longer command is an error before
// anything is sent.
#[test]
fn the_length_of_mail() {
    const MAIL: usize = "MAIL FROM:<me@client.example> =\r\n".len();
    for (keyword, offer, allowance) in [
        ("X-LONG", "X-LONG", 0),
        ("ENVID", "DSN", 107),
        ("AUTH", "AUTH PLAIN", 500),
        ("BY", "DELIVERBY", 17),
        ("HOLDFOR", "FUTURERELEASE", 34),
        ("MT-PRIORITY", "MT-PRIORITY", 15),
    ] {
        let peer = Server::new().offer(offer).script().listen();
        let mut smtp = connect(&peer);
        let longest = 512 + allowance - MAIL - keyword.len();
        let ann: Address = ANN.parse().unwrap();
        let too_long = from_me([long(keyword, longest + 1)]).recipient(ann.clone(), []);
        let error = smtp.send(&too_long, "Hi!".as_bytes()).unwrap_err();
        let limit = 512 + allowance;
        assert!(
            matches!(error, Error::Command(CommandError::TooLong { limit: told, .. }) if told == limit),
            "{error}"
        );
        assert_eq!(
            error.to_string(),
            format!("the command is longer than {limit} bytes")
        );
        assert_eq!(facts(&error), "not delivered, permanent");
        let fits = from_me([long(keyword, longest)]).recipient(ann, []);
        taken(smtp.send(&fits, "Hi!".as_bytes()));
        drop(smtp);
        let exchanged = peer.finish();
        let commands = exchanged.commands();
        assert_eq!(commands.len(), 4);
        assert_eq!(commands[1].len() + 2, limit);
    }
}

// 5321-52: SIZE, BODY and SMTPUTF8 bring their own room, so everything fits that would fit without
// them.
#[test]
fn what_comes_by_itself_brings_its_own_room() {
    const MAIL: usize = "MAIL FROM:<me@client.example> X-LONG=\r\n".len();
    let peer = Server::new()
        .offer("X-LONG")
        .offer("SIZE")
        .offer("8BITMIME")
        .offer("SMTPUTF8")
        .script()
        .listen();
    let mut smtp = connect(&peer);
    let envelope = from_me([long("X-LONG", 512 - MAIL)]).recipient(ANN.parse().unwrap(), []);
    taken(smtp.send(&envelope, "Subject: é\n\n".as_bytes()));
    drop(smtp);
    let exchanged = peer.finish();
    let mail = exchanged.commands()[1];
    assert!(mail.ends_with(" SIZE=15 BODY=8BITMIME SMTPUTF8"), "{mail}");
}

// 5321-52: RCPT has its limit, too.
#[test]
fn the_length_of_rcpt() {
    const RCPT: usize = "RCPT TO:<ann@example.org> ORCPT=\r\n".len();
    let peer = Server::new().offer("DSN").script().listen();
    let mut smtp = connect(&peer);
    let mut transaction = smtp.mail("me@client.example").unwrap();
    let longest = 1012 - RCPT;
    let error = transaction
        .rcpt_with(ANN, [long("ORCPT", longest + 1)])
        .unwrap_err();
    assert!(matches!(
        error,
        Error::Command(CommandError::TooLong { limit: 1012, .. })
    ));
    let reply = transaction.rcpt_with(ANN, [long("ORCPT", longest)]);
    assert_eq!(reply.unwrap().code(), 250);
    drop(transaction);
    drop(smtp);
    peer.finish();
}

// 5321-51, 5321-52: the longest address fits everywhere.
#[test]
fn the_longest_address() {
    let label = "d".repeat(60);
    let longest = format!("{}@{label}.{label}.{label}.example", "l".repeat(63));
    assert_eq!(longest.len(), 254);
    let peer = Server::new().offer("SIZE").script().listen();
    let mut smtp = connect(&peer);
    taken(smtp.sendmail(&longest, [&longest], "Hi!"));
    drop(smtp);
    assert_eq!(peer.finish().commands()[2], format!("RCPT TO:<{longest}>"));
}

// 5321-53, dialog 59: endless or huge replies to each command: an error soon, and the connection is
// closed.
#[test]
fn replies_without_measure() {
    let answered = [
        ("C: MAIL FROM:<me@client.example>", "S: 250 ok", Step::Mail),
        ("C: RCPT TO:<ann@example.org>", "S: 250 ok", Step::Rcpt),
        ("C: DATA", "S: 354 go", Step::Data),
        ("Cdata 5", "S: 250 taken", Step::EndOfData),
    ];
    for (number, (_, _, step)) in answered.iter().enumerate() {
        for endless in [
            "Sforever: 250-more",
            "Sforever raw: x",
            "Sforever raw: 250-",
            "S*10000: 250-x",
        ] {
            let mut dialog: String = answered[..number]
                .iter()
                .map(|(command, reply, _)| format!("{command}\n{reply}\n"))
                .collect();
            dialog.push_str(&format!("{}\n{endless}\nCignore\n", answered[number].0));
            let peer = listen(&[], &dialog);
            let mut smtp = connect(&peer);
            let begin = Instant::now();
            let error = send_hi(&mut smtp, &[ANN]).unwrap_err();
            assert!(begin.elapsed() < Duration::from_secs(4));
            let sentence = error.to_string();
            assert!(
                sentence.starts_with(&format!("the server broke the protocol at {step}: ")),
                "{sentence}"
            );
            assert!(error.is_closed() && !smtp.is_reusable());
            drop(smtp);
            peer.finish();
        }
    }
}

// 5321-53: a long but valid reply is read to its end.
#[test]
fn long_replies_are_read() {
    let line = "x".repeat(4000);
    let peer = listen(
        &[],
        &format!(
            "
            C: MAIL FROM:<me@client.example>
            S: 250 {line}
            C: RCPT TO:<ann@example.org>
            S*1000: 250-welcome
            S: 250 ann
            C: DATA
            S: 354 go
            Cdata 5
            S: 250 taken
            "
        ),
    );
    let mut smtp = connect(&peer);
    let mut transaction = smtp.mail("me@client.example").unwrap();
    let reply = transaction.rcpt(ANN).unwrap();
    assert_eq!(reply.lines().count(), 1001);
    taken(transaction.data("Hi!".as_bytes()));
    peer.finish();
}
