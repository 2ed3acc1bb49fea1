use crate::program::Program;
use mail_parser::{MessageParser, MimeHeaders};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

#[test]
fn what_the_other_examples_send_arrives_in_full() {
    let directory = tempfile::tempdir().unwrap();
    // A path that a shell would split if the printed lines did not quote it.
    let awkward = directory.path().join("it's $HOME");
    fs::create_dir(&awkward).unwrap();
    let serving = Serving::start(&awkward);

    for (number, name) in [(1, "send_attachment"), (2, "send_text")] {
        let said = Program::in_shell(&serving.variables, name).run().success();
        assert_eq!(
            said,
            format!(
                "bob@example.org was accepted: 250 2.0.0 taken as message {number}\n\
                 carol@example.org was accepted: 250 2.0.0 taken as message {number}\n"
            )
        );
    }
    let (picture, file) = (awkward.join("Zoë.png"), awkward.join("a;b.pdf"));
    // Every byte value, with lines of one dot.
    let octets: Vec<u8> = (0..=255)
        .chain(*b"\r\n.\r\n.\n")
        .cycle()
        .take(70_001)
        .collect();
    fs::write(&picture, &octets).unwrap();
    fs::write(&file, &octets[1..]).unwrap();
    Program::in_shell(&serving.variables, "send_attachment")
        .args([&picture, &file])
        .run()
        .success();

    let folder = folder_in(&awkward);
    let told = [1, 2, 3].map(|number| {
        let file = folder.join(format!("message-{number}.eml"));
        format!(
            "Message {number} for bob@example.org, carol@example.org: {}",
            file.display()
        )
    });
    assert_eq!(serving.end(), (told.join("\n"), String::new()));

    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/attachments");
    assert_attachments(
        &fs::read(folder.join("message-1.eml")).unwrap(),
        ("logo.png", &fs::read(ours.join("logo.png")).unwrap()),
        ("report.pdf", &fs::read(ours.join("report.pdf")).unwrap()),
    );
    let text = fs::read(folder.join("message-2.eml")).unwrap();
    let text = MessageParser::new().parse(&text).unwrap();
    assert_eq!(text.subject(), Some("Déjà vu?"));
    assert_attachments(
        &fs::read(folder.join("message-3.eml")).unwrap(),
        ("Zoë.png", &octets),
        ("a;b.pdf", &octets[1..]),
    );
}

/// Asserts that this is the message of `send_attachment`, with these files.
fn assert_attachments(octets: &[u8], picture: (&str, &[u8]), file: (&str, &[u8])) {
    let message = MessageParser::new().parse(octets).unwrap();
    assert_eq!(message.subject(), Some("The report"));
    assert_eq!(message.body_text(0).unwrap(), "The report is attached.\r\n");
    assert_eq!(
        message.body_html(0).unwrap(),
        "<p><img src=\"cid:logo@example.com\"> The <b>report</b> is attached.</p>\r\n"
    );
    let parts: Vec<_> = message.attachments().collect();
    let [inline, attached] = parts[..] else {
        panic!("{} attachments", parts.len());
    };
    for (part, media_type, disposition, (name, content)) in [
        (inline, "image/png", "inline", picture),
        (attached, "application/pdf", "attachment", file),
    ] {
        let content_type = part.content_type().unwrap();
        let subtype = content_type.subtype().unwrap();
        assert_eq!(format!("{}/{subtype}", content_type.ctype()), media_type);
        assert_eq!(part.content_disposition().unwrap().ctype(), disposition);
        assert_eq!(part.attachment_name(), Some(name));
        assert!(part.contents() == content, "{name} has changed");
    }
    assert_eq!(inline.content_id(), Some("logo@example.com"));
}

#[test]
fn a_client_that_does_not_know_the_root_sends_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let serving = Serving::start(directory.path());
    let variables = format!("{}unset SSL_CERT_FILE\n", serving.variables);
    let complaint = Program::in_shell(&variables, "send_text").run().failure(1);
    assert!(complaint.contains("certificate"), "{complaint}");
    assert_eq!(serving.end(), Default::default());
}

#[test]
fn what_cannot_be_kept_is_not_taken() {
    let directory = tempfile::tempdir().unwrap();
    let serving = Serving::start(directory.path());
    let folder = folder_in(directory.path());
    fs::create_dir(folder.join("message-1.eml")).unwrap();
    let send = || Program::in_shell(&serving.variables, "send_text").run();
    let refused = send().failure(1);
    assert!(
        refused.contains("451 Aborted: local error in processing"),
        "{refused}"
    );
    assert!(
        send()
            .success()
            .ends_with(": 250 2.0.0 taken as message 2\n")
    );
    let (said, complaint) = serving.end();
    assert!(
        said.starts_with("Message 2 for ") && said.lines().count() == 1,
        "{said}"
    );
    assert!(
        complaint.starts_with("message 1 is not taken: "),
        "{complaint}"
    );
}

#[test]
fn another_word_is_told_in_words() {
    let complaint = Program::new("quickstart").args(["server"]).run().failure(1);
    assert_eq!(complaint, "quickstart: give no argument, or `serve`\n");
}

/// A running `quickstart -- serve`. It is killed unless the test ends it.
pub(crate) struct Serving {
    child: Child,
    pub(crate) lines: Receiver<String>,
    /// The lines to paste.
    pub(crate) variables: String,
}

impl Serving {
    /// Starts a server that makes its folder in this one.
    pub(crate) fn start(temporary: &Path) -> Self {
        let mut program = Program::new("quickstart")
            .args(["serve"])
            .env("TMPDIR", temporary);
        let mut child = program.spawn();
        let lines = lines_of(child.stdout.take().unwrap());
        let mut serving = Self {
            child,
            lines,
            variables: String::new(),
        };
        while !serving.variables.contains("SSL_CERT_FILE") {
            let line = serving.lines.recv_timeout(PATIENCE).unwrap();
            if line.starts_with("export ") {
                serving.variables += &format!("{line}\n");
            }
        }
        assert_eq!(serving.lines.recv_timeout(PATIENCE).unwrap(), "");
        serving
    }

    /// Closes its standard input, which must end it with success. Returns the rest of its output,
    /// and its standard error.
    pub(crate) fn end(mut self) -> (String, String) {
        drop(self.child.stdin.take());
        let mut said = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => said.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it goes on after {said:?}"),
            }
        }
        let mut complaints = String::new();
        let mut stderr = self.child.stderr.take().unwrap();
        stderr.read_to_string(&mut complaints).unwrap();
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{status} {complaints}");
        (said.join("\n"), complaints)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends the lines through a channel, so that waiting for one can time out.
pub(crate) fn lines_of(stdout: ChildStdout) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines() {
            let _ = sender.send(line.unwrap());
        }
    });
    lines
}

/// The folder that the server made.
pub(crate) fn folder_in(temporary: &Path) -> PathBuf {
    let mut paths = fs::read_dir(temporary)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    paths.find(|path| path.is_dir()).unwrap()
}

/// Longer than every step here takes on a slow machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
