//! What an envelope asks for, and whether this server offers it.

use std::borrow::Cow;

use crate::capabilities::Capabilities;
use crate::command_error::CommandError;
use crate::envelope::Envelope;
use crate::exchange::admission::check_offered;
use crate::exchange::error::{Inadmissible, Unsupported};
use crate::parameter::{At, Parameter};
use crate::protocol::extension::{deliver_by, future_release, no_soliciting};

/// An envelope for this server, and the parameters that were left out.
#[derive(Debug)]
pub(crate) struct Admitted<'e> {
    pub(crate) envelope: Cow<'e, Envelope>,
    pub(crate) ignored: Vec<Parameter>,
}

/// Leaves out unsupported parameters if the envelope allows it, and checks the rest.
pub(crate) fn admit<'e>(
    envelope: &'e Envelope,
    offers: &Capabilities,
) -> Result<Admitted<'e>, Inadmissible> {
    let mut admitted = Admitted {
        envelope: Cow::Borrowed(envelope),
        ignored: Vec::new(),
    };
    if envelope.ignores_unsupported() {
        // REQUIRETLS is never left out: the caller asked that the message is not sent without TLS
        // (RFC 8689, 2).
        let may_stay =
            |one: &Parameter| one.keyword() == "REQUIRETLS" || offers.has(one.extension());
        admitted.ignored = admitted.envelope.to_mut().take_parameters(may_stay);
    }
    check(admitted.envelope.parameters(), At::Mail, offers)?;
    let recipients = admitted.envelope.recipients_with_parameters().iter();
    for recipient in recipients.filter(|recipient| !recipient.parameters.is_empty()) {
        check(&recipient.parameters, At::Rcpt, offers)?;
    }
    Ok(admitted)
}

/// Checks the parameters of one command: each must be offered, occur once, belong to this command,
/// and be within the server's limits.
pub(crate) fn check(
    parameters: &[Parameter],
    at: At,
    offers: &Capabilities,
) -> Result<(), Inadmissible> {
    check_offered(parameters, offers)?;
    for (index, parameter) in parameters.iter().enumerate() {
        if !parameter.may_stand_at(at) {
            return Err(CommandError::Misplaced.into());
        }
        let earlier = parameters.get(..index).unwrap_or_default();
        if earlier.iter().any(|other| other.excludes(parameter)) {
            return Err(CommandError::Option("HOLDFOR and HOLDUNTIL exclude each other").into());
        }
        if let Some(limit) = misfit(parameter, offers) {
            return Err(Inadmissible::Unsupported(Unsupported::Limit {
                parameter: Box::new(parameter.clone()),
                limit: limit.into(),
            }));
        }
    }
    Ok(())
}

