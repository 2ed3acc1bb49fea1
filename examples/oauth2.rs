//! Logs in with an OAuth 2.0 access token, which is fetched when it is needed and once more if the
//! server refuses it (RFC 6749, 6: the refresh-token grant).
//!
//! ```text
//! cargo run --example oauth2 -- smtp://smtp.example.com alice@example.com bob@example.org
//! ```
//!
//! Google and Microsoft give a refresh token to a program once its user has agreed in the browser;
//! their guides say how. What the program needs then stands in the environment:
//!
//! | variable | for Gmail | for Microsoft 365 |
//! |---|---|---|
//! | `OAUTH_TOKEN_URL` | `https://oauth2.googleapis.com/token` | `https://login.microsoftonline.com/TENANT/oauth2/v2.0/token` |
//! | `OAUTH_CLIENT_ID` | the program's id | the program's id |
//! | `OAUTH_REFRESH_TOKEN` | asked for with the scope `https://mail.google.com/` | asked for with the scopes `https://outlook.office.com/SMTP.Send offline_access` |
//!
//! Without them, the token endpoint is one inside this program, whose tokens are `token-1`,
//! `token-2` and so on. For an `https` endpoint, give ureq one of its TLS features.

use std::env;
use std::error::Error;
use std::sync::Arc;
use std::thread;

use serde_json::{Value, json};
use smtplib::{Config, Credentials, Message, Secret};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let url = arguments
        .next()
        .ok_or("give a URL, a sender and a recipient")?;
    let from = arguments.next().ok_or("give a sender")?;
    let to = arguments.next().ok_or("give a recipient")?;
    let account = Account::from_environment()?;

    let message = Message::builder()
        .from(from.as_str())
        .to(to.as_str())
        .subject("By token")
        .text("No password was needed for this.\n")
        .build()?;
    let config = url
        .parse::<Config>()?
        .credentials(Credentials::token_from(from, move || {
            account.access_token()
        }))
        .trace_to_stderr();
    let mut smtp = config.connect()?; // asks for a token
    let outcome = smtp.send_message(&message)?;
    for recipient in outcome.recipients() {
        println!("{recipient}");
    }
    smtp.quit();
    Ok(())
}

/// What the provider gave to this program.
struct Account {
    token_url: String,
    client_id: String,
    refresh_token: String,
}

impl Account {
    fn from_environment() -> Result<Self, Box<dyn Error>> {
        let variable = |name| env::var(name).unwrap_or_else(|_| "example".to_owned());
        Ok(Self {
            token_url: match env::var("OAUTH_TOKEN_URL") {
                Ok(url) => url,
                Err(_) => token_endpoint()?,
            },
            client_id: variable("OAUTH_CLIENT_ID"),
            refresh_token: variable("OAUTH_REFRESH_TOKEN"),
        })
    }

    /// A new access token. The refresh token is good for many of them.
    fn access_token(&self) -> Result<Secret, Box<dyn Error + Send + Sync>> {
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", &self.client_id),
            ("refresh_token", &self.refresh_token),
        ];
        let mut response = ureq::post(&self.token_url).send_form(form)?;
        let answer: Value = response.body_mut().read_json()?;
        let token = answer.get("access_token").and_then(Value::as_str);
        let token = token.ok_or("the token endpoint has answered without a token")?;
        Ok(token.into())
    }
}

/// A token endpoint on a free port of this machine, which ends with the program. Nothing of it
/// belongs into a program that sends mail.
fn token_endpoint() -> Result<String, Box<dyn Error>> {
    let server = tiny_http::Server::http("127.0.0.1:0").map_err(|error| error.to_string())?;
    let server = Arc::new(server);
    let address = server.server_addr();
    thread::spawn(move || {
        for (number, mut request) in (1..).zip(server.incoming_requests()) {
            let mut form = String::new();
            let is_read = request.as_reader().read_to_string(&mut form).is_ok();
            let is_right = is_read && form.contains("grant_type=refresh_token");
            let answer = match is_right {
                true => json!({"access_token": format!("token-{number}"), "expires_in": 3600}),
                false => json!({"error": "unsupported_grant_type"}),
            };
            let response = tiny_http::Response::from_string(answer.to_string());
            // Whoever has hung up does not want the answer.
            let _ = request.respond(response.with_status_code(if is_right { 200 } else { 400 }));
        }
    });
    Ok(format!("http://{address}/token"))
}
