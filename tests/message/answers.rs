//! Replies to messages from other programs: their ids and subjects are accepted as they are.

use smtplib::message::{AddressList, Resent};
use smtplib::{Message, MessageBuilder};

fn answer() -> MessageBuilder {
    Message::builder().from("a@example.org").text("Yes.\n")
}

/// B7: an id is never folded, and its field begins on the first line, however long it is.
#[test]
fn a_long_id_begins_on_the_first_line() {
    // With its brackets and the longest name of such a field, the last one just fits on a line.
    for length in [1, 50, 52, 53, 64, 65, 66, 78, 79, 500, 965] {
        let id = format!("<{}@example.org>", "a".repeat(length));
        let builder = answer().message_id(&id).reply_to_message(&id, "", "Hi");
        let resent = Resent::new()
            .from("r@example.org")
            .to("b@example.org")
            .message_id(&id);
        let message = builder.resent(resent).build().unwrap();
        assert_eq!(message.message_id(), id);
        let text = String::from_utf8(message.to_bytes().unwrap()).unwrap();
        for name in [
            "Message-ID",
            "Resent-Message-ID",
            "In-Reply-To",
            "References",
        ] {
            assert!(text.contains(&format!("\r\n{name}: {id}\r\n")), "{text}");
        }
        assert!(text.split("\r\n").all(|line| line.len() <= 998));
        let (header, _) = text.split_once("\r\n\r\n").unwrap();
        let is_field = |line: &str| line.starts_with(' ') || line.contains(": ");
        assert!(header.split("\r\n").all(is_field), "{text}");
    }
}

/// The value of a header field, unfolded, if there is one.
fn value(builder: MessageBuilder, name: &str) -> Option<String> {
    let octets = builder.build().unwrap().to_bytes().unwrap();
    let text = String::from_utf8(octets).unwrap().replace("\r\n ", " ");
    let start = format!("{name}: ");
    let mut found = text.lines().filter_map(|line| line.strip_prefix(&start));
    let value = found.next().map(str::to_owned);
    assert_eq!(found.next(), None, "{name} is there once");
    value
}

/// B1: in each of the ways to set them.
#[test]
fn ids_of_other_messages_go_out_as_they_came() {
    for id in [
        "<20220720005922.0000000004E@>",
        "<with a space@x.example>",
        "<no-at-sign>",
        "<x.1@[mail-host]>",
        "<x@[odd literal!]>",
    ] {
        let answer = || answer().reply_to_message(id, "<1@x> not/an/id\r\n\t<2@x>", "Hi");
        assert_eq!(value(answer(), "In-Reply-To").as_deref(), Some(id));
        let references = format!("<1@x> <2@x> {id}");
        assert_eq!(value(answer(), "References"), Some(references));
    }
    for name in ["In-Reply-To", "References"] {
        let builder = answer()
            .header(name, "<a@b.example><c@d.example> (comment)")
            .header(&name.to_lowercase(), "<e f>");
        assert_eq!(
            value(builder, name).as_deref(),
            Some("<a@b.example> <c@d.example> <e f>")
        );
        assert_eq!(value(answer().header(name, "no id"), name), None);
    }
    // Lists of ids, too.
    let ids = vec!["<1@x>".to_owned(), "2@x".to_owned()];
    let builder = answer().references(&ids).references(ids.iter().rev());
    assert_eq!(
        value(builder, "References").as_deref(),
        Some("<1@x> <2@x> <2@x> <1@x>")
    );
    // Ids of the message itself are checked strictly.
    let error = answer().message_id("<no-at-sign>").build().unwrap_err();
    assert_eq!(
        error.to_string(),
        "Message-ID: give an id of the form <unique@example.org>"
    );
}

/// B13: names in a charset that the library does not know are sent unchanged, wherever mailboxes
/// are read.
#[test]
fn names_of_other_messages_go_out_as_they_came() {
    let name = "=?iso-2022-jp?b?GyRCJUYlOSVIGyhC?= (2)";
    let mailbox = name.replace("(2)", "<t@x.example>");
    let group = name.replace(" (2)", ": t@x.example;");
    let list: AddressList = format!("{mailbox}, {group}").parse().unwrap();
    let written = format!("{mailbox}, {}", group.replace("?=:", "?= :"));
    assert_eq!(value(answer().to(list), "To"), Some(written));
    let to = |b: MessageBuilder| value(b, "To");
    assert_eq!(to(answer().to(mailbox.as_str())), Some(mailbox.clone()));
    let quoted = "\"Doe, Dr.\" =?koi8-r?b?9MXT1A==?= <t@x.example>";
    let list: AddressList = quoted.parse().unwrap();
    assert_eq!(to(answer().to(list)).as_deref(), Some(quoted));
    assert_eq!(to(answer().to(quoted)).as_deref(), Some(quoted));
    let field = |name: &str| value(answer().header(name, &mailbox), name);
    assert_eq!(field("Disposition-Notification-To"), Some(mailbox.clone()));
    assert_eq!(field("List-Id"), Some(mailbox.clone()));
    // Names and subjects that the caller sets are plain text.
    let own = answer().to(("=?x?q?a?=", "t@x.example"));
    let encoded = "=?utf-8?b?PT94P3E/YT89?= <t@x.example>";
    assert_eq!(to(own).as_deref(), Some(encoded));
}

