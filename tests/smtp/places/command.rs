//! A program instead of a server: its input, and the meaning of its exit status.
use super::{message, unreachable};
use crate::support::sending::{facts, fates, fates_in, taken};
use smtplib::config::Timeouts;
use smtplib::{Address, Config, Delivery, Envelope, Error};
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A folder with a program, and the files that the program has written there.
struct Fake {
    folder: tempfile::TempDir,
}

impl Fake {
    /// Makes a program from these lines of shell, which runs in the folder.
    ///
    /// Another process writes the file. If this one did, a process that another test starts
    /// meanwhile would keep it open for writing, and then the program could not be run.
    fn new(lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("sendmail");
        let text = format!("#!/bin/sh\ncd '{}'\n{lines}\n", folder.path().display());
        let mut shell = Command::new("sh")
            .args(["-c", "cat >\"$0\" && chmod +x \"$0\""])
            .arg(&program)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        shell
            .stdin
            .take()
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
        assert!(shell.wait().unwrap().success());
        Self { folder }
    }

    fn program(&self) -> PathBuf {
        self.folder.path().join("sendmail")
    }

    fn config(&self) -> Config {
        let config: Config = format!("sendmail://{}", self.program().display())
            .parse()
            .unwrap();
        config.timeout(Duration::from_secs(30))
    }

    /// Reads a file that the program has written.
    fn read(&self, name: &str) -> String {
        String::from_utf8(fs::read(self.folder.path().join(name)).unwrap()).unwrap()
    }

    fn exists(&self, name: &str) -> bool {
        self.folder.path().join(name).exists()
    }

    fn send(&self, text: &str) -> Result<Vec<String>, Error> {
        let mut smtp = self.config().connect()?;
        let outcome = smtp.sendmail("alice@example.com", ["ben@example.org"], text)?;
        Ok(fates(&outcome))
    }
}

/// Keeps the arguments, one on each line, and the input.
const KEEP: &str = "printf '%s\\n' \"$@\" >arguments; cat >input";

/// More text than a pipe holds.
fn much() -> String {
    "0123456789abcde\n".repeat(64 * 1024)
}

#[test]
fn the_program_gets_the_envelope_as_arguments_and_the_message_as_input() {
    let fake = Fake::new(KEEP);
    let mut smtp = fake.config().connect().unwrap();
    let outcome = smtp.send_message(&message()).unwrap();
    assert_eq!(
        fates(&outcome),
        [
            "ben@example.org Accepted 250 2.0.0 accepted",
            "cleo@example.org Accepted 250 2.0.0 accepted",
        ]
    );
    assert_eq!(
        fake.read("arguments"),
        "-i\n-f\nalice@example.com\n--\nben@example.org\ncleo@example.org\n"
    );
    let input = fake.read("input");
    assert!(
        input.contains("\nFrom: alice@example.com\nTo: ben"),
        "{input}"
    );
    assert!(input.ends_with("\n\nGrüße\n.\n.. und Punkte\n"), "{input}");
    assert!(!input.contains('\r'));
}

#[test]
fn addresses_are_arguments_whatever_is_in_them() {
    for (sender, recipient) in [
        ("", "-oQ/tmp@example.org"),
        ("-x@example.com", "\"a b;$(touch x)`touch x`\"@example.org"),
        ("jö@example.com", "*@example.org"),
    ] {
        let fake = Fake::new(KEEP);
        let mut smtp = fake.config().connect().unwrap();
        taken(smtp.sendmail(sender, [recipient], "Hi!\n"));
        let shown = if sender.is_empty() { "<>" } else { sender };
        assert_eq!(
            fake.read("arguments"),
            format!("-i\n-f\n{shown}\n--\n{recipient}\n")
        );
        assert!(!fake.exists("x"));
    }
}

// A command line has a limit, so many recipients get the message from several runs.
#[test]
fn no_run_has_more_recipients_than_fit_on_its_command_line() {
    let fake = Fake::new("cat >input; echo $# >>counts; printf '%s\\n' \"$@\" >>arguments");
    let to: Vec<String> = (0..2500).map(|n| format!("{n}@example.org")).collect();
    let mut smtp = fake.config().connect().unwrap();
    let outcome = smtp.sendmail("", &to, "Hi!\n").unwrap();
    assert!(outcome.is_complete());
    assert_eq!(outcome.recipients().len(), 2500);
    // Four arguments come before them.
    assert_eq!(fake.read("counts"), "1004\n1004\n504\n");
    let arguments = fake.read("arguments");
    let named = arguments.lines().filter(|line| line.contains('@'));
    assert!(named.eq(&to));
}

