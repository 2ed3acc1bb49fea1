//! Every error with its whole sentence.

use super::*;
use crate::address::Address;

pub(super) type Sentences = Vec<(Error, &'static str)>;

/// Every variant with its whole sentence.
pub(super) fn sentences() -> Sentences {
    [
        of_connecting(),
        of_a_mailer(),
        of_credentials(),
        of_missing_tls(),
        of_logging_in(),
        of_other_protocols(),
        of_this_side(),
        of_broken_tls(),
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
            "the server refused the login with PLAIN: 535 5.7.8 no",
        ),
        (
            auth_failed(AuthReason::Refused, Some("535 no"), Some("{\u{7}}")),
            r"the server refused the login with PLAIN: 535 no ({\u{7}})",
        ),
        (
            auth_failed(AuthReason::BadChallenge, Some("501 ok"), None),
            "logging in with PLAIN failed: the server's challenge is not valid",
        ),
        (
            auth_failed(AuthReason::Cancelled, Some("501 ok"), None),
            "logging in with PLAIN failed: the mechanism cancelled the login",
        ),
        (
            auth_failed(AuthReason::ResponseTooLong, Some("501 ok"), None),
            "logging in with PLAIN failed: the response is longer than a line may be",
        ),
        (
            auth_failed(AuthReason::ServerUnproven, Some("235 ok"), None),
            "logging in with PLAIN failed: the server did not prove that it knows the password",
        ),
        (
            auth_failed(AuthReason::TooManyChallenges, Some("501 ok"), None),
            "logging in with PLAIN failed: the server sent too many challenges",
        ),
        (
            auth_failed(AuthReason::Refused, Some("535 no"), None).at(mx()),
            "mx.example.org:587 refused the login with PLAIN: 535 no",
        ),
        (
            auth_failed(AuthReason::TooManyChallenges, None, None).at(mx()),
            "logging in at mx.example.org:587 with PLAIN failed: the server sent too many challenges",
        ),
    ]
}

fn of_a_mailer() -> Sentences {
    let gave_up = |failure| {
        Error::GaveUp(Box::new(GaveUp {
            attempts: 4,
            failure,
            outcome: None,
        }))
    };
    vec![
        (
            Error::Busy {
                waited: Duration::from_millis(30_012),
                connections: 4,
            },
            "none of the mailer's 4 connections became free in 30.0 s: wait longer, or allow more connections",
        ),
        (
            gave_up(Error::timeout(Step::Connect).at(mx())),
            "gave up after 4 attempts: could not connect to mx.example.org:587 in time",
        ),
        (
            gave_up(Error::SenderRefused(reply("450 4.7.0 later"))),
            "gave up after 4 attempts: the server refused the sender: 450 4.7.0 later",
        ),
        (
            ConfigError::Variable("SMTP_URL".into()).into(),
            "the environment variable SMTP_URL is not set: give it a URL such as smtp://user:password@mail.example.com",
        ),
    ]
}

fn of_credentials() -> Sentences {
    vec![
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
            "could not get a token to log in: no answer",
        ),
        (
            CredentialsError::Token.into(),
            "the token has a character that no bearer token has: does it still have quotes or spaces from the JSON?",
        ),
        (
            Error::plaintext_auth(),
            "logging in without TLS would show the password to anyone who can read the connection: use implicit TLS, or STARTTLS where it is offered",
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
            ContentError::HeaderNotAscii.into(),
            "the header has letters outside ASCII and MAIL went without the parameter SMTPUTF8: give it, or encode them (RFC 2047)",
        ),
        (
            ContentError::HeaderNotUtf8.into(),
            "the header has bytes above 127 that are not UTF-8: write it in UTF-8, or encode them (RFC 2047)",
        ),
        (
            ContentError::LineTooLong.into(),
            "the message has a line of more than 998 bytes: encode it as quoted-printable or base64",
        ),
        (
            ContentError::Nul.into(),
            "the message has a NUL in it: encode that part as base64",
        ),
        (
            Error::NoRecipients,
            "the message has no recipients: add at least one",
        ),
        (
            Error::Source(io_error("disk failure")),
            "the message could not be read: disk failure",
        ),
        (
            Error::too_large(2000, 1000),
            "the message has 2000 bytes, and the server takes at most 1000",
        ),
    ]
}

