//! Which recipients get a message, and which do not.
use std::sync::mpsc;

use crate::support::sending::{connect, facts, fates, fates_in, listen, send_hi};
use smtplib::connection::TraceLine;
use smtplib::{Address, Delivery, Envelope, Error, RecipientOutcome, RecipientStatus};

const THREE: [&str; 3] = ["ann@example.org", "bob@example.org", "cyd@example.org"];

// 5321-12, V1, dialogs 42 and 44: the others get it, and each refusal keeps its own reply.
#[test]
fn a_refused_recipient_does_not_stop_the_others() {
    let peer = listen(
        &["ENHANCEDSTATUSCODES"],
        "
        C: MAIL FROM:<me@client.example>
        S: 250 2.1.0 ok
        C: RCPT TO:<ann@example.org>
        S: 450 4.2.1 greylisted
        C: RCPT TO:<bob@example.org>
        S: 550 5.1.1 no such user
        C: RCPT TO:<cyd@example.org>
        S: 250 2.1.5 ok
        C: DATA
        S: 354 go ahead
        C| Hi!
        C| .
        S: 250 2.0.0 queued as 1234
        ",
    );
    let mut smtp = connect(&peer);
    let outcome = send_hi(&mut smtp, &THREE).unwrap();
    assert_eq!(
        fates(&outcome),
        [
            "ann@example.org Refused 450 4.2.1 greylisted",
            "bob@example.org Refused 550 5.1.1 no such user",
            "cyd@example.org Accepted 250 2.0.0 queued as 1234",
        ]
    );
    assert!(!outcome.is_complete());
    assert_eq!(outcome.reply().unwrap().text(), "2.0.0 queued as 1234");
    let names = |list: Vec<&RecipientOutcome>| -> Vec<String> {
        list.iter().map(|r| r.address().to_string()).collect()
    };
    assert_eq!(names(outcome.accepted().collect()), ["cyd@example.org"]);
    assert_eq!(
        names(outcome.refused().collect()),
        ["ann@example.org", "bob@example.org"]
    );
    assert_eq!(
        names(outcome.worth_retrying().collect()),
        ["ann@example.org"]
    );
    // V10: transient and permanent, and why, without reading the text.
    let refused: Vec<_> = outcome.refused().map(|r| r.reply().unwrap()).collect();
    assert!(refused[0].is_transient() && !refused[0].is_permanent());
    assert!(refused[1].is_permanent() && !refused[1].is_transient());
    assert_eq!(refused[1].enhanced().unwrap().to_string(), "5.1.1");
    peer.finish();
}

// 5321-12: whichever recipient is refused.
#[test]
fn first_middle_or_last_may_be_the_refused_one() {
    for refused in 0..3 {
        for extensions in [&[][..], &["PIPELINING"]] {
            let answer = |n| {
                if n == refused { "550 no" } else { "250 ok" }
            };
            let dialog = if extensions.is_empty() {
                format!(
                    "C: MAIL FROM:<me@client.example>\nS: 250 ok\n\
                     C: RCPT TO:<ann@example.org>\nS: {}\n\
                     C: RCPT TO:<bob@example.org>\nS: {}\n\
                     C: RCPT TO:<cyd@example.org>\nS: {}\n\
                     C: DATA\nS: 354 go\nCdata 5\nS: 250 taken\n",
                    answer(0),
                    answer(1),
                    answer(2)
                )
            } else {
                format!(
                    "Cgroup\nC: MAIL FROM:<me@client.example>\nC: RCPT TO:<ann@example.org>\n\
                     C: RCPT TO:<bob@example.org>\nC: RCPT TO:<cyd@example.org>\nC: DATA\n\
                     S: 250 ok\nS: {}\nS: {}\nS: {}\nS: 354 go\nCdata 5\nS: 250 taken\n",
                    answer(0),
                    answer(1),
                    answer(2)
                )
            };
            let peer = listen(extensions, &dialog);
            let outcome = send_hi(&mut connect(&peer), &THREE).unwrap();
            let statuses: Vec<_> = outcome
                .recipients()
                .iter()
                .map(RecipientOutcome::status)
                .collect();
            let expected: Vec<_> = (0..3)
                .map(|n| {
                    if n == refused {
                        RecipientStatus::Refused
                    } else {
                        RecipientStatus::Accepted
                    }
                })
                .collect();
            assert_eq!(statuses, expected);
            peer.finish();
        }
    }
}

