//! Random messages, and what they mean. The same seed makes the same messages on every machine.

use smtplib::message::{Group, MediaType};
use smtplib::{Attachment, Mailbox, Message, MessageBuilder};

use crate::facts::Facts;

/// The parts of texts: common words, and text that is known to break encoders and parsers.
const WORDS: &[&str] = &[
    "a",
    "Lunch",
    "report",
    "the",
    "Quarterly",
    "I",
    "x-y",
    "100%",
    "it's",
    "e=mc2",
    "_under_",
    "?",
    "=",
    "=?",
    "?=",
    "é",
    "Zoë",
    "Müller",
    "naïve",
    "Straße",
    "привет",
    "мир",
    "日本語",
    "한국어",
    "مرحبا",
    "🦀",
    "👩‍👩‍👧",
    "e\u{301}",
    "a\u{a0}b",
    "zero\u{200b}width",
    "\u{2028}",
    "\u{feff}",
    "=?utf-8?q?eve?=",
    "=?utf-8?b?ZXZl?=",
    "a,b",
    "(c)",
    "<d>",
    "\"q\"",
    "back\\slash",
    "semi;colon",
    "at@sign",
    "co:lon",
    "[x]",
    "dot.",
    ".",
    "..",
    "--",
    "-- ",
    "%41",
    "'",
    "*",
    "averyveryveryverylongwordwithoutanyplacetofolditbecausethereisnospaceinitwhichisunusualbutlegal",
    "",
    " ",
    "  ",
];
const LOCAL_PARTS: &[&str] = &[
    "zoe",
    "a",
    "first.last",
    "user+tag",
    "x_y-z",
    "o'brien",
    "\"john doe\"",
    "\"a@b\"",
    "\"semi;colon\"",
    "{curly}",
    "averyveryveryverylonglocalpartthatisstillallowedbecauseithas64ch",
];
const DOMAINS: &[&str] = &[
    "example.org",
    "mail.example.com",
    "x.test",
    "[192.0.2.1]",
    "a-rather-long-domain-name-that-makes-lines-long.subdomain.example.net",
];
const FILE_NAMES: &[&str] = &[
    "report.pdf",
    "a b.txt",
    "résumé.pdf",
    "日本語.docx",
    "quote\"d.bin",
    "50%.csv",
    "it's (1).png",
    "=?utf-8?q?x?=.txt",
    "semi;colon.zip",
    "name=value.tar.gz",
    "a*0*=b.bin",
    "ünï cödé — dash.md",
    "noextension",
    "🦀.rs",
    "x'y'z.txt",
];

/// Numbers that look random (xorshift).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() >> 16) as usize % end
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    /// Words with single spaces between them, among them some that are spaces themselves.
    fn phrase(&mut self, most: usize) -> String {
        let words: Vec<&str> = (0..=self.below(most)).map(|_| self.pick(WORDS)).collect();
        words.join(" ")
    }

    fn text(&mut self) -> String {
        let mut text = String::new();
        for _ in 0..self.below(8) {
            if self.one_in(6) {
                text += self.pick(&[
                    "From here",
                    ".",
                    "..",
                    "--",
                    "-- ",
                    "--=_x.1_=",
                    " x ",
                    "\t",
                ]);
            } else {
                text += &self.phrase(12);
            }
            if self.one_in(30) {
                text += &"long ".repeat(self.below(300));
                text += &"é".repeat(self.below(600));
            }
            text += self.pick(&["\n", "\r\n", "\n", "\r", "\n\n"]);
        }
        if self.one_in(3) {
            text += "no line end";
        }
        text
    }

    fn data(&mut self) -> Vec<u8> {
        let length = match self.below(4) {
            0 => self.below(4),
            1 => 50 + self.below(20),
            2 => self.below(400),
            _ if self.one_in(8) => self.below(9_000),
            _ => self.below(100),
        };
        (0..length).map(|_| self.next() as u8).collect()
    }
}

/// A message, and what a reader should find in it.
pub(crate) struct Sample {
    pub(crate) message: Message,
    pub(crate) facts: Facts,
}

impl Sample {
    pub(crate) fn new(seed: u64) -> Self {
        Self::nested(&mut Random::new(seed), 0)
    }

    fn nested(random: &mut Random, depth: usize) -> Self {
        let mut composer = Composer {
            builder: Message::builder(),
            names: vec!["date"],
            facts: Facts::default(),
        };
        composer.addresses(random);
        composer.fields(random);
        composer.body(random, depth);
        composer.finish()
    }
}

/// Adds the same thing to the message and to its facts.
struct Composer {
    builder: MessageBuilder,
    names: Vec<&'static str>,
    facts: Facts,
}

