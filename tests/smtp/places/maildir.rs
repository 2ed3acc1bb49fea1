//! A Maildir: the content of its files, and one file for each accepted message.
use super::{message, unreachable};
use crate::support::sending::{facts, fates, taken};
use smtplib::connection::Consignment;
use smtplib::{Address, Config, Envelope, Error};
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::thread;

/// A Maildir that does not exist yet.
fn place() -> (tempfile::TempDir, PathBuf, Config) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("in a folder").join("mail");
    let config = Config::maildir(&path);
    (folder, path, config)
}

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// The messages in `new`.
fn kept(path: &Path) -> Vec<String> {
    let new = path.join("new");
    let read = |name| String::from_utf8(fs::read(new.join(name)).unwrap()).unwrap();
    names(&new).into_iter().map(read).collect()
}

/// Asserts that nothing is left of messages that were not accepted.
fn assert_clean(path: &Path) {
    assert_eq!(names(&path.join("tmp")), [""; 0]);
}

#[test]
fn a_message_becomes_a_file_with_its_envelope_on_top() {
    let (_folder, path, config) = place();
    let config: Config = config.to_string().parse().unwrap();
    let mut smtp = config.connect().unwrap();
    let outcome = smtp.send_message(&message()).unwrap();
    smtp.quit();
    let name = names(&path.join("new")).pop().unwrap();
    assert_eq!(
        fates(&outcome),
        [
            format!("ben@example.org Accepted 250 2.0.0 kept as {name}"),
            format!("cleo@example.org Accepted 250 2.0.0 kept as {name}"),
        ]
    );
    let text = kept(&path).pop().unwrap();
    let top = "Return-Path: <alice@example.com>\nDelivered-To: ben@example.org\nDelivered-To: cleo@example.org\n";
    assert!(text.starts_with(top), "{text}");
    assert!(text.ends_with("\n\nGrüße\n.\n.. und Punkte\n"), "{text}");
    assert!(!text.contains('\r'));
    assert_clean(&path);
}

#[test]
fn the_octets_are_those_that_were_sent() {
    let (_folder, path, config) = place();
    let mut smtp = config.connect().unwrap();
    for (octets, expected) in [
        ("", ""),
        (".\r\n", ".\n"),
        ("..\n.\n", "..\n.\n"),
        ("no end", "no end\n"),
        ("a\rb\nc", "a\nb\nc\n"),
        ("Grüße\n", "Grüße\n"),
        (" no header\n", "\n no header\n"),
    ] {
        for ignored in [&[][..], &["CHUNKING"], &["PIPELINING", "CHUNKING"]] {
            let mut smtp = config.clone().ignore(ignored.to_vec()).connect().unwrap();
            let outcome = smtp.sendmail("", ["jö@example.org"], octets).unwrap();
            assert!(outcome.is_complete());
            let text = kept(&path).pop().unwrap();
            let expected = format!("Return-Path: <>\nDelivered-To: jö@example.org\n{expected}");
            assert_eq!(text, expected, "{octets:?} without {ignored:?}");
            fs::remove_dir_all(path.join("new")).unwrap();
            fs::create_dir(path.join("new")).unwrap();
        }
    }
    let result = smtp.sendmail("", ["jö@example.org"], "still open");
    assert!(result.unwrap().is_complete());
    assert_clean(&path);
}

#[test]
fn a_batch_is_as_many_files() {
    let (_folder, path, config) = place();
    let mut smtp = config.connect().unwrap();
    let messages = (0..300).map(|number| -> Consignment<'static> {
        let to: Address = "ben@example.org".parse().unwrap();
        (
            Envelope::new(None, [to]),
            format!("{number}\n").repeat(100 + number),
        )
            .into()
    });
    let results: Vec<_> = smtp.send_all(messages).collect();
    assert_eq!(results.len(), 300);
    for result in results {
        assert!(result.unwrap().is_complete());
    }
    let mut lines: Vec<usize> = kept(&path)
        .iter()
        .map(|text| text.lines().count() - 2)
        .collect();
    lines.sort_unstable();
    assert!(lines.into_iter().eq(100..400));
    assert_clean(&path);
}

