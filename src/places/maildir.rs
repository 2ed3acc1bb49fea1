//! [`Maildir`]: messages as files in a folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::places::local_lines::LocalLines;
use crate::places::offers::Offers;
use crate::places::store::{Answer, Halt, Mail, Store};
use crate::places::unique::unique_name;
use crate::places::{LOCAL_OFFERS, PlaceStream};
use crate::transport::Transport;

/// How much of a message is collected before it is written.
const BUFFER: usize = 64 * 1024;
/// The folders of a Maildir: what is read, what is new, and what is being written.
const FOLDERS: [&str; 3] = ["cur", "new", "tmp"];

/// A Maildir (<https://cr.yp.to/proto/maildir.html>): each message is a file, written in `tmp` and
/// moved to `new` when it is complete and on the disk.
///
/// So a reader never sees half a message, not even after a crash.
#[derive(Debug)]
pub(crate) struct Maildir {
    path: PathBuf,
    draft: Option<Draft>,
}

/// Opens a Maildir, and makes it if it is missing.
pub(crate) fn open(path: &Path) -> io::Result<Box<dyn Transport>> {
    for folder in FOLDERS {
        let folder = path.join(folder);
        create_folder(&folder).map_err(|error| about(&folder, error))?;
    }
    let maildir = Maildir {
        path: path.into(),
        draft: None,
    };
    // Fail now, and not with the first message, if it cannot be written to.
    maildir
        .draft()
        .map_err(|error| about(&path.join("tmp"), error))?;
    Ok(Box::new(PlaceStream::new(
        maildir,
        Offers::new(LOCAL_OFFERS),
    )))
}

fn about(path: &Path, error: io::Error) -> io::Error {
    let text = format!("{} cannot be written to: {error}", path.display());
    io::Error::new(error.kind(), text)
}

/// Only the owner may read mail.
fn create_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

fn create_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

impl Maildir {
    /// Begins a file under a name that is not in use.
    fn draft(&self) -> io::Result<Draft> {
        loop {
            let name = unique_name();
            let path = self.path.join("tmp").join(&name);
            match create_file(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                file => {
                    return Ok(Draft {
                        file: Some(file?),
                        path,
                        name,
                        buffer: Vec::new(),
                        lines: LocalLines::default(),
                        is_begun: false,
                    });
                }
            }
        }
    }
}

impl Store for Maildir {
    fn begin(&mut self, mail: &Mail) -> Result<(), Answer> {
        let mut draft = self.draft().map_err(|error| refusal(&error))?;
        draft.buffer = trace_fields(mail);
        self.draft = Some(draft);
        Ok(())
    }

    fn write(&mut self, octets: &[u8], _deadline: Option<Instant>) -> Result<(), Halt> {
        let Some(draft) = &mut self.draft else {
            return Err(Halt::Lost);
        };
        let written = draft.write(octets);
        written.map_err(|error| refusal(&error).into())
    }

    fn end(&mut self, _deadline: Option<Instant>) -> Result<Answer, Halt> {
        let Some(draft) = self.draft.take() else {
            return Err(Halt::Lost);
        };
        let name = draft.name.clone();
        let kept = draft.keep(&self.path.join("new"));
        kept.map_err(|error| refusal(&error))?;
        Ok(Answer::new(250, format!("2.0.0 kept as {name}")))
    }

    fn abort(&mut self) {
        self.draft = None;
    }
}

/// The header fields of the last delivery (RFC 5321, 4.4; `Delivered-To` is the custom). An address
/// has no line end.
fn trace_fields(mail: &Mail) -> Vec<u8> {
    let sender = mail.sender.as_ref().map(ToString::to_string);
    let mut fields = format!("Return-Path: <{}>\n", sender.unwrap_or_default());
    for (recipient, _) in &mail.recipients {
        fields.push_str(&format!("Delivered-To: {recipient}\n"));
    }
    fields.into_bytes()
}

/// The reply if a file cannot be written. A later try may succeed, unless the message is too large
/// for the file system.
fn refusal(error: &io::Error) -> Answer {
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            Answer::new(452, format!("4.3.1 no space is left: {error}"))
        }
        ErrorKind::FileTooLarge => Answer::new(552, format!("5.3.4 {error}")),
        _ => Answer::new(451, format!("4.3.0 the message cannot be written: {error}")),
    }
}

/// A message on its way. Dropped before its end, it leaves nothing behind.
#[derive(Debug)]
struct Draft {
    /// None once the file was moved to its folder.
    file: Option<File>,
    path: PathBuf,
    name: String,
    buffer: Vec<u8>,
    lines: LocalLines,
    is_begun: bool,
}

