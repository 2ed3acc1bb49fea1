use crate::peer::{Refusing, Server};
use crate::program::{Program, plain_url};
use crate::serve::{PATIENCE, Serving, folder_in, lines_of};
use mail_parser::{HeaderValue, MessageParser};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Child;
use std::thread;

/// The web server, killed at the end of the test.
struct Web {
    child: Child,
    url: String,
}

impl Web {
    fn start(program: Program) -> Self {
        let mut child = program.args(["0"]).spawn();
        let lines = lines_of(child.stdout.take().unwrap());
        let mut web = Self {
            child,
            url: String::new(),
        };
        web.url = lines.recv_timeout(PATIENCE).unwrap();
        web
    }

    /// Posts this form, and returns the status and the page.
    fn post(&self, form: &[(&str, &str)]) -> (u16, String) {
        let mut body = form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(form);
        let request = minreq::post(format!("{}reset", self.url))
            .with_header("Content-Type", "application/x-www-form-urlencoded");
        told(request.with_body(body.finish()))
    }

    fn ask(&self, email: &str) -> (u16, String) {
        self.post(&[("email", email)])
    }

    fn get(&self, path: &str) -> (u16, String) {
        told(minreq::get(format!("{}{path}", self.url)))
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn told(request: minreq::Request) -> (u16, String) {
    let response = request.send().unwrap();
    assert_eq!(
        response.header("Content-Type"),
        Some("text/html; charset=utf-8")
    );
    let page = response.as_str().unwrap().to_owned();
    (response.status_code, page)
}

/// A mail that the server kept: its recipient, its text, and the link in it.
fn mail(folder: &Path, number: usize) -> (String, String, Option<String>) {
    let octets = fs::read(folder.join(format!("message-{number}.eml"))).unwrap();
    let message = MessageParser::new().parse(&octets).unwrap();
    assert_eq!(
        message.header("Auto-Submitted"),
        Some(&HeaderValue::Text("auto-generated".into()))
    );
    let to = message.to().unwrap().first().unwrap().address().unwrap();
    let text = message.body_text(0).unwrap().replace("\r\n", "\n");
    let link = text.lines().find(|line| line.starts_with("http://"));
    if let Some(link) = link {
        let html = message.body_html(0).unwrap();
        assert!(html.contains(&format!("<a href=\"{link}\">")), "{html}");
    }
    (to.to_owned(), text.clone(), link.map(str::to_owned))
}

#[test]
fn a_form_and_the_mail_it_asks_for() {
    let directory = tempfile::tempdir().unwrap();
    let serving = Serving::start(directory.path());
    let web = Web::start(Program::in_shell(&serving.variables, "web"));

    let (status, page) = web.get("");
    assert_eq!(status, 200);
    assert!(page.contains("action=/reset") && page.contains("name=email"));
    assert_eq!(web.get("secret").0, 404);

    assert_eq!(web.ask(" bob@example.org ").0, 200);
    let (to, text, link) = mail(&folder_in(directory.path()), 1);
    assert_eq!(to, "bob@example.org");
    let link = link.unwrap();
    let token = link.strip_prefix(&format!("{}choose?token=", web.url));
    let token = token.unwrap_or_else(|| panic!("{link}"));
    assert!(token.len() == 64 && token.bytes().all(|octet| octet.is_ascii_hexdigit()));
    assert_eq!(
        text,
        format!("Choose a new password here:\n\n{link}\n\nThe link is good for an hour.\n")
    );
}

#[test]
fn many_visitors_at_once_share_the_mailer() {
    let directory = tempfile::tempdir().unwrap();
    let serving = Serving::start(directory.path());
    let web = Web::start(Program::in_shell(&serving.variables, "web"));

    let visitors = 20;
    thread::scope(|scope| {
        for visitor in 0..visitors {
            let web = &web;
            scope.spawn(move || {
                let (status, page) = web.ask(&format!("visitor{visitor}@example.org"));
                assert_eq!(status, 200, "{page}");
            });
        }
    });
    let folder = folder_in(directory.path());
    let mails: Vec<_> = (1..=visitors).map(|number| mail(&folder, number)).collect();
    let to: BTreeSet<&str> = mails.iter().map(|(to, ..)| to.as_str()).collect();
    let links: BTreeSet<_> = mails.iter().filter_map(|(.., link)| link.clone()).collect();
    assert_eq!((to.len(), links.len()), (visitors, visitors));
}

#[test]
fn nobody_learns_who_has_an_account() {
    let directory = tempfile::tempdir().unwrap();
    let serving = Serving::start(directory.path());
    let web = Web::start(Program::in_shell(&serving.variables, "web"));

    // An address with an account, one without, and one that the mail server does not know.
    let answers = ["bob@example.org", "bob@example.net", "nobody@example.org"];
    let answers: BTreeSet<_> = answers.into_iter().map(|email| web.ask(email)).collect();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(answers.first().unwrap().0, 200);

    let folder = folder_in(directory.path());
    let (to, text, link) = mail(&folder, 2);
    assert_eq!((to.as_str(), link), ("bob@example.net", None));
    assert!(text.contains("no account"), "{text}");
    assert!(!folder.join("message-3.eml").exists());
}

#[test]
fn what_is_not_an_address_gets_no_mail() {
    let directory = tempfile::tempdir().unwrap();
    let serving = Serving::start(directory.path());
    let web = Web::start(Program::in_shell(&serving.variables, "web"));

    for email in [
        "",
        "bob",
        "bob@example.org, eve@example.net",
        "Bob <bob@example.org>",
        "bob@example.org\r\nBcc: eve@example.net",
        "bob@example.org\r\nRCPT TO:<eve@example.net>",
        "bob@example.org\n",
        "bob@example.org\0",
        &format!("{}@example.org", "bob".repeat(1000)),
    ] {
        assert_eq!(web.ask(email).0, 400, "{email:?}");
    }
    assert_eq!(web.post(&[("address", "bob@example.org")]).0, 400);
    // A form that is too long must not be cut into a valid one.
    let padding = "x".repeat(1024 - "padding=&email=bob%40example.org".len());
    let padded = web.post(&[("padding", &padding), ("email", "bob@example.organic")]);
    assert_eq!(padded.0, 400);
    drop(web);
    assert_eq!(serving.end(), Default::default());
}

#[test]
fn a_mail_server_in_trouble_is_not_the_visitors_fault() {
    for (reply, status, words) in [
        ("451 4.3.0 busy", 503, "Try again later"),
        ("550 5.7.1 you may not", 502, "We cannot send mail."),
    ] {
        let peer = Server::new().on("MAIL", reply).script().listen();
        let program = Program::new("web")
            .env("SMTP_URL", plain_url(&peer))
            .env("SMTP_FROM", "noreply@example.org");
        let web = Web::start(program);
        let (seen, page) = web.ask("bob@example.org");
        assert_eq!(seen, status);
        assert!(page.contains(words) && !page.contains("busy"), "{page}");
        drop(web);
        assert_eq!(peer.finish().bodies(), 0);
    }
}

#[test]
fn what_cannot_work_shows_at_the_start() {
    let nobody = Refusing::new();
    let web = |url: &str, port: &str| {
        let program = Program::new("web").args([port]).env("SMTP_URL", url);
        program.env("SMTP_FROM", "noreply@example.org").run()
    };
    let complaint = web(&format!("smtp://{}", nobody.addr()), "0").failure(1);
    let begin = format!("web: could not connect to {}: ", nobody.addr());
    assert!(complaint.starts_with(&begin), "{complaint}");
    assert_eq!(
        web("smtp://host", "many").failure(1),
        "web: give a port, or 0 for a free one\n"
    );
    let ended = Program::new("web").args(["0"]).run();
    assert_eq!(
        ended.failure(1),
        "web: set SMTP_FROM to the sender of the mails\n"
    );
}