impl Composer {
    fn addresses(&mut self, random: &mut Random) {
        let from = self.mailbox("from", random);
        self.names.push("from");
        let sender = mailbox(random);
        // A sender that equals the only author is left out.
        if random.one_in(3) && sender != from {
            self.say("sender", &sender);
            self.take(|builder| builder.sender(sender));
            self.names.push("sender");
        }
        self.take(|builder| builder.from(from));
        for (field, add) in [
            ("to", MessageBuilder::to::<Mailbox, _> as fn(_, _) -> _),
            ("cc", MessageBuilder::cc::<Mailbox, _>),
        ] {
            let count = random.below(4);
            for _ in 0..count {
                let mailbox = self.mailbox(field, random);
                self.take(|builder| add(builder, mailbox));
            }
            let group = field == "to" && random.one_in(8);
            if group {
                self.group(random);
            }
            if count > 0 || group {
                self.names.push(field);
            }
        }
        if random.one_in(3) {
            let unseen = mailbox(random);
            self.take(|builder| builder.bcc(unseen));
        }
        self.names.push("message-id");
        if random.one_in(4) {
            let reply_to = self.mailbox("reply-to", random);
            self.take(|builder| builder.reply_to(reply_to));
            self.names.push("reply-to");
        }
    }

    fn group(&mut self, random: &mut Random) {
        let name = name(random);
        self.facts.push("group", &[&name]);
        let members: Vec<Mailbox> = (0..random.below(3))
            .map(|_| self.mailbox("to", random))
            .collect();
        self.take(|builder| builder.to(Group::new(&name, members).unwrap()));
    }

    fn fields(&mut self, random: &mut Random) {
        self.take(|builder| builder.message_id("<id@example.org>"));
        self.facts.push("message-id", &["id@example.org"]);
        if random.one_in(3) {
            let count = 1 + random.below(12);
            let ids: Vec<String> = (0..count).map(|n| format!("{n}.ref@example.org")).collect();
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            self.facts.push("references", &ids);
            self.take(|builder| builder.references(ids.join(" ")));
            self.names.push("references");
        }
        if !random.one_in(5) {
            let subject = random.phrase(20);
            self.facts.push("subject", &[&subject]);
            self.take(|builder| builder.subject(subject));
            self.names.push("subject");
        }
        for _ in 0..random.below(3) {
            let value = random.phrase(20);
            self.facts.push("other", &[&value]);
            self.take(|builder| builder.header("Other", value));
            self.names.push("other");
        }
    }

    fn body(&mut self, random: &mut Random, depth: usize) {
        let shape = random.below(8);
        let attachments = random.below(3);
        let nested = depth < 2 && random.one_in(10);
        let mut text = random.text();
        let html = format!("<p>{}</p>\n", random.text());
        if attachments == 0 && !nested {
            // The last line of a message has a line end, even if the text has none.
            text += "\n";
        }
        if shape != 1 {
            self.facts.push("leaf", &["text/plain"]);
            self.facts.push_data(canonical(&text).as_bytes());
            self.take(|builder| builder.text(text));
        }
        let inline = (1..4).contains(&shape);
        if inline {
            self.facts.push("leaf", &["text/html"]);
            self.facts.push_data(canonical(&html).as_bytes());
            self.take(|builder| builder.html(html));
        }
        let mut later = Facts::default();
        for _ in 0..attachments {
            let name = random.pick(FILE_NAMES);
            let media_type = MediaType::of_file(name);
            let data = if media_type.essence().starts_with("text/") {
                random.text().into_bytes()
            } else {
                random.data()
            };
            let mut attachment = Attachment::new(name, data.clone());
            let shown = inline && random.one_in(2);
            if shown {
                attachment = attachment.inline("shown@example.org");
            }
            let facts = if shown { &mut self.facts } else { &mut later };
            facts.push("leaf", &[media_type.essence()]);
            facts.push("file", &[if shown { "inline" } else { "attachment" }, name]);
            if shown {
                facts.push("content-id", &["shown@example.org"]);
            }
            facts.push_data(&data);
            self.take(|builder| builder.attach(attachment));
        }
        self.facts.0.append(&mut later.0);
        if nested {
            let inner = Sample::nested(random, depth + 1);
            self.facts.push("message", &[]);
            self.facts.0.extend(inner.facts.0);
            self.take(|builder| builder.attach(inner.message));
        }
    }

    fn finish(mut self) -> Sample {
        self.names.push("mime-version");
        self.facts.push("names", &[&self.names.join(" ")]);
        Sample {
            message: self.builder.build().unwrap(),
            facts: self.facts,
        }
    }

    fn mailbox(&mut self, field: &str, random: &mut Random) -> Mailbox {
        let mailbox = mailbox(random);
        self.say(field, &mailbox);
        mailbox
    }

    fn say(&mut self, field: &str, mailbox: &Mailbox) {
        let address = mailbox.address().to_string();
        self.facts
            .push(field, &[mailbox.name().unwrap_or_default(), &address]);
    }

    fn take(&mut self, step: impl FnOnce(MessageBuilder) -> MessageBuilder) {
        self.builder = step(std::mem::take(&mut self.builder));
    }
}

fn mailbox(random: &mut Random) -> Mailbox {
    let address = format!("{}@{}", random.pick(LOCAL_PARTS), random.pick(DOMAINS));
    let name = if random.one_in(3) {
        String::new()
    } else {
        name(random)
    };
    Mailbox::try_from((name, address)).unwrap()
}

/// A name that is not only spaces, because readers take spaces for no name.
fn name(random: &mut Random) -> String {
    loop {
        let name = random.phrase(6);
        if !name.trim().is_empty() {
            return name;
        }
    }
}

/// The text with the line ends that it has in a message.
fn canonical(text: &str) -> String {
    text.replace("\r\n", "\n")
        .replace('\r', "\n")
        .replace('\n', "\r\n")
}