fn of_connecting() -> Sentences {
    vec![
        // Field C7: every failure to connect names the place.
        (
            Error::io(Step::Connect, io_error("Connection refused")).at(mx()),
            "could not connect to mx.example.org:587: Connection refused",
        ),
        (
            Error::timeout(Step::Connect).at(Endpoint::tcp("2001:db8::1", 25)),
            "could not connect to [2001:db8::1]:25 in time",
        ),
        (
            Error::io(Step::Connect, io_error("No such file"))
                .at(Endpoint::path("/run/lmtp".as_ref())),
            "could not connect to /run/lmtp: No such file",
        ),
        (
            Error::UnknownHost {
                host: "mx.example.rog".into(),
            },
            "there is no host named mx.example.rog: is the name right, and is this machine online?",
        ),
        (
            Error::timeout(Step::Greeting).at(mx()),
            "mx.example.org:587 sent no greeting in time: does this port speak TLS from the first byte?",
        ),
        // Field F13
        (
            Error::Timeout {
                step: Step::Greeting,
                is_begun: true,
                server: None,
            },
            "the server did not finish its greeting in time",
        ),
        (
            Error::Timeout {
                step: Step::Mail,
                is_begun: true,
                server: None,
            },
            "the server did not finish its reply in time at MAIL",
        ),
        (
            disconnected(Step::Hello, None).at(mx()),
            "mx.example.org:587 closed the connection at EHLO",
        ),
    ]
}

fn of_the_network() -> Sentences {
    vec![
        // Field F11: the moment.
        (
            disconnected(Step::Idle, None),
            "the server closed the connection before the next command",
        ),
        (
            disconnected(Step::Idle, Some("451 4.4.2 Timeout")),
            "the server closed the connection before the next command, saying: 451 4.4.2 Timeout",
        ),
        (
            disconnected(Step::EndOfData, None),
            "the server closed the connection without saying whether it took the message: sending again may duplicate it",
        ),
        // Field C9: what had been said before.
        (
            interrupted(
                &[ACCEPTED, refusal("550 5.1.1 no"), UNKNOWN],
                disconnected(Step::Rcpt, None),
            ),
            "the server closed the connection at RCPT (the result for 2 of 3 recipients is known, first refused: <b@x>: 550 5.1.1 no)",
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
            interrupted(&[ACCEPTED, UNKNOWN], Error::timeout(Step::Rcpt)),
            "the server took too long at RCPT (the result for 1 of 2 recipients is known)",
        ),
        (
            Error::io(Step::Mail, io_error("no route")),
            "the connection to the server failed at MAIL: no route",
        ),
        (
            Error::timeout(Step::Greeting),
            "the server sent no greeting in time: does this port speak TLS from the first byte?",
        ),
        (
            Error::timeout(Step::EndOfData),
            "the server did not say in time whether it took the message: sending again may duplicate it",
        ),
        (
            Error::timeout(Step::Quit),
            "the server took too long at QUIT",
        ),
    ]
}

fn mx() -> Endpoint {
    Endpoint::tcp("mx.example.org", 587)
}

/// A line that is no reply.
fn not_smtp(step: Step, line: &str) -> Error {
    Error::Protocol {
        step,
        source: ProtocolError::BadCode,
        line: line.into(),
        server: None,
    }
}

fn tls_here(words: &str) -> Error {
    tls(Step::Handshake, words, None).at(mx())
}

