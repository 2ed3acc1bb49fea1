use crate::peer::{Exchanged, Peer, Refusing, Script, Server};
use crate::program::{Ended, Program, plain_url};
#[cfg(target_os = "linux")]
use crate::serve::{PATIENCE, Serving, folder_in};
#[cfg(target_os = "linux")]
use crate::terminal::Terminal;
use mail_parser::MessageParser;
use std::fs;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;
use tempfile::TempDir;

const READERS: &str = "\
email,name,town
ann@example.org,Ann,Ghent
bob@example.org,\"Bob, the builder\",Łódź
carol@example.org,,Rome
";
const NEWS: &str = "Subject: News for {town}\n\nDear {name},\n\n.\nno news is good news.\n";

/// A folder with a list and a text.
struct Newsletter {
    folder: TempDir,
}

impl Newsletter {
    fn new() -> Self {
        Self::with(READERS, NEWS)
    }

    fn with(readers: &str, news: &str) -> Self {
        let newsletter = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        fs::write(newsletter.path("list.csv"), readers).unwrap();
        fs::write(newsletter.path("news.txt"), news).unwrap();
        newsletter
    }

    fn numbered(readers: usize) -> Self {
        let lines = (1..=readers).map(|number| format!("reader{number}@example.org\n"));
        Self::with(
            &format!("email\n{}", lines.collect::<String>()),
            NEWS_TO_ALL,
        )
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The journal of a run.
    fn journal(&self) -> String {
        fs::read_to_string(self.path("list.csv.sent")).unwrap_or_default()
    }

    fn program(&self, url: &str) -> Program {
        Program::new("newsletter")
            .env("SMTP_URL", url)
            .env("SMTP_FROM", "The news <news@example.com>")
            .args([self.path("list.csv"), self.path("news.txt")])
    }

    fn send(&self, peer: &Peer) -> Ended {
        self.program(&plain_url(peer)).run()
    }

    /// So slowly that the program counts ten failures before it has sent the rest.
    fn send_slowly(&self, peer: &Peer) -> Ended {
        let program = self.program(&plain_url(peer));
        program.args(["--rate", "50"]).run()
    }

    fn lock(&self) -> PathBuf {
        self.path("list.csv.sent.lock")
    }

    /// What the user does after a run was killed.
    fn unlock(&self) {
        fs::remove_file(self.lock()).unwrap();
    }

    /// A run that connects to nobody.
    fn send_to_nobody(&self) -> Ended {
        self.send(&Script::sessions::<&str>([]).listen())
    }
}

const NEWS_TO_ALL: &str = "Subject: News\n\nNothing has happened.\n";

fn recipients(exchanged: &Exchanged) -> Vec<&str> {
    let commands = exchanged.commands().into_iter();
    commands
        .filter(|command| command.starts_with("RCPT"))
        .collect()
}

#[test]
fn each_reader_gets_words_of_their_own_once() {
    let newsletter = Newsletter::new();
    let peer = Server::new().offer("PIPELINING").script().listen();
    let said = newsletter.send(&peer).success();
    let summary = "3 sent, 0 refused, 0 to try later, 0 unknown\n";
    assert_eq!(said, summary);

    let exchanged = peer.finish();
    let subjects: Vec<String> = (0..3)
        .map(|number| {
            let octets = exchanged.body(number).message();
            let message = MessageParser::new().parse(&octets).unwrap();
            message.subject().unwrap().to_owned()
        })
        .collect();
    assert_eq!(
        subjects,
        ["News for Ghent", "News for Łódź", "News for Rome"]
    );
    let octets = exchanged.body(1).message();
    let message = MessageParser::new().parse(&octets).unwrap();
    let to = message.to().unwrap().first().unwrap();
    assert_eq!(to.name(), Some("Bob, the builder"));
    assert_eq!(
        message.body_text(0).unwrap(),
        "Dear Bob, the builder,\r\n\r\n.\r\nno news is good news.\r\n"
    );
    let text = String::from_utf8(octets).unwrap();
    for field in [
        "From: The news <news@example.com>",
        "List-Unsubscribe: <mailto:news@example.com?subject=unsubscribe>",
        "List-Id: <news.example.com>",
    ] {
        assert!(
            text.contains(&format!("\r\n{field}\r\n")) || text.starts_with(field),
            "{text}"
        );
    }

    assert_eq!(newsletter.send_to_nobody().success(), summary);
}

#[test]
fn what_became_of_each_is_kept() {
    let newsletter = Newsletter::new();
    let server = Server::new()
        .on("RCPT TO:<bob@", "550 5.1.1 who?")
        .on("RCPT TO:<carol@", "450 4.2.1 later");
    let ended = newsletter.send(&server.script().listen());
    assert_eq!(ended.status, 75);
    assert_eq!(
        ended.stdout,
        "1 sent, 1 refused, 1 to try later, 0 unknown\n"
    );
    let bob = "the server refused the recipient <bob@example.org>: 550 5.1.1 who?";
    let carol = "the server refused the recipient <carol@example.org>: 450 4.2.1 later";
    assert_eq!(
        ended.stderr,
        format!("bob@example.org: {bob}\ncarol@example.org: {carol}\n")
    );
    let journal = newsletter.journal();
    let mut lines: Vec<&str> = journal.lines().collect();
    assert_eq!(lines.remove(0), "# News for {town}");
    let of = |name: &str| -> Vec<String> {
        let lines = lines.iter().filter(|line| line.starts_with(name));
        lines.map(|line| (*line).to_owned()).collect()
    };
    for (name, fate) in [
        ("ann", "accepted\t250 2.0.0 taken"),
        ("bob", &format!("refused\t{bob}")),
        ("carol", &format!("later\t{carol}")),
    ] {
        assert_eq!(
            of(name),
            [
                format!("{name}@example.org\tsending\t"),
                format!("{name}@example.org\t{fate}")
            ]
        );
    }

    // Only Carol is left.
    let peer = Server::new().script().listen();
    let ended = newsletter.send(&peer);
    let summary = "2 sent, 1 refused, 0 to try later, 0 unknown\n";
    assert_eq!((ended.status, ended.stdout.as_str()), (1, summary));
    assert_eq!(recipients(&peer.finish()), ["RCPT TO:<carol@example.org>"]);

    let ended = newsletter.send_to_nobody();
    assert_eq!((ended.status, ended.stdout.as_str()), (1, summary));
}

#[test]
fn who_may_have_got_it_is_named_and_not_sent_it_again() {
    let newsletter = Newsletter::with("email\nann@example.org\n", NEWS_TO_ALL);
    let hello = "
        S: 220 mx.example.org
        C: EHLO [127.0.0.1]
        S: 250 mx.example.org
    ";
    let check = format!("{hello}\nC: QUIT\nS: 221 bye\nCclose");
    let lost = format!(
        "{hello}
        C: MAIL FROM:<news@example.com>
        S: 250 ok
        C: RCPT TO:<ann@example.org>
        S: 250 ok
        C: DATA
        S: 354 go ahead
        Cdata
        EOF
        Cclose"
    );
    let peer = Script::sessions([check, lost]).listen();
    let ended = newsletter.send(&peer);
    peer.finish();
    let said = format!(
        "ann@example.org may have been delivered; not sent again\n\
         0 sent, 0 refused, 0 to try later, 1 unknown\n\
         To send to them all the same, delete their lines from {}.\n",
        newsletter.path("list.csv.sent").display()
    );
    assert_eq!((ended.status, &ended.stdout), (1, &said), "{ended:?}");
    let again = newsletter.send_to_nobody();
    assert_eq!((again.status, &again.stdout), (1, &said));
}

// The program is killed between the end of the message and its reply, so the reader may have it.
#[test]
fn who_was_being_sent_it_when_the_program_was_killed_counts_as_unknown() {
    let newsletter = Newsletter::with("email\nann@example.org\n", NEWS_TO_ALL);
    let (sender, has_come) = mpsc::channel();
    let peer = Peer::serve(move |conn| {
        conn.reply("220 mx.example.org")?;
        conn.expect("EHLO [127.0.0.1]")?;
        conn.reply("250 mx.example.org")?;
        if conn.read_line()? == "QUIT" {
            return conn.reply("221 bye");
        }
        conn.reply("250 ok")?;
        conn.expect("RCPT TO:<ann@example.org>")?;
        conn.reply("250 ok")?;
        conn.expect("DATA")?;
        conn.reply("354 go ahead")?;
        conn.read_data()?;
        sender.send(()).unwrap();
        conn.expect_close()
    });
    let mut child = newsletter.program(&plain_url(&peer)).spawn();
    let came = has_come.recv_timeout(Duration::from_secs(30));
    child.kill().unwrap();
    child.wait().unwrap();
    came.unwrap();
    peer.finish();
    assert_eq!(newsletter.journal(), "# News\nann@example.org\tsending\t\n");

    newsletter.unlock();
    let ended = newsletter.send_to_nobody();
    assert_eq!(ended.status, 1, "{ended:?}");
    let said = "ann@example.org may have been delivered; not sent again\n\
                0 sent, 0 refused, 0 to try later, 1 unknown\n";
    assert!(ended.stdout.starts_with(said), "{ended:?}");
}

#[test]
fn a_server_in_trouble_is_left_alone() {
    let newsletter = Newsletter::numbered(40);
    let server = Server::new()
        .on("MAIL", "451 4.3.0 not now")
        .script()
        .listen();
    let ended = newsletter.send_slowly(&server);
    assert_eq!(
        (ended.status, ended.stdout.as_str()),
        (75, "0 sent, 0 refused, 40 to try later, 0 unknown\n")
    );
    let reason = "newsletter: 10 failures in a row: the rest has to wait\n";
    assert!(ended.stderr.ends_with(reason), "{}", ended.stderr);
    let tried = server.finish();
    assert!(
        tried
            .commands()
            .iter()
            .filter(|command| command.starts_with("MAIL"))
            .count()
            < 40
    );

    let peer = Server::new().script().listen();
    let said = newsletter.send(&peer).success();
    assert_eq!(said, "40 sent, 0 refused, 0 to try later, 0 unknown\n");
    assert_eq!(recipients(&peer.finish()).len(), 40);
}

#[test]
fn a_server_that_takes_nothing_writes_nobody_off() {
    for (command, reply) in [
        ("RCPT", "554 5.7.1 relay access denied"),
        ("RCPT", "550 5.4.5 daily quota exceeded"),
        (".", "550 5.4.5 daily quota exceeded"),
        (".", "554 5.6.0 no news here"),
    ] {
        let newsletter = Newsletter::numbered(40);
        let peer = Server::new().on(command, reply).script().listen();
        let ended = newsletter.send_slowly(&peer);
        assert_eq!(
            (ended.status, ended.stdout.as_str()),
            (75, "0 sent, 0 refused, 40 to try later, 0 unknown\n"),
            "{reply}"
        );
        let reason = "newsletter: 10 failures in a row: the rest has to wait\n";
        assert!(ended.stderr.ends_with(reason), "{}", ended.stderr);
        assert!(recipients(&peer.finish()).len() < 40, "{reply}");
    }
}

#[test]
fn a_server_that_closes_after_each_message_does_not_use_up_the_list() {
    let newsletter = Newsletter::numbered(40);
    let peer = Peer::serve(move |conn| {
        conn.reply("220 mx.example.org")?;
        conn.expect("EHLO [127.0.0.1]")?;
        conn.reply("250 mx.example.org")?;
        if conn.read_line()? == "QUIT" {
            return conn.reply("221 bye");
        }
        conn.reply("250 ok")?;
        conn.read_line()?;
        conn.reply("250 ok")?;
        conn.expect("DATA")?;
        conn.reply("354 go ahead")?;
        conn.read_data()?;
        conn.finish_sending();
        conn.expect_close()
    });
    let ended = newsletter.send(&peer);
    assert_eq!(ended.status, 75, "{ended:?}");
    let reason = "newsletter: 10 failures in a row: the rest has to wait\n";
    assert!(ended.stderr.ends_with(reason), "{}", ended.stderr);
    let unknown = ended.stdout.matches("may have been delivered").count();
    assert!((10..20).contains(&unknown), "{unknown}");
}

// The names of eleven readers begin with reader1, ten of them in a row.
#[test]
fn those_who_are_never_taken_do_not_keep_it_from_the_others() {
    for (reply, status, summary) in [
        (
            "550 5.1.1 who?",
            1,
            "29 sent, 11 refused, 0 to try later, 0 unknown\n",
        ),
        (
            "550 5.7.1 not from you",
            75,
            "29 sent, 0 refused, 11 to try later, 0 unknown\n",
        ),
    ] {
        let newsletter = Newsletter::numbered(40);
        let send = || {
            let server = Server::new().on("RCPT TO:<reader1", reply);
            newsletter.send_slowly(&server.script().listen())
        };
        let first = send();
        assert_eq!(first.status, 75, "{first:?}");
        assert!(!first.stdout.starts_with("29 sent"), "{first:?}");
        let second = send();
        assert_eq!((second.status, second.stdout.as_str()), (status, summary));
    }
}

#[test]
fn readers_whom_the_server_cannot_be_given_do_not_keep_it_from_the_others() {
    let readers = (1..=12).map(|number| format!("zoë{number}@example.org\n"));
    let readers = readers.collect::<String>() + "ann@example.org\n";
    let newsletter = Newsletter::with(&format!("email\n{readers}"), NEWS_TO_ALL);
    let peer = Server::new().script().listen();
    let ended = newsletter.send(&peer);
    let summary = "1 sent, 12 refused, 0 to try later, 0 unknown\n";
    assert_eq!((ended.status, ended.stdout.as_str()), (1, summary));
    assert!(ended.stderr.contains("SMTPUTF8"), "{}", ended.stderr);
    assert_eq!(recipients(&peer.finish()), ["RCPT TO:<ann@example.org>"]);
    assert_eq!(newsletter.send_to_nobody().stdout, summary);
}

#[test]
fn a_server_that_is_not_there_costs_nobody_anything() {
    let newsletter = Newsletter::new();
    let nobody = Refusing::new();
    let url = format!("smtp://{}", nobody.addr());
    let complaint = newsletter.program(&url).run().failure(75);
    let begin = format!("newsletter: could not connect to {}: ", nobody.addr());
    assert!(complaint.starts_with(&begin), "{complaint}");
    assert_eq!(newsletter.journal(), "# News for {town}\n");
}

// The program is killed at a random moment, and its last line is incomplete.
#[cfg(target_os = "linux")]
#[test]
fn killed_half_way_it_goes_on_and_nobody_gets_it_twice() {
    let readers = 60;
    let newsletter = Newsletter::numbered(readers);
    let directory = tempfile::tempdir().unwrap();
    let serving = Serving::start(directory.path());
    let program = || {
        let program = Program::in_shell(&serving.variables, "newsletter");
        program.args([newsletter.path("list.csv"), newsletter.path("news.txt")])
    };

    let mut child = program().args(["--rate", "30"]).spawn();
    for _ in 0..5 {
        serving.lines.recv_timeout(PATIENCE).unwrap();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let torn = format!("{}reader{readers}@example.org\tsen", newsletter.journal());
    fs::write(newsletter.path("list.csv.sent"), torn).unwrap();

    newsletter.unlock();
    let ended = program().args(["--concurrency", "3"]).run();
    let unknown: Vec<&str> = ended
        .stdout
        .lines()
        .filter_map(|line| line.strip_suffix(" may have been delivered; not sent again"))
        .collect();
    assert_eq!(ended.status, i32::from(!unknown.is_empty()), "{ended:?}");

    let folder = folder_in(directory.path());
    serving.end();
    let mut got: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| fs::read(entry.unwrap().path()).unwrap())
        .filter_map(|octets| {
            let message = MessageParser::new().parse(&octets)?;
            Some(message.to()?.first()?.address()?.to_owned())
        })
        .collect();
    let count = got.len();
    got.sort();
    got.dedup();
    assert_eq!(got.len(), count, "somebody got it twice");
    for number in 1..=readers {
        let reader = format!("reader{number}@example.org");
        assert!(
            got.contains(&reader) || unknown.contains(&reader.as_str()),
            "{reader} did not get it: {ended:?}"
        );
    }
    // Only the messages of one moment are unknown, at 30 messages a second.
    assert!(unknown.len() < readers / 2, "{unknown:?}");
}

#[test]
fn who_stands_there_twice_gets_it_once() {
    let readers = "email\nann@example.org\nbob@example.org\nann@EXAMPLE.org\n";
    let newsletter = Newsletter::with(readers, NEWS_TO_ALL);
    let peer = Server::new().script().listen();
    let said = newsletter.send(&peer).success();
    assert_eq!(said, "2 sent, 0 refused, 0 to try later, 0 unknown\n");
    assert_eq!(
        recipients(&peer.finish()),
        ["RCPT TO:<ann@example.org>", "RCPT TO:<bob@example.org>"]
    );
}

#[test]
fn nothing_is_sent_before_all_of_it_is_looked_at() {
    let bad_address = "email,name\nann@example.org,Ann\nbob,Bob\n";
    let bad_name = "email,name\nann@example.org,\"Ann\nBcc: eve@example.net\"\n";
    for (readers, news, complaint) in [
        (
            bad_address,
            NEWS_TO_ALL,
            "list.csv: line 3: \"bob\" is not an address: the address has no @",
        ),
        (
            bad_name,
            NEWS_TO_ALL,
            "ann@example.org: To: the character '\\n' cannot stand in a header, leave it out",
        ),
        (
            "name\nAnn\n",
            NEWS_TO_ALL,
            "list.csv: there is no column email",
        ),
        (
            READERS,
            "Subject: News\n\nDear {nmae},\n",
            "ann@example.org: the list has no column \"nmae\"",
        ),
        (
            READERS,
            "Subject: News\n\n{\n",
            "ann@example.org: a { has no }",
        ),
        (
            READERS,
            "Hello,\n\nno news.\n",
            "news.txt: the first line must be Subject: and a subject",
        ),
        (
            READERS,
            "Subject: News\n\n",
            "news.txt: there is no text below the subject",
        ),
    ] {
        let newsletter = Newsletter::with(readers, news);
        let told = newsletter.send_to_nobody().failure(2);
        let folder = format!("{}/", newsletter.folder.path().display());
        assert_eq!(
            told.replace(&folder, ""),
            format!("newsletter: {complaint}\n")
        );
        assert_eq!(newsletter.journal(), "");
    }
}

#[test]
fn the_journal_of_another_newsletter_is_left_alone() {
    let newsletter = Newsletter::new();
    for (journal, complaint) in [
        (
            "# Other news\n",
            "is about another newsletter: move it away",
        ),
        (
            "# News for {town}\nann@example.org\taccepted\t\nann@\n",
            ": line 3 cannot be understood",
        ),
    ] {
        fs::write(newsletter.path("list.csv.sent"), journal).unwrap();
        let told = newsletter.send_to_nobody().failure(2);
        assert!(told.contains(complaint), "{told}");
        assert_eq!(newsletter.journal(), journal);
    }
}

#[test]
fn two_runs_at_once_do_not_send_it_twice() {
    let newsletter = Newsletter::new();
    fs::write(newsletter.lock(), "").unwrap();
    assert_eq!(
        newsletter.send_to_nobody().failure(2),
        format!(
            "newsletter: {} is there: if no other run is at work, delete it\n",
            newsletter.lock().display()
        )
    );
    assert!(newsletter.lock().exists());
    assert_eq!(newsletter.journal(), "");
}

#[test]
fn while_it_is_at_work_there_is_a_lock_and_none_afterwards() {
    let newsletter = Newsletter::new();
    let (sender, is_locked) = mpsc::channel();
    let lock = newsletter.lock();
    let peer = Peer::serve(move |conn| {
        sender.send(lock.exists()).unwrap();
        conn.reply("554 5.7.1 not you")?;
        conn.expect("QUIT")?;
        conn.reply("221 bye")
    });
    assert_eq!(newsletter.send(&peer).status, 2);
    peer.finish();
    assert!(is_locked.recv().unwrap());
    assert!(!newsletter.lock().exists());

    let peer = Server::new().script().listen();
    newsletter.send(&peer).success();
    assert!(!newsletter.lock().exists());

    fs::write(newsletter.path("list.csv.sent"), "# Other news\n").unwrap();
    newsletter.send_to_nobody().failure(2);
    assert!(!newsletter.lock().exists());
}

#[test]
fn how_it_is_used() {
    let help = Program::new("newsletter").args(["--help"]).run().success();
    for status in [0, 1, 2, 75] {
        assert!(help.contains(&format!("\n  {status:2}  ")), "{help}");
    }
    let complaint = Program::new("newsletter")
        .args(["list.csv"])
        .run()
        .failure(2);
    assert_eq!(
        complaint,
        "newsletter: give a list and a text; see --help\n"
    );
    let newsletter = Newsletter::new();
    let program = Program::new("newsletter");
    let program = program.args([newsletter.path("list.csv"), newsletter.path("news.txt")]);
    assert_eq!(
        program.run().failure(2),
        "newsletter: set SMTP_FROM to the sender\n"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_bar_moves_where_somebody_watches() {
    let newsletter = Newsletter::new();
    let peer = Server::new().script().listen();
    let Some(terminal) = Terminal::new() else {
        return;
    };
    let program = newsletter.program(&plain_url(&peer));
    let said = program.env("TERM", "xterm").stderr_to(&terminal).run();
    assert_eq!(said.status, 0);
    let shown = terminal.shown();
    assert!(shown.contains("/3 "), "{shown:?}");
}
