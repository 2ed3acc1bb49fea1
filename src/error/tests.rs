use super::*;
use crate::auth::dialog::AuthReason;
use crate::outcome::RecipientOutcome;
use crate::protocol::parser::ReplyParser;

fn reply(line: &str) -> Reply {
    let mut parser = ReplyParser::default();
    let reply = parser.push(format!("{line}\r\n").as_bytes()).unwrap();
    reply.expect("one line")
}

fn io_error(text: &str) -> io::Error {
    io::Error::other(text)
}

fn disconnected(step: Step, last_words: Option<&str>) -> Error {
    let last_words = last_words.map(|line| Box::new(reply(line)));
    Error::Disconnected { step, last_words }
}

fn refused(step: Step, line: &str) -> Error {
    let reply = reply(line);
    Error::Refused { step, reply }
}

fn auth_failed(reason: AuthReason, line: Option<&str>, detail: Option<&str>) -> Error {
    Error::AuthFailed(Box::new(AuthError {
        mechanism: "PLAIN".to_owned(),
        reason,
        reply: line.map(reply),
        detail: detail.map(str::to_owned),
    }))
}

/// An outcome of recipients `a@x`, `b@x`, ... with these fates.
fn outcome(fates: &[(RecipientStatus, Option<&str>)]) -> Outcome {
    let recipients = fates.iter().zip('a'..).map(|((status, line), name)| {
        let address = format!("{name}@x").parse().unwrap();
        RecipientOutcome {
            status: *status,
            reply: line.map(reply),
            ..RecipientOutcome::new(address)
        }
    });
    Outcome {
        recipients: recipients.collect(),
        reply: fates.iter().rev().find_map(|fate| fate.1).map(reply),
    }
}

const ACCEPTED: (RecipientStatus, Option<&str>) = (RecipientStatus::Accepted, Some("250 ok"));
const UNKNOWN: (RecipientStatus, Option<&str>) = (RecipientStatus::Unknown, None);

fn refusal(line: &str) -> (RecipientStatus, Option<&str>) {
    (RecipientStatus::Refused, Some(line))
}

fn recipients_refused(fates: &[(RecipientStatus, Option<&str>)]) -> Error {
    Error::RecipientsRefused(Box::new(outcome(fates)))
}

fn interrupted(fates: &[(RecipientStatus, Option<&str>)], cause: Error) -> Error {
    let outcome = outcome(fates);
    Error::Interrupted(Box::new(Interrupted { outcome, cause }))
}