// 5321-13, V2, dialog 43: no DATA, and the error lists every recipient.
#[test]
fn all_refused_means_no_message() {
    let peer = listen(
        &[],
        "
        C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 550 5.1.1 no such user
        C: RCPT TO:<bob@example.org>
        S: 551 5.1.6 try bob@example.net
        C: RCPT TO:<cyd@example.org>
        S: 553 5.1.3 bad mailbox
        Cclose
        ",
    );
    let mut smtp = connect(&peer);
    let error = send_hi(&mut smtp, &THREE).unwrap_err();
    assert!(matches!(error, Error::RecipientsRefused(_)));
    assert_eq!(
        error.to_string(),
        "the server refused all recipients, first <ann@example.org>: 550 5.1.1 no such user"
    );
    assert_eq!(
        fates_in(&error),
        [
            "ann@example.org Refused 550 5.1.1 no such user",
            "bob@example.org Refused 551 5.1.6 try bob@example.net",
            "cyd@example.org Refused 553 5.1.3 bad mailbox",
        ]
    );
    assert_eq!(facts(&error), "not delivered, permanent, 550");
    assert!(smtp.is_reusable());
    drop(smtp);
    peer.finish();
}

// V10: an error is permanent only if all refusals are. Field E13: if one is transient, the same
// call may reach that recipient later, and the code is that of the transient refusal.
#[test]
fn refusals_of_both_kinds_are_worth_another_try() {
    for (codes, expected) in [
        (["450 later", "451 later"], "not delivered, transient, 450"),
        (["550 never", "553 never"], "not delivered, permanent, 550"),
        (["450 later", "550 never"], "not delivered, transient, 450"),
        (["550 never", "451 later"], "not delivered, transient, 451"),
    ] {
        let [first, second] = codes;
        let peer = listen(
            &[],
            &format!(
                "C: MAIL FROM:<me@client.example>\nS: 250 ok\n\
                 C: RCPT TO:<ann@example.org>\nS: {first}\n\
                 C: RCPT TO:<bob@example.org>\nS: {second}\n"
            ),
        );
        let mut smtp = connect(&peer);
        let error = send_hi(&mut smtp, &THREE[..2]).unwrap_err();
        assert_eq!(facts(&error), expected);
        drop(smtp);
        peer.finish();
    }
}

/// One of three recipients is refused, and then a message to one of them is sent, in groups.
const GROUPS: &str = "
    Cgroup
    C: MAIL FROM:<me@client.example>
    C: RCPT TO:<ann@example.org>
    C: RCPT TO:<bob@example.org>
    C: RCPT TO:<cyd@example.org>
    S: 250 ok
    S: 250 ok
    S: 450 4.2.1 later
    S: 250 ok
    Cgroup
    C: RSET
    C: MAIL FROM:<me@client.example>
    C: RCPT TO:<ann@example.org>
    S: 250 ok
    S: 250 ok
    S: 250 ok
    C: DATA
    S: 354 go
    Cdata 5
    S: 250 taken
    ";

/// The same in lock-step.
const LOCK_STEP: &str = "
    C: MAIL FROM:<me@client.example>
    S: 250 ok
    C: RCPT TO:<ann@example.org>
    S: 250 ok
    C: RCPT TO:<bob@example.org>
    S: 450 4.2.1 later
    C: RCPT TO:<cyd@example.org>
    S: 250 ok
    C: RSET
    S: 250 ok
    C: MAIL FROM:<me@client.example>
    S: 250 ok
    C: RCPT TO:<ann@example.org>
    S: 250 ok
    C: DATA
    S: 354 go
    Cdata 5
    S: 250 taken
    ";
