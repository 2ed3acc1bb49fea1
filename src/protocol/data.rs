//! [`DataEncoder`] encodes a message for DATA. [`Profile`] tells what a message needs from a server
//! before MAIL is sent.
//!
//! Whether an octet needs work depends only on the octet and its neighbour. So both types compare
//! the pairs of a whole block in a loop without branches. The compiler turns that loop into vector
//! instructions. If a block needs work, the encoder goes on line by line.

/// Most octets of a line, without its CRLF and before dot-stuffing (RFC 5321, 4.5.3.1.6).
pub(crate) const MAX_LINE: usize = 998;

const CR: u8 = b'\r';
const LF: u8 = b'\n';

/// Encodes a message for DATA: every line ends in CRLF (RFC 5321, 2.3.8), and a dot at the start of
/// a line is doubled (4.5.2).
///
/// A bare CR or a bare LF becomes CRLF, too. Otherwise a lenient server could find an end of data
/// in the middle of the message. Nothing else is changed. The message may come in pieces of any
/// size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DataEncoder {
    /// Whether the message goes in chunks (RFC 3030). Chunks have no end of data, so no dot is
    /// doubled.
    is_chunked: bool,
    /// The last octet of the message so far. If it is a CR, its LF still has to be written.
    last: u8,
}

impl DataEncoder {
    pub(crate) const fn new() -> Self {
        // The first line is treated as if a line end came before it.
        Self {
            is_chunked: false,
            last: LF,
        }
    }

    /// An encoder for BDAT: line ends become CRLF, and nothing else is changed.
    pub(crate) const fn chunked() -> Self {
        Self {
            is_chunked: true,
            ..Self::new()
        }
    }

    /// The most octets that [`encode`](Self::encode) appends for `input` octets.
    pub(crate) const fn max_growth(input: usize) -> usize {
        // Every octet may become two, and the piece before may still need an LF.
        2 * input + 1
    }

    /// Appends the next piece of the message to `out`, encoded.
    pub(crate) fn encode(&mut self, input: &[u8], out: &mut Vec<u8>) {
        let mut rest = input;
        while let Some(&next) = rest.first() {
            if !needs_work(self.last, next) {
                rest = self.copy_blocks(rest, out);
            }
            rest = self.encode_lines(rest, out);
        }
    }

    /// Completes the CRLF of the last line, and appends the end of data. For an empty message, only
    /// `.` and CRLF are appended.
    pub(crate) fn finish(self, out: &mut Vec<u8>) {
        out.extend_from_slice(missing_end(self.last));
        if !self.is_chunked {
            out.extend_from_slice(b".\r\n");
        }
    }

    /// Copies blocks until one needs work. Returns the rest.
    fn copy_blocks<'a>(&mut self, input: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
        let mut rest = input;
        while let Some(window) = rest.first_chunk() {
            if contains_work(window) {
                break;
            }
            let (block, tail) = rest.split_at(BLOCK);
            out.extend_from_slice(block);
            self.last = window[BLOCK - 1];
            rest = tail;
        }
        rest
    }

    /// Encodes lines until several in a row needed no work. Returns the rest.
    fn encode_lines<'a>(&mut self, input: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
        let mut rest = input;
        let mut unchanged = 0;
        while unchanged < UNCHANGED_LINES && !rest.is_empty() {
            let (left, written) = (rest.len(), out.len());
            rest = self.encode_line(rest, out);
            let is_unchanged = left - rest.len() == out.len() - written;
            unchanged = if is_unchanged { unchanged + 1 } else { 0 };
        }
        rest
    }

    /// Encodes up to and including the next CR or LF. Returns the rest. After a CR, the next call
    /// handles the LF.
    fn encode_line<'a>(&mut self, input: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
        let mut line = input;
        if self.last == CR {
            out.push(LF);
            self.last = LF;
            line = line.strip_prefix(&[LF]).unwrap_or(line);
        }
        if self.last == LF && line.first() == Some(&b'.') && !self.is_chunked {
            out.push(b'.');
        }
        let (text, end) = line.split_at(length_before_end(line));
        out.extend_from_slice(text);
        match end {
            [CR, rest @ ..] => {
                out.push(CR);
                self.last = CR;
                rest
            }
            [_, rest @ ..] => {
                out.extend_from_slice(b"\r\n");
                self.last = LF;
                rest
            }
            [] => {
                self.last = text.last().copied().unwrap_or(self.last);
                end
            }
        }
    }
}

