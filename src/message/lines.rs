//! Messages and reports that are given as bytes. They are sent as unencoded lines (RFC 2046,
//! 5.2.1).

use std::cmp::Ordering;
use std::io;

use crate::message::entity::{Content, Entity};
use crate::message::error::MessageProblem;
use crate::message::media_type::MediaType;
use crate::message::source::Source;
use crate::message::transfer::{Offers, Scan, Scanner};

/// Types that must be 7-bit: reports (RFC 3464, 2.1; RFC 8098, 3.1; RFC 5965, 2; RFC 3886, 3.1),
/// and bodies that are elsewhere or in parts (RFC 2046, 5.2.2 and 5.2.3).
const SEVEN_BIT: [&str; 6] = [
    "message/delivery-status",
    "message/disposition-notification",
    "message/external-body",
    "message/feedback-report",
    "message/partial",
    "message/tracking-status",
];

/// Whether content of this type must not be encoded. Internationalized messages and reports may be
/// (RFC 6532, 3.7; RFC 6533).
pub(crate) fn is_lines(media_type: &MediaType) -> bool {
    media_type.top_level() == "message" && !media_type.essence().starts_with("message/global")
}

/// Makes a part of lines. All of them are read and scanned, a piece at a time.
pub(crate) fn lines(media_type: MediaType, source: Source) -> Result<Entity, MessageProblem> {
    let octets = source.length()?;
    let scan = scan(&source, octets)?;
    if is_report(&media_type) && !scan.goes_as_lines(Offers::default()) {
        return Err(MessageProblem::SevenBit);
    }
    let content = Content::Lines {
        source,
        scan,
        octets,
    };
    Ok(Entity::new(media_type, content))
}

/// Whether a report here, or in a part of this one, could not be sent with these offers.
pub(crate) fn has_unfit_report(entity: &Entity, offers: Offers) -> bool {
    match &entity.content {
        Content::Lines { scan, .. } => is_report(&entity.media_type) && !scan.goes_as_lines(offers),
        Content::Message(root) => has_unfit_report(&root.body, offers),
        Content::Parts { parts, .. } => parts.iter().any(|part| has_unfit_report(part, offers)),
        Content::Data(_) | Content::Text { .. } => false,
    }
}

fn is_report(media_type: &MediaType) -> bool {
    SEVEN_BIT.contains(&media_type.essence())
}

fn scan(source: &Source, length: u64) -> io::Result<Scan> {
    if let Some(octets) = source.octets() {
        return Ok(Scan::of(octets));
    }
    let mut scanner = Scanner::default();
    let mut left = length;
    source.read(&mut |octets| {
        let after = left.checked_sub(octets.len() as u64);
        left = after.ok_or_else(|| source.changed(Ordering::Greater))?;
        scanner.update(octets);
        Ok(())
    })?;
    match left {
        0 => Ok(scanner.finish()),
        _ => Err(source.changed(Ordering::Less)),
    }
}