// V1: with `require_all` one refusal cancels everything, before DATA.
#[test]
fn where_all_are_required_one_refusal_is_enough() {
    for (extensions, dialog) in [(&["PIPELINING"][..], GROUPS), (&[], LOCK_STEP)] {
        let peer = listen(extensions, dialog);
        let mut smtp = connect(&peer);
        let sender: Address = "me@client.example".parse().unwrap();
        let to = THREE.map(|address| address.parse().unwrap());
        let envelope = Envelope::new(sender.clone(), to.clone()).require_all(true);
        let error = smtp.send(&envelope, "Hi!\r\n".as_bytes()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the server refused 1 of 3 recipients, first <bob@example.org>: 450 4.2.1 later"
        );
        assert_eq!(facts(&error), "not delivered, transient, 450");
        assert_eq!(
            fates_in(&error),
            [
                "ann@example.org NotSent 250 ok",
                "bob@example.org Refused 450 4.2.1 later",
                "cyd@example.org NotSent 250 ok",
            ]
        );
        // All recipients may be tried again, because none of them has the message.
        assert_eq!(error.outcome().unwrap().worth_retrying().count(), 3);
        let envelope = Envelope::new(sender, [to[0].clone()]).require_all(true);
        let outcome = smtp.send(&envelope, "Hi!\r\n".as_bytes()).unwrap();
        assert_eq!(fates(&outcome), ["ann@example.org Accepted 250 taken"]);
        peer.finish();
    }
}

// 5321-44, 5321-69: 251 and every other 2yz mean yes. 551 means no, and nothing is sent elsewhere.
#[test]
fn codes_act_by_their_first_digit() {
    let peer = listen(
        &[],
        "
        C: MAIL FROM:<me@client.example>
        S: 299 why not
        C: RCPT TO:<ann@example.org>
        S: 251 will forward to <ann@example.net>
        C: RCPT TO:<bob@example.org>
        S: 551 please try <bob@example.net>
        C: RCPT TO:<cyd@example.org>
        S: 499 no idea
        C: DATA
        S: 354 go
        Cdata 5
        S: 259 taken
        ",
    );
    let outcome = send_hi(&mut connect(&peer), &THREE).unwrap();
    assert_eq!(
        fates(&outcome),
        [
            "ann@example.org Accepted 259 taken",
            "bob@example.org Refused 551 please try <bob@example.net>",
            "cyd@example.org Refused 499 no idea",
        ]
    );
    peer.finish();
}

// 5321-55: recipients after "too many recipients" get another transaction.
#[test]
fn too_many_recipients_go_in_a_second_transaction() {
    let peer = listen(
        &[],
        "
        C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        C: RCPT TO:<bob@example.org>
        S: 452 4.5.3 too many recipients
        C: RCPT TO:<cyd@example.org>
        S: 452 4.5.3 too many recipients
        C: DATA
        S: 354 go
        Cdata 5
        S: 250 taken
        C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RCPT TO:<bob@example.org>
        S: 250 ok
        C: RCPT TO:<cyd@example.org>
        S: 250 ok
        C: DATA
        S: 354 go
        Cdata 5
        S: 250 taken, too
        ",
    );
    let mut smtp = connect(&peer);
    let outcome = send_hi(&mut smtp, &THREE).unwrap();
    assert!(outcome.is_complete());
    assert_eq!(
        fates(&outcome),
        [
            "ann@example.org Accepted 250 taken",
            "bob@example.org Accepted 250 taken, too",
            "cyd@example.org Accepted 250 taken, too",
        ]
    );
    peer.finish();
}

/// The first of two transactions is accepted, and the second begins.
const FIRST_SHARE: &str = "
    C: MAIL FROM:<me@client.example>
    S: 250 ok
    C: RCPT TO:<ann@example.org>
    S: 250 ok
    C: DATA
    S: 354 go
    Cdata 5
    S: 250 taken
    C: MAIL FROM:<me@client.example>
    ";

