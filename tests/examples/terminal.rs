//! A terminal, for programs that behave differently if they write to one.
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::File;
use std::io::{Read, Write};
use std::process::Stdio;
use std::thread::{self, JoinHandle};

/// A terminal, with its keyboard and its screen.
#[derive(Debug)]
pub(crate) struct Terminal {
    keyboard: File,
    path: String,
    screen: Option<JoinHandle<Vec<u8>>>,
    /// If this were not open, the screen would end before the program begins.
    open: Option<File>,
}

impl Terminal {
    /// Opens a terminal; `None` if the machine has none, as in a bare chroot.
    pub(crate) fn new() -> Option<Self> {
        let keyboard = match openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY) {
            Ok(keyboard) => keyboard,
            Err(error) => {
                eprintln!("skipped: this machine has no terminals: {error}");
                return None;
            }
        };
        grantpt(&keyboard).unwrap();
        unlockpt(&keyboard).unwrap();
        let path = ptsname(&keyboard, Vec::new()).unwrap();
        let path = path.into_string().unwrap();
        let keyboard = File::from(keyboard);
        let mut screen = keyboard.try_clone().unwrap();
        Some(Self {
            open: Some(open(&path)),
            keyboard,
            path,
            screen: Some(thread::spawn(move || {
                let mut shown = Vec::new();
                // Reading ends with an error when no process has the terminal open.
                let _ = screen.read_to_end(&mut shown);
                shown
            })),
        })
    }

    pub(crate) fn side_of_the_program(&self) -> Stdio {
        open(&self.path).into()
    }

    /// Presses these keys.
    pub(crate) fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Everything that was shown, after the program has ended.
    pub(crate) fn shown(mut self) -> String {
        drop(self.open.take());
        let shown = self.screen.take().unwrap().join().unwrap();
        String::from_utf8(shown).unwrap()
    }
}

fn open(path: &str) -> File {
    let mut options = File::options();
    options.read(true).write(true).open(path).unwrap()
}
