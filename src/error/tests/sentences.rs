//! Every error with its whole sentence.

use super::*;
use crate::address::Address;

pub(super) type Sentences = Vec<(Error, &'static str)>;

/// Every variant with its whole sentence.
pub(super) fn sentences() -> Sentences {
    [
        of_logging_in(),
        of_this_side(),
        of_the_network(),
        of_the_server(),
        of_tls(),
        of_what_is_missing(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn of_logging_in() -> Sentences {
    vec![
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
        (
            CredentialsError::Control.into(),
            "the user name or password has a control character in it: is it a line end left over from a file?",
        ),
        (
            CredentialsError::Empty.into(),
            "the user name or password is empty",
        ),
        (
            CredentialsError::NoRandomness.into(),
            "the operating system has no random numbers for the login",
        ),
        (
            CredentialsError::TooLong.into(),
            "the trace information has more than 255 characters",
        ),
        (
            Error::Token("no answer".into()),
            "the token for logging in could not be had: no answer",
        ),
        (
            CredentialsError::Token.into(),
            "the token has a character that no bearer token has: was it cut out of its JSON?",
        ),
        (
            Error::PlaintextAuth,
            "logging in without TLS would show the password to everybody on the way: use implicit TLS, or STARTTLS where it is offered",
        ),
    ]
}

fn of_this_side() -> Sentences {
    vec![
        (
            Error::Address {
                address: "a\r\nb".into(),
                reason: AddressError::MissingAt,
            },
            r#""a\r\nb" is not an address: the address has no @"#,
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
        (Error::NoRecipients, "the message has no recipients"),
        (
            Error::Source(io_error("disk failure")),
            "the message could not be read: disk failure",
        ),
        (
            Error::TooLarge {
                size: 2000,
                limit: 1000,
            },
            "the message has 2000 octets and the server takes 1000",
        ),
    ]
}

fn of_the_network() -> Sentences {
    vec![
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
    ]
}

fn of_the_server() -> Sentences {
    vec![
        (
            Error::DataRefused(Box::new(outcome(&[refusal("554 5.7.1 spam")]))),
            "the server refused the message: 554 5.7.1 spam",
        ),
        (
            Error::DataRefused(Box::new(outcome(&[]))),
            "the server refused the message",
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
            Error::SenderRefused(reply("530 5.7.0 Authentication required")),
            "the server refused the sender: 530 5.7.0 Authentication required; it wants a login first: give credentials",
        ),
        (
            Error::SenderRefused(reply("530 5.7.0 Must issue a STARTTLS command first")),
            "the server refused the sender: 530 5.7.0 Must issue a STARTTLS command first",
        ),
        (
            disconnected(Step::Auth, None),
            "the server closed the connection at AUTH: most likely it does not know this user name and password",
        ),
        (
            Error::SenderRefused(reply("550 5.7.1 \u{1b}no")),
            r"the server refused the sender: 550 5.7.1 \u{1b}no",
        ),
    ]
}

#[cfg(not(feature = "idna"))]
const ASCII_FORM: &str = "the server does not offer SMTPUTF8, which <zoe@b\u{fc}cher.example> needs: write the domain in its ASCII form (xn--…), or turn on the feature `idna`, which does";
/// Only a domain that has none, in truth.
#[cfg(feature = "idna")]
const ASCII_FORM: &str = "the server does not offer SMTPUTF8, which <zoe@b\u{fc}cher.example> needs, and the domain has no ASCII form: is it misspelt?";
fn of_tls() -> Sentences {
    vec![
        (
            tls(Step::Handshake, "no cipher fits", None),
            "the TLS handshake failed: no cipher fits",
        ),
        (
            tls(Step::Handshake, "certificate verify failed", None),
            "the TLS handshake failed: certificate verify failed; a private root can be added to the configuration",
        ),
        (
            tls(Step::Handshake, "wrong version number", None),
            "the TLS handshake failed: wrong version number; does this port expect STARTTLS?",
        ),
        (
            tls(Step::Handshake, "x", Some("220 mx.example.org")),
            "the TLS handshake failed: the server spoke without TLS, saying: 220 mx.example.org; does this port expect STARTTLS?",
        ),
        (
            tls(Step::Handshake, "x", Some("421 too busy")),
            "the TLS handshake failed: the server spoke without TLS, saying: 421 too busy",
        ),
        (
            tls(Step::Body, "x", Some("421 4.4.2 \u{1b}bye")),
            r"TLS failed at the message: the server spoke without TLS, saying: 421 4.4.2 \u{1b}bye",
        ),
        (
            tls(Step::Hello, "SSL alert number 116", None),
            "TLS failed at EHLO: the server wants a client certificate that it trusts: give one to the configuration",
        ),
        (
            tls(Step::Rcpt, "bad record", None),
            "TLS failed at RCPT: bad record",
        ),
    ]
}

fn of_what_is_missing() -> Sentences {
    let address: Address = "z\u{f6}@example.org".parse().unwrap();
    let domain: Address = "zoe@b\u{fc}cher.example".parse().unwrap();
    vec![
        (
            Unsupported::EightBit.into(),
            "the message has octets above 127 and the server does not offer 8BITMIME: encode it as quoted-printable or base64",
        ),
        (
            Unsupported::AuthWithoutTls.into(),
            "the server does not offer AUTH without TLS",
        ),
        (
            Unsupported::Limit {
                parameter: Box::new("BY=60;R".parse().unwrap()),
                limit: "120\u{7} seconds at least".into(),
            }
            .into(),
            r"the server does not take BY=60;R, but 120\u{7} seconds at least",
        ),
        (
            Unsupported::VerifiedTls.into(),
            "REQUIRETLS needs TLS with a verified certificate, and this connection has none",
        ),
        (
            Unsupported::Excluded("PLAIN LOGIN".into()).into(),
            "the configuration's mechanisms exclude those that the server offers for these credentials (PLAIN LOGIN)",
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
            ASCII_FORM,
        ),
        (
            Unsupported::Utf8Header {
                field: "To".into(),
                address: Box::new("z\u{f6}@example.org".parse().unwrap()),
            }
            .into(),
            "To: the server does not offer SMTPUTF8, which <z\u{f6}@example.org> needs",
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
    // The name of a header field, or of something else.
    let is_name = |word: &str| word.ends_with(':') || word.chars().all(|c| !c.is_lowercase());
    let first = sentence.split(' ').next().unwrap();
    let is_lower = first.starts_with(|c: char| !c.is_uppercase()) || is_name(first);
    assert!(is_lower && !sentence.ends_with('.'), "{sentence}");
    assert!(!sentence.chars().any(char::is_control), "{sentence}");
}

/// Whether these reasons are told so.
fn check<E: StdError>(reasons: &[(E, &str)]) {
    for (reason, sentence) in reasons {
        assert_eq!(reason.to_string(), *sentence);
        check_style(sentence);
    }
}

#[test]
fn protocol_reasons() {
    let code = reply("250 ok").code();
    check(&[
        (
            ProtocolError::BadCode,
            "a line does not begin with a reply code",
        ),
        (
            ProtocolError::BadLine,
            "a line has a stray CR, LF or NUL in it",
        ),
        (
            ProtocolError::CodeMismatch,
            "the lines of one reply have different codes",
        ),
        (
            ProtocolError::DataBeforeTls,
            "the server sent data between STARTTLS and the TLS handshake",
        ),
        (
            ProtocolError::LineTooLong,
            "a line of the reply is too long",
        ),
        (ProtocolError::ReplyTooLong, "the reply has too many lines"),
        (
            ProtocolError::UnexpectedCode(code),
            "250 is no answer to this command",
        ),
        (
            ProtocolError::Unsolicited,
            "the server spoke without being asked",
        ),
    ]);
}

#[test]
fn command_reasons() {
    check(&[
        (
            CommandError::Control('\r'),
            r"a command cannot hold the control character '\r'",
        ),
        (
            CommandError::HelloName,
            "the client's name must be a host name or an address in brackets",
        ),
        (
            CommandError::Mechanism,
            "the name of a mechanism must be 1 to 20 letters, digits, hyphens and underscores",
        ),
        (
            CommandError::Parameter,
            "a parameter must be KEYWORD or KEYWORD=value in printable ASCII, without spaces",
        ),
        (
            CommandError::Burl,
            "BURL lets the server fetch the message from elsewhere, and this library sends it: use send",
        ),
        (
            CommandError::Misplaced,
            "a parameter of MAIL stands at RCPT, or one of RCPT at MAIL",
        ),
        (
            CommandError::Option("MT-PRIORITY must be -9 to 9"),
            "MT-PRIORITY must be -9 to 9",
        ),
        (
            CommandError::Repeated,
            "a parameter of MAIL or RCPT is given twice",
        ),
        (
            CommandError::Reserved("DATA"),
            "DATA changes the state of the connection: use the method made for it",
        ),
        (
            CommandError::TooLong { limit: 512 },
            "the command is longer than 512 octets",
        ),
    ]);
}

#[test]
fn config_reasons() {
    check(&[
        (
            ConfigError::Certificate,
            "the root certificates cannot be read: PEM is needed",
        ),
        (
            ConfigError::Host,
            "the host must be a name or an address, without a port, brackets or other stray characters",
        ),
        (
            ConfigError::Identity,
            "the client's certificate and key cannot be used: PEM and PKCS #8 are needed, and they must match",
        ),
        (
            ConfigError::Mechanism("X-OWN".into()),
            "the library has no mechanism \"X-OWN\": implement Mechanism and call authenticate",
        ),
        (
            ConfigError::UnknownOption("ssl".into()),
            r#"the URL has the unknown option "ssl""#,
        ),
        (
            ConfigError::Port,
            "the port is not a number from 1 to 65535",
        ),
        (
            ConfigError::Percent,
            "the URL has a percent sign without two hexadecimal digits: write %25 for a percent sign",
        ),
        (
            ConfigError::QuestionMark,
            "the URL has an @ behind a question mark: write %3F for a question mark in a password",
        ),
        (
            ConfigError::Scheme,
            "the URL must begin with smtp://, smtps://, lmtp:// or lmtp+unix://",
        ),
        (
            ConfigError::TlsOnUnixSocket,
            "a Unix socket has no TLS: use Security::None",
        ),
        (
            ConfigError::Value("tls".into()),
            r#"the URL option "tls" has a value that it cannot have"#,
        ),
    ]);
}

#[test]
fn address_reasons() {
    check(&[
        (
            AddressError::Domain,
            "the domain is neither a host name nor an address literal in brackets",
        ),
        (AddressError::Empty, "the address is empty"),
        (
            AddressError::Forbidden('\n'),
            r"the character '\n' does not belong in an address",
        ),
        (AddressError::LocalPart, "the part before the @ is empty"),
        (
            AddressError::Dot,
            "the part before the @ has a misplaced dot: put quotes around that part, as in \"a..b\"@example.org, or use `Address::new`, which adds them",
        ),
        (
            AddressError::NeedsQuotes(' '),
            "the character ' ' before the @ needs quotes around that part, as in \"a b\"@example.org: `Address::new` adds them",
        ),
        (
            AddressError::List,
            "this is a list: parse it with `AddressList`",
        ),
        (
            AddressError::Named,
            "a name does not belong here: give the address alone, or parse it with `Mailbox`",
        ),
        (
            AddressError::AddressTooLong,
            "the address is longer than the 498 octets that a command line holds",
        ),
        (
            AddressError::DomainTooLong,
            "the domain is longer than 255 octets",
        ),
        (
            AddressError::Unquoted,
            "the quotes around the part before the @ are not closed",
        ),
    ]);
}
