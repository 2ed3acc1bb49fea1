use super::{Announced, HelloName, custom, hello, is_printable};
use crate::address::Address;
use crate::command_error::CommandError;
use crate::parameter::Parameter;

fn parameter(text: &str) -> Parameter {
    text.parse().unwrap()
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn mail(sender: Option<&Address>, parameters: &[Parameter]) -> Result<Vec<u8>, CommandError> {
    appended(|out| super::mail(out, sender, parameters, &Announced::default()))
}

fn rcpt(recipient: &Address, parameters: &[Parameter]) -> Result<Vec<u8>, CommandError> {
    appended(|out| super::rcpt(out, recipient, parameters))
}

/// The octets that are appended to a buffer. After an error, there are none.
fn appended(
    append: impl Fn(&mut Vec<u8>) -> Result<(), CommandError>,
) -> Result<Vec<u8>, CommandError> {
    let mut out = b"before".to_vec();
    let result = append(&mut out);
    let line = out.strip_prefix(b"before").unwrap().to_vec();
    assert_eq!(line.is_empty(), result.is_err());
    result.map(|()| line)
}

fn line(octets: Result<Vec<u8>, CommandError>) -> String {
    String::from_utf8(octets.unwrap()).unwrap()
}

// 5321-14, 5321-21
#[test]
fn mail_and_rcpt() {
    let parameters = [parameter("SIZE=1000"), parameter("smtputf8")];
    let zoe = address("zoe@example.org");
    assert_eq!(
        line(mail(Some(&zoe), &parameters)),
        "MAIL FROM:<zoe@example.org> SIZE=1000 SMTPUTF8\r\n"
    );
    assert_eq!(line(mail(None, &[])), "MAIL FROM:<>\r\n");
    assert_eq!(
        line(rcpt(&address("\"a> b\"@[192.0.2.1]"), &[])),
        "RCPT TO:<\"a> b\"@[192.0.2.1]>\r\n"
    );
}

// 1870-01, 6152-01, 6531-01
#[test]
fn what_the_library_says_of_a_message() {
    let told = |parameters: &[Parameter], announced: &Announced| {
        line(appended(|out| {
            super::mail(out, None, parameters, announced)
        }))
    };
    let all = Announced {
        size: Some(u64::MAX),
        body: Some("8BITMIME"),
        smtputf8: true,
    };
    assert_eq!(
        told(&[parameter("RET=HDRS")], &all),
        "MAIL FROM:<> RET=HDRS SIZE=18446744073709551615 BODY=8BITMIME SMTPUTF8\r\n"
    );
    assert_eq!(told(&[], &Announced::default()), "MAIL FROM:<>\r\n");
    for size in [0, 9, 10, 1234] {
        let announced = Announced {
            size: Some(size),
            ..Announced::default()
        };
        assert_eq!(
            told(&[], &announced),
            format!("MAIL FROM:<> SIZE={size}\r\n")
        );
    }
    // With the longest address, all of it fits the line (RFC 1870, 3; RFC 6152, 2; RFC 6531, 3.1).
    let longest = address(&format!("{}@example.org", "a".repeat(486)));
    let line = appended(|out| super::mail(out, Some(&longest), &[], &all));
    assert_eq!(line.unwrap().len(), 512 + 26 + 14 + 9);
}

#[test]
fn hello_lines() {
    let name: HelloName = "[IPv6:::1]".parse().unwrap();
    assert_eq!(hello("LHLO", &name), b"LHLO [IPv6:::1]\r\n");
}

// 5321-33, 5321-38, I2
#[test]
fn hello_names() {
    let label = "a".repeat(63);
    for name in [
        "a",
        "a.b",
        "my_host",
        "[127.0.0.1]",
        "[IPv6:2001:db8::1]",
        &label,
    ] {
        assert!(name.parse::<HelloName>().is_ok(), "{name}");
    }
    let longest = format!("{label}.{label}.{label}.{label}");
    assert!(longest.parse::<HelloName>().is_ok());
    for name in [
        "",
        ".",
        "a.",
        "a b",
        "a\r\nb",
        "a\0",
        "\u{fc}",
        "[::1]",
        "[1.2.3]",
        "a<b>",
        &format!("{label}a"),
        &format!("{longest}.a"),
    ] {
        assert_eq!(
            name.parse::<HelloName>(),
            Err(CommandError::HelloName),
            "{name}"
        );
    }
}

// 5321-32, I3
#[test]
fn parameters() {
    for text in [
        "SIZE=1000",
        "RET=HDRS",
        "SMTPUTF8",
        "X-1=!\"#<>~",
        "8BITMIME",
        "ENVID=a+3Db",
    ] {
        assert_eq!(parameter(text).to_string(), text);
    }
    let notify = parameter("notify=Never");
    assert_eq!(
        (notify.keyword(), notify.value()),
        ("NOTIFY", Some("Never"))
    );
    assert_eq!(parameter("SMTPUTF8").value(), None);
    for text in [
        "",
        "=",
        "=1",
        "-X=1",
        "X_Y=1",
        "X =1",
        "X=",
        "X=a b",
        "X=a=b",
        "X=a\r\nRCPT",
        "X=a\0",
        "X=a\u{7f}",
        "X=\u{e9}",
        "\u{e9}=1",
        "RET=HDRS\n",
    ] {
        assert_eq!(
            text.parse::<Parameter>(),
            Err(CommandError::Parameter),
            "{text:?}"
        );
    }
    assert_eq!(Parameter::new("A", Some("")), Err(CommandError::Parameter));
    assert_eq!(Parameter::new("A=B", None), Err(CommandError::Parameter));
}

// 5321-07
#[test]
fn every_parameter_belongs_to_an_extension() {
    for (text, extension) in [
        ("BODY=8BITMIME", "8BITMIME"),
        ("BODY=BINARYMIME", "BINARYMIME"),
        ("SIZE=1", "SIZE"),
        ("ret=full", "DSN"),
        ("ENVID=x", "DSN"),
        ("NOTIFY=NEVER", "DSN"),
        ("ORCPT=rfc822;a@b", "DSN"),
        ("BY=1;R", "DELIVERBY"),
        ("HOLDFOR=1", "FUTURERELEASE"),
        ("MT-PRIORITY=3", "MT-PRIORITY"),
        ("X-OWN=1", "X-OWN"),
    ] {
        assert_eq!(parameter(text).extension(), extension);
    }
}

// 5321-52: 512 octets with CRLF, and what each extension adds.
#[test]
fn lengths() {
    assert_eq!(custom("x".repeat(510)).unwrap().len(), 512);
    let too_long = |limit| CommandError::TooLong { limit };
    assert_eq!(custom("x".repeat(511)), Err(too_long(512)));

    let zoe = address("zoe@example.org");
    let orcpt = Parameter::new("ORCPT", Some(&"x".repeat(480))).unwrap();
    assert!(rcpt(&zoe, std::slice::from_ref(&orcpt)).unwrap().len() > 512);
    assert_eq!(
        rcpt(&zoe, &[parameter(&format!("X={}", "x".repeat(512)))]),
        Err(too_long(512))
    );
    let both = [
        orcpt,
        Parameter::new("NOTIFY", Some(&"x".repeat(600))).unwrap(),
    ];
    assert_eq!(rcpt(&zoe, &both), Err(too_long(512 + 500 + 28)));
}

#[test]
fn one_octet_that_cannot_be_printed_is_seen_wherever_it_stands() {
    for length in 0..40 {
        let line = vec![b'~'; length];
        assert!(is_printable(&line) && is_printable(&vec![b' '; length]));
        for at in 0..length {
            for octet in 0..=u8::MAX {
                let mut line = line.clone();
                line[at] = octet;
                let expected = matches!(octet, b' '..=b'~');
                assert_eq!(is_printable(&line), expected, "{octet} at {at}");
            }
        }
    }
}
