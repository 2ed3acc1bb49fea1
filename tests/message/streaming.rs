//! Attachments that are read while the message is written.

use std::env;
use std::fs::{self, File};
use std::io::{self, Cursor, Read, Write};
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use smtplib::{Attachment, Message, Part};

const MIB: u64 = 1024 * 1024;

/// A file that is removed at the end.
struct TempFile(PathBuf);

impl TempFile {
    fn new(name: &str, length: u64) -> Self {
        let path = env::temp_dir().join(format!("smtplib-{name}-{}", std::process::id()));
        File::create(&path).unwrap().set_len(length).unwrap();
        Self(path)
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn with(attachment: Attachment) -> Message {
    Message::builder()
        .from("a@example.org")
        .text("attached\n")
        .attach(attachment)
        .build()
        .unwrap()
}

/// Changes a file as soon as part of the message has been written.
struct Meddler<'f> {
    file: &'f TempFile,
    length: u64,
}

impl Write for Meddler<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        File::options()
            .write(true)
            .open(&self.file.0)?
            .set_len(self.length)?;
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_file_that_changes_while_it_is_sent_is_an_error() {
    for (length, how) in [
        (MIB / 2, "shorter"),
        (2 * MIB, "longer"),
        (MIB + 1, "longer"),
    ] {
        let file = TempFile::new(how, MIB);
        let message = with(Attachment::from_path(&file.0).unwrap());
        let mut out = Meddler {
            file: &file,
            length,
        };
        let error = message.write_to(&mut out).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "{}: the attachment became {how} while the message was being sent",
                file.0.display()
            )
        );
    }
}

#[test]
fn a_reader_is_opened_each_time_and_held_to_its_length() {
    let data: Vec<u8> = (0..200_000_u32).map(|n| (n % 251) as u8).collect();
    let source = data.clone();
    let open = move || Ok(Cursor::new(source.clone()));
    let message = with(Attachment::streamed("data.bin", 200_000, open.clone()));
    let encoded = STANDARD.encode(&data);
    for _ in 0..2 {
        let text = String::from_utf8(message.to_bytes().unwrap()).unwrap();
        assert!(text.replace("\r\n", "").contains(&encoded));
    }
    for wrong in [199_999, 200_001] {
        let message = with(Attachment::streamed("data.bin", wrong, open.clone()));
        assert_eq!(
            message.to_bytes().unwrap_err().kind(),
            io::ErrorKind::InvalidData
        );
    }
    let read = Attachment::from_reader("data.bin", Cursor::new(&data).take(100)).unwrap();
    let text = String::from_utf8(with(read).to_bytes().unwrap()).unwrap();
    assert!(text.contains(&STANDARD.encode(&data[..57])));
}

/// A reader has always the same length, so what was said about it was wrong.
#[test]
fn a_reader_of_another_length_is_told_from_a_file_that_changed() {
    let streamed = |length: u64| Attachment::streamed("m", length, || Ok(&b"Subject: x\n\n"[..]));
    for (length, than) in [
        (11, "more bytes than the 11"),
        (13, "fewer bytes than the 13"),
    ] {
        let sentence = format!("the attachment has {than} that were said, give its exact length");
        let error = with(streamed(length)).to_bytes().unwrap_err();
        assert_eq!(error.to_string(), sentence);
        let lines = streamed(length).media_type("message/rfc822");
        let builder = Message::builder().from("a@example.org").attach(lines);
        assert_eq!(
            builder.build().unwrap_err().to_string(),
            format!("attachment m: the file cannot be read: {sentence}")
        );
    }
}

/// Nothing is wrong with a length until the reader has another.
#[test]
fn a_length_beyond_memory_is_an_error_and_no_panic() {
    for length in [1 << 50, u64::MAX / 2, u64::MAX - 1, u64::MAX] {
        let message = with(Attachment::streamed("x.bin", length, || Ok(io::empty())));
        let error = message.to_bytes().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::OutOfMemory);
        let error = message.write_to(&mut io::sink()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}

/// Set in the process of a test that measures its own memory.
#[cfg(target_os = "linux")]
const ALONE: &str = "SMTPLIB_TEST_ALONE";

/// Runs an ignored test alone in a process.
#[cfg(target_os = "linux")]
fn run_alone(test: &str) {
    let mut program = std::process::Command::new(env::current_exe().unwrap());
    let program = program
        .args(["--exact", test, "--ignored"])
        .env(ALONE, "yes");
    let output = program.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}");
    assert!(said.contains("1 passed"), "there is no test {test}");
}

