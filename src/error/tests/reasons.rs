//! Every reason within an error with its whole sentence.

use std::path::Path;

use super::sentences::check_style;
use super::*;
use crate::message::error::{MailboxError, MessageProblem};

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
            "250 is not a reply to this command",
        ),
        (
            ProtocolError::Unsolicited,
            "the server sent a reply without a command",
        ),
    ]);
}

#[test]
fn command_reasons() {
    check(&[
        (
            CommandError::Body,
            "the parameter BODY does not fit the message: leave it out, and the library adds the right one",
        ),
        (CommandError::Empty, "the command is empty"),
        (
            CommandError::Utf8,
            "a recipient with letters outside ASCII needs the parameter SMTPUTF8 at MAIL",
        ),
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
            "BURL is not supported: send the message itself with `send`",
        ),
        (
            CommandError::Misplaced,
            "a parameter of MAIL was given to RCPT, or one of RCPT to MAIL",
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
            CommandError::Size,
            "the library adds the parameter SIZE: leave it out, or give the length of a reader to `Envelope::size`",
        ),
        (
            CommandError::Reserved("DATA"),
            "DATA changes the state of the connection: use the method made for it",
        ),
        (
            CommandError::TooLong { limit: 512 },
            "the command is longer than 512 bytes",
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
            ConfigError::Connector,
            "your TLS connector brings its own certificates and switches: give them to the connector, or leave it out",
        ),
        (
            ConfigError::Feature("local-address"),
            "an option needs the feature local-address of this library",
        ),
        (
            ConfigError::File {
                path: Path::new("/ca.pem").into(),
                kind: io::ErrorKind::PermissionDenied,
            },
            "the file /ca.pem cannot be read: permission denied",
        ),
        (
            ConfigError::File {
                path: Path::new("/ca.pem").into(),
                kind: io::ErrorKind::InvalidData,
            },
            "the file /ca.pem is not PEM",
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
            ConfigError::NoRoots,
            "no server can be trusted: give root certificates, or trust the system's, too",
        ),
        (
            ConfigError::Tls("no memory".into()),
            "TLS cannot be set up: no memory",
        ),
        (
            ConfigError::TlsOnUnixSocket,
            "a Unix socket has no TLS: use Security::None",
        ),
        (ConfigError::ZeroTimeout, "a timeout cannot be zero"),
    ]);
}

#[test]
fn reasons_of_urls_and_tables() {
    check(&[
        (
            ConfigError::UnknownOption("ssl".into()),
            "there is no option \"ssl\"",
        ),
        (
            ConfigError::NoServer("the user"),
            "a Maildir or a program is not a server: leave out the user",
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
            "the URL has an @ after a question mark: write %3F for a question mark in a password",
        ),
        (
            ConfigError::Scheme,
            "the URL must begin with smtp://, smtps://, lmtp://, lmtps://, smtp+unix://, lmtp+unix://, maildir:// or sendmail://",
        ),
        (
            ConfigError::Twice("tls".into()),
            "the option \"tls\" is given twice",
        ),
        (ConfigError::User, "there is a password but no user"),
    ]);
}

#[test]
fn what_an_option_may_be() {
    for (name, allowed) in [
        (
            "auth",
            "one or more mechanisms with commas, such as plain,login for a password or oauthbearer,xoauth2 for a token",
        ),
        ("ca", "the path of a PEM file, or several with commas"),
        ("cert", "the path of a PEM file, and a key needs its cert"),
        ("hello", "a host name, or an address in brackets"),
        (
            "ignore",
            "keywords of EHLO with commas, such as pipelining,8bitmime",
        ),
        ("local", "an IP address, perhaps with a port"),
        ("roots", "only, or system"),
        ("server_name", "a host name"),
        (
            "tls",
            "required, opportunistic or none; leave it out with smtps://",
        ),
        (
            "data_timeout",
            "a time such as 30 (seconds) or 500ms, up to 99999999 and not 0",
        ),
    ] {
        let sentence = format!("the option \"{name}\" must be {allowed}");
        assert_eq!(ConfigError::Value(name.into()).to_string(), sentence);
    }
}

/// A problem, as an error of a whole call has it: with the field, and nothing else.
fn check_problems(problems: Vec<(MessageProblem, &str)>) {
    for (problem, sentence) in problems {
        check_style(sentence);
        let error = Error::Message(MessageError::new("X-A", problem));
        assert_eq!(error.to_string(), format!("X-A: {sentence}"));
        check_style(&error.to_string());
    }
}