impl Draft {
    fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        // A first line that begins with a space would continue our last field (RFC 5322, 2.2.3).
        if !std::mem::replace(&mut self.is_begun, true) && matches!(octets, [b' ' | b'\t', ..]) {
            self.buffer.push(b'\n');
        }
        for piece in octets.chunks(BUFFER) {
            self.lines.convert(piece, &mut self.buffer);
            if self.buffer.len() >= BUFFER {
                self.flush()?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(file) = &mut self.file {
            file.write_all(&self.buffer)?;
        }
        self.buffer.clear();
        Ok(())
    }

    /// Moves the message to this folder, once it is on the disk.
    fn keep(mut self, folder: &Path) -> io::Result<()> {
        self.lines.finish(&mut self.buffer);
        self.flush()?;
        let Some(file) = &self.file else {
            return Ok(());
        };
        file.sync_all()?;
        let path = folder.join(&self.name);
        // Windows moves no file that is open.
        self.file = None;
        let moved = fs::rename(&self.path, &path);
        if let Err(error) = moved {
            let _ = fs::remove_file(&self.path);
            return Err(error);
        }
        sync_folder(folder).inspect_err(|_| {
            // After an error the client sends it again, so no copy may stay.
            let _ = fs::remove_file(&path);
        })
    }
}

/// Flushes the folder's new entry to the disk, on file systems that can.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    match File::open(path)?.sync_all() {
        Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(()),
        result => result,
    }
}

#[cfg(not(unix))]
fn sync_folder(_path: &Path) -> io::Result<()> {
    Ok(())
}

impl Drop for Draft {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // Readers of the Maildir delete old files in `tmp` after 36 hours.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(sender: Option<&str>, recipients: &[&str]) -> Mail {
        let address = |text: &&str| (text.parse().unwrap(), Vec::new());
        Mail {
            sender: sender.map(|text| text.parse().unwrap()),
            parameters: Vec::new(),
            recipients: recipients.iter().map(address).collect(),
        }
    }

    fn maildir() -> (tempfile::TempDir, Maildir) {
        let folder = tempfile::tempdir().unwrap();
        for name in FOLDERS {
            create_folder(&folder.path().join(name)).unwrap();
        }
        let path = folder.path().to_owned();
        (folder, Maildir { path, draft: None })
    }

    fn files(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    fn kept(pieces: &[&[u8]]) -> Vec<u8> {
        let (folder, mut maildir) = maildir();
        maildir.begin(&mail(None, &["a@b.example"])).unwrap();
        for piece in pieces {
            maildir.write(piece, None).unwrap();
        }
        maildir.end(None).unwrap();
        let files = files(&folder.path().join("new"));
        fs::read(&files[0]).unwrap()
    }

    #[test]
    fn the_envelope_stands_on_top() {
        for (sender, recipients, fields) in [
            (
                None,
                &["a@b.example"][..],
                "Return-Path: <>\nDelivered-To: a@b.example\n",
            ),
            (
                Some("\"a b\"@c.example"),
                &["jö@d.example", "x@[192.0.2.1]"],
                "Return-Path: <\"a b\"@c.example>\nDelivered-To: jö@d.example\nDelivered-To: x@[192.0.2.1]\n",
            ),
        ] {
            let made = trace_fields(&mail(sender, recipients));
            assert_eq!(String::from_utf8(made).unwrap(), fields);
        }
    }

    #[test]
    fn lines_end_as_files_have_them_and_no_field_of_ours_goes_on() {
        let fields = "Return-Path: <>\nDelivered-To: a@b.example\n";
        for (message, behind) in [
            ("Subject: x\r\n\r\nHi\r\n", "Subject: x\n\nHi\n"),
            (" evil: x\r\n", "\n evil: x\n"),
            ("\tx\r\n", "\n\tx\n"),
            ("\r\nHi\r\n", "\nHi\n"),
            ("", ""),
            ("a\rb\r", "a\rb\r"),
        ] {
            let expected = format!("{fields}{behind}");
            for at in 0..=message.len() {
                let (head, tail) = message.as_bytes().split_at(at);
                let pieces = if at == 0 {
                    vec![tail]
                } else {
                    vec![head, tail]
                };
                assert_eq!(kept(&pieces), expected.as_bytes(), "{message:?} at {at}");
            }
        }
    }

    #[test]
    fn what_is_called_off_leaves_nothing() {
        let (folder, mut maildir) = maildir();
        maildir.begin(&mail(None, &["a@b.example"])).unwrap();
        maildir.write(&[b'x'; 3 * BUFFER], None).unwrap();
        assert_eq!(files(&folder.path().join("tmp")).len(), 1);
        maildir.abort();
        maildir.begin(&mail(None, &["a@b.example"])).unwrap();
        drop(maildir);
        for name in FOLDERS {
            assert_eq!(files(&folder.path().join(name)).len(), 0, "{name}");
        }
    }

    #[test]
    fn a_folder_that_is_gone_is_told_and_leaves_nothing() {
        let (folder, mut maildir) = maildir();
        maildir.begin(&mail(None, &["a@b.example"])).unwrap();
        fs::remove_dir(folder.path().join("new")).unwrap();
        let Err(Halt::Refused(answer)) = maildir.end(None) else {
            panic!("it was kept");
        };
        assert_eq!(answer.code, 451);
        assert_eq!(files(&folder.path().join("tmp")).len(), 0);
        fs::remove_dir(folder.path().join("tmp")).unwrap();
        let begun = maildir.begin(&mail(None, &["a@b.example"]));
        assert_eq!(begun.unwrap_err().code, 451);
    }

    #[test]
    fn a_full_disk_is_told_from_other_failures() {
        for (kind, code) in [
            (ErrorKind::StorageFull, 452),
            (ErrorKind::QuotaExceeded, 452),
            (ErrorKind::FileTooLarge, 552),
            (ErrorKind::PermissionDenied, 451),
        ] {
            assert_eq!(refusal(&kind.into()).code, code, "{kind:?}");
        }
    }
}