/// Field C8: a hint that fits each reason.
fn of_tls() -> Sentences {
    vec![
        (
            tls_here("alert number 116"),
            "the TLS handshake with mx.example.org:587 failed: the server wants a client certificate that it trusts: set Config::client_identity",
        ),
        (
            tls_here("certificate has expired"),
            "the TLS handshake with mx.example.org:587 failed: the server's certificate has expired: it must be renewed, unless this machine's clock is wrong",
        ),
        (
            tls_here("certificate is not yet valid"),
            "the TLS handshake with mx.example.org:587 failed: the server's certificate is not valid yet: is this machine's clock wrong?",
        ),
        (
            tls_here("wrong version number"),
            "the TLS handshake with mx.example.org:587 failed: the server did not reply with TLS: does this port expect STARTTLS?",
        ),
        (
            Error::tls(Step::Handshake, TlsReason::Refused),
            "the TLS handshake failed: the server refused TLS: it may support only versions before 1.2",
        ),
        (
            tls_here("no shared cipher"),
            "the TLS handshake with mx.example.org:587 failed: no shared cipher",
        ),
        (
            tls_here("unsupported protocol"),
            "the TLS handshake with mx.example.org:587 failed: the server does not support TLS 1.2 or newer",
        ),
        (
            tls_here("certificate verify failed"),
            "the TLS handshake with mx.example.org:587 failed: this machine does not trust the issuer of the server's certificate: add the issuer with Config::root_certificates",
        ),
        (
            tls_here("hostname mismatch"),
            "the TLS handshake with mx.example.org:587 failed: the server's certificate is for another name: set Config::tls_server_name to the name that it is for",
        ),
    ]
}

