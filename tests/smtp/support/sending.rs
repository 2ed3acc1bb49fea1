//! For the tests of everything from MAIL on: a connection after EHLO, and results as text.
use crate::peer::{Peer, Script, TestCa};
use smtplib::config::Timeouts;
use smtplib::{Config, Delivery, Error, Outcome, Reply, Security, SmtpConnection};
use std::time::Duration;

/// A script from the greeting on, for a server that offers these extensions.
pub(crate) fn script(extensions: &[&str], dialog: &str) -> Script {
    Script::new(&session(extensions, dialog))
}

/// The text of such a script.
pub(crate) fn session(extensions: &[&str], dialog: &str) -> String {
    format!(
        "S: 220 mx.example.org\nC: EHLO client.example\n{}{dialog}",
        offer(extensions)
    )
}

/// The same for LMTP.
pub(crate) fn lmtp_session(extensions: &[&str], dialog: &str) -> String {
    format!(
        "S: 220 mx.example.org\nC: LHLO client.example\n{}{dialog}",
        offer(extensions)
    )
}

/// The reply to EHLO.
fn offer(extensions: &[&str]) -> String {
    let mut lines = vec!["mx.example.org"];
    lines.extend(extensions);
    let last = lines.pop().unwrap_or_default();
    let mut text: String = lines
        .iter()
        .map(|line| format!("S: 250-{line}\n"))
        .collect();
    text.push_str(&format!("S: 250 {last}\n"));
    text
}

/// A server that offers these extensions, and then follows this dialog.
pub(crate) fn listen(extensions: &[&str], dialog: &str) -> Peer {
    script(extensions, dialog).listen()
}

/// A configuration for the peer without TLS, as `client.example`, with [`PATIENCE`] for each step.
pub(crate) fn config(peer: &Peer) -> Config {
    Config::new(peer.host())
        .port(peer.port())
        .security(Security::None)
        .hello_name("client.example")
        .timeout(PATIENCE)
}

pub(crate) fn connect(peer: &Peer) -> SmtpConnection {
    config(peer).connect().unwrap()
}

/// A connection with TLS from the first byte.
pub(crate) fn connect_tls(peer: &Peer) -> SmtpConnection {
    config(peer)
        .security(Security::ImplicitTls)
        .tls_connector(TestCa::get().connector())
        .connect()
        .unwrap()
}

/// LMTP over TCP, without TLS.
pub(crate) fn lmtp(peer: &Peer) -> SmtpConnection {
    Config::lmtp(peer.host(), peer.port())
        .security(Security::None)
        .hello_name("client.example")
        .timeout(PATIENCE)
        .connect()
        .unwrap()
}

/// Budgets of [`PATIENCE`], changed in one place.
pub(crate) fn budgets(change: impl FnOnce(Timeouts) -> Timeouts) -> Timeouts {
    change(Timeouts::all(PATIENCE))
}

/// Sends `Hi!` from `me@client.example` to these.
pub(crate) fn send_hi(smtp: &mut SmtpConnection, to: &[&str]) -> Result<Outcome, Error> {
    smtp.sendmail("me@client.example", to, "Hi!\r\n")
}

/// Asserts that every recipient got the message.
pub(crate) fn taken(result: Result<Outcome, Error>) {
    assert!(result.unwrap().is_complete());
}

/// The result for each recipient, in order: `ann@example.org Accepted 250 2.0.0 taken`.
pub(crate) fn fates(outcome: &Outcome) -> Vec<String> {
    let fate = |recipient: &smtplib::RecipientOutcome| {
        let reply = recipient
            .reply()
            .map_or_else(|| "-".into(), Reply::to_string);
        format!("{} {:?} {reply}", recipient.address(), recipient.status())
    };
    outcome.recipients().iter().map(fate).collect()
}

/// The same for the outcome in an error.
pub(crate) fn fates_in(error: &Error) -> Vec<String> {
    error.outcome().map(fates).unwrap_or_default()
}

/// The facts by which a caller decides, in words: `NotDelivered, transient, closed, 421 at RCPT`.
pub(crate) fn facts(error: &Error) -> String {
    let mut words = vec![match error.delivery() {
        Delivery::NotDelivered => "not delivered",
        Delivery::Unknown => "unknown",
        _ => "new",
    }];
    let flags = [
        (error.is_transient(), "transient"),
        (error.is_permanent(), "permanent"),
        (error.is_timeout(), "timeout"),
        (error.is_closed(), "closed"),
    ];
    words.extend(flags.iter().filter(|(is, _)| *is).map(|(_, word)| *word));
    let code = error.code().map(|code| code.to_string());
    let step = error.step().map(|step| format!("at {step}"));
    words.extend(code.as_deref());
    words.extend(step.as_deref());
    words.join(", ")
}

/// Long for a machine under load, short for a test that fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);
