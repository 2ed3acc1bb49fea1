//! [`Source`]: where the bytes of an attachment come from.

use std::cmp::Ordering;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;
use std::str;
use std::sync::Arc;

use crate::reply::Shown;

/// How many bytes are read from a file at a time.
const CHUNK: usize = 64 * 1024;

/// Opens a source again each time the message is sent.
pub(crate) type Open = dyn Fn() -> io::Result<Box<dyn Read>> + Send + Sync;

/// Bytes in memory, or a reader that is opened each time they are sent.
#[derive(Clone)]
pub(crate) enum Source {
    File(Arc<Path>),
    Memory(Arc<Vec<u8>>),
    Stream { length: u64, open: Arc<Open> },
}

impl Source {
    /// How many bytes there are now.
    pub(crate) fn length(&self) -> io::Result<u64> {
        match self {
            Self::File(path) => file_length(path),
            Self::Memory(octets) => Ok(octets.len() as u64),
            Self::Stream { length, .. } => Ok(*length),
        }
    }

    /// The bytes, if they are in memory.
    pub(crate) fn octets(&self) -> Option<&[u8]> {
        match self {
            Self::Memory(octets) => Some(octets),
            Self::File(_) | Self::Stream { .. } => None,
        }
    }

    /// Passes all bytes that there are now to a function, a piece at a time.
    ///
    /// # Errors
    ///
    /// The error of reading, or of the function.
    pub(crate) fn read(&self, take: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        match self {
            Self::File(path) => read_all(&mut NamedFile::open(path)?, take),
            Self::Memory(octets) => take(octets),
            Self::Stream { open, .. } => read_all(&mut *open()?, take),
        }
    }

    /// Whether the bytes are text in UTF-8; false if they cannot be read.
    pub(crate) fn is_utf8(&self) -> bool {
        // A character may be cut at the end of a piece.
        let mut rest = Vec::new();
        let read = self.read(&mut |octets| {
            rest.extend_from_slice(octets);
            let valid = match str::from_utf8(&rest) {
                Ok(text) => text.len(),
                Err(error) if error.error_len().is_none() => error.valid_up_to(),
                Err(_) => return Err(io::ErrorKind::InvalidData.into()),
            };
            rest.drain(..valid);
            Ok(())
        });
        read.is_ok() && rest.is_empty()
    }

    /// Writes exactly this many bytes, or fails if the length has changed.
    pub(crate) fn copy(&self, length: u64, out: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::File(path) => self.copy_exactly(&mut NamedFile::open(path)?, length, out),
            Self::Memory(octets) => out.write_all(octets),
            Self::Stream { open, .. } => self.copy_exactly(&mut *open()?, length, out),
        }
    }

    fn copy_exactly(
        &self,
        from: &mut dyn Read,
        length: u64,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut chunk = vec![0; CHUNK];
        let mut left = length;
        loop {
            let count = read(from, &mut chunk)?;
            if count == 0 {
                break;
            }
            left = left
                .checked_sub(count as u64)
                .ok_or_else(|| self.changed(Ordering::Greater))?;
            out.write_all(chunk.get(..count).unwrap_or_default())?;
        }
        if left > 0 {
            return Err(self.changed(Ordering::Less));
        }
        Ok(())
    }

    /// The error for a source that has more or fewer bytes than were measured, or than the caller
    /// said a reader has.
    pub(crate) fn changed(&self, how: Ordering) -> io::Error {
        let is_longer = how == Ordering::Greater;
        if let Self::Stream { length, .. } = self {
            let than = if is_longer { "more" } else { "fewer" };
            return self.invalid(&format!(
                "the attachment has {than} bytes than the {length} that were said, give its exact length"
            ));
        }
        let how = if is_longer { "longer" } else { "shorter" };
        self.invalid(&format!(
            "the attachment became {how} while the message was being sent"
        ))
    }

    /// The error for a source with the wrong bytes. If it is a file, the error names it.
    pub(crate) fn invalid(&self, why: &str) -> io::Error {
        let error = io::Error::new(io::ErrorKind::InvalidData, why);
        match self {
            Self::File(path) => named(path, error),
            Self::Memory(_) | Self::Stream { .. } => error,
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "File({path:?})"),
            Self::Memory(octets) => write!(f, "Memory({} bytes)", octets.len()),
            Self::Stream { length, .. } => write!(f, "Stream({length} bytes)"),
        }
    }
}

