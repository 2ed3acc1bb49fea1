//! What an envelope can ask for: it is sent, refused before MAIL, or left out on request.
use crate::peer::{Peer, Server, TestCa};
use crate::support::sending::{connect, facts};
use crate::support::session::implicit;
use smtplib::error::{CommandError, Unsupported};
use smtplib::message::Date;
use smtplib::protocol::{DeliverBy, Notify, NotifyOn, Parameter, ReturnContent};
use smtplib::{Address, Config, Envelope, Error, Message, Security, SmtpConnection};
use std::time::{Duration, UNIX_EPOCH};

const HI: &[u8] = b"Hi!\r\n";

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn envelope() -> Envelope {
    let to = [address("ann@example.org"), address("bob@example.org")];
    Envelope::new(address("me@client.example"), to)
}

fn server(offers: &[&str]) -> Server {
    offers
        .iter()
        .fold(Server::new(), |server, offer| server.offer(offer))
}

/// The commands of a transaction with this envelope, without EHLO.
fn commands(offers: &[&str], envelope: &Envelope) -> Vec<String> {
    let peer = server(offers).script().listen();
    let mut smtp = connect(&peer);
    assert!(smtp.send(envelope, HI).unwrap().is_complete());
    drop(smtp);
    let exchanged = peer.finish();
    let commands = exchanged.commands();
    commands[1..4]
        .iter()
        .map(|line| (*line).to_owned())
        .collect()
}

/// The reason why nothing was sent.
fn refused(offers: &[&str], envelope: &Envelope) -> Error {
    let peer = server(offers).script().listen();
    let mut smtp = connect(&peer);
    let error = smtp.send(envelope, HI).unwrap_err();
    assert!(smtp.is_reusable());
    drop(smtp);
    assert_eq!(peer.finish().commands(), ["EHLO client.example"]);
    assert_eq!(facts(&error), "not delivered, permanent");
    error
}

// 3461-02, 3461-03, 3461-05, 3461-06, B22: NOTIFY for each recipient separately.
#[test]
fn notifications() {
    let envelope = envelope()
        .recipient(address("z+o\u{eb}@example.org"), [Notify::never().into()])
        .notify(Notify::on([NotifyOn::Success, NotifyOn::Delay]))
        .original_recipients()
        .return_content(ReturnContent::Headers)
        .envelope_id("QQ 314")
        .unwrap();
    let peer = server(&["DSN", "SMTPUTF8"]).script().listen();
    let mut smtp = connect(&peer);
    assert!(smtp.send(&envelope, HI).unwrap().is_complete());
    drop(smtp);
    assert_eq!(
        peer.finish().commands()[1..5],
        [
            "MAIL FROM:<me@client.example> RET=HDRS ENVID=QQ+20314 SMTPUTF8",
            "RCPT TO:<ann@example.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;ann@example.org",
            "RCPT TO:<bob@example.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;bob@example.org",
            "RCPT TO:<z+o\u{eb}@example.org> NOTIFY=NEVER ORCPT=utf-8;z\\x{2B}o\\x{EB}@example.org",
        ]
    );
}

/// The extension that must be offered, an envelope that needs it, and the sentence of the error.
fn all_the_others() -> Vec<(&'static str, Envelope, &'static str)> {
    let hour = Duration::from_secs(3600);
    let moment = UNIX_EPOCH + Duration::from_secs(784_111_777);
    let submitter = address("e+mc2@example.com");
    vec![
        (
            "DELIVERBY 60",
            envelope().deliver_by(DeliverBy::or_return(hour).unwrap().traced()),
            "BY=3600;RT",
        ),
        (
            "FUTURERELEASE 86400 2030-01-01T00:00:00Z",
            envelope().hold_for(hour).unwrap(),
            "HOLDFOR=3600",
        ),
        (
            "FUTURERELEASE 86400 2030-01-01T00:00:00Z",
            envelope().hold_until(moment).unwrap(),
            "HOLDUNTIL=1994-11-06T08:49:37Z",
        ),
        (
            "MT-PRIORITY STANAG4406",
            envelope().priority(-3).unwrap(),
            "MT-PRIORITY=-3",
        ),
        (
            "AUTH PLAIN",
            envelope().submitter(Some(&submitter)).unwrap(),
            "AUTH=e+2Bmc2@example.com",
        ),
        ("AUTH PLAIN", envelope().submitter(None).unwrap(), "AUTH=<>"),
        (
            "NO-SOLICITING org.example:ADLT",
            envelope().solicit(["org.example:ADV"]).unwrap(),
            "SOLICIT=org.example:ADV",
        ),
        (
            "XPAINT",
            envelope().parameter(
                Parameter::new("XCOLOR", Some("red"))
                    .unwrap()
                    .of_extension("xpaint")
                    .unwrap(),
            ),
            "XCOLOR=red",
        ),
        (
            "XVERP",
            envelope().parameter("XVERP".parse().unwrap()),
            "XVERP",
        ),
    ]
}

