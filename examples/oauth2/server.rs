//! The other half of the example: a token endpoint and an SMTP server on free ports of this machine,
//! which end with the program.
//!
//! Both understand only this example. A program that sends mail needs nothing from this file.

use std::error::Error;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

/// The one account of the server.
pub(crate) const USER: &str = "alice@example.com";
/// The endpoint's second token: the first is one that has expired.
const TOKEN: &str = "token-2";

/// Starts the token endpoint, whose tokens are `token-1`, `token-2` and so on. Returns its URL.
pub(crate) fn token_endpoint() -> Result<String, Box<dyn Error>> {
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
            // An error here means that the client has hung up.
            let _ = request.respond(response.with_status_code(if is_right { 200 } else { 400 }));
        }
    });
    Ok(format!("http://{address}/token"))
}

/// Starts the SMTP server. Returns its port, and the thread that gives the message of its one
/// session.
pub(crate) fn start() -> io::Result<(u16, JoinHandle<io::Result<String>>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    let session = thread::spawn(move || serve(&listener.accept()?.0));
    Ok((port, session))
}

/// Serves one session until QUIT. Returns the message that came in it.
fn serve(stream: &TcpStream) -> io::Result<String> {
    let mut lines = BufReader::new(stream).lines();
    let mut output = stream;
    let mut say = |reply: &str| output.write_all(format!("{reply}\r\n").as_bytes());
    let mut is_logged_in = false;
    let mut message = String::new();
    say("220 mail.example.org ESMTP")?;
    while let Some(line) = lines.next().transpose()? {
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        match verb {
            "EHLO" => say("250-mail.example.org\r\n250 AUTH XOAUTH2")?,
            "AUTH" if is_right(rest) => {
                is_logged_in = true;
                say("235 2.7.0 welcome")?;
            }
            // The reason comes as a challenge: the client has to send an empty response.
            "AUTH" => {
                let reason = json!({"status": "401", "schemes": "bearer"}).to_string();
                say(&format!("334 {}", STANDARD.encode(reason)))?;
                lines.next().transpose()?;
                say("535 5.7.8 the token has expired")?;
            }
            "MAIL" if !is_logged_in => say("530 5.7.0 log in first")?,
            "MAIL" | "RCPT" => say("250 2.1.0 ok")?,
            "DATA" => {
                say("354 go ahead")?;
                message = read_message(&mut lines)?;
                say("250 2.0.0 taken")?;
            }
            "QUIT" => {
                say("221 2.0.0 goodbye")?;
                break;
            }
            _ => say("502 5.5.1 this server does not know that")?,
        }
    }
    Ok(message)
}

/// Whether these are the arguments of AUTH that let USER in.
fn is_right(arguments: &str) -> bool {
    let expected = format!("user={USER}\x01auth=Bearer {TOKEN}\x01\x01");
    arguments == format!("XOAUTH2 {}", STANDARD.encode(expected))
}

/// The lines up to the lone dot, without the dots that were put in front of others (RFC 5321,
/// 4.5.2).
fn read_message(lines: impl Iterator<Item = io::Result<String>>) -> io::Result<String> {
    let mut message = String::new();
    for line in lines {
        let line = line?;
        if line == "." {
            break;
        }
        message.push_str(line.strip_prefix('.').unwrap_or(&line));
        message.push('\n');
    }
    Ok(message)
}
