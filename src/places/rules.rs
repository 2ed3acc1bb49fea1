//! The checks of a session, by the extensions that it offers.

use crate::address::Address;
use crate::capabilities::Capabilities;
use crate::parameter::{At, Parameter};
use crate::places::store::{Answer, Mail};

/// Parameters must belong to extensions that are offered, after EHLO or LHLO.
pub(super) fn parameters(
    parameters: &[Parameter],
    at: At,
    known: Option<&Capabilities>,
) -> Result<(), Answer> {
    for parameter in parameters {
        let is_offered = known.is_some_and(|known| known.has(parameter.extension()));
        if !is_offered || !parameter.may_stand_at(at) {
            let text = format!("5.5.4 {parameter} belongs to no offered extension");
            return Err(Answer::new(555, text));
        }
        let is_body = |body: &str| matches!(body, "7BIT" | "8BITMIME" | "BINARYMIME");
        if parameter.keyword() == "BODY" && !parameter.value().is_some_and(is_body) {
            return Err(Answer::new(501, "5.5.4 there is no such BODY"));
        }
    }
    Ok(())
}

/// RFC 1870, 6.1.
pub(super) fn declared_size(parameters: &[Parameter], offers: &Capabilities) -> Result<(), Answer> {
    let mut parameters = parameters.iter();
    let Some(size) = parameters.find(|it| it.keyword() == "SIZE") else {
        return Ok(());
    };
    match size.value().and_then(|size| size.parse().ok()) {
        Some(size) => limit(size, offers),
        None => Err(Answer::new(501, "5.5.4 SIZE is no number")),
    }
}

/// RFC 1870, 6.3.
pub(super) fn limit(size: u64, offers: &Capabilities) -> Result<(), Answer> {
    match offers.size_limit() {
        Some(limit) if size > limit => Err(Answer::new(
            552,
            format!("5.3.4 the message has more than {limit} bytes"),
        )),
        _ => Ok(()),
    }
}

/// RFC 6152, 3.
pub(super) fn bits(octets: &[u8], known: Option<&Capabilities>) -> Result<(), Answer> {
    let is_taken = |known: &Capabilities| known.eight_bit() || known.binarymime();
    if octets.is_ascii() || known.is_some_and(is_taken) {
        return Ok(());
    }
    Err(Answer::new(
        554,
        "5.6.3 the message has bytes above 127, and 8BITMIME is not offered",
    ))
}

/// RFC 6531, 3.5: an address outside ASCII needs the parameter.
pub(super) fn address(mail: &Mail, address: Option<&Address>) -> Result<(), Answer> {
    if address.is_none_or(Address::is_ascii) || mail.has_parameter("SMTPUTF8", None) {
        return Ok(());
    }
    Err(Answer::new(
        553,
        "5.6.7 the address needs SMTPUTF8, which MAIL has not asked for",
    ))
}