/// The length of a regular file. The length of a directory, a pipe or a device means nothing.
pub(crate) fn file_length(path: &Path) -> io::Result<u64> {
    let metadata = fs::metadata(path).map_err(|error| named(path, error))?;
    if metadata.is_file() {
        Ok(metadata.len())
    } else {
        let why = "only a regular file can be attached";
        let error = io::Error::new(io::ErrorKind::InvalidInput, why);
        Err(named(path, error))
    }
}

/// The same error with the file's name, which errors of the operating system do not have.
fn named(path: &Path, error: io::Error) -> io::Error {
    let shown = path.to_string_lossy();
    io::Error::new(error.kind(), format!("{}: {error}", Shown(&shown)))
}

/// A file whose errors have its name.
struct NamedFile<'p> {
    path: &'p Path,
    file: File,
}

impl<'p> NamedFile<'p> {
    fn open(path: &'p Path) -> io::Result<Self> {
        let file = File::open(path).map_err(|error| named(path, error))?;
        Ok(Self { path, file })
    }
}

impl Read for NamedFile<'_> {
    fn read(&mut self, octets: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(octets);
        read.map_err(|error| named(self.path, error))
    }
}

fn read_all(from: &mut dyn Read, take: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    loop {
        match read(from, &mut chunk)? {
            0 => return Ok(()),
            count => take(chunk.get(..count).unwrap_or_default())?,
        }
    }
}

fn read(from: &mut dyn Read, chunk: &mut [u8]) -> io::Result<usize> {
    loop {
        match from.read(chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn copy(data: &[u8], length: u64) -> Result<Vec<u8>, String> {
        let mut out = Vec::new();
        let data = data.to_vec();
        let open = move || Ok(Box::new(Cursor::new(data.clone())) as Box<dyn Read>);
        let stream = Source::Stream {
            length,
            open: Arc::new(open),
        };
        stream
            .copy(length, &mut out)
            .map_err(|error| error.to_string())?;
        Ok(out)
    }

    /// B9: also if a character is cut between two pieces.
    #[test]
    fn text_is_told_from_octets() {
        let text = "aü€🦀".repeat(50_000);
        for (octets, is_text) in [
            (text.as_bytes(), true),
            (b"", true),
            (&text.as_bytes()[..text.len() - 1], false),
            (b"Gr\xfc\xdfe", false),
        ] {
            let memory = Source::Memory(Arc::new(octets.to_vec()));
            assert_eq!(memory.is_utf8(), is_text);
            let octets = octets.to_vec();
            let open = move || {
                let reader = Cursor::new(octets.clone());
                Ok(Box::new(reader.take(u64::MAX)) as Box<dyn Read>)
            };
            let stream = Source::Stream {
                length: 0,
                open: Arc::new(open),
            };
            assert_eq!(stream.is_utf8(), is_text);
        }
    }

    #[test]
    fn only_the_measured_length_is_copied() {
        let data = vec![7; 3 * CHUNK + 1];
        assert_eq!(copy(&data, data.len() as u64), Ok(data.clone()));
        assert_eq!(
            copy(&data, data.len() as u64 + 1).unwrap_err(),
            "the attachment has fewer bytes than the 196610 that were said, give its exact length"
        );
        assert_eq!(
            copy(&data, data.len() as u64 - 1).unwrap_err(),
            "the attachment has more bytes than the 196608 that were said, give its exact length"
        );
        assert_eq!(copy(b"", 0), Ok(Vec::new()));
    }
}