impl Default for DataEncoder {
    fn default() -> Self {
        Self::new()
    }
}

/// How many octets are copied at a time if none of them needs work.
const BLOCK: usize = 64;
/// After this many lines without work, the encoder copies blocks again.
const UNCHANGED_LINES: u32 = 8;

/// Whether an octet of the block needs work, or the octet after the block needs a dot before it.
fn contains_work(window: &[u8; BLOCK + 1]) -> bool {
    let pairs = window.iter().zip(&window[1..]);
    pairs.fold(false, |found, (&octet, &next)| {
        found | needs_work(octet, next)
    })
}

/// The properties of a message that decide how it is sent, with any kind of line end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Profile {
    /// The size that SIZE declares (RFC 1870, 5). It counts CRLF at the end of every line,
    /// including the last, but neither added dots nor the end of data. It equals the length of the
    /// message if and only if every line ends in CRLF already.
    pub(crate) size: u64,
    /// The length of the longest line without its CRLF, if it is more than [`MAX_LINE`].
    pub(crate) overlong_line: Option<usize>,
    /// Whether an octet is above 127, so that the message needs 8BITMIME (RFC 6152, 2).
    pub(crate) is_8bit: bool,
    /// Whether an octet is 0, which neither 7-bit nor 8-bit data may hold (RFC 2045, 2.7 and 2.8).
    pub(crate) has_nul: bool,
    /// Whether every line ends in CRLF and none begins with a dot, so that the encoder would change
    /// nothing. It is false if this was not checked.
    pub(crate) is_clean: bool,
}

impl Profile {
    /// The profile of a whole message. `is_clean` is computed only for DATA.
    pub(crate) fn of(message: &[u8], is_for_data: bool) -> Self {
        let mut profiler = Profiler::new(is_for_data);
        profiler.update(message);
        profiler.profile()
    }
}

/// Computes the [`Profile`] of a message that comes in pieces of any size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Profiler {
    /// The size so far with CRLF line ends. What the last line lacks of its CRLF is not counted.
    size: u64,
    /// The length so far of the line that has not ended yet.
    line: usize,
    /// The length of the longest line so far, and at least [`MAX_LINE`]: shorter lines are allowed.
    longest: usize,
    /// The smallest octet so far.
    least: u8,
    /// All octets so far, combined with OR.
    bits: u8,
    /// Whether nothing so far needs work. Once this is false, it is not checked again.
    is_clean: bool,
    last: u8,
}

impl Profiler {
    /// Checks whether the message is clean only if it is for DATA: this takes time.
    pub(crate) const fn new(is_for_data: bool) -> Self {
        Self {
            size: 0,
            line: 0,
            longest: MAX_LINE,
            least: u8::MAX,
            bits: 0,
            is_clean: is_for_data,
            last: LF,
        }
    }

    /// The profile of the message, if it ends here.
    pub(crate) fn profile(&self) -> Profile {
        Profile {
            size: self.size + missing_end(self.last).len() as u64,
            overlong_line: (self.longest > MAX_LINE).then_some(self.longest),
            is_8bit: !self.bits.is_ascii(),
            has_nul: self.least == 0,
            is_clean: self.is_clean && missing_end(self.last).is_empty(),
        }
    }

    /// Takes in the next piece of the message.
    pub(crate) fn update(&mut self, input: &[u8]) {
        // The pieces are small, so that the second pass finds them in the nearest cache.
        for piece in input.chunks(16 * 1024) {
            self.count_octets(piece);
            self.measure_lines(piece);
        }
    }

    fn count_octets(&mut self, piece: &[u8]) {
        let (Some(&first), Some(&last)) = (piece.first(), piece.last()) else {
            return;
        };
        self.count_pairs(&[self.last, first]);
        let mut rest = piece;
        while let Some(window) = rest.first_chunk::<{ TALLY + 1 }>() {
            self.count_pairs(window);
            (_, rest) = rest.split_at(TALLY);
        }
        self.count_pairs(rest);
        self.last = last;
    }

    /// Counts all octets but the first. The first is only compared with the second.
    fn count_pairs(&mut self, octets: &[u8]) {
        if self.is_clean {
            self.count::<true>(octets);
        } else {
            self.count::<false>(octets);
        }
    }