// Some recipients have the message when the connection is lost in a later transaction. An error
// would ask the caller to send it to them again. The others are listed as not reached.
#[test]
fn a_loss_behind_an_accepted_share_is_no_error() {
    // A reply is with the recipients; another cause stands in the trace.
    for (loss, reply, is_noted) in [
        ("close", "-", true),
        ("S: 421 bye\nclose", "421 bye", false),
        ("S: 250 ok\nC: RCPT TO:<bob@example.org>\nclose", "-", true),
        (
            "S: 250 ok\nC: RCPT TO:<bob@example.org>\nS: 250 ok\nC: DATA\nS: 299 what\nCclose",
            "-",
            false,
        ),
    ] {
        let peer = listen(&["LIMITS RCPTMAX=1"], &format!("{FIRST_SHARE}\n{loss}"));
        let mut smtp = connect(&peer);
        let (notes, told) = mpsc::channel();
        smtp.set_trace(move |line| {
            if let TraceLine::Note(note) = line {
                notes.send(note.to_owned()).unwrap();
            }
        });
        let outcome = send_hi(&mut smtp, &THREE).unwrap();
        let rest = ["bob", "cyd"].map(|name| format!("{name}@example.org NotSent {reply}"));
        let [bob, cyd] = &rest;
        let expected = ["ann@example.org Accepted 250 taken", bob, cyd];
        assert_eq!(fates(&outcome), expected, "{loss}");
        let mut notes = told.try_iter();
        let is_note = |note: String| note.starts_with("not all recipients were");
        assert_eq!(notes.any(is_note), is_noted, "{loss}");
        assert_eq!(outcome.refused().count(), 2);
        assert!(!smtp.is_reusable());
        peer.finish();
    }
}

// If the result of a later transaction is unknown, the result is an error that says so.
#[test]
fn an_uncertain_share_behind_an_accepted_one_is_an_error() {
    let rest = "
        S: 250 ok
        C: RCPT TO:<bob@example.org>
        S: 250 ok
        C: DATA
        S: 354 go
        Cdata 5
        close
        ";
    let peer = listen(&["LIMITS RCPTMAX=1"], &format!("{FIRST_SHARE}{rest}"));
    let error = send_hi(&mut connect(&peer), &THREE).unwrap_err();
    assert_eq!(error.delivery(), Delivery::Unknown);
    assert!(!error.is_transient());
    assert_eq!(
        fates(error.outcome().unwrap()),
        [
            "ann@example.org Accepted 250 taken",
            "bob@example.org Unknown 250 ok",
            "cyd@example.org NotSent -",
        ]
    );
    peer.finish();
}

// 5321-22: the same address twice is two commands and two results: nothing is removed silently.
#[test]
fn duplicates_keep_their_places() {
    let peer = listen(
        &[],
        "
        C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        C: RCPT TO:<bob@example.org>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 550 once is enough
        C: DATA
        S: 354 go
        Cdata 5
        S: 250 taken
        ",
    );
    let outcome = send_hi(
        &mut connect(&peer),
        &["ann@example.org", "bob@example.org", "ann@example.org"],
    )
    .unwrap();
    assert_eq!(
        fates(&outcome),
        [
            "ann@example.org Accepted 250 taken",
            "bob@example.org Accepted 250 taken",
            "ann@example.org Refused 550 once is enough",
        ]
    );
    peer.finish();
}

// 5321-15, V6, Python's test_421_from_rcpt_cmd: 421 is the end of the connection, and no RSET, QUIT
// or DATA follows.
#[test]
fn a_farewell_to_a_recipient_is_no_refusal() {
    let peer = listen(
        &[],
        "
        C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        C: RCPT TO:<bob@example.org>
        S: 421 4.3.2 shutting down
        Cclose
        ",
    );
    let mut smtp = connect(&peer);
    let error = send_hi(&mut smtp, &THREE).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the server refused RCPT: 421 4.3.2 shutting down"
    );
    assert_eq!(
        facts(&error),
        "not delivered, transient, closed, 421, at RCPT"
    );
    assert_eq!(
        fates_in(&error),
        [
            "ann@example.org NotSent 250 ok",
            "bob@example.org NotSent 421 4.3.2 shutting down",
            "cyd@example.org NotSent -",
        ]
    );
    assert_eq!(error.outcome().unwrap().worth_retrying().count(), 3);
    assert!(!smtp.is_reusable());
    assert!(matches!(send_hi(&mut smtp, &THREE), Err(Error::Closed)));
    peer.finish();
}

// 5321-12: the sentences for one refused recipient and for several.
#[test]
fn the_sentence_counts() {
    let peer = listen(
        &[],
        "
        C: MAIL FROM:<me@client.example>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 550-5.1.1 no such user
        S: 550 5.1.1 here
        ",
    );
    let mut smtp = connect(&peer);
    let error = send_hi(&mut smtp, &THREE[..1]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the server refused the recipient <ann@example.org>: 550 5.1.1 no such user / here"
    );
    drop(smtp);
    peer.finish();
}