#[test]
fn much_goes_through_without_being_held() {
    let fake = Fake::new("cat >input");
    let text = much();
    for (ignored, count) in [("DSN", 1), ("CHUNKING", 1), ("DSN", 3)] {
        let mut smtp = fake.config().ignore([ignored]).connect().unwrap();
        for _ in 0..count {
            taken(smtp.sendmail("", ["ben@example.org"], &text));
            assert!(fake.read("input") == text, "without {ignored}");
        }
    }
}

#[test]
fn a_status_is_the_reply_to_all_recipients() {
    for (status, expected) in [
        (67, "not delivered, permanent, 550"),
        (68, "not delivered, transient, 451"),
        (65, "not delivered, permanent, 554"),
        (69, "not delivered, permanent, 554"),
        (77, "not delivered, permanent, 550"),
        (75, "not delivered, transient, 451"),
        (71, "not delivered, transient, 451"),
        (78, "not delivered, transient, 451"),
        (100, "not delivered, permanent, 554"),
        (111, "not delivered, transient, 451"),
        (1, "not delivered, permanent, 554"),
    ] {
        let fake = Fake::new(&format!("cat >input; exit {status}"));
        let error = fake.send("Hi!\n").unwrap_err();
        assert_eq!(facts(&error), expected, "{status}");
        assert!(matches!(error, Error::DataRefused(_)));
    }
}

#[test]
fn the_last_words_of_the_program_are_the_text() {
    let fake = Fake::new(
        "cat >/dev/null; yes 'far too much' | head -100000 >&2
        printf 'bob: no such user\\n\\n  really\\r\\n' >&2; exit 67",
    );
    let error = fake.send("Hi!\n").unwrap_err();
    let text = error.reply().unwrap().to_string();
    assert!(text.starts_with("550 5.1.1 "), "{text}");
    assert!(
        text.ends_with(" far too much / bob: no such user / really"),
        "{text}"
    );
    assert!(text.len() < 800, "{}", text.len());

    // A process that the program started holds its standard error open. The status does not wait
    // for that.
    let fake = Fake::new("cat >/dev/null; echo no >&2; sleep 60 & exit 67");
    let begun = Instant::now();
    let error = fake.send("Hi!\n").unwrap_err();
    let program = fake.program();
    assert_eq!(
        fates_in(&error),
        [format!(
            "ben@example.org Refused 550 5.1.1 {} ended with status 67: no",
            program.display()
        )]
    );
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_program_that_does_not_read_decides_by_its_status() {
    for (lines, expected) in [
        ("exit 75", "not delivered, transient, 451"),
        ("exec <&-; exit 67", "not delivered, permanent, 550"),
        (
            "head -c 10 >input; exit 65",
            "not delivered, permanent, 554",
        ),
        (
            "head -c 10 >input; kill -9 $$",
            "not delivered, transient, 451",
        ),
    ] {
        let fake = Fake::new(lines);
        for text in [much(), "\n".repeat(3_000_000)] {
            assert_eq!(facts(&fake.send(&text).unwrap_err()), expected, "{lines}");
        }
    }
    let fake = Fake::new("head -c 10 >input; exit 0");
    assert_eq!(
        fake.send(&much()).unwrap(),
        ["ben@example.org Accepted 250 2.0.0 accepted"]
    );
}

#[test]
fn a_program_that_dies_with_the_whole_message_may_have_sent_it() {
    let fake = Fake::new("cat >input; kill -9 $$");
    let error = fake.send("Hi!\n").unwrap_err();
    assert_eq!(facts(&error), "unknown, closed, at the end of the message");
    assert_eq!(fake.read("input"), "Hi!\n");
}

/// Waits until the condition is true, for as long as a machine under load may need.
fn eventually(is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(30));
        std::thread::yield_now();
    }
}

/// Whether a process exists, even as a zombie.
fn is_alive(pid: &str) -> bool {
    // Not every system has a program `kill`; every shell has the command.
    let shown = Command::new("sh")
        .args(["-c", "kill -0 \"$1\"", "sh", pid.trim()])
        .stderr(Stdio::null())
        .status();
    shown.unwrap().success()
}

/// A program that writes down its id and then does not end, like the process that it started.
const ENDLESS: &str = "sleep 1000 & echo $! >child; echo $$ >self.tmp; mv self.tmp self";