    fn count<const DOTS: bool>(&mut self, octets: &[u8]) {
        let successors = octets.get(1..).unwrap_or_default();
        let (mut bare, mut least, mut bits, mut dots) = (0, u8::MAX, 0, u8::MAX);
        for (&octet, &next) in octets.iter().zip(successors) {
            bare += u8::from(is_bare(octet, next));
            least = least.min(next);
            bits |= next;
            if DOTS {
                // 0 if a dot follows an LF.
                dots = dots.min((octet ^ LF) | (next ^ b'.'));
            }
        }
        self.size += successors.len() as u64 + u64::from(bare);
        self.least = self.least.min(least);
        self.bits |= bits;
        self.is_clean &= bare == 0 && dots != 0;
    }

    /// Looks for lines longer than any before. Such a line has no end within the longest length so
    /// far. So the search for a line end starts that far ahead and goes backwards, and skips most
    /// octets.
    fn measure_lines(&mut self, piece: &[u8]) {
        let mut rest = piece;
        while !rest.is_empty() {
            let window = rest.get(..=self.longest - self.line).unwrap_or(rest);
            if let Some(length) = length_behind_end(window) {
                self.line = length;
                (_, rest) = rest.split_at(window.len());
            } else {
                let length = length_before_end(rest);
                self.line = self.line.saturating_add(length);
                self.longest = self.longest.max(self.line);
                (_, rest) = rest.split_at(length);
            }
        }
    }
}

/// How many octets are counted at a time: few enough for a `u8`.
const TALLY: usize = 224;

/// Whether the encoder replaces an octet, or inserts another before `next`.
fn needs_work(octet: u8, next: u8) -> bool {
    is_bare(octet, next) | ((octet == LF) & (next == b'.'))
}

/// Whether a pair is a CR without its LF, or an LF without its CR.
fn is_bare(octet: u8, next: u8) -> bool {
    (octet == CR) != (next == LF)
}

/// The part of the last line's CRLF that is missing if the message ends in `last`.
fn missing_end(last: u8) -> &'static [u8] {
    match last {
        LF => b"",
        CR => b"\n",
        _ => b"\r\n",
    }
}

/// How many octets come before the first CR or LF. Without one, this is the length of the text.
fn length_before_end(text: &[u8]) -> usize {
    let mut rest = text;
    while let Some((word, tail)) = rest.split_first_chunk() {
        if has_line_end(word) {
            return text.len() - rest.len() + octets_below_end(u128::from_le_bytes(*word));
        }
        rest = tail;
    }
    let length = rest
        .iter()
        .position(|&octet| is_line_end(octet))
        .unwrap_or(rest.len());
    text.len() - rest.len() + length
}

/// How many octets come after the last CR or LF, if there is one.
fn length_behind_end(text: &[u8]) -> Option<usize> {
    let mut rest = text;
    while let Some((head, word)) = rest.split_last_chunk() {
        if has_line_end(word) {
            return Some(text.len() - rest.len() + octets_below_end(u128::from_be_bytes(*word)));
        }
        rest = head;
    }
    let length = rest.iter().rev().position(|&octet| is_line_end(octet))?;
    Some(text.len() - rest.len() + length)
}

fn is_line_end(octet: u8) -> bool {
    (octet == CR) | (octet == LF)
}

/// Whether 16 octets contain a CR or LF. It computes with numbers: with `bool` the compiler makes a
/// loop with a branch.
fn has_line_end(word: &[u8; 16]) -> bool {
    let found = word.iter().map(|&octet| u8::from(is_line_end(octet)));
    found.fold(0, |any, one| any | one) != 0
}

/// How many octets of a word are below its lowest CR or LF. After the XOR, a CR or LF is 0.
/// Subtracting 1 sets the highest bit of an octet below 128 only if the octet is 0. A borrow can
/// disturb only the octets above, and only the lowest one counts.
fn octets_below_end(word: u128) -> usize {
    const ONES: u128 = u128::MAX / 0xff;
    let cr = (word ^ (ONES * CR as u128)).wrapping_sub(ONES);
    let lf = (word ^ (ONES * LF as u128)).wrapping_sub(ONES);
    let ends = (cr | lf) & !word & (ONES << 7);
    ends.trailing_zeros() as usize / 8
}

#[cfg(any(test, fuzzing))]
mod check;
#[cfg(any(test, fuzzing))]
pub(crate) use check::fuzz_data;
#[cfg(any(all(test, properties), fuzzing))]
pub(crate) use check::{canonical, expected};
#[cfg(test)]
mod tests;