#[test]
fn message_reasons_of_headers() {
    check_problems(vec![
        (
            MessageProblem::Automatic,
            "the library writes this header, leave it out",
        ),
        (
            MessageProblem::Control('\n'),
            r"the character '\n' cannot stand in a header, leave it out",
        ),
        (
            MessageProblem::Date,
            "give a year from 1900 to 9999 and an offset of less than a day",
        ),
        (
            MessageProblem::HeaderName,
            "give a name of 1 to 76 visible ASCII characters without a colon",
        ),
        (
            MailboxError::UnclosedGroup.into(),
            "the group has no ; at its end",
        ),
        (
            MailboxError::Control('\0').into(),
            r"the character '\0' cannot stand in a header, leave it out",
        ),
    ]);
}

#[test]
fn message_reasons_of_single_fields() {
    check_problems(vec![
        (MessageProblem::Missing, "the message needs one, set it"),
        (
            MessageProblem::MsgId,
            "give an id of the form <unique@example.org>",
        ),
        (
            MessageProblem::NoDate,
            "give a date such as Tue, 14 Nov 2023 23:13:20 +0100",
        ),
        (
            MessageProblem::NotAscii,
            "this header holds ASCII only: write letters outside it as %C3%AB in an address of the web, and as xn-- in a domain",
        ),
        (
            MessageProblem::OneClick,
            "one click needs an address that begins with https:// (RFC 8058)",
        ),
        (
            MessageProblem::Reserved("reply_to"),
            "set this header with `reply_to`",
        ),
        (
            MessageProblem::ReturnPath,
            "the server writes this header: give the address for bounces to `Envelope::new(sender, …)`",
        ),
        (
            MessageProblem::SenderRequired,
            "several authors need a sender, set one of them with `sender`",
        ),
        (
            MessageProblem::Smtputf8(Box::new("zoë@example.org".parse().unwrap())),
            "a server without SMTPUTF8 cannot be given the address <zoë@example.org>, use another",
        ),
        (
            MessageProblem::TooLong,
            "a value longer than a line of 998 bytes needs spaces to fold at",
        ),
        (
            MessageProblem::Url,
            "give an address such as https://example.org/leave or mailto:leave@example.org, with %20 for a space and %2C for a comma",
        ),
    ]);
}

#[test]
fn message_reasons_of_parts() {
    check_problems(vec![
        (
            MessageProblem::Boundary,
            "give 1 to 40 letters and digits that occur nowhere in the content",
        ),
        (
            MessageProblem::ContentId,
            "give an id of visible ASCII characters, such as logo@example.org",
        ),
        (
            MessageProblem::Disposition,
            "give a disposition such as inline or attachment; size=12, with quotes around values that need them",
        ),
        (
            MessageProblem::Duplicate,
            "give either a tree of parts or text and HTML, not both",
        ),
        (MessageProblem::Empty, "a multipart needs at least one part"),
        (
            MessageProblem::Io(io_error("the disk is gone")),
            "the file cannot be read: the disk is gone",
        ),
        (
            MessageProblem::Lines,
            "a message within a message may not be encoded: give it without NUL, in lines of at most 998 bytes, or attach it as application/octet-stream",
        ),
        (
            MessageProblem::MediaType,
            "give a media type that can be used here, such as application/pdf",
        ),
        (
            MessageProblem::Nesting,
            "the parts are nested too deep, use fewer levels",
        ),
        (
            MessageProblem::PartBoundary,
            "give a multipart a boundary of 1 to 70 letters, digits and '()+_,-./:=? that occurs nowhere in the content, and is not the start of another boundary",
        ),
        (
            MessageProblem::SevenBit,
            "a report may not be encoded: give it in ASCII, without NUL, in lines of at most 998 bytes, and in a signed part without blanks at their ends",
        ),
    ]);
}

#[test]
fn mailbox_reasons() {
    check(&[
        (
            MailboxError::Address(AddressError::Empty),
            "the address is empty",
        ),
        (
            MailboxError::Control('\n'),
            r"the character '\n' cannot stand in a name, leave it out",
        ),
        (
            MailboxError::EmptyName,
            "the group has no name, give it one",
        ),
        (
            MailboxError::Entry {
                entry: "a\tb".into(),
                reason: Box::new(MailboxError::Name('@')),
            },
            r#""a\tb" in the list: the character '@' in a display name needs quotes around the name, or give name and address as a pair"#,
        ),
        (
            MailboxError::Name(','),
            "the character ',' in a display name needs quotes around the name, or give name and address as a pair",
        ),
        (
            MailboxError::UnclosedComment,
            "a comment in parentheses is not closed",
        ),
        (MailboxError::UnclosedGroup, "the group has no ; at its end"),
        (
            MailboxError::Unquoted,
            "the quotes around the display name are not closed",
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
            "the address is longer than the 498 bytes that a command line holds",
        ),
        (
            AddressError::DomainTooLong,
            "the domain is longer than 255 bytes",
        ),
        (
            AddressError::Unquoted,
            "the quotes around the part before the @ are not closed",
        ),
    ]);
}
