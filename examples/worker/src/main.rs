//! Sends the jobs of a queue in Redis: any number of workers, on any number of machines.
//!
//! ```text
//! echo 'Hi!' | cargo run -p worker -- put you@example.com friend@example.org
//! SMTP_URL=smtp://user:password@mail.example.com cargo run -p worker   # works
//! cargo run -p worker -- status     # how many jobs there are, and what was set aside
//! cargo run -p worker -- again unknown 1795778445457-0   # sends again what was set aside
//! cargo run -p worker -- stop       # all workers stop, each after its messages
//! ```
//!
//! | variable | | default |
//! |---|---|---|
//! | `SMTP_URL` | the server | |
//! | `REDIS_URL` | the queue: one Redis, from 6.2 on, or Valkey | `redis://127.0.0.1/` |
//! | `WORKER_THREADS` | messages at a time in one worker | 4 |
//! | `WORKER_LEASE` | seconds of silence after which a worker counts as dead, at least 3 | 30 |
//! | `WORKER_PAUSE` | seconds before the second try; each pause is twice the one before, up to an hour | 2 |
//!
//! For a `rediss` URL, give the crate redis one of its TLS features.
//!
//! A job is an entry of the stream `mail`. Programs in any language add one with XADD:
//!
//! | field | |
//! |---|---|
//! | `from` | the sender; empty for the null sender |
//! | `to` | the recipients, one on a line |
//! | `data` | the message, header and body; its `Message-ID` stays the same over all tries |
//! | `again` | `yes` if a duplicate does no harm |
//!
//! An entry stays in the stream until its fate is known, so that no step can lose it:
//!
//! ```text
//!        XADD        XREADGROUP         begin.lua           settle.lua
//!  put ────────► mail ────────► taken ────────────► sending ──────────► gone           2xx
//!                                 ▲                     │
//!                                 │      after a pause  ├─► mail:later    certainly not delivered,
//!                                 └─────────────────────│──────┘          or again=yes
//!                                                       ├─► mail:refused  5yz, or 5 days are over
//!                                                       └─► mail:unknown  may have been delivered
//! ```
//!
//! Each recipient has its own result: one may be accepted, another refused, and a third tried
//! again.
//!
//! A worker says every second that it is alive. When it has been silent for the lease, other
//! workers claim its jobs. They send a job that it had only taken; a job that it was sending is
//! unknown. A worker that only seemed to be dead notices that before it sends or settles anything.
//!
//! # What a queue cannot know
//!
//! A worker that is killed while it sends cannot say whether the server has the message. Such a job
//! is set aside in `mail:unknown`, unless it says `again=yes`. The same happens when the server
//! closes the connection after the end of the message without a reply. A person has to look at
//! these jobs: `again` sends one again, and XDEL deletes it.
//!
//! So workers may be killed at any time, and there is no signal handler. `stop` leaves no such
//! cases.
//!
//! Redis must not lose data. Set `appendonly yes` and `appendfsync always`, and do not fail over to
//! a replica that lags behind. Otherwise a job may be lost, or sent twice.

mod desk;
mod job;
mod queue;
mod worker;

use std::env;
use std::error::Error;
use std::io;

use redis::{Client, Connection};
use smtplib::Message;

use crate::worker::Worker;

const USAGE: &str =
    "give nothing to work, or put [--again] FROM TO..., status, again WHAT ID, stop";

fn main() {
    if let Err(error) = run() {
        eprintln!("worker: {error}");
        std::process::exit(1);
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let url = env::var("REDIS_URL");
    let client = Client::open(url.as_deref().unwrap_or("redis://127.0.0.1/"))?;
    let mut arguments = env::args().skip(1);
    match arguments.next().as_deref() {
        None => Worker::join(client)?.run(),
        Some("put") => put(&mut client.get_connection()?, arguments)?,
        Some("status") => desk::print_status(&mut client.get_connection()?)?,
        Some("again") => put_again(&mut client.get_connection()?, arguments)?,
        Some("stop") => desk::stop(&mut client.get_connection()?)?,
        Some(_) => return Err(USAGE.into()),
    }
    Ok(())
}

/// Makes a message of the text on standard input.
fn put(
    connection: &mut Connection,
    arguments: impl Iterator<Item = String>,
) -> Result<(), Box<dyn Error>> {
    let (flags, addresses): (Vec<_>, Vec<_>) = arguments.partition(|word| word == "--again");
    let (from, to) = addresses.split_first().ok_or(USAGE)?;
    let message = Message::builder()
        .from(from.as_str())
        .to(to)
        .subject("From the queue")
        .text(io::read_to_string(io::stdin())?)
        .build()?;
    let id = desk::put(connection, &message, !flags.is_empty())?;
    println!("{id}: {}", message.message_id());
    Ok(())
}

/// Puts a job that was set aside into the queue again.
fn put_again(
    connection: &mut Connection,
    mut arguments: impl Iterator<Item = String>,
) -> Result<(), Box<dyn Error>> {
    let what = arguments.next().ok_or(USAGE)?;
    let id = arguments.next().ok_or(USAGE)?;
    let job = desk::put_again(connection, &what, &id)?;
    println!("{}", job.ok_or("there is no such job")?);
    Ok(())
}