// 2852-01, 4865-02, 4954-17, 6710-01, D6
#[test]
fn the_other_options() {
    for (offer, envelope, expected) in all_the_others() {
        let mail = &commands(&[offer], &envelope)[0];
        assert_eq!(*mail, format!("MAIL FROM:<me@client.example> {expected}"));
        let error = refused(&[], &envelope);
        assert!(
            matches!(error, Error::Unsupported(Unsupported::Extension(_))),
            "{error:?}"
        );
        let keyword = offer.split(' ').next().unwrap();
        assert_eq!(
            error.to_string(),
            format!("the server does not offer {keyword}")
        );
    }
}

// 4865-02
#[test]
fn a_moment_is_told_in_utc() {
    let moment = UNIX_EPOCH + Duration::from_secs(784_111_777);
    let date = Date::from(moment).offset(-210).unwrap();
    let parameter = Parameter::hold_until(date).unwrap();
    assert_eq!(parameter.value(), Some("1994-11-06T08:49:37Z"));
    let late = UNIX_EPOCH + Duration::from_secs(400_000_000_000);
    assert_eq!(
        Parameter::hold_until(late).unwrap_err().to_string(),
        "HOLDUNTIL must be a moment of the years 1900 to 9999"
    );
}

// 2852-02, 4865-02, D6
#[test]
fn beyond_the_limits_of_the_server() {
    let second = Duration::from_secs(1);
    for (offer, envelope, sentence) in [
        (
            "DELIVERBY 60",
            envelope().deliver_by(DeliverBy::or_return(second).unwrap()),
            "the server does not take BY=1;R, but 60 seconds at least",
        ),
        (
            "FUTURERELEASE 60 2030-01-01T00:00:00Z",
            envelope().hold_for(second * 61).unwrap(),
            "the server does not take HOLDFOR=61, but 60 seconds at most",
        ),
        (
            "NO-SOLICITING org.example:ADV",
            envelope().solicit(["org.example:ADV"]).unwrap(),
            "the server does not take SOLICIT=org.example:ADV, but no mail marked org.example:ADV",
        ),
    ] {
        let error = refused(&[offer], &envelope);
        assert!(matches!(
            error,
            Error::Unsupported(Unsupported::Limit { .. })
        ));
        assert_eq!(error.to_string(), sentence);
    }
}

// 3461-08, D2
#[test]
fn twice_or_in_the_wrong_place() {
    let twice = envelope()
        .return_content(ReturnContent::Full)
        .return_content(ReturnContent::Headers);
    assert!(matches!(
        refused(&["DSN"], &twice),
        Error::Command(CommandError::Repeated)
    ));
    let misplaced = envelope().parameter(Notify::never().into());
    assert!(matches!(
        refused(&["DSN"], &misplaced),
        Error::Command(CommandError::Misplaced)
    ));
}