/// Every variant with its whole sentence.
fn sentences() -> Vec<(Error, &'static str)> {
    let address: Address = "z\u{f6}@example.org".parse().unwrap();
    let domain: Address = "zoe@b\u{fc}cher.example".parse().unwrap();
    vec![
        (
            Error::Address {
                address: "a\r\nb".into(),
                reason: AddressError::MissingAt,
            },
            r#""a\r\nb" is not an address: the address has no @"#,
        ),
        (
            auth_failed(AuthReason::Refused, Some("535 5.7.8 no"), None),
            "the server refused to log us in by PLAIN: 535 5.7.8 no",
        ),
        (
            auth_failed(AuthReason::Refused, Some("535 no"), Some("{\u{7}}")),
            r"the server refused to log us in by PLAIN: 535 no ({\u{7}})",
        ),
        (
            auth_failed(AuthReason::BadChallenge, Some("501 ok"), None),
            "logging in by PLAIN failed: the server's challenge makes no sense",
        ),
        (
            auth_failed(AuthReason::Cancelled, Some("501 ok"), None),
            "logging in by PLAIN failed: the mechanism called the exchange off",
        ),
        (
            auth_failed(AuthReason::ResponseTooLong, Some("501 ok"), None),
            "logging in by PLAIN failed: the response is longer than a line may be",
        ),
        (
            auth_failed(AuthReason::ServerUnproven, Some("235 ok"), None),
            "logging in by PLAIN failed: the server did not prove that it knows the password",
        ),
        (
            auth_failed(AuthReason::TooManyChallenges, Some("501 ok"), None),
            "logging in by PLAIN failed: the server never stopped asking",
        ),
        (Error::Closed, "the connection is closed: open another one"),
        (CommandError::Empty.into(), "the command is empty"),
        (ConfigError::ZeroTimeout.into(), "a timeout cannot be zero"),
        (
            ContentError::LineTooLong.into(),
            "the message has a line of more than 998 octets: encode it as quoted-printable or base64",
        ),
        (
            ContentError::Nul.into(),
            "the message has a NUL in it: encode that part as base64",
        ),
        (
            CredentialsError::Control.into(),
            "the user name or password has a control character in it: is it a line end left over from a file?",
        ),
        (
            CredentialsError::Empty.into(),
            "the user name or password is empty",
        ),
        (
            CredentialsError::Token.into(),
            "the token has a character that no bearer token has: was it cut out of its JSON?",
        ),
        (
            Error::DataRefused(Box::new(outcome(&[refusal("554 5.7.1 spam")]))),
            "the server refused the message: 554 5.7.1 spam",
        ),
        (
            Error::DataRefused(Box::new(outcome(&[]))),
            "the server refused the message",
        ),
        (
            disconnected(Step::Body, None),
            "the server closed the connection at the message",
        ),
        (
            disconnected(Step::Body, Some("552 too big")),
            "the server closed the connection at the message, saying: 552 too big",
        ),
        (
            interrupted(&[ACCEPTED, UNKNOWN], Error::Timeout(Step::Rcpt)),
            "the server took too long at RCPT (the fate of 1 of 2 recipients is known)",
        ),
        (
            Error::Io {
                step: Step::Mail,
                source: io_error("no route"),
            },
            "the connection failed at MAIL: no route",
        ),
        (Error::NoRecipients, "the message has no recipients"),
        (
            Error::PlaintextAuth,
            "logging in without TLS would show the password to everybody on the way: use STARTTLS or implicit TLS",
        ),
        (
            Error::Protocol {
                step: Step::Data,
                source: ProtocolError::UnexpectedCode(reply("250 ok").code()),
            },
            "the server broke the protocol at DATA: 250 is no answer to this command",
        ),
        (
            recipients_refused(&[refusal("550 5.1.1 no such user")]),
            "the server refused the recipient <a@x>: 550 5.1.1 no such user",
        ),
        (
            recipients_refused(&[refusal("550 no"), refusal("450 later")]),
            "the server refused all recipients, first <a@x>: 550 no",
        ),
        (
            recipients_refused(&[ACCEPTED, refusal("550 no"), ACCEPTED]),
            "the server refused 1 of 3 recipients, first <b@x>: 550 no",
        ),
        (
            refused(Step::Greeting, "554 go away"),
            "the server refused the connection: 554 go away",
        ),
        (
            refused(Step::StartTls, "454 not now"),
            "the server refused STARTTLS: 454 not now",
        ),
        (
            Error::SenderRefused(reply("550 5.7.1 \u{1b}no")),
            r"the server refused the sender: 550 5.7.1 \u{1b}no",
        ),
        (
            Error::Source(io_error("disk failure")),
            "the message could not be read: disk failure",
        ),
        (
            Error::Timeout(Step::Greeting),
            "the server sent no greeting in time: does this port speak TLS from the first octet?",
        ),
        (
            Error::Timeout(Step::EndOfData),
            "the server did not say in time whether it took the message: sending again may duplicate it",
        ),
        (
            Error::Timeout(Step::Quit),
            "the server took too long at QUIT",
        ),
        (
            Error::TooLarge {
                size: 2000,
                limit: 1000,
            },
            "the message has 2000 octets and the server takes 1000",
        ),
        (
            Unsupported::EightBit.into(),
            "the message has octets above 127 and the server does not offer 8BITMIME: encode it as quoted-printable or base64",
        ),
        (
            Unsupported::Extension("DSN".into()).into(),
            "the server does not offer DSN",
        ),
        (
            Unsupported::Header.into(),
            "the header has letters outside ASCII and the server does not offer SMTPUTF8: encode them (RFC 2047)",
        ),
        (
            Unsupported::Mechanism("".into()).into(),
            "the server offers no mechanism to log in by",
        ),
        (
            Unsupported::Mechanism("GSSAPI \u{1b}".into()).into(),
            r"none of the server's mechanisms (GSSAPI \u{1b}) fits the credentials",
        ),
        (
            Unsupported::Utf8Address(Box::new(address)).into(),
            "the server does not offer SMTPUTF8, which <z\u{f6}@example.org> needs",
        ),
        (
            Unsupported::Utf8Address(Box::new(domain)).into(),
            "the server does not offer SMTPUTF8, which <zoe@b\u{fc}cher.example> needs: write the domain in its ASCII form (xn--…)",
        ),
    ]
}

#[test]
fn every_sentence() {
    for (error, sentence) in sentences() {
        assert_eq!(error.to_string(), sentence);
        check_style(sentence);
    }
}

