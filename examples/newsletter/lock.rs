//! The file that keeps a second run away while the first is at work.

use std::fs::{self, OpenOptions};
use std::io::ErrorKind;
use std::path::PathBuf;

/// Two runs at once would send to each reader twice. The file is removed when this is dropped; if the
/// program is killed, it stays.
pub(crate) struct Lock {
    path: PathBuf,
}

impl Lock {
    pub(crate) fn take(path: PathBuf) -> Result<Self, String> {
        let made = OpenOptions::new().write(true).create_new(true).open(&path);
        match made {
            Ok(_) => Ok(Self { path }),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(format!(
                "{} is there: if no other run is at work, delete it",
                path.display()
            )),
            Err(error) => Err(format!("{}: {error}", path.display())),
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // If it cannot be removed, the next run says what to do.
        let _ = fs::remove_file(&self.path);
    }
}