// 3461-01, B22: on request the message is sent without the parameter, and the outcome says which
// was left out.
#[test]
fn what_is_not_offered_can_be_ignored() {
    let envelope = envelope()
        .notify(Notify::never())
        .return_content(ReturnContent::Full)
        .priority(3)
        .unwrap()
        .ignore_unsupported(true);
    let peer = server(&["MT-PRIORITY"]).script().listen();
    let mut smtp = connect(&peer);
    let outcome = smtp.send(&envelope, HI).unwrap();
    let ignored: Vec<_> = outcome.ignored().iter().map(Parameter::to_string).collect();
    assert_eq!(ignored, ["RET=FULL", "NOTIFY=NEVER"]);
    drop(smtp);
    assert_eq!(
        peer.finish().commands()[1..3],
        [
            "MAIL FROM:<me@client.example> MT-PRIORITY=3",
            "RCPT TO:<ann@example.org>"
        ]
    );

    let peer = server(&["MT-PRIORITY", "DSN"]).script().listen();
    let mut smtp = connect(&peer);
    assert!(smtp.send(&envelope, HI).unwrap().ignored().is_empty());
    drop(smtp);
    peer.finish();
}

fn secure(offers: &[&str]) -> Peer {
    server(offers).script().listen_tls()
}

fn send_secure(smtp: &mut SmtpConnection) -> Result<smtplib::Outcome, Error> {
    let message = Message::builder()
        .from("me@client.example")
        .to("ann@example.org")
        .text("Hi!\n")
        .build()
        .unwrap();
    smtp.send_message_to(&Envelope::of(&message).require_tls(), &message)
}

// 8689-01
#[test]
fn requiretls_under_verified_tls() {
    let peer = secure(&["REQUIRETLS"]);
    let mut smtp = implicit(&peer).connect().unwrap();
    assert!(send_secure(&mut smtp).unwrap().is_complete());
    drop(smtp);
    let mail = peer.finish().commands()[1].to_owned();
    assert!(
        mail.starts_with("MAIL FROM:<me@client.example> REQUIRETLS"),
        "{mail}"
    );
}

// 8689-01, 8689-02, 8689-04, B24: without TLS nothing is sent, and REQUIRETLS cannot be ignored.
#[test]
fn requiretls_or_nothing() {
    let no_tls = "REQUIRETLS needs TLS with a verified certificate, and this connection has none";
    let plain = envelope().require_tls().ignore_unsupported(true);
    assert_eq!(refused(&["REQUIRETLS"], &plain).to_string(), no_tls);

    let authority = TestCa::get().root_pem().as_bytes();
    for accept in [
        Config::danger_accept_invalid_certs,
        Config::danger_accept_invalid_hostnames,
    ] {
        let peer = secure(&["REQUIRETLS"]);
        let config = Config::new(peer.host())
            .port(peer.port())
            .security(Security::ImplicitTls)
            .hello_name("client.example")
            .root_certificates(authority);
        let mut smtp = accept(config, true).connect().unwrap();
        assert_eq!(send_secure(&mut smtp).unwrap_err().to_string(), no_tls);
        let by_hand = smtp.mail_with("me@client.example", [Parameter::require_tls()]);
        assert_eq!(by_hand.err().unwrap().to_string(), no_tls);
        drop(smtp);
        assert_eq!(peer.finish().commands(), ["EHLO client.example"]);
    }

    let peer = secure(&[]);
    let mut smtp = implicit(&peer).connect().unwrap();
    let error = smtp.send(&plain, HI).unwrap_err();
    assert_eq!(error.to_string(), "the server does not offer REQUIRETLS");
    drop(smtp);
    assert_eq!(peer.finish().commands(), ["EHLO client.example"]);
}

// 8689-03: the field is written once, however often it is set.
#[test]
fn tls_may_be_declared_not_required() {
    let message = Message::builder()
        .from("me@client.example")
        .to("ann@example.org")
        .header("tls-required", "No")
        .tls_not_required()
        .text("TLS fails here.\n")
        .build()
        .unwrap();
    let text = String::from_utf8(message.to_bytes().unwrap()).unwrap();
    assert_eq!(text.matches("tls-required: No\r\n").count(), 1);
    assert!(!text.contains("TLS-Required"));
}

// BURL is refused locally, with a reason.
#[test]
fn burl_is_not_for_this_library() {
    let peer = server(&["BURL imap"]).script().listen();
    let mut smtp = connect(&peer);
    let error = smtp.command("burl imap://example.org/x LAST").unwrap_err();
    assert!(matches!(error, Error::Command(CommandError::Burl)));
    drop(smtp);
    assert_eq!(peer.finish().commands(), ["EHLO client.example"]);
}
