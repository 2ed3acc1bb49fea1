//! Names for the files of a Maildir.

use std::process;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::message::random::token;

/// How many names were made; it makes names of one process different.
static MADE: AtomicU64 = AtomicU64::new(0);
static HOST: LazyLock<String> = LazyLock::new(|| tame(&host()));

/// A name that no other file of any Maildir has: the time, process id, counter and random number,
/// and the host.
///
/// The random part is for hosts that have the same name, such as containers.
pub(super) fn unique_name() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let since = since.unwrap_or_default();
    let made = MADE.fetch_add(1, Ordering::Relaxed);
    let (seconds, micros) = (since.as_secs(), since.subsec_micros());
    let (process, random) = (process::id(), token());
    let host = HOST.as_str();
    format!("{seconds}.M{micros}P{process}Q{made}R{random}.{host}")
}

/// The host's name, as far as the standard library can find it.
fn host() -> String {
    let files = ["/proc/sys/kernel/hostname", "/etc/hostname"];
    let mut read = files.into_iter().map(std::fs::read_to_string);
    let variables = ["HOSTNAME", "COMPUTERNAME"];
    let mut set = variables.into_iter().map(std::env::var);
    let found = read.find_map(Result::ok);
    found
        .or_else(|| set.find_map(Result::ok))
        .unwrap_or_default()
}

/// Replaces characters that file names cannot have, or that mean something in a Maildir.
fn tame(host: &str) -> String {
    let is_safe = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let name = host.trim().chars();
    let name: String = name.map(|c| if is_safe(&c) { c } else { '-' }).collect();
    match name.trim_matches('.') {
        "" => "localhost".to_owned(),
        name => name.chars().take(64).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_distinct_and_any_file_system_takes_them() {
        let names: HashSet<String> = (0..2000).map(|_| unique_name()).collect();
        assert_eq!(names.len(), 2000);
        for name in names {
            let is_safe = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
            assert!(name.chars().all(is_safe) && name.len() < 200, "{name}");
            assert!(name.starts_with(|c: char| c.is_ascii_digit()), "{name}");
        }
    }

    #[test]
    fn a_host_has_no_colon_and_no_slash() {
        for (host, tamed) in [
            ("mx.example.org\n", "mx.example.org"),
            ("a/b:c\\d", "a-b-c-d"),
            ("", "localhost"),
            ("..", "localhost"),
            ("müller", "m-ller"),
        ] {
            assert_eq!(tame(host), tamed, "{host}");
        }
    }
}