fn of_other_protocols() -> Sentences {
    vec![
        // Field C4: the line that broke the grammar. Field F15: what it looks like.
        (
            not_smtp(Step::Greeting, "* OK [CAPABILITY IMAP4rev1] ready"),
            "the server broke the protocol at the greeting: a line does not begin with a reply code: \"* OK [CAPABILITY IMAP4rev1] ready\"; is this an IMAP port?",
        ),
        (
            not_smtp(Step::Greeting, "+OK Dovecot ready."),
            "the server broke the protocol at the greeting: a line does not begin with a reply code: \"+OK Dovecot ready.\"; is this a POP3 port?",
        ),
        (
            not_smtp(Step::Greeting, "HTTP/1.1 400 Bad Request"),
            "the server broke the protocol at the greeting: a line does not begin with a reply code: \"HTTP/1.1 400 Bad Request\"; is this a web server?",
        ),
        (
            not_smtp(Step::Greeting, "SSH-2.0-OpenSSH_9.2"),
            "the server broke the protocol at the greeting: a line does not begin with a reply code: \"SSH-2.0-OpenSSH_9.2\"; is this an SSH port?",
        ),
        (
            not_smtp(Step::Mail, "\u{1b}[2Jok"),
            r#"the server broke the protocol at MAIL: a line does not begin with a reply code: "\u{1b}[2Jok""#,
        ),
        // Field E12, F12: the verb that was said.
        (
            refused(Step::Hello, "500 what?"),
            "the server refused EHLO: 500 what?; does this port speak LMTP?",
        ),
        (
            refused(Step::Lhlo, "502 what?"),
            "the server refused LHLO: 502 what?; does this port speak SMTP?",
        ),
        (
            refused(Step::Lhlo, "550 5.7.1 go away").at(mx()),
            "mx.example.org:587 refused LHLO: 550 5.7.1 go away",
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
            Error::protocol(
                Step::Data,
                ProtocolError::UnexpectedCode(reply("250 ok").code()),
            ),
            "the server broke the protocol at DATA: 250 is not a reply to this command",
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

fn of_missing_tls() -> Sentences {
    vec![
        (
            Unsupported::EightBit.into(),
            "the message has bytes above 127 and the server does not offer 8BITMIME: encode it as quoted-printable or base64",
        ),
        // Field C6: the way out.
        (
            Error::from(Unsupported::StartTls { server: None }).at(mx()),
            "mx.example.org:587 does not offer STARTTLS: if it is on this machine, set Security::None (tls=none in a URL)",
        ),
        (
            Unsupported::StartTls { server: None }.into(),
            "the server does not offer STARTTLS",
        ),
        (Unsupported::TlsIsOn.into(), "TLS is already on"),
        // Field C7: the server, also where it lacks a way to log in.
        (
            Error::from(Unsupported::Auth { server: None }).at(mx()),
            "mx.example.org:587 does not offer AUTH: use another port or server, or no credentials",
        ),
        (
            Error::from(Unsupported::AuthWithoutTls { server: None }).at(mx()),
            "mx.example.org:587 does not offer AUTH without TLS: use implicit TLS or another port",
        ),
        (
            Error::from(Unsupported::excluded("PLAIN")).at(mx()),
            "the configuration's mechanisms exclude those that mx.example.org:587 offers for these credentials (PLAIN): allow one of them",
        ),
        (
            Error::from(Unsupported::mechanism("NTLM")).at(mx()),
            "none of the mechanisms that mx.example.org:587 offers (NTLM) fits the credentials: check the credentials, `mechanisms` and the features of this crate",
        ),
        (
            Error::from(Unsupported::mechanism("")).at(mx()),
            "mx.example.org:587 offers no login mechanism: use another port or server",
        ),
        (
            Error::plaintext_auth().at(mx()),
            "logging in at mx.example.org:587 without TLS would show the password to anyone who can read the connection: use implicit TLS, or STARTTLS where it is offered",
        ),
    ]
}

#[cfg(not(feature = "idna"))]
const ASCII_FORM: &str = "the server does not offer SMTPUTF8, which <zoe@b\u{fc}cher.example> needs: write the domain in its ASCII form (xn--…), or turn on the feature `idna`, which converts it";
/// Only a domain that has none, in truth.
#[cfg(feature = "idna")]
const ASCII_FORM: &str = "the server does not offer SMTPUTF8, which <zoe@b\u{fc}cher.example> needs, and the domain has no ASCII form: is it misspelt?";

fn of_broken_tls() -> Sentences {
    vec![
        (
            tls(Step::Handshake, "no cipher fits", None),
            "the TLS handshake failed: no cipher fits",
        ),
        (
            tls(Step::Handshake, "certificate verify failed", None),
            "the TLS handshake failed: this machine does not trust the issuer of the server's certificate: add the issuer with Config::root_certificates",
        ),
        (
            tls(Step::Handshake, "wrong version number", None),
            "the TLS handshake failed: the server did not reply with TLS: does this port expect STARTTLS?",
        ),
        (
            tls(Step::Handshake, "x", Some("220 mx.example.org")),
            "the TLS handshake failed: the server replied without TLS: 220 mx.example.org; does this port expect STARTTLS?",
        ),
        (
            tls(Step::Handshake, "x", Some("421 too busy")),
            "the TLS handshake failed: the server replied without TLS: 421 too busy",
        ),
        (
            tls(Step::Body, "x", Some("421 4.4.2 \u{1b}bye")),
            r"TLS failed at the message: the server replied without TLS: 421 4.4.2 \u{1b}bye",
        ),
        (
            tls(Step::Hello, "SSL alert number 116", None),
            "TLS failed at EHLO: the server wants a client certificate that it trusts: set Config::client_identity",
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
            Unsupported::AuthWithoutTls { server: None }.into(),
            "the server does not offer AUTH without TLS: use implicit TLS or another port",
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
            Unsupported::excluded("PLAIN LOGIN").into(),
            "the configuration's mechanisms exclude those that the server offers for these credentials (PLAIN LOGIN): allow one of them",
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
            Unsupported::mechanism("").into(),
            "the server offers no login mechanism: use another port or server",
        ),
        (
            Unsupported::mechanism("GSSAPI \u{1b}").into(),
            r"none of the mechanisms that the server offers (GSSAPI \u{1b}) fits the credentials: check the credentials, `mechanisms` and the features of this crate",
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
pub(super) fn check_style(sentence: &str) {
    // The name of a header field, or of something else.
    let is_name = |word: &str| word.ends_with(':') || word.chars().all(|c| !c.is_lowercase());
    let first = sentence.split(' ').next().unwrap();
    let is_lower = first.starts_with(|c: char| !c.is_uppercase()) || is_name(first);
    assert!(is_lower && !sentence.ends_with('.'), "{sentence}");
    assert!(!sentence.chars().any(char::is_control), "{sentence}");
}