/// B13: readers drop the blanks between two encoded-words.
#[test]
fn blanks_beside_words_that_cannot_be_decoded_are_kept() {
    for (subject, expected) in [
        (
            "=?koi8-r?b?9MXT1A==?=  é  =?koi8-r?b?9MXT1A==?=",
            "Re: =?koi8-r?b?9MXT1A==?=  =?utf-8?q?_=C3=A9_?=  =?koi8-r?b?9MXT1A==?=",
        ),
        (
            "é  ü =?koi8-r?b?9MXT1A==?=",
            "Re: =?utf-8?q?=C3=A9?=  =?utf-8?q?_=C3=BC_?= =?koi8-r?b?9MXT1A==?=",
        ),
    ] {
        let builder = answer().reply_to_message("<1@x>", "", subject);
        assert_eq!(value(builder, "Subject").as_deref(), Some(expected));
    }
}

/// B13.
#[test]
fn a_subject_is_not_encoded_twice() {
    for (subject, expected) in [
        (
            "=?utf-8?q?Gr=C3=BC=C3=9Fe?=",
            "Re: =?utf-8?q?Gr=C3=BC=C3=9Fe?=",
        ),
        (
            "=?ISO-8859-1?Q?Re=3A_Gr=FC=DFe?=",
            "Re: =?utf-8?q?Gr=C3=BC=C3=9Fe?=",
        ),
        (
            "re: =?iso-2022-jp?b?GyRCJUYlOSVIGyhC?= (2)",
            "Re: =?iso-2022-jp?b?GyRCJUYlOSVIGyhC?= (2)",
        ),
        (
            "é =?koi8-r?b?9MXT1A==?=\t(é 2)",
            "Re: =?utf-8?q?=C3=A9_?= =?koi8-r?b?9MXT1A==?= =?utf-8?q?_=28=C3=A9?= 2)",
        ),
        ("a\t=?koi8-r?b?9MXT1A==?=", "Re: a\t=?koi8-r?b?9MXT1A==?="),
        (
            "RE:é ü b =?koi8-r?b?9MXT1A==?= c",
            "Re: =?utf-8?b?w6kgw7w=?= b =?koi8-r?b?9MXT1A==?= c",
        ),
        ("Lunch\r\n at noon?\r\n", "Re: Lunch at noon?"),
        ("Lunch?", "Re: Lunch?"),
        ("", "Re:"),
        (" RE: re: ", "Re:"),
        ("=?utf-8?q?Re=3A_?=", "Re:"),
    ] {
        let builder = answer().reply_to_message("<1@x>", "", subject);
        assert_eq!(
            value(builder, "Subject").as_deref(),
            Some(expected),
            "{subject}"
        );
    }
    // Names and subjects that the caller sets are plain text.
    let builder = answer().subject("=?utf-8?q?x?=");
    assert_eq!(
        value(builder, "Subject").as_deref(),
        Some("=?utf-8?b?PT91dGYtOD9xP3g/PQ==?=")
    );
    // An encoded line end does not become a line end.
    let builder = answer().reply_to_message("<1@x>", "", "=?utf-8?q?a=0D=0ABcc:_e@x?=");
    assert_eq!(
        value(builder, "Subject").as_deref(),
        Some("Re: a =?utf-8?q?_Bcc=3A?= e@x")
    );
    for subject in ["a\r\nBcc: e@x", "é\r\nBcc: =?koi8-r?b?9MXT1A==?="] {
        let answer = answer().reply_to_message("<1@x>", "", subject);
        assert_eq!(
            answer.build().unwrap_err().to_string(),
            "Subject: the character '\\r' cannot stand in a header, leave it out"
        );
    }
}

/// B13: the subject of another message may be long, and each word in it is read once.
#[test]
fn what_looks_like_many_words_takes_linear_time() {
    for piece in ["=?a?b?x", "=?a?q?x?", "=?", "=?a", "=?a?b?=?="] {
        let subject = piece.repeat(300_000);
        let begun = std::time::Instant::now();
        drop(answer().reply_to_message("<1@x>", "", &subject));
        let took = begun.elapsed();
        assert!(took.as_secs() < 15, "{piece} took {took:?}");
    }
}
