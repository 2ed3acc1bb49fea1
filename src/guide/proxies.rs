//! Go through a proxy, or use another TLS library.
//!
//! ```no_run
//! use smtplib::connection::TcpTransport;
//! use smtplib::{Config, Mailer};
//! use socks::Socks5Stream;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config = Config::new("mail.example.com").transport(|config, _deadline| {
//!     let server = config.get_host().zip(config.get_port());
//!     let server = server.ok_or(std::io::ErrorKind::InvalidInput)?;
//!     let stream = Socks5Stream::connect("127.0.0.1:1080", server)?;
//!     TcpTransport::new(stream.into_inner())
//! });
//! let mailer = Mailer::new(config);
//! # Ok(())
//! # }
//! ```
//!
//! [`Config::transport`](crate::Config::transport) takes a function that opens a connection. TLS and login
//! follow as configured. The certificate must be that of the mail server, so the proxy cannot read the
//! message.
//!
//! | you want | how, and an example in the repository |
//! |---|---|
//! | a SOCKS5 proxy | as above, with the crate `socks`<br>`examples/socks5.rs` |
//! | an HTTP proxy (CONNECT) | about 20 lines over [`TcpTransport`](crate::connection::TcpTransport)<br>`examples/http_connect.rs` |
//! | a tunnel that ends on this machine | [`TcpTransport::connect`](crate::connection::TcpTransport::connect) to its port |
//! | rustls | your own [`Transport`](crate::connection::Transport)<br>`examples/rustls` |
//! | an SSH channel, a pair of pipes | your own [`Transport`](crate::connection::Transport) |
//! | a connection that is open already | [`SmtpConnection::from_transport`](crate::SmtpConnection::from_transport) |
//!
//! # A tunnel
//!
//! ```no_run
//! use smtplib::Config;
//! use smtplib::connection::TcpTransport;
//!
//! let config = Config::new("mail.example.com")
//!     .transport(|_config, deadline| TcpTransport::connect("127.0.0.1", 2525, deadline));
//! ```
//!
//! Give the configuration the real name of the server. The certificate is verified for that name.
//!
//! # Another TLS library
//!
//! By default TLS is the platform's own: SChannel on Windows, Security.framework on macOS, OpenSSL
//! elsewhere. A [`Transport`](crate::connection::Transport) can bring its own TLS instead. Three things
//! belong together then:
//!
//! - [`Security::None`](crate::Security::None), because the crate must not begin TLS a second time.
//! - The [`port`](crate::Config::port) of a server where TLS begins at once, usually 465.
//! - [`Transport::is_protected`](crate::connection::Transport::is_protected) returns true. Only then are
//!   passwords sent.
//!
//! Every wait must end: [`Transport::set_deadline`](crate::connection::Transport::set_deadline) says
//! when.