fn assert_gone(fake: &Fake) {
    for name in ["self", "child"] {
        let pid = fake.read(name);
        eventually(|| !is_alive(&pid) || is_zombie_of_another(&pid));
    }
}

/// A process that the program started now belongs to the system's first process, which may wait for
/// it late.
fn is_zombie_of_another(pid: &str) -> bool {
    let status = fs::read_to_string(Path::new("/proc").join(pid.trim()).join("status"));
    let status = status.unwrap_or_default();
    let ours = format!("PPid:\t{}\n", std::process::id());
    status.contains("State:\tZ") && !status.contains(&ours)
}

#[test]
fn a_program_that_takes_too_long_is_killed_with_all_that_it_has_started() {
    let fake = Fake::new(&format!("{ENDLESS}; cat >input; touch ready; wait"));
    let timeouts = Timeouts::all(Duration::from_secs(30)).end_of_data(Duration::from_millis(500));
    let mut smtp = fake.config().timeouts(timeouts).connect().unwrap();
    let error = smtp.sendmail("", ["ben@example.org"], "Hi!\n").unwrap_err();
    assert_eq!(
        facts(&error),
        "unknown, timeout, closed, at the end of the message"
    );
    if fake.exists("self") {
        assert_gone(&fake);
    }
}

#[test]
fn a_program_that_stops_reading_is_killed_in_time() {
    let fake = Fake::new(&format!("{ENDLESS}; wait"));
    let timeouts = Timeouts::all(Duration::from_secs(30)).body(Duration::from_millis(500));
    for ignored in ["DSN", "CHUNKING"] {
        let config = fake.config().timeouts(timeouts.clone()).ignore([ignored]);
        let mut smtp = config.connect().unwrap();
        let error = smtp.sendmail("", ["ben@example.org"], much()).unwrap_err();
        assert_eq!(
            facts(&error),
            "not delivered, transient, timeout, closed, at the message"
        );
        if fake.exists("self") {
            assert_gone(&fake);
        }
    }
}

#[test]
fn half_a_message_is_never_the_whole() {
    /// A reader that fails as soon as the program runs.
    struct Breaking<'f>(&'f Fake, usize);
    impl Read for Breaking<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.1 == 0 {
                eventually(|| self.0.exists("self"));
                return Err(io::Error::other("gone"));
            }
            self.1 -= 1;
            buffer.fill(b'\n');
            Ok(buffer.len())
        }
    }
    let to: Address = "ben@example.org".parse().unwrap();
    for ignored in ["DSN", "CHUNKING"] {
        let fake = Fake::new(&format!("{ENDLESS}; cat >input && touch sent"));
        let mut smtp = fake.config().ignore([ignored]).connect().unwrap();
        let error = smtp
            .send(&Envelope::new(None, [to.clone()]), Breaking(&fake, 200))
            .unwrap_err();
        assert_eq!(error.to_string(), "the message could not be read: gone");
        assert_eq!(error.delivery(), Delivery::NotDelivered);
        assert_gone(&fake);
        assert!(!fake.exists("sent"));
    }
}

#[test]
fn a_program_that_is_missing_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for (path, reason) in [
        (
            folder.path().join("sendmail"),
            "No such file or directory (os error 2)",
        ),
        (folder.path().to_owned(), "it is not a program"),
        (file, "it is not executable"),
    ] {
        let error = unreachable(&Config::sendmail_command(&path));
        let expected = format!("could not connect to {}: {reason}", path.display());
        assert_eq!(error, expected);
    }
}

#[test]
fn a_program_that_goes_away_is_a_failure_for_now() {
    let fake = Fake::new(KEEP);
    let mut smtp = fake.config().connect().unwrap();
    fs::remove_file(fake.program()).unwrap();
    let error = smtp.sendmail("", ["ben@example.org"], "Hi!\n").unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    assert_eq!(error.delivery(), Delivery::NotDelivered);
    let text = error.reply().unwrap().to_string();
    assert!(text.contains("cannot be run: No such file"), "{text}");
}

#[test]
fn options_that_no_command_has_are_not_offered() {
    let fake = Fake::new(KEEP);
    let smtp = fake.config().connect().unwrap();
    for extension in ["DSN", "AUTH", "STARTTLS", "REQUIRETLS", "BINARYMIME"] {
        assert!(!smtp.capabilities().has(extension), "{extension}");
    }
}
