//! Log in with OAuth2: Gmail, Microsoft 365 and Outlook.com.
//!
//! ```no_run
//! use smtplib::{Config, Credentials, Mailer, Secret};
//!
//! /// Asks the provider for an access token, for instance with an OAuth2 crate.
//! fn access_token() -> Result<Secret, std::io::Error> {
//!     # return Err(std::io::ErrorKind::Unsupported.into());
//!     // …
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let config: Config = "smtp://smtp.office365.com".parse()?;
//! let config = config
//!     .credentials(Credentials::token_from("alice@example.com", access_token));
//! let mailer = Mailer::new(config);
//! # Ok(())
//! # }
//! ```
//!
//! Access tokens expire after an hour or so.
//! [`Credentials::token_from`](crate::Credentials::token_from) calls your function at each login, and once
//! more if the server refuses the token. If the function fails, the error is
//! [`Error::Token`](crate::Error::Token).
//!
//! | | scope, and token endpoint |
//! |---|---|
//! | Gmail<br>`smtp.gmail.com` | `https://mail.google.com/`<br>`https://oauth2.googleapis.com/token` |
//! | Microsoft 365<br>`smtp.office365.com` | `https://outlook.office.com/SMTP.Send` and `offline_access`<br>`https://login.microsoftonline.com/TENANT/oauth2/v2.0/token` |
//!
//! The mechanism is OAUTHBEARER or XOAUTH2, whichever the server offers. A token is never sent as a
//! password. It is sent without TLS only if you allow that with
//! [`danger_allow_plaintext_auth`](crate::Config::danger_allow_plaintext_auth).
//!
//! # Where the token comes from
//!
//! 1. Register your program with the provider. You get a client id.
//! 2. The user agrees in the browser, once. You get a refresh token; store it like a password.
//! 3. Your function sends the refresh token to the token endpoint, and gets an access token.
//!
//! The provider's guide describes steps 1 and 2. `examples/oauth2` in the repository does step 3 with a
//! small HTTP client.
//!
//! # A token that you have
//!
//! ```no_run
//! use smtplib::{Config, Credentials};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let token = std::env::var("SMTP_TOKEN")?;
//! let config = Config::new("smtp.gmail.com").credentials(Credentials::bearer("alice@gmail.com", token));
//! # Ok(())
//! # }
//! ```
//!
//! In a URL: `smtp://alice%40gmail.com:TOKEN@smtp.gmail.com?auth=xoauth2`.
