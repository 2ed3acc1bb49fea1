//! A web page where people ask for a new password: a few threads share one mailer.
//!
//! ```text
//! cargo run --example quickstart -- serve     # a mail server; paste its lines into a second shell
//! cargo run --example web -- 8080             # there; then open http://localhost:8080/
//! ```
//!
//! Every address gets a mail and the same page, in the same time, so visitors cannot find out who
//! has an account. A real site also limits how often a visitor may ask.

use std::env;
use std::error::Error;
use std::io::Read;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use smtplib::{Address, Delivery, Mailbox, Mailer, Message};
use tiny_http::{Header, Method, Request, Response, Server};

/// How many visitors are served at a time. All share the mailer's 4 connections.
const THREADS: usize = 8;
/// The longest form, in bytes.
const MAX_FORM: u64 = 1024;
/// Visitors do not wait for minutes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A status and a page.
type Answer = (u16, &'static str);

const FORM: Answer = (
    200,
    "<form method=post action=/reset><label>Your address <input name=email type=email required>\
     </label> <button>Send me a link</button></form>",
);
const SENT: Answer = (
    200,
    "<p>If the address is right, a mail is on its way. Look into your mailbox.</p>",
);
const NO_ADDRESS: Answer = (400, "<p>That is not an address.</p>");
const NO_PAGE: Answer = (404, "<p>There is no such page.</p>");
const FAILED: Answer = (502, "<p>We cannot send mail. We will mend that.</p>");
const LATER: Answer = (503, "<p>We cannot send mail now. Try again later.</p>");

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("web: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let port = match env::args().nth(1) {
        Some(port) => port
            .parse()
            .map_err(|_| "give a port, or 0 for a free one")?,
        None => 8080,
    };
    let from = env::var("SMTP_FROM").map_err(|_| "set SMTP_FROM to the sender of the mails")?;
    let from: Mailbox = from.parse()?;
    let mailer = mailer()?;
    mailer.check()?; // a wrong password shows now, and not when the first visitor comes

    let server = Server::http(("127.0.0.1", port)).map_err(|error| error.to_string())?;
    let url = format!("http://{}", server.server_addr());
    println!("{url}/");
    thread::scope(|scope| {
        for _ in 0..THREADS {
            let site = Site {
                mailer: mailer.clone(),
                from: from.clone(),
                url: url.clone(),
            };
            scope.spawn(|| site.serve(&server));
        }
    });
    Ok(())
}

/// The mailer for all threads.
fn mailer() -> Result<Mailer, smtplib::Error> {
    let config = Mailer::from_env("SMTP_URL")?.config().clone();
    Ok(Mailer::new(config.deadline(PATIENCE)).max_wait(PATIENCE))
}

/// The data of each thread.
struct Site {
    mailer: Mailer,
    from: Mailbox,
    /// The beginning of links: never the request's `Host`, which the visitor chooses.
    url: String,
}

impl Site {
    fn serve(self, server: &Server) {
        for mut request in server.incoming_requests() {
            let (status, page) = self.answer(&mut request);
            let mut response = Response::from_string(page).with_status_code(status);
            if let Ok(html) = Header::from_bytes("Content-Type", "text/html; charset=utf-8") {
                response.add_header(html);
            }
            // An error here means that the visitor has hung up.
            let _ = request.respond(response);
        }
    }

    fn answer(&self, request: &mut Request) -> Answer {
        match (request.method(), request.url()) {
            (Method::Get, "/") => FORM,
            (Method::Post, "/reset") => match address_in(request) {
                Some(address) => self.reset(&address),
                None => NO_ADDRESS,
            },
            _ => NO_PAGE,
        }
    }

    fn reset(&self, address: &Address) -> Answer {
        let Err(error) = self.send(address) else {
            return SENT;
        };
        eprintln!("web: {error}");
        match error.downcast_ref::<smtplib::Error>() {
            // The visitor must not see what the mail server says about an address.
            Some(smtplib::Error::RecipientsRefused(_)) => SENT,
            // A duplicate of such a mail does no harm.
            Some(error) if error.is_transient() || error.delivery() == Delivery::Unknown => LATER,
            _ => FAILED,
        }
    }

    fn send(&self, address: &Address) -> Result<(), Box<dyn Error>> {
        // An `Ok` has no refused recipient, since there is only one.
        let _ = self.mailer.send(&self.message(address)?)?;
        Ok(())
    }

    fn message(&self, to: &Address) -> Result<Message, Box<dyn Error>> {
        let mail = Message::builder()
            .from(&self.from)
            .to(to)
            .subject("Your new password")
            // Keeps holiday notices away (RFC 3834).
            .header("Auto-Submitted", "auto-generated");
        if !has_account(to) {
            let text = "Somebody has asked for a new password, but this address has no account.\n";
            return Ok(mail.text(text).build()?);
        }
        let link = format!("{}/choose?token={}", self.url, token()?);
        let text =
            format!("Choose a new password here:\n\n{link}\n\nThe link is good for an hour.\n");
        let html = format!("<p><a href=\"{link}\">Choose a new password</a> within an hour.</p>\n");
        Ok(mail.text(text).html(html).build()?)
    }
}

/// The address in a form, if it is one. An address has no line ends, so it cannot add a header
/// field.
fn address_in(request: &mut Request) -> Option<Address> {
    let mut form = Vec::new();
    let mut reader = request.as_reader().take(MAX_FORM + 1);
    reader.read_to_end(&mut form).ok()?;
    if form.len() as u64 > MAX_FORM {
        return None;
    }
    let mut fields = form_urlencoded::parse(&form);
    let (_, email) = fields.find(|(name, _)| name == "email")?;
    email.trim_matches(' ').parse().ok()
}

/// A real site asks its database. Here every address at example.org has an account.
fn has_account(address: &Address) -> bool {
    address.domain().eq_ignore_ascii_case("example.org")
}

/// 256 random bits. A real site keeps their hash, the account and the time.
fn token() -> Result<String, getrandom::Error> {
    let mut octets = [0; 32];
    getrandom::fill(&mut octets)?;
    Ok(octets.iter().map(|octet| format!("{octet:02x}")).collect())
}
