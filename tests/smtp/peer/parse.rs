//! Parses the text of a script into steps. Text that is not understood panics and is shown with its
//! line.
use crate::peer::ca::Leaf;
use std::time::Duration;

/// One step, and its line in the script, counted from 1.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) line: usize,
    pub(crate) action: Action,
}

#[derive(Debug)]
pub(crate) enum Action {
    Ahead,
    Bdat {
        last: bool,
    },
    BodyLine(Vec<u8>),
    Close,
    Closed {
        or_quit: bool,
    },
    Data {
        octets: Option<usize>,
    },
    Eof {
        notify: bool,
    },
    /// This many of the lines that follow arrive in one segment.
    Group(usize),
    Hello {
        name: String,
    },
    Ignore,
    Line(String),
    Octets(usize),
    Pattern(String),
    Raw(Vec<u8>),
    Reset,
    Send(Block),
    Silence(Duration),
    SlowRead(Option<(usize, Duration)>),
    Stall(Duration),
    StopReading,
    Tls(Leaf),
    TlsRefused(Acceptor),
}

impl Action {
    fn is_client_line(&self) -> bool {
        matches!(
            self,
            Self::BodyLine(_) | Self::Line(_) | Self::Pattern(_) | Self::Raw(_)
        )
    }
}

/// Which server the peer plays in the handshake.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Acceptor {
    Leaf(Leaf),
    /// A server that speaks at most TLS 1.1.
    Old,
}

/// What is written at once.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) delay: Option<Duration>,
    /// The pause after each byte.
    pub(crate) drip: Option<Duration>,
    pub(crate) octets: Vec<u8>,
    /// Repeated after `octets` until the client closes.
    pub(crate) forever: Option<Vec<u8>>,
    /// The client need not wait for the end.
    pub(crate) may_close: bool,
}

pub(crate) fn parse(text: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (n, text) in text.lines().enumerate() {
        let text = text.trim_start();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let line = n + 1;
        match step(text, &mut steps) {
            Ok(Some(action)) => steps.push(Step { line, action }),
            Ok(None) => {}
            Err(why) => panic!("line {line} of the script, \"{text}\": {why}"),
        }
    }
    size_groups(&mut steps);
    steps
}

/// The step of a line, or `None` if the line became part of the step before.
fn step(line: &str, steps: &mut [Step]) -> Result<Option<Action>, String> {
    if let Some(text) = line.strip_prefix("S+ ") {
        return continued(text, steps.last_mut());
    }
    if line.starts_with('S') {
        return server(line, steps.last_mut());
    }
    match client(line)? {
        Some(action) => Ok(Some(action)),
        None => directive(line).map(Some),
    }
}

fn continued(text: &str, before: Option<&mut Step>) -> Result<Option<Action>, String> {
    let octets = format!("{text}\r\n").into_bytes();
    let block = Block {
        octets,
        ..Block::default()
    };
    match joined(block, before) {
        None => Ok(None),
        Some(_) => Err("S+ continues a segment, and there is none before it".into()),
    }
}

/// `S`, modifiers, `:`, text.
fn server(line: &str, before: Option<&mut Step>) -> Result<Option<Action>, String> {
    let (head, text) = line.split_once(':').ok_or("a server line needs a colon")?;
    let text = text.strip_prefix(' ').unwrap_or(text);
    let mut block = Block::default();
    let (mut times, mut forever, mut raw) = (1, false, false);
    for word in head[1..].split_whitespace() {
        match word {
            "raw" => raw = true,
            "forever" => forever = true,
            _ if word.starts_with('~') => block.delay = Some(duration(&word[1..])?),
            _ if word.starts_with('*') => times = number(&word[1..])?,
            ".." => block.drip = Some(Duration::ZERO),
            _ if block.drip == Some(Duration::ZERO) => block.drip = Some(duration(word)?),
            _ => return Err(format!("\"{word}\" is no modifier of S")),
        }
    }
    let octets = if raw {
        unescaped(text)?
    } else {
        format!("{text}\r\n").into_bytes()
    };
    if octets.len().saturating_mul(times) > LARGEST_BLOCK {
        return Err("too much to write: take Sforever".into());
    }
    if forever && octets.is_empty() {
        return Err("nothing to repeat".into());
    }
    block.may_close = forever || times > 1 || block.drip.is_some();
    if forever {
        block.forever = Some(octets);
    } else {
        block.octets = octets.repeat(times);
    }
    Ok(joined(block, before))
}

/// Joins the block to the one before it, unless one of them has its own time or no end.
fn joined(block: Block, before: Option<&mut Step>) -> Option<Action> {
    match before {
        Some(Step {
            action: Action::Send(before),
            ..
        }) if block.delay.is_none()
            && block.drip.is_none()
            && before.drip.is_none()
            && before.forever.is_none() =>
        {
            before.octets.extend_from_slice(&block.octets);
            before.forever = block.forever;
            before.may_close |= block.may_close;
            None
        }
        _ => Some(Action::Send(block)),
    }
}

