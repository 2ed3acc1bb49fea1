//! [`Duplex`]: what a connection needs to read and write.

use std::io;

/// What a connection needs to read and write.
///
/// It is not `Read + Write`: their provided methods would be compiled for each type behind `dyn`, and
/// nobody calls them.
pub(crate) trait Duplex {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize>;
    fn write(&mut self, octets: &[u8]) -> io::Result<usize>;
    fn flush(&mut self) -> io::Result<()>;
}