/// What the server would accept instead, if the value is beyond its limits.
fn misfit(parameter: &Parameter, offers: &Capabilities) -> Option<String> {
    let value = parameter.value()?;
    match parameter.keyword() {
        "BY" => deliver_by::misfit(value, offers),
        "HOLDFOR" | "HOLDUNTIL" => future_release::misfit(parameter.keyword(), value, offers),
        "SOLICIT" => no_soliciting::misfit(value, offers),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::parser::ReplyParser;

    fn offers(lines: &[&str]) -> Capabilities {
        let mut parser = ReplyParser::default();
        parser.push(b"250-mx\r\n").unwrap();
        for line in lines {
            parser.push(format!("250-{line}\r\n").as_bytes()).unwrap();
        }
        let reply = parser.push(b"250 HELP\r\n").unwrap().unwrap();
        Capabilities::from_ehlo(&reply, &[])
    }

    fn parameters(texts: &[&str]) -> Vec<Parameter> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    fn envelope(mail: &[&str], rcpt: &[&str]) -> Envelope {
        let envelope = parameters(mail)
            .into_iter()
            .fold(Envelope::new(None, []), Envelope::parameter);
        envelope.recipient("ann@example.org".parse().unwrap(), parameters(rcpt))
    }

    fn refusal(mail: &[&str], rcpt: &[&str], lines: &[&str]) -> Option<Inadmissible> {
        admit(&envelope(mail, rcpt), &offers(lines)).err()
    }

    // 3461-08, 4865-02, D2
    #[test]
    fn a_parameter_comes_once_and_where_it_belongs() {
        let offers = ["DSN", "FUTURERELEASE", "X-A"];
        let refusal = |mail: &[&str], rcpt: &[&str]| refusal(mail, rcpt, &offers);
        let repeated = Some(CommandError::Repeated.into());
        let misplaced = Some(CommandError::Misplaced.into());
        assert_eq!(refusal(&["RET=FULL", "ENVID=1"], &["NOTIFY=NEVER"]), None);
        assert_eq!(refusal(&["RET=FULL", "RET=HDRS"], &[]), repeated);
        let exclusive = CommandError::Option("HOLDFOR and HOLDUNTIL exclude each other");
        assert_eq!(
            refusal(&["HOLDFOR=1", "HOLDUNTIL=x"], &[]),
            Some(exclusive.into())
        );
        assert_eq!(refusal(&["X-A=1", "x-a=1"], &[]), repeated);
        assert_eq!(refusal(&[], &["NOTIFY=NEVER", "NOTIFY=DELAY"]), repeated);
        assert_eq!(refusal(&["NOTIFY=NEVER"], &[]), misplaced);
        assert_eq!(refusal(&[], &["RET=FULL"]), misplaced);
        assert_eq!(refusal(&["X-A=1"], &["X-A=1"]), None);
    }

    // 2852-02, 4865-01, 4865-02, D6: the limits that the server announces are obeyed.
    #[test]
    fn what_the_server_limits() {
        for (parameter, offer, limit) in [
            ("BY=60;R", "DELIVERBY 120", Some("120 seconds at least")),
            (
                "BY=60;r",
                "DELIVERBY 120,XTRACE",
                Some("120 seconds at least"),
            ),
            ("BY=120;RT", "DELIVERBY 120", None),
            ("BY=60;N", "DELIVERBY 120", None),
            ("BY=60;R", "DELIVERBY", None),
            ("HOLDFOR=61", "FUTURERELEASE 60", Some("60 seconds at most")),
            ("HOLDFOR=60", "FUTURERELEASE 60 2026-11-26T00:00:00Z", None),
            (
                "HOLDUNTIL=2026-11-26T00:00:01Z",
                "FUTURERELEASE 60 2026-11-26T00:00:00Z",
                Some("2026-11-26T00:00:00Z at the latest"),
            ),
            (
                "HOLDUNTIL=2026-11-26T00:00:00Z",
                "FUTURERELEASE 60 2026-11-26T00:00:00Z",
                None,
            ),
            ("HOLDUNTIL=2026-11-26T00:00:00Z", "FUTURERELEASE", None),
            (
                "SOLICIT=org.example:ADV,a",
                "NO-SOLICITING b org.example:adv",
                Some("no mail marked org.example:ADV"),
            ),
            ("SOLICIT=a", "NO-SOLICITING", None),
        ] {
            let expected = limit.map(|limit| {
                Inadmissible::Unsupported(Unsupported::Limit {
                    parameter: Box::new(parameter.parse().unwrap()),
                    limit: limit.into(),
                })
            });
            assert_eq!(
                refusal(&[parameter], &[], &[offer]),
                expected,
                "{parameter}"
            );
        }
    }

    // 3461-01, 8689-02
    #[test]
    fn what_may_be_ignored_and_what_not() {
        let envelope = envelope(
            &["RET=HDRS", "REQUIRETLS", "BY=60;R"],
            &["NOTIFY=NEVER", "X-A=1"],
        )
        .ignore_unsupported(true);
        let refused = admit(&envelope, &offers(&["DELIVERBY"])).unwrap_err();
        let expected = Unsupported::Extension("REQUIRETLS".into());
        assert_eq!(refused, expected.into());
        let offers = offers(&["DELIVERBY", "REQUIRETLS"]);
        let admitted = admit(&envelope, &offers).unwrap();
        let ignored: Vec<_> = admitted.ignored.iter().map(Parameter::to_string).collect();
        assert_eq!(ignored, ["RET=HDRS", "NOTIFY=NEVER", "X-A=1"]);
        let kept = admitted.envelope.parameters();
        assert_eq!(kept, parameters(&["REQUIRETLS", "BY=60;R"]));
        let [recipient] = admitted.envelope.recipients_with_parameters() else {
            panic!("one recipient")
        };
        assert!(recipient.parameters.is_empty());
    }
}