/// One lower-case sentence without a full stop.
fn check_style(sentence: &str) {
    let is_name = |word: &str| word.chars().all(|c| !c.is_lowercase());
    let first = sentence.split(' ').next().unwrap();
    let is_lower = first.starts_with(|c: char| !c.is_uppercase()) || is_name(first);
    assert!(is_lower && !sentence.ends_with('.'), "{sentence}");
    assert!(!sentence.chars().any(char::is_control), "{sentence}");
}

#[test]
fn every_reason() {
    let code = reply("250 ok").code();
    for (source, sentence) in [
        (
            &ProtocolError::BadCode as &dyn StdError,
            "a line does not begin with a reply code",
        ),
        (
            &ProtocolError::BadLine,
            "a line has a stray CR, LF or NUL in it",
        ),
        (
            &ProtocolError::CodeMismatch,
            "the lines of one reply have different codes",
        ),
        (
            &ProtocolError::DataBeforeTls,
            "the server sent data between STARTTLS and the TLS handshake",
        ),
        (
            &ProtocolError::LineTooLong,
            "a line of the reply is too long",
        ),
        (&ProtocolError::ReplyTooLong, "the reply has too many lines"),
        (
            &ProtocolError::UnexpectedCode(code),
            "250 is no answer to this command",
        ),
        (
            &ProtocolError::Unsolicited,
            "the server spoke without being asked",
        ),
        (
            &CommandError::Control('\r'),
            r"a command cannot hold the control character '\r'",
        ),
        (
            &CommandError::HelloName,
            "the client's name must be a host name or an address in brackets",
        ),
        (
            &CommandError::Mechanism,
            "the name of a mechanism must be 1 to 20 letters, digits, hyphens and underscores",
        ),
        (
            &CommandError::Parameter,
            "a parameter must be KEYWORD or KEYWORD=value in printable ASCII, without spaces",
        ),
        (
            &CommandError::Reserved("DATA"),
            "DATA changes the state of the connection: use the method made for it",
        ),
        (
            &CommandError::TooLong { limit: 512 },
            "the command is longer than 512 octets",
        ),
        (
            &ConfigError::Certificate,
            "the root certificates cannot be read: PEM is needed",
        ),
        (
            &ConfigError::Host,
            "the host must be a name or an address, without a port, brackets or other stray characters",
        ),
        (
            &ConfigError::Identity,
            "the client's certificate and key cannot be used: PEM and PKCS #8 are needed, and they must match",
        ),
        (
            &ConfigError::UnknownOption("ssl".into()),
            r#"the URL has the unknown option "ssl""#,
        ),
        (
            &ConfigError::Port,
            "the port is not a number from 1 to 65535",
        ),
        (
            &ConfigError::Percent,
            "the URL has a percent sign without two hexadecimal digits: write %25 for a percent sign",
        ),
        (
            &ConfigError::QuestionMark,
            "the URL has an @ behind a question mark: write %3F for a question mark in a password",
        ),
        (
            &ConfigError::Scheme,
            "the URL must begin with smtp://, smtps://, lmtp:// or lmtp+unix://",
        ),
        (
            &ConfigError::TlsOnUnixSocket,
            "a Unix socket has no TLS: use Security::None",
        ),
        (
            &ConfigError::Value("tls".into()),
            r#"the URL option "tls" has a value that it cannot have"#,
        ),
        (
            &AddressError::Domain,
            "the domain is neither a host name nor an address literal in brackets",
        ),
        (&AddressError::Empty, "the address is empty"),
        (
            &AddressError::Forbidden('\n'),
            r"the character '\n' does not belong in an address",
        ),
        (
            &AddressError::LocalPart,
            "the part before the @ is empty or has a misplaced dot",
        ),
        (
            &AddressError::AddressTooLong,
            "the address is longer than 254 octets",
        ),
        (
            &AddressError::DomainTooLong,
            "the domain is longer than 255 octets",
        ),
        (
            &AddressError::LocalPartTooLong,
            "the part before the @ is longer than 64 octets",
        ),
        (
            &AddressError::Unquoted,
            "the quotes around the part before the @ are not closed",
        ),
    ] {
        assert_eq!(source.to_string(), sentence);
        check_style(sentence);
    }
}

// An error is moved through every `?`: it should be no larger than what it tells.
#[test]
fn an_error_is_small() {
    assert!(size_of::<Error>() <= 40, "{}", size_of::<Error>());
}

#[test]
fn an_error_can_go_anywhere() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Error>();
}

