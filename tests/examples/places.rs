//! The example `sendmail` with places instead of a server: processes that write to one Maildir.
use crate::program::Program;
use smtplib::Config;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

/// A message to Ben, into a Maildir.
fn sendmail(path: &Path) -> Program {
    let url = Config::maildir(path).to_string();
    Program::new("sendmail").args([
        "--url",
        &url,
        "--from",
        "ann@example.org",
        "ben@example.org",
    ])
}

/// Asserts that the program printed where the message is.
fn assert_kept(said: &str) {
    assert!(said.starts_with("accepted: 250 2.0.0 kept as "), "{said}");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn message(number: usize) -> String {
    format!(
        "Subject: {number}\n\n{}",
        format!("{number}\n").repeat(30_000)
    )
}

#[test]
fn many_processes_write_to_one_maildir() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail");
    let mut running: Vec<_> = (0..12)
        .map(|number| {
            let mut child = sendmail(&path).spawn();
            (child.stdin.take().unwrap(), child, number)
        })
        .collect();
    // All programs run before the first of them gets its message.
    for (input, _, number) in &mut running {
        input.write_all(message(*number).as_bytes()).unwrap();
    }
    for (input, mut child, number) in running {
        drop(input);
        assert!(child.wait().unwrap().success(), "{number}");
    }
    let mut kept: Vec<String> = files(&path.join("new"))
        .iter()
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    let top = "Return-Path: <ann@example.org>\nDelivered-To: ben@example.org\n";
    let mut expected: Vec<String> = (0..12)
        .map(|number| format!("{top}{}", message(number)))
        .collect();
    kept.sort();
    expected.sort();
    assert!(kept == expected, "{} messages", kept.len());
    assert_eq!(files(&path.join("tmp")).len(), 0);
}

#[test]
fn a_writer_that_is_killed_leaves_nothing_to_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail");
    let mut child = sendmail(&path).spawn();
    let mut input = child.stdin.take().unwrap();
    input.write_all(&b"0123456789\n".repeat(100_000)).unwrap();
    let begun = Instant::now();
    let is_written_to = |file: &PathBuf| fs::metadata(file).is_ok_and(|it| it.len() > 64_000);
    while !files(&path.join("tmp")).iter().any(is_written_to) {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "nothing is written"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(files(&path.join("new")).len(), 0);
    assert_eq!(files(&path.join("tmp")).len(), 1);
    // Other programs are not affected.
    let said = sendmail(&path)
        .input("Subject: Hi\n\nHi!\n")
        .run()
        .success();
    assert_kept(&said);
    assert_eq!(files(&path.join("new")).len(), 1);
}

// The signal is ignored, so that writing more than the limit of 8 blocks fails as on a full disk.
#[cfg(target_os = "linux")]
#[test]
fn a_file_that_cannot_grow_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail");
    let url = Config::maildir(&path).to_string();
    let send = |text: String| {
        Program::in_shell("trap '' XFSZ\nulimit -f 8", "sendmail")
            .args([
                "--url",
                &url,
                "--from",
                "ann@example.org",
                "ben@example.org",
            ])
            .input(text)
            .run()
    };
    let complaint = send(message(7)).failure(65);
    assert!(
        complaint.contains("the server refused the message: 552 5.3.4 File too large"),
        "{complaint}"
    );
    for folder in ["new", "tmp"] {
        assert_eq!(files(&path.join(folder)).len(), 0, "{folder}");
    }
    assert_kept(&send("Subject: Hi\n\nHi!\n".to_owned()).success());
    assert_eq!(files(&path.join("new")).len(), 1);
}

#[test]
#[ignore = "needs python3"]
fn python_reads_the_maildir() {
    const SCRIPT: &str = "
import mailbox, sys
box = mailbox.Maildir(sys.argv[1], create=False)
for key in sorted(box.keys()):
    message = box[key]
    print(message.get_subdir(), message['Return-Path'], message.get_all('Delivered-To'),
          message['Subject'], repr(message.get_payload()))
";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mail");
    let sent = sendmail(&path)
        .args(["cleo@example.org"])
        .input("Subject: Hi\n\nHi!\n.\n")
        .run();
    let said = sent.success();
    assert_kept(&said);
    let output = Command::new("python3")
        .args(["-c", SCRIPT])
        .arg(&path)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "new <ann@example.org> ['ben@example.org', 'cleo@example.org'] Hi 'Hi!\\n.\\n'\n"
    );
}
