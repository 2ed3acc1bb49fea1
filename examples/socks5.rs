//! Sends through a SOCKS5 proxy, which looks the server's name up. TLS and login are as without it.
//!
//! ```text
//! cargo run --example socks5 -- 127.0.0.1:1080 smtp://user:password@mail.example.com \
//!     you@example.com friend@example.org
//! ```

use std::{env, error::Error, io};

use smtplib::connection::TcpTransport;
use smtplib::{Config, Message};
use socks::Socks5Stream;

fn main() {
    if let Err(error) = send() {
        eprintln!("socks5: {error}");
        std::process::exit(1);
    }
}

fn send() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [proxy, url, from, to] = arguments.as_slice() else {
        return Err("give a proxy, a URL, a sender and a recipient".into());
    };
    let message = Message::builder()
        .from(from)
        .to(to)
        .subject("By a proxy")
        .text("This came through SOCKS5.\n")
        .build()?;

    let proxy = proxy.clone();
    let config = url.parse::<Config>()?.transport(move |config, _deadline| {
        let server = config.get_host().zip(config.get_port());
        let server = server.ok_or(io::ErrorKind::InvalidInput)?;
        let stream = Socks5Stream::connect(proxy.as_str(), server)?;
        TcpTransport::new(stream.into_inner())
    });
    let mut smtp = config.connect()?;
    let outcome = smtp.send_message(&message)?;
    smtp.quit();

    for recipient in outcome.recipients() {
        println!("{recipient}");
    }
    Ok(())
}