// `source` leads to the reason, wherever there is one beside a reply.
#[test]
fn sources() {
    for (error, _) in sentences() {
        let has_source = error.source().is_some();
        let expected = !matches!(
            error,
            Error::Closed
                | Error::DataRefused(_)
                | Error::Disconnected { .. }
                | Error::NoRecipients
                | Error::PlaintextAuth
                | Error::RecipientsRefused(_)
                | Error::Refused { .. }
                | Error::SenderRefused(_)
                | Error::Timeout(_)
                | Error::TooLarge { .. }
        );
        assert_eq!(has_source, expected, "{error:?}");
    }
    let error = interrupted(&[UNKNOWN], Error::Timeout(Step::EndOfData));
    let cause = error.source().and_then(StdError::source).unwrap();
    assert_eq!(
        cause.to_string(),
        "the server did not say in time whether it took the message: sending again may duplicate it"
    );
}

// 5321-64, L1: only the end of data leaves a doubt.
#[test]
fn delivery() {
    for step in [Step::Rcpt, Step::Data, Step::Body, Step::EndOfData] {
        let expected = match step {
            Step::EndOfData => Delivery::Unknown,
            _ => Delivery::NotDelivered,
        };
        for error in [
            Error::Timeout(step),
            disconnected(step, None),
            Error::Io {
                step,
                source: io_error("x"),
            },
            Error::Protocol {
                step,
                source: ProtocolError::BadCode,
            },
        ] {
            assert_eq!(error.delivery(), expected, "{error:?}");
        }
    }
    let known = interrupted(&[ACCEPTED], Error::Timeout(Step::EndOfData));
    assert_eq!(known.delivery(), Delivery::NotDelivered);
    let unknown = interrupted(&[ACCEPTED, UNKNOWN], Error::Timeout(Step::EndOfData));
    assert_eq!(unknown.delivery(), Delivery::Unknown);
}

// 5321-65, V10: by method, not by string; in doubt neither.
#[test]
fn transient_and_permanent() {
    let neither = (false, false);
    for (error, expected) in [
        (refused(Step::Mail, "450 later"), (true, false)),
        (refused(Step::Mail, "550 no"), (false, true)),
        (refused(Step::Greeting, "250 what"), neither),
        (Error::SenderRefused(reply("499 x")), (true, false)),
        (Error::Timeout(Step::Rcpt), (true, false)),
        (Error::Timeout(Step::EndOfData), neither),
        (disconnected(Step::Body, None), (true, false)),
        (disconnected(Step::Body, Some("421 bye")), (true, false)),
        (disconnected(Step::Body, Some("552 too big")), (false, true)),
        (disconnected(Step::EndOfData, None), neither),
        (Error::Closed, (true, false)),
        (Error::NoRecipients, (false, true)),
        (Error::PlaintextAuth, (false, true)),
        (Error::Source(io_error("x")), neither),
        (
            auth_failed(AuthReason::Refused, Some("454 later"), None),
            (true, false),
        ),
        (
            auth_failed(AuthReason::Refused, Some("535 no"), None),
            (false, true),
        ),
        (
            recipients_refused(&[refusal("450 a"), refusal("451 b")]),
            (true, false),
        ),
        (
            recipients_refused(&[refusal("550 a"), refusal("551 b")]),
            (false, true),
        ),
        (
            recipients_refused(&[refusal("450 a"), refusal("551 b")]),
            neither,
        ),
        (
            interrupted(&[ACCEPTED, UNKNOWN], Error::Timeout(Step::EndOfData)),
            neither,
        ),
        (
            interrupted(&[refusal("550 no")], refused(Step::Rcpt, "421 bye")),
            (true, false),
        ),
    ] {
        let got = (error.is_transient(), error.is_permanent());
        assert_eq!(got, expected, "{error:?}");
    }
}

#[test]
fn what_an_error_knows() {
    let error = interrupted(&[ACCEPTED], refused(Step::Rcpt, "421 bye"));
    assert_eq!(error.code().unwrap(), 421);
    assert_eq!(error.step(), Some(Step::Rcpt));
    assert_eq!(error.outcome().unwrap().accepted().count(), 1);
    assert!(error.is_closed() && !error.is_timeout());
    assert!(interrupted(&[], Error::Timeout(Step::Rcpt)).is_timeout());

    let error = recipients_refused(&[refusal("550 no")]);
    assert!(error.reply().is_none() && error.step().is_none());
    assert_eq!(error.outcome().unwrap().refused().count(), 1);
    assert!(!error.is_closed());

    assert!(auth_failed(AuthReason::ServerUnproven, Some("235 ok"), None).is_closed());
    assert!(!auth_failed(AuthReason::Refused, Some("535 no"), None).is_closed());
    assert!(refused(Step::Greeting, "554 no").is_closed());
    assert!(!refused(Step::Hello, "550 no").is_closed());
}
