//! What programs and people do with the queue: they add jobs, look at jobs that were set aside, and
//! stop the workers.

use std::error::Error;

use redis::{Connection, RedisResult, Script};
use smtplib::Message;

use crate::job::Fields;
use crate::queue::{LATER, MAIL, REFUSED, STOPS, UNKNOWN};

/// Adds a message to the queue, and returns the job's id.
///
/// The message becomes bytes only here, so that its `Message-ID` stays the same. If Redis does not
/// reply, the job may have been added, and adding it again may send it twice.
pub(crate) fn put(
    connection: &mut Connection,
    message: &Message,
    again: bool,
) -> Result<String, Box<dyn Error>> {
    let envelope = message.envelope();
    let from = envelope.sender().map(ToString::to_string);
    let to: Vec<String> = envelope.recipients().map(ToString::to_string).collect();
    let mut add = redis::cmd("XADD");
    add.arg(MAIL).arg("*");
    add.arg("from").arg(from.unwrap_or_default());
    add.arg("to").arg(to.join("\n"));
    add.arg("data").arg(message.to_bytes()?);
    add.arg("again").arg(if again { "yes" } else { "no" });
    Ok(add.query(connection)?)
}

/// Most jobs of a kind that the status lists.
const MOST_LISTED: usize = 100;

/// Prints how many jobs there are, and the oldest jobs that a person has to look at.
pub(crate) fn print_status(connection: &mut Connection) -> RedisResult<()> {
    let mut counts = redis::pipe();
    counts.cmd("XLEN").arg(MAIL).cmd("ZCARD").arg(LATER);
    counts.cmd("XLEN").arg(REFUSED).cmd("XLEN").arg(UNKNOWN);
    let (jobs, later, refused, unknown): (u64, u64, u64, u64) = counts.query(connection)?;
    println!("{jobs} in the queue, {later} of them for another try");
    println!("{refused} refused, {unknown} unknown");
    for (stream, what) in [(REFUSED, "refused"), (UNKNOWN, "unknown")] {
        let mut range = redis::cmd("XRANGE");
        range.arg(stream).arg("-").arg("+");
        range.arg("COUNT").arg(MOST_LISTED);
        for (id, entry) in range.query::<Vec<(String, Fields)>>(connection)? {
            let field = |name: &[u8]| {
                let octets = entry.get(name).map(Vec::as_slice).unwrap_or_default();
                String::from_utf8_lossy(octets).replace('\n', ", ")
            };
            println!("{what} {id}: {}: {}", field(b"to"), field(b"why"));
        }
    }
    Ok(())
}

/// Puts a job that was set aside into the queue again, and returns its new id; `None` if there is none.
///
/// Name it as the status does: `unknown` or `refused`, and an id.
pub(crate) fn put_again(
    connection: &mut Connection,
    what: &str,
    id: &str,
) -> RedisResult<Option<String>> {
    let script = Script::new(include_str!("again.lua"));
    let mut script = script.key(MAIL);
    script
        .key(format!("{MAIL}:{what}"))
        .arg(id)
        .invoke(connection)
}

/// Asks all workers to stop, each after the messages that it is sending.
pub(crate) fn stop(connection: &mut Connection) -> RedisResult<()> {
    redis::cmd("INCR").arg(STOPS).query(connection)
}
