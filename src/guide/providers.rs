//! The URL for each provider: Gmail, Microsoft 365, Amazon SES, Postfix and others.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use smtplib::Mailer;
//!
//! // smtps://alice%40gmail.com:abcdefghijklmnop@smtp.gmail.com
//! let mailer = Mailer::from_env("SMTP_URL")?;
//! mailer.check()?; // connects and logs in
//! # Ok(())
//! # }
//! ```
//!
//! Put your own user name and password into the URL. Write `%40` for `@` and `%25` for `%`, so that
//! the user `alice@gmail.com` becomes `alice%40gmail.com`. Where the table names only OAuth2, leave
//! the password out, read the URL as a [`Config`](crate::Config), and add the token with
//! [`credentials`](crate::Config::credentials): see the chapter [`oauth2`](super::oauth2).
//!
//! | provider | URL, what to log in with, and what to know |
//! |---|---|
//! | [Gmail][gmail], Google Workspace | `smtps://user:password@smtp.gmail.com`<br>The full address and an [app password][google-app], or OAuth2. Port 587 with STARTTLS works, too. App passwords need 2-Step Verification. |
//! | [Microsoft 365][m365] | `smtp://user@smtp.office365.com`<br>The full address and OAuth2. An administrator must [allow SMTP AUTH][m365-auth] for the mailbox. Passwords are being [phased out][m365-basic]: from the end of December 2026 they are off by default. |
//! | [Outlook.com][outlook] | `smtp://user@smtp-mail.outlook.com`<br>The full address and OAuth2. |
//! | [iCloud Mail][icloud] | `smtp://user:password@smtp.mail.me.com`<br>The full address and an app-specific password. (Not read at the source.) |
//! | [Yahoo Mail][yahoo] | `smtps://user:password@smtp.mail.yahoo.com`<br>The full address and an app password. Port 587 works, too. (Not read at the source.) |
//! | [Fastmail][fastmail] | `smtps://user:password@smtp.fastmail.com`<br>The full address and an app password. |
//! | [Zoho Mail][zoho] | `smtps://user:password@smtp.zoho.com`<br>The full address and the password; with two-factor login an app-specific password. Paid organisations use `smtppro.zoho.com`. Accounts in other regions have other hosts, such as `smtp.zoho.eu`. The sender must be an address of the account. (Not read at the source.) |
//! | [Amazon SES][ses] | `smtps://user:password@email-smtp.us-east-1.amazonaws.com`<br>SMTP credentials, which are not your AWS keys. The host names the region, and each region has its own credentials. Beyond your rate the reply is [454][ses-454]: set [`Mailer::rate`](crate::Mailer::rate). |
//! | [SendGrid][sendgrid] | `smtps://apikey:key@smtp.sendgrid.net`<br>The word `apikey`, and an API key as the password. Port 587 with STARTTLS works, too. |
//! | [Mailgun][mailgun] | `smtps://user:password@smtp.mailgun.org`<br>SMTP credentials of the domain. Ports 587 and 2525 work, with STARTTLS. Domains in the EU use `smtp.eu.mailgun.org` (not read at the source). |
//! | [Postmark][postmark] | `smtp://token:token@smtp.postmarkapp.com`<br>The server API token, as user name and as password. Ports 25 and 2525 work, too. Broadcasts go to `smtp-broadcasts.postmarkapp.com`. |
//! | [Proton Mail Bridge][proton] | `smtp://user:password@127.0.0.1:1025?ca=/path.pem`<br>The user name and password that Bridge shows. Bridge shows its port. Its certificate is [self-signed][proton-cert]: export it, and name the file in `ca`. |
//! | [Postfix][postfix] on this machine | `smtp://localhost?tls=none`<br>No login, port 25. Postfix has a queue and tries again for you. |
//! | [Dovecot][dovecot] by LMTP | `lmtp+unix:///run/dovecot/lmtp`<br>No login. Needs `lmtp` in Dovecot's `protocols`, and the right to open the socket. Over TCP: `lmtp://localhost?tls=none`. |
//! | [Mailpit][mailpit], [MailHog][mailhog] | `smtp://localhost:1025?tls=none`<br>No login. They catch mail for development. Read it at `http://localhost:8025`. |
//!
//! Looked up in November 2026. Each name is a link to the provider's own page, which takes precedence.
//! "Not read at the source" means that this page could not be read; others quote it like this.
//!
//! # Other servers
//!
//! | to | URL, its [`Security`](crate::Security), and port |
//! |---|---|
//! | a provider, TLS from the start | `smtps://user:password@host`<br>`ImplicitTls`, port 465 |
//! | a provider, by STARTTLS | `smtp://user:password@host`<br>`StartTls`, the default; port 587 |
//! | another server, TLS if it has any | `smtp://host?tls=opportunistic`<br>`Opportunistic`, port 25 |
//! | a server on this machine | `smtp://localhost?tls=none`<br>`None`, port 25 |
//! | local delivery by a socket | `lmtp+unix:///path`<br>`None`; see [`Config::lmtp_unix`](crate::Config::lmtp_unix) |
//!
//! Use 465 if your provider offers it, otherwise 587. If the two are mixed up, the greeting does not
//! come or the handshake fails, and the error says so. `tls=opportunistic` protects against listeners
//! only: an attacker between you and the server can switch TLS off.
//!
//! ```
//! # // Every URL of the tables can be read.
//! # let chapter = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/guide/providers.rs"));
//! # let is_row = |line: &&str| line.starts_with("//! |");
//! # let urls = chapter.lines().filter(is_row).filter_map(|row| row.split('|').nth(2)?.split('`').nth(1));
//! # let urls: Vec<&str> = urls.filter(|url| url.contains("://")).collect();
//! # assert_eq!(urls.len(), 20);
//! # for url in urls {
//! #     url.parse::<smtplib::Config>().unwrap_or_else(|error| panic!("{url}: {error}"));
//! # }
//! use smtplib::{Config, Security};
//!
//! let config: Config = "smtp://localhost?tls=none".parse()?;
//! assert_eq!(config.get_port(), Some(25));
//! assert_eq!(config.get_security(), Security::None);
//! # Ok::<(), smtplib::error::ConfigError>(())
//! ```
//!
//! [dovecot]: https://doc.dovecot.org/latest/core/config/delivery/lmtp.html
//! [fastmail]: https://www.fastmail.help/hc/en-us/articles/1500000278342
//! [gmail]: https://developers.google.com/workspace/gmail/imap/imap-smtp
//! [google-app]: https://support.google.com/accounts/answer/185833
//! [icloud]: https://support.apple.com/en-us/102525
//! [m365]: https://learn.microsoft.com/en-us/exchange/mail-flow-best-practices/how-to-set-up-a-multifunction-device-or-application-to-send-email-using-microsoft-365-or-office-365
//! [m365-auth]: https://learn.microsoft.com/en-us/exchange/clients-and-mobile-in-exchange-online/authenticated-client-smtp-submission
//! [m365-basic]: https://techcommunity.microsoft.com/blog/exchange/exchange-online-to-retire-basic-auth-for-client-submission-smtp-auth/4114750
//! [mailgun]: https://documentation.mailgun.com/docs/mailgun/user-manual/sending-messages/send-smtp
//! [mailhog]: https://github.com/mailhog/MailHog/blob/master/docs/CONFIG.md
//! [mailpit]: https://github.com/axllent/mailpit
//! [outlook]: https://support.microsoft.com/en-us/office/pop-imap-and-smtp-settings-8361e398-8af4-4e97-b147-6c6c4ac95353
//! [postfix]: https://www.postfix.org/BASIC_CONFIGURATION_README.html
//! [postmark]: https://postmarkapp.com/support/article/811-what-are-the-smtp-details-api-tokens-i-should-be-using
//! [proton]: https://proton.me/support/protonmail-bridge-faq
//! [proton-cert]: https://proton.me/support/macos-certificate-warning
//! [sendgrid]: https://www.twilio.com/docs/sendgrid/for-developers/sending-email/integrating-with-the-smtp-api
//! [ses]: https://docs.aws.amazon.com/ses/latest/dg/smtp-connect.html
//! [ses-454]: https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html
//! [yahoo]: https://help.yahoo.com/kb/SLN4075.html
//! [zoho]: https://www.zoho.com/mail/help/zoho-smtp.html