#[test]
fn many_writers_lose_nothing_and_mix_nothing() {
    let (_folder, path, config) = place();
    let work = |number: usize| {
        let mut smtp = config.connect().unwrap();
        for count in 0..25 {
            let text = format!("writer {number}, message {count}\n").repeat(200);
            let outcome = smtp.sendmail("a@example.org", ["b@example.org"], &text);
            assert!(outcome.unwrap().is_complete());
        }
    };
    thread::scope(|scope| {
        for number in 0..8 {
            scope.spawn(move || work(number));
        }
    });
    let mut firsts: Vec<String> = Vec::new();
    for text in kept(&path) {
        let mut lines = text.lines().skip(2);
        let first = lines.next().unwrap().to_owned();
        assert!(lines.all(|line| line == first), "{text}");
        firsts.push(first);
    }
    firsts.sort();
    firsts.dedup();
    assert_eq!(firsts.len(), 8 * 25);
    assert_clean(&path);
}

#[test]
fn half_a_message_leaves_nothing() {
    /// A reader that fails after many bytes.
    struct Breaking(usize);
    impl Read for Breaking {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0 = self
                .0
                .checked_sub(1)
                .ok_or_else(|| io::Error::other("gone"))?;
            buffer.fill(b'x');
            Ok(buffer.len())
        }
    }
    let (_folder, path, config) = place();
    let to: Address = "ben@example.org".parse().unwrap();
    let envelope = Envelope::new(None, [to]).allow_long_lines(true);
    for ignored in ["DSN", "CHUNKING"] {
        let config = config.clone().ignore([ignored]);
        let mut smtp = config.connect().unwrap();
        let error = smtp.send(&envelope, Breaking(200)).unwrap_err();
        assert_eq!(error.to_string(), "the message could not be read: gone");
        let mut smtp = config.connect().unwrap();
        let mut transaction = smtp.mail("").unwrap();
        transaction.rcpt("ben@example.org").unwrap();
        let mut writer = transaction.data_writer().unwrap();
        writer.write_all(&b"Hi!\n".repeat(100_000)).unwrap();
        drop(writer);
        assert_eq!(names(&path.join("new")), [""; 0]);
        assert_clean(&path);
    }
}

#[test]
fn a_place_that_is_none_is_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let path = file.join("mail");
    let error = unreachable(&Config::maildir(&path));
    let shown = path.display();
    let folder = path.join("cur");
    let start = format!(
        "could not connect to {shown}: {} cannot be written to: ",
        folder.display()
    );
    assert!(error.starts_with(&start), "{error}");
}

// The folder is removed while the connection is open.
#[test]
fn what_cannot_be_kept_is_refused_for_now() {
    let (_folder, path, config) = place();
    let mut smtp = config.connect().unwrap();
    fs::remove_dir(path.join("new")).unwrap();
    let mut send = || smtp.sendmail("", ["ben@example.org"], "Hi!\n");
    let error = send().unwrap_err();
    assert_eq!(facts(&error), "not delivered, transient, 451");
    assert!(matches!(error, Error::DataRefused(_)));
    assert_clean(&path);
    fs::create_dir(path.join("new")).unwrap();
    assert!(send().unwrap().is_complete());
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt;

    let (_folder, path, config) = place();
    let mut smtp = config.connect().unwrap();
    taken(smtp.sendmail("", ["ben@example.org"], "Hi!\n"));
    let name = names(&path.join("new")).pop().unwrap();
    for (path, mode) in [
        (path.join("new").join(name), 0o600),
        (path.join("new"), 0o700),
    ] {
        let permissions = fs::metadata(path).unwrap().permissions();
        assert_eq!(permissions.mode() & 0o777, mode);
    }
}
