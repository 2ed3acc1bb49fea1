//! The same messages sent by this crate, by other clients and by other languages' clients, in turn,
//! so that a busy machine slows all of them. Medians are told.
//!
//! Every client runs in a process of its own: this program again, as `send client …`, or another
//! one. The servers run in here.

mod case;
mod client;
mod count;
mod message;
mod peer;
mod relay;
mod sink;
mod spawn;
mod table;

use std::env;
use std::net::SocketAddr;
use std::time::Duration;

use crate::case::{Case, Server};
use crate::peer::{PEERS, Peer};
use crate::sink::Sinks;
use crate::spawn::{Run, SmtpSink};
use crate::table::Table;

/// How long a client sends in a round, if it does not run out of messages before.
const SECONDS: f64 = 0.3;
const ROUNDS: usize = 3;

fn main() {
    let mut arguments = env::args().skip(1);
    let mut options = Options::default();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().expect("the option wants a value");
        match argument.as_str() {
            "client" => return client::run(&arguments.collect::<Vec<_>>()),
            "--rounds" => options.rounds = value().parse().expect("--rounds wants a number"),
            "--seconds" => options.seconds = value().parse().expect("--seconds wants a number"),
            "--only" => options.only = value().split(',').map(str::to_owned).collect(),
            "serve" => return serve(),
            word => options.words.push(word.to_owned()),
        }
    }
    options.run();
}

struct Options {
    rounds: usize,
    seconds: f64,
    /// The clients that take part; all if there are none.
    only: Vec<String>,
    /// Each is a list of parts of titles, of which a case must have one.
    words: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rounds: ROUNDS,
            seconds: SECONDS,
            only: Vec::new(),
            words: Vec::new(),
        }
    }
}

impl Options {
    fn run(&self) {
        let sinks = Sinks::start();
        let smtp_sink = SmtpSink::start();
        let peers: Vec<&Peer> = PEERS.iter().filter(|peer| self.takes(peer)).collect();
        for case in Case::all().filter(|case| case.is_wanted(&self.words)) {
            if case.server == Server::SmtpSink && smtp_sink.is_none() {
                continue;
            }
            let address = |peer: &Peer| -> SocketAddr {
                let address = match (case.server, &smtp_sink) {
                    (Server::SmtpSink, Some(smtp_sink)) => smtp_sink.address,
                    _ => sinks.address(peer.offers),
                };
                relay::start(address, case.delay)
            };
            let peers: Vec<(&Peer, SocketAddr)> = peers
                .iter()
                .filter(|peer| case.server == Server::Ours || !peer.needs_our_sink())
                .map(|peer| (*peer, address(peer)))
                .collect();
            if case.counts {
                count::compare(&case, &peers);
            } else {
                self.compare(&case, &peers);
            }
        }
    }

    fn takes(&self, peer: &Peer) -> bool {
        let is_named = self.only.is_empty() || self.only.iter().any(|name| name == peer.name);
        is_named && peer.is_installed()
    }

    /// Runs all clients in turn, again and again.
    fn compare(&self, case: &Case, peers: &[(&Peer, SocketAddr)]) {
        let mut runs: Vec<Vec<Run>> = peers.iter().map(|_| Vec::new()).collect();
        for _ in 0..self.rounds {
            for ((peer, address), runs) in peers.iter().zip(&mut runs) {
                let limit = Duration::from_secs_f64(self.seconds);
                runs.push(spawn::measure(peer, case, *address, limit));
            }
        }
        let mut table = Table::new(
            case.title(),
            &["messages/s", "CPU us", "peak MiB", "round trips"],
        );
        for ((peer, _), runs) in peers.iter().zip(&runs) {
            let median = |of: fn(&Run) -> Option<f64>| table::median(runs.iter().filter_map(of));
            let rate = median(|run| Some(run.messages / run.seconds));
            let trips = rate.filter(|_| !case.delay.is_zero());
            table.row(
                peer.name,
                &[
                    rate,
                    median(|run| Some(run.cpu * 1e6 / run.messages)),
                    median(|run| run.peak.map(|kib| kib / 1024.0)),
                    // Time is the honest counter: what a client waited for, it has waited for.
                    trips.map(|rate| 1.0 / (rate * case.delay.as_secs_f64())),
                ],
            );
        }
        table.print();
    }
}

/// Only the sinks, for measurements by hand.
fn serve() {
    let sinks = Sinks::start();
    for offers in sink::OFFERS {
        println!("{offers:?} {}", sinks.address(offers));
    }
    loop {
        std::thread::park();
    }
}
