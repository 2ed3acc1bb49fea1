//! Logs in with an OAuth 2.0 access token. The token is fetched when it is needed, and once more if
//! the server refuses it (RFC 6749, 6: the refresh-token grant).
//!
//! ```text
//! cargo run --example oauth2
//! ```
//!
//! Without arguments, the token endpoint and the SMTP server are inside this program (`server.rs`),
//! and nothing leaves this machine. The server says that the first token has expired, so you see
//! how a new one is fetched. With a real server, it really sends mail:
//!
//! ```text
//! cargo run --example oauth2 -- smtp://smtp.example.com alice@example.com bob@example.org
//! ```
//!
//! Google and Microsoft give a refresh token to a program once its user has agreed in the browser;
//! their guides say how. Then set these environment variables:
//!
//! | variable | for Gmail | for Microsoft 365 |
//! |---|---|---|
//! | `OAUTH_TOKEN_URL` | `https://oauth2.googleapis.com/token` | `https://login.microsoftonline.com/TENANT/oauth2/v2.0/token` |
//! | `OAUTH_CLIENT_ID` | the program's id | the program's id |
//! | `OAUTH_REFRESH_TOKEN` | asked for with the scope `https://mail.google.com/` | asked for with the scopes `https://outlook.office.com/SMTP.Send offline_access` |
//!
//! Without `OAUTH_TOKEN_URL`, the tokens come from the endpoint inside this program. For an `https`
//! endpoint, give minreq one of its TLS features.

mod server;

use std::env;
use std::error::Error;

use form_urlencoded::Serializer;
use serde_json::Value;
use smtplib::{Config, Credentials, Message, Secret, Security};

/// How long the token endpoint may take to answer.
const TOKEN_SECONDS: u64 = 30;

fn main() {
    if let Err(error) = run() {
        eprintln!("oauth2: {error}");
        std::process::exit(1);
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.as_slice() {
        [] => with_our_server(),
        [url, from, to] => send(url.parse()?, Account::from_environment()?, from, to),
        _ => Err("give a URL, a sender and a recipient, or nothing at all".into()),
    }
}

fn with_our_server() -> Result<(), Box<dyn Error>> {
    let (port, session) = server::start()?;
    // Only because nothing leaves this machine: anyone who reads a token can use it like a
    // password.
    let config = Config::new("127.0.0.1")
        .port(port)
        .security(Security::None)
        .danger_allow_plaintext_auth(true);
    send(config, Account::inside()?, server::USER, "bob@example.org")?;

    let received = session.join().map_err(|_| "the server has panicked")??;
    println!("\nWhat the server received:");
    for line in received.lines() {
        println!("  | {line}");
    }
    Ok(())
}

fn send(config: Config, account: Account, from: &str, to: &str) -> Result<(), Box<dyn Error>> {
    let message = Message::builder()
        .from(from)
        .to(to)
        .subject("By token")
        .text("No password was needed for this.\n")
        .build()?;
    let config = config
        .credentials(Credentials::token_from(from, move || {
            account.access_token()
        }))
        .trace_to_stderr();
    let mut smtp = config.connect()?; // asks for a token
    let outcome = smtp.send_message(&message)?;
    smtp.quit();
    for recipient in outcome.recipients() {
        println!("{recipient}");
    }
    Ok(())
}

/// The data that the provider gave to this program.
struct Account {
    token_url: String,
    client_id: String,
    refresh_token: String,
}

impl Account {
    fn from_environment() -> Result<Self, Box<dyn Error>> {
        let Ok(token_url) = env::var("OAUTH_TOKEN_URL") else {
            return Self::inside();
        };
        let set = |name| env::var(name).map_err(|_| format!("set {name}"));
        Ok(Self {
            token_url,
            client_id: set("OAUTH_CLIENT_ID")?,
            refresh_token: set("OAUTH_REFRESH_TOKEN")?,
        })
    }

    /// An account with the provider inside this program.
    fn inside() -> Result<Self, Box<dyn Error>> {
        Ok(Self {
            token_url: server::token_endpoint()?,
            client_id: "example".to_owned(),
            refresh_token: "example".to_owned(),
        })
    }

    /// A new access token. One refresh token is good for many of them.
    fn access_token(&self) -> Result<Secret, Box<dyn Error + Send + Sync>> {
        eprintln!("*: asking {} for a token", self.token_url);
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "refresh_token")
            .append_pair("client_id", &self.client_id)
            .append_pair("refresh_token", &self.refresh_token);
        let response = minreq::post(&self.token_url)
            .with_header("Content-Type", "application/x-www-form-urlencoded")
            .with_body(form.finish())
            .with_timeout(TOKEN_SECONDS)
            .send()?;
        let said = response.as_str()?;
        if response.status_code != 200 {
            return Err(format!("no token: {} {said}", response.status_code).into());
        }
        let answer: Value = serde_json::from_str(said)?;
        let token = answer.get("access_token").and_then(Value::as_str);
        let token = token.ok_or("the token endpoint has answered without a token")?;
        Ok(token.into())
    }
}
