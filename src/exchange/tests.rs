use super::*;

/// A generator of the same numbers in every run (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn octet(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }
}

// 2920-03, 2920-06, V3, V4: any rules, any number of recipients, and every kind of trouble, from
// none to nothing else.
#[test]
fn any_dialog_is_planned_as_its_replies_say() {
    let mut numbers = Numbers(0x5321_2920_2033_1870);
    for round in 0..24_000_u64 {
        let trouble = [0, 1, 8, 50, 128, 255][(round % 6) as usize];
        let mut script: Vec<u8> = (0..3).map(|_| numbers.octet()).collect();
        script[2] = if round % 2 == 0 { 0 } else { script[2] };
        for _ in 0..numbers.octet() {
            let is_trouble = numbers.octet() < trouble;
            script.push(if is_trouble { numbers.octet() } else { 0 });
        }
        fuzz_exchange(&script);
    }
}

const SMTP: Rules = Rules {
    pipelining: false,
    lmtp: false,
    require_all: false,
};
const PIPELINED: Rules = Rules {
    pipelining: true,
    ..SMTP
};

fn exchange(rules: Rules, recipients: usize) -> Exchange {
    let mut exchange = Exchange::new(rules);
    exchange.queue_mail(b"MAIL\r\n");
    for number in 0..recipients {
        let address = Address::new(&format!("r{number}"), "example.org").unwrap();
        exchange.queue_rcpt(address, format!("RCPT {number}\r\n").as_bytes());
    }
    exchange.queue_data();
    exchange
}

fn reply(text: &str) -> Reply {
    let code = Code::parse(*text.as_bytes().first_chunk().unwrap()).unwrap();
    Reply::from_checked(code, format!("{text}\r\n").into_bytes().into())
}

/// Carries the exchange out with these replies, and tells each action in a word or two.
fn told(exchange: &mut Exchange, replies: &[&str]) -> Vec<String> {
    let mut replies = replies.iter();
    let mut actions = Vec::new();
    loop {
        let action = match exchange.next() {
            Action::Send(_, commands) => String::from_utf8_lossy(commands).replace("\r\n", " "),
            Action::Read(_) => match replies.next() {
                Some(text) => {
                    exchange.reply(reply(text));
                    continue;
                }
                None => "read".into(),
            },
            Action::Body => "body".into(),
            Action::LoneDot => "dot".into(),
            Action::Idle => "idle".into(),
            Action::Done => "done".into(),
        };
        let is_over = matches!(action.as_str(), "read" | "idle" | "done");
        exchange.body_sent();
        actions.push(action.trim_end().to_owned());
        if is_over {
            return actions;
        }
    }
}

// 2920-02, 5321-24, 5321-48: what goes out, and behind which replies.
#[test]
fn what_is_sent_when() {
    for (rules, replies, actions) in [
        (
            SMTP,
            &["250", "250", "354", "250"][..],
            &["MAIL", "RCPT 0", "DATA", "body", "done"][..],
        ),
        (
            PIPELINED,
            &["250", "250", "354", "250"],
            &["MAIL RCPT 0 DATA", "body", "done"],
        ),
        (
            PIPELINED,
            &["250", "550", "354", "554"],
            &["MAIL RCPT 0 DATA", "dot", "done"],
        ),
        (
            PIPELINED,
            &["250", "550", "554"],
            &["MAIL RCPT 0 DATA", "done"],
        ),
        (PIPELINED, &["250", "250"], &["MAIL RCPT 0 DATA", "read"]),
        (SMTP, &["550"], &["MAIL", "done"]),
        (SMTP, &["250", "550"], &["MAIL", "RCPT 0", "done"]),
        (
            SMTP,
            &["250", "250", "451"],
            &["MAIL", "RCPT 0", "DATA", "done"],
        ),
        (SMTP, &["250", "421"], &["MAIL", "RCPT 0", "done"]),
        (PIPELINED, &["421"], &["MAIL RCPT 0 DATA", "done"]),
    ] {
        assert_eq!(
            told(&mut exchange(rules, 1), replies),
            actions,
            "{replies:?}"
        );
    }
}

// 2920-06: groups of at most 100 commands, DATA at the end of the last one.
#[test]
fn groups_are_limited() {
    let mut exchange = exchange(PIPELINED, 250);
    let mut groups = Vec::new();
    loop {
        match exchange.next() {
            Action::Send(_, commands) => groups.push(commands.split(|o| *o == b'\n').count() - 1),
            Action::Read(Step::Data) => exchange.reply(reply("354")),
            Action::Read(_) => exchange.reply(reply("250")),
            _ => break,
        }
    }
    assert_eq!(groups, [100, 100, 52]);
}

// V1: where all are required, DATA waits for the answers.
#[test]
fn data_waits_where_all_are_required() {
    let rules = Rules {
        require_all: true,
        ..PIPELINED
    };
    let replies = ["250", "250", "250", "354", "250"];
    assert_eq!(
        told(&mut exchange(rules, 2), &replies),
        ["MAIL RCPT 0 RCPT 1", "DATA", "body", "done"]
    );
    let replies = ["250", "250", "450"];
    let mut exchange = exchange(rules, 2);
    assert_eq!(
        told(&mut exchange, &replies),
        ["MAIL RCPT 0 RCPT 1", "done"]
    );
    let (verdict, _, aftermath) = exchange.conclude();
    assert_eq!(verdict, Some(Verdict::RecipientsRefused));
    assert_eq!(aftermath, Aftermath::ResetOwed);
}

// L1: what is known when the connection is lost while a reply is awaited.
#[test]
fn what_is_known_when_it_is_lost() {
    for (replies, expected) in [
        (&[][..], None),
        (&["550"][..], Some(Verdict::SenderRefused(reply("550")))),
        (&["250", "550"], Some(Verdict::RecipientsRefused)),
        (&["250", "250"], None),
        (&["250", "250", "354"], None),
        (&["250", "550", "354"], Some(Verdict::RecipientsRefused)),
    ] {
        let mut exchange = exchange(PIPELINED, 1);
        assert_eq!(told(&mut exchange, replies).last().unwrap(), "read");
        let (verdict, outcome, aftermath) = exchange.conclude();
        assert_eq!(verdict, expected, "{replies:?}");
        assert_eq!(aftermath, Aftermath::Close);
        let is_unknown = outcome.recipients[0].status == RecipientStatus::Unknown;
        assert_eq!(is_unknown, replies == ["250", "250", "354"]);
    }
}

// By hand: nothing is queued until the caller says so, and DATA for nobody is not even sent.
#[test]
fn queued_one_by_one() {
    let mut exchange = Exchange::new(PIPELINED);
    exchange.queue_rset();
    exchange.queue_mail(b"MAIL\r\n");
    assert_eq!(told(&mut exchange, &["250", "250"]), ["RSET MAIL", "idle"]);
    let address = Address::new("r", "example.org").unwrap();
    exchange.queue_rcpt(address, b"RCPT\r\n");
    assert_eq!(told(&mut exchange, &["550 no"]), ["RCPT", "idle"]);
    assert_eq!(exchange.last_rcpt_reply(), Some(&reply("550 no")));
    exchange.queue_data();
    assert_eq!(told(&mut exchange, &[]), ["done"]);
    let (verdict, _, aftermath) = exchange.conclude();
    assert_eq!(verdict, Some(Verdict::RecipientsRefused));
    assert_eq!(aftermath, Aftermath::ResetOwed);
}
