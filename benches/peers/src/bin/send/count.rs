//! Counts what a message costs: system calls by strace, instructions by valgrind. Both are the
//! difference of two runs, so that connecting and the first message cost nothing.

use std::env;
use std::fs;
use std::net::SocketAddr;
use std::process::Stdio;

use crate::case::Case;
use crate::peer::{Peer, is_on_path};
use crate::spawn;
use crate::table::Table;

/// Octets of a message from which on few are counted.
const LARGE: usize = 1024 * 1024;

pub fn compare(case: &Case, peers: &[(&Peer, SocketAddr)]) {
    let [strace, valgrind] = ["strace", "valgrind"].map(|tool| {
        let is_installed = is_on_path(tool);
        if !is_installed {
            println!("{tool} is not installed: left out");
        }
        is_installed
    });
    let columns = ["system calls", "instructions", "per octet"];
    let mut table = Table::new(case.title(), &columns);
    for (peer, address) in peers {
        let calls = strace.then(|| difference(peer, case, *address, calls));
        let instructions = valgrind.then(|| difference(peer, case, *address, instructions));
        let calls = calls.flatten();
        let instructions = instructions.flatten();
        let per_octet = instructions.map(|count| count / case.size as f64);
        table.row(peer.name, &[calls, instructions, per_octet]);
    }
    table.print();
}

fn difference(
    peer: &Peer,
    case: &Case,
    to: SocketAddr,
    count: fn(&[String]) -> Option<f64>,
) -> Option<f64> {
    // Enough for the window of a batch to be filled and emptied some times.
    let (few, many) = match case.size {
        size if size >= LARGE => (1, 4),
        size if size > 1024 => (10, 60),
        _ if peer.is_stream() => (5_000, 25_000),
        _ => (10, 110),
    };
    let few_counted = count(&peer.words(case, to, few, 0.0))?;
    let many_counted = count(&peer.words(case, to, many, 0.0))?;
    Some((many_counted - few_counted) / (many - few) as f64)
}

fn calls(words: &[String]) -> Option<f64> {
    let path = env::temp_dir().join(format!("peers-{}.strace", std::process::id()));
    let file = path.to_string_lossy().into_owned();
    let strace = ["strace", "-f", "-c", "-U", "calls,name", "-o", &file];
    run(&strace, words)?;
    let summary = fs::read_to_string(&path).ok()?;
    let _ = fs::remove_file(&path);
    let total = summary.lines().find(|line| line.ends_with("total"))?;
    total.split_whitespace().next()?.parse().ok()
}

fn instructions(words: &[String]) -> Option<f64> {
    let callgrind = [
        "valgrind",
        "--tool=callgrind",
        "--callgrind-out-file=/dev/null",
    ];
    let told = run(&callgrind, words)?;
    let line = told.lines().find(|line| line.contains("Collected :"))?;
    line.split_whitespace().last()?.parse().ok()
}

/// What the tool wrote to standard error.
fn run(tool: &[&str], words: &[String]) -> Option<String> {
    let tool = tool.iter().map(|&word| word.to_owned());
    let words: Vec<String> = tool.chain(words.iter().cloned()).collect();
    let output = spawn::command(&words).stdin(Stdio::null()).output().ok()?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    if !output.status.success() {
        eprintln!("{words:?} failed: {told}");
        return None;
    }
    Some(told)
}
