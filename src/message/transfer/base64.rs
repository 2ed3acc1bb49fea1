//! Base64 in lines of 76 characters (RFC 2045, 6.8).

use std::io::{self, Write};
use std::sync::LazyLock;

use base64::Engine;
use base64::engine::GeneralPurposeConfig;

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
use base64::engine::GeneralPurpose;
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use base64::engine::Simd;

/// The bytes that make a line of 76 characters.
const LINE: usize = 57;
const ENCODED_LINE: usize = LINE / 3 * 4;
/// How many lines are encoded together: enough for the engine to be fast, and few enough for the
/// first-level cache.
const LINES: usize = 64;
const BLOCK: usize = LINES * LINE;

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
static ENGINE: LazyLock<Simd> = LazyLock::new(|| Simd::standard(GeneralPurposeConfig::new()));
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
static ENGINE: LazyLock<GeneralPurpose> =
    LazyLock::new(|| GeneralPurpose::new(&base64::alphabet::STANDARD, GeneralPurposeConfig::new()));

/// The length of this many bytes in base64: four characters for three bytes, and CRLF between
/// lines. A length that is too large for the number becomes the largest.
pub(crate) fn base64_length(length: u64) -> u64 {
    let ends = length.div_ceil(LINE as u64).saturating_sub(1) * 2;
    length.div_ceil(3).saturating_mul(4).saturating_add(ends)
}

/// Encodes what is written to it. [`Self::finish`] writes the last line, without a line end.
pub(crate) struct Base64Writer<'w> {
    out: &'w mut dyn Write,
    /// Less than a block, waiting for more.
    waiting: Vec<u8>,
    characters: Box<[u8; LINES * ENCODED_LINE]>,
    lines: Vec<u8>,
    started: bool,
}

impl<'w> Base64Writer<'w> {
    pub(crate) fn new(out: &'w mut dyn Write) -> Self {
        Self {
            out,
            waiting: Vec::new(),
            characters: Box::new([0; LINES * ENCODED_LINE]),
            lines: Vec::with_capacity(LINES * (ENCODED_LINE + 2)),
            started: false,
        }
    }

    /// Writes what is left.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        let waiting = std::mem::take(&mut self.waiting);
        self.encode(&waiting)
    }

    /// Encodes at most a block. Every call but the last must have whole lines.
    fn encode(&mut self, octets: &[u8]) -> io::Result<()> {
        let length = ENGINE
            .encode_slice(octets, self.characters.as_mut_slice())
            .map_err(io::Error::other)?;
        self.lines.clear();
        let characters = self.characters.get(..length).unwrap_or_default();
        for line in characters.chunks(ENCODED_LINE) {
            if self.started {
                self.lines.extend_from_slice(b"\r\n");
            }
            self.lines.extend_from_slice(line);
            self.started = true;
        }
        self.out.write_all(&self.lines)
    }
}

impl Write for Base64Writer<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        let mut rest = octets;
        if !self.waiting.is_empty() {
            let (head, tail) = rest.split_at(rest.len().min(BLOCK - self.waiting.len()));
            self.waiting.extend_from_slice(head);
            rest = tail;
            if self.waiting.len() < BLOCK {
                return Ok(octets.len());
            }
            let block = std::mem::take(&mut self.waiting);
            self.encode(&block)?;
        }
        let mut blocks = rest.chunks_exact(BLOCK);
        for block in &mut blocks {
            self.encode(block)?;
        }
        self.waiting.extend_from_slice(blocks.remainder());
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::STANDARD;

    fn encode(chunks: &[&[u8]]) -> String {
        let mut out = Vec::new();
        let mut writer = Base64Writer::new(&mut out);
        for chunk in chunks {
            writer.write_all(chunk).unwrap();
        }
        writer.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    /// 2045-12.
    #[test]
    fn lines_have_76_characters_and_the_last_its_padding() {
        assert_eq!(encode(&[b""]), "");
        assert_eq!(encode(&[b"a"]), "YQ==");
        assert_eq!(encode(&[b"ab"]), "YWI=");
        assert_eq!(encode(&[&[0; 56]]), format!("{}A=", "A".repeat(74)));
        assert_eq!(encode(&[&[0; 57]]), "A".repeat(76));
        assert_eq!(encode(&[&[0; 58]]), format!("{}\r\nAA==", "A".repeat(76)));
    }

    #[test]
    fn cutting_the_input_changes_nothing() {
        let data: Vec<u8> = (0..20_000_u32)
            .map(|n| ((n * n) >> 3).to_le_bytes()[0])
            .collect();
        for length in [0, 1, 57, 3_647, 3_648, 3_649, 7_296, 11_000, 20_000] {
            let data = &data[..length];
            let plain: String = encode(&[data]);
            assert_eq!(plain.replace("\r\n", ""), STANDARD.encode(data));
            assert!(plain.split("\r\n").all(|line| line.len() <= 76));
            assert_eq!(plain.len() as u64, base64_length(length as u64));
            for cut in [1, 10, 57, 1_000, 3_648, 5_000] {
                assert_eq!(encode(&data.chunks(cut).collect::<Vec<_>>()), plain);
            }
        }
    }
}