fn client(line: &str) -> Result<Option<Action>, String> {
    let text = |prefix: &str| {
        let text = line.strip_prefix(prefix)?;
        Some(text.strip_prefix(' ').unwrap_or(text))
    };
    Ok(if let Some(text) = text("C:") {
        Some(Action::Line(text.into()))
    } else if let Some(text) = text("C~:") {
        Some(Action::Pattern(text.into()))
    } else if let Some(text) = text("Craw:") {
        Some(Action::Raw(unescaped(text)?))
    } else if let Some(text) = text("C|") {
        Some(Action::BodyLine(unescaped(text)?))
    } else {
        None
    })
}

fn directive(line: &str) -> Result<Action, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    Ok(match *words.as_slice() {
        ["ahead"] => Action::Ahead,
        ["C-silence", time] => Action::Silence(duration(time)?),
        ["Cbdat"] => Action::Bdat { last: false },
        ["Cbdat", "LAST"] => Action::Bdat { last: true },
        ["Cclose"] => Action::Closed { or_quit: false },
        ["Cclose", "or", "QUIT"] => Action::Closed { or_quit: true },
        ["Cdata"] => Action::Data { octets: None },
        ["Cdata", octets] => Action::Data {
            octets: Some(number(octets)?),
        },
        ["Cgroup"] => Action::Group(0),
        ["Chello"] => Action::Hello {
            name: String::new(),
        },
        ["Chello", name] => Action::Hello { name: name.into() },
        ["Cignore"] => Action::Ignore,
        ["Coctets", octets] => Action::Octets(number(octets)?),
        ["close"] => Action::Close,
        ["EOF"] => Action::Eof { notify: true },
        ["EOF-bare"] => Action::Eof { notify: false },
        ["RST"] => Action::Reset,
        ["slow-read", "off"] => Action::SlowRead(None),
        ["slow-read", octets, "per", time] => {
            Action::SlowRead(Some((number(octets)?, duration(time)?)))
        }
        ["stall", time] => Action::Stall(duration(time)?),
        ["stop-reading"] => Action::StopReading,
        ["TLS", ref words @ ..] => Action::Tls(leaf(words)?),
        ["TLS-refused", "1.1"] => Action::TlsRefused(Acceptor::Old),
        ["TLS-refused", ref words @ ..] => Action::TlsRefused(Acceptor::Leaf(leaf(words)?)),
        _ => return Err("no such directive".into()),
    })
}

fn leaf(words: &[&str]) -> Result<Leaf, String> {
    match words {
        [] => Ok(Leaf::Good),
        [name] => Leaf::named(name).ok_or_else(|| format!("no certificate \"{name}\"")),
        _ => Err("one certificate at most".into()),
    }
}

/// Tells each group how many client lines follow it.
fn size_groups(steps: &mut [Step]) {
    for at in 0..steps.len() {
        let lines = steps[at + 1..]
            .iter()
            .take_while(|s| s.action.is_client_line())
            .count();
        if let Action::Group(size) = &mut steps[at].action {
            assert!(
                lines > 0,
                "line {} of the script: a group without lines",
                steps[at].line
            );
            *size = lines;
        }
    }
}

fn number(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| format!("\"{text}\" is no number"))
}

/// `50us`, `200ms` or `2s`.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(char::is_alphabetic);
    let unit = match &text[digits.len()..] {
        "us" => Some(Duration::from_micros(1)),
        "ms" => Some(Duration::from_millis(1)),
        "s" => Some(Duration::from_secs(1)),
        _ => None,
    };
    let time = unit
        .zip(digits.parse().ok())
        .map(|(unit, times): (_, u32)| unit * times);
    time.ok_or_else(|| format!("\"{text}\" is no time: write 50us, 20ms or 2s"))
}

/// Understands `\r`, `\n`, `\t`, `\0`, `\\` and `\xHH`.
fn unescaped(text: &str) -> Result<Vec<u8>, String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'\\' {
            octets.push(*first);
            continue;
        }
        let (octet, used) = escape(rest).ok_or_else(|| format!("bad escape in \"{text}\""))?;
        octets.push(octet);
        rest = &rest[used..];
    }
    Ok(octets)
}

/// The byte of an escape, and the length of the escape without its backslash.
fn escape(rest: &[u8]) -> Option<(u8, usize)> {
    match rest {
        [b'r', ..] => Some((b'\r', 1)),
        [b'n', ..] => Some((b'\n', 1)),
        [b't', ..] => Some((b'\t', 1)),
        [b'0', ..] => Some((0, 1)),
        [b'\\', ..] => Some((b'\\', 1)),
        [b'x', high, low, ..] => {
            let hex = |b: u8| char::from(b).to_digit(16);
            u8::try_from(hex(*high)? * 16 + hex(*low)?)
                .ok()
                .map(|octet| (octet, 3))
        }
        _ => None,
    }
}

/// A block larger than this is not kept in memory.
const LARGEST_BLOCK: usize = 64 * 1024 * 1024;
