//! The header of a message that somebody else has written: its fields, and whom they name.

use smtplib::Address;
use smtplib::error::MailboxError;
use smtplib::message::AddressList;

use crate::failure::{Failure, Status};

/// The fields of a header, each with the lines that continue it, and what stands behind them.
pub(crate) fn split(mut rest: &[u8]) -> (Vec<&[u8]>, &[u8]) {
    let mut fields = Vec::new();
    while let Some((field, behind)) = first_field(rest) {
        fields.push(field);
        rest = behind;
    }
    (fields, rest)
}

fn first_field(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut lines = octets.split_inclusive(|octet| *octet == b'\n');
    let first = lines.next().filter(|line| name(line).is_some())?;
    let more = lines.take_while(|line| line.starts_with(b" ") || line.starts_with(b"\t"));
    let length = first.len() + more.map(<[u8]>::len).sum::<usize>();
    octets.split_at_checked(length)
}

/// What stands before the colon; old programs put spaces in front of it (RFC 5322, 4.5).
fn name(field: &[u8]) -> Option<&str> {
    let colon = field.iter().position(|octet| *octet == b':')?;
    let name = std::str::from_utf8(field.get(..colon)?).ok()?.trim_end();
    let is_name = !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_graphic());
    is_name.then_some(name)
}

/// Whether it names recipients whom the others must not see.
pub(crate) fn is_blind(field: &[u8]) -> bool {
    is_one_of(field, ["Bcc", "Resent-Bcc"])
}

/// Whom the fields name. If somebody has sent the message on, it is for whom he named (RFC 5322,
/// 3.6.6).
pub(crate) fn recipients(fields: &[&[u8]]) -> Result<Vec<Address>, Failure> {
    let resent = ["Resent-To", "Resent-Cc", "Resent-Bcc"];
    let wanted = match fields.iter().any(|field| is_one_of(field, resent)) {
        true => resent,
        false => ["To", "Cc", "Bcc"],
    };
    let mut recipients = Vec::new();
    for field in fields.iter().filter(|field| is_one_of(field, wanted)) {
        recipients.append(&mut addresses(field)?);
    }
    Ok(recipients)
}

fn is_one_of<const N: usize>(field: &[u8], names: [&str; N]) -> bool {
    let name = name(field).unwrap_or_default();
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn addresses(field: &[u8]) -> Result<Vec<Address>, Failure> {
    let name = name(field).unwrap_or_default();
    let wrong = |reason: String| Status::Data.because(format_args!("{name}: {reason}"));
    let text = std::str::from_utf8(field).map_err(|error| wrong(error.to_string()))?;
    let (_, value) = text.split_once(':').unwrap_or_default();
    let list: AddressList = value
        .parse()
        .map_err(|error: MailboxError| wrong(error.to_string()))?;
    let mailboxes = list.mailboxes();
    Ok(mailboxes.map(|mailbox| mailbox.address().clone()).collect())
}