/// Sending a hundred mebibytes takes less than eight of memory. The process that is measured does
/// nothing else.
#[test]
#[cfg(target_os = "linux")]
fn memory_does_not_grow_with_the_attachment() {
    run_alone("streaming::a_large_file_is_streamed");
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "run by memory_does_not_grow_with_the_attachment in a process of its own"]
fn a_large_file_is_streamed() {
    if env::var_os(ALONE).is_none() {
        return;
    }
    let file = TempFile::new("large", 100 * MIB);
    let before = peak_memory();
    let message = with(Attachment::from_path(&file.0).unwrap());
    message.write_to(&mut io::sink()).unwrap();
    let grown = peak_memory() - before;
    assert!(grown < 8 * 1024, "{grown} KiB");
}

/// D4: the same for an attached message, which is sent as lines.
#[test]
#[cfg(target_os = "linux")]
fn memory_does_not_grow_with_a_message_in_a_file() {
    run_alone("streaming::a_large_message_is_streamed");
}

#[test]
#[cfg(target_os = "linux")]
#[ignore = "run by memory_does_not_grow_with_a_message_in_a_file in a process of its own"]
fn a_large_message_is_streamed() {
    if env::var_os(ALONE).is_none() {
        return;
    }
    let file = TempFile::new("large-message", 0);
    let mut out = File::create(&file.0).unwrap();
    let lines = format!("{}\n", "x".repeat(63)).repeat(16 * 1024);
    for _ in 0..40 {
        out.write_all(lines.as_bytes()).unwrap();
    }
    drop(lines);
    let before = peak_memory();
    let named = Attachment::from_path(&file.0).unwrap();
    let message = with(named.media_type("message/rfc822"));
    message.write_to(&mut io::sink()).unwrap();
    let grown = peak_memory() - before;
    assert!(grown < 8 * 1024, "{grown} KiB");
}

/// D4: lines from a file have CRLF line ends, and are those that were scanned.
#[test]
fn a_message_in_a_file_is_read_when_it_is_sent() {
    let inner = "From: a@example.org\nSubject: x\r\n\rFrom here\n.\nlast";
    let file = TempFile::new("lines", 0);
    fs::write(&file.0, inner).unwrap();
    let attached = || Attachment::from_path(&file.0).unwrap();
    let message = with(attached().media_type("message/rfc822"));
    let text = String::from_utf8(message.to_bytes().unwrap()).unwrap();
    let lines = "From: a@example.org\r\nSubject: x\r\n\r\nFrom here\r\n.\r\nlast\r\n--";
    assert!(text.contains(lines), "{text}");
    assert!(!text.contains("Content-Transfer-Encoding"), "{text}");
    // The file has the same length, but another message.
    fs::write(&file.0, inner.replace("last", "l\0st")).unwrap();
    assert_eq!(
        message.to_bytes().unwrap_err().to_string(),
        format!(
            "{}: the attachment changed after the message was built",
            file.0.display()
        )
    );
    fs::write(&file.0, "short").unwrap();
    let error = message.to_bytes().unwrap_err().to_string();
    assert!(
        error.ends_with("the attachment became shorter while the message was being sent"),
        "{error}"
    );
    // A boundary from the caller is searched for in the file, too.
    fs::write(&file.0, format!("{}\n--mine--\n", "x\n".repeat(40_000))).unwrap();
    let body = Part::mixed([Part::from(attached().media_type("message/rfc822"))]);
    let builder = Message::builder()
        .from("a@example.org")
        .body(body.boundary("mine"));
    let error = builder.build().unwrap_err().to_string();
    assert!(
        error.starts_with("body: give a multipart a boundary"),
        "{error}"
    );
}

/// The most memory that this process ever had, in KiB.
#[cfg(target_os = "linux")]
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
