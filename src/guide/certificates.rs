//! Trust a private or self-signed certificate, and show one to the server.
//!
//! ```no_run
//! use smtplib::Config;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config = Config::new("mail.internal.example.com")
//!     .root_certificate_file("/etc/ssl/our-authority.pem");
//! config.check()?; // reads the file
//!
//! // The same as a URL:
//! let config: Config = "smtp://mail.internal.example.com?ca=/etc/ssl/our-authority.pem".parse()?;
//! # Ok(())
//! # }
//! ```
//!
//! By default certificates are verified: against the system's root certificates, and for the host name
//! that you gave. TLS 1.2 is the oldest version that is accepted.
//!
//! A server whose certificate comes from your own authority needs the authority's certificate in PEM. A
//! self-signed certificate is its own authority.
//!
//! | you want to | method, and the option in a URL |
//! |---|---|
//! | trust more roots, from a file | [`root_certificate_file`](crate::Config::root_certificate_file)<br>`?ca=/path.pem` |
//! | trust more roots, from text | [`root_certificates`](crate::Config::root_certificates) |
//! | trust only those roots | [`only_given_roots`](crate::Config::only_given_roots)<br>`?roots=only` |
//! | expect another name | [`tls_server_name`](crate::Config::tls_server_name)<br>`?server_name=mail.example.com` |
//! | show a client certificate | [`client_identity_files`](crate::Config::client_identity_files)<br>`?cert=/path.pem&key=/path.pem` |
//! | log in with that certificate | [`Credentials::certificate`](crate::Credentials::certificate) |
//! | set up TLS yourself | [`tls_connector`](crate::Config::tls_connector) |
//!
//! # When the handshake fails
//!
//! ```no_run
//! use smtplib::error::TlsReason;
//! use smtplib::{Config, Error};
//!
//! match Config::new("mail.example.com").connect() {
//!     Err(Error::Tls(error)) if error.reason() == TlsReason::UnknownIssuer => {
//!         eprintln!("add the authority's certificate: {error}");
//!     }
//!     Err(error) => eprintln!("{error}"),
//!     Ok(smtp) => drop(smtp.quit()),
//! }
//! ```
//!
//! | [reason](crate::error::TlsReason) | usually |
//! |---|---|
//! | `UnknownIssuer` | your own authority: give its certificate |
//! | `UnknownIssuer`, in a container | install `ca-certificates` |
//! | `WrongName` | you used another name or an IP address: use `tls_server_name` |
//! | `Expired`, `NotYetValid` | renew the certificate, or set this machine's clock |
//! | `NotTls`, `InClear` | ports 465 and 587 are mixed up |
//! | `ClientCertificate` | the server wants a client certificate |
//! | `ProtocolTooOld` | the server has no TLS 1.2: update it, or use another |
//!
//! # Without verification
//!
//! [`danger_accept_invalid_certs`](crate::Config::danger_accept_invalid_certs) takes any certificate. Then
//! anyone between you and the server can read the password. Trusting the server's own certificate takes one
//! more line, and is safe.
