//! Docker, musl and static programs, Windows, macOS.
//!
//! | system, and its TLS library | what a build needs, besides Rust 1.85 or later |
//! |---|---|
//! | Debian, Ubuntu: OpenSSL | `apt install gcc libssl-dev pkg-config` |
//! | Fedora: OpenSSL | `dnf install gcc openssl-devel pkgconf` |
//! | macOS: Security.framework | the Xcode Command Line Tools: `xcode-select --install` |
//! | Windows: SChannel | the Visual Studio C++ Build Tools, which rustup offers to install |
//! | musl, or no OpenSSL headers: OpenSSL from source | gcc, make, perl, and the feature `vendored` |
//!
//! # Docker
//!
//! ```text
//! FROM debian:trixie AS build
//! RUN apt-get update && apt-get install -y cargo gcc libssl-dev pkg-config
//! COPY . /src
//! RUN cd /src && cargo build --release
//!
//! FROM debian:trixie-slim
//! RUN apt-get update && apt-get install -y ca-certificates libssl3t64
//! COPY --from=build /src/target/release/my-program /usr/local/bin/
//! CMD ["my-program"]
//! ```
//!
//! - `ca-certificates` has the root certificates. Without it the handshake fails with
//!   [`TlsReason::UnknownIssuer`](crate::error::TlsReason::UnknownIssuer).
//! - In a container, `localhost` is the container. A mail server beside it has the name of its service,
//!   such as `smtp://mailpit:1025?tls=none`.
//! - Pass the URL as a secret: `docker run --env SMTP_URL my-program`.
//! - Many clouds block port 25. Use 587 or 465.
//!
//! # A static program with musl
//!
//! ```text
//! rustup target add x86_64-unknown-linux-musl
//! apt install musl-tools make perl
//! cargo build --release --target x86_64-unknown-linux-musl
//! ```
//!
//! The feature `vendored` compiles OpenSSL, which takes some minutes the first time. In `Cargo.toml`:
//!
//! ```toml
//! [dependencies]
//! smtplib = { version = "0.1", features = ["vendored"] }
//! ```
//!
//! A static program brings no root certificates. It finds those of the system in the usual places, and
//! the environment variable `SSL_CERT_FILE` names another file. In an image made `FROM scratch`, copy
//! them:
//!
//! ```text
//! FROM rust:1 AS build
//! RUN apt-get update && apt-get install -y ca-certificates musl-tools make perl
//! RUN rustup target add x86_64-unknown-linux-musl
//! COPY . /src
//! RUN cd /src && cargo build --release --target x86_64-unknown-linux-musl
//!
//! FROM scratch
//! COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
//! COPY --from=build /src/target/x86_64-unknown-linux-musl/release/my-program /
//! CMD ["/my-program"]
//! ```
//!
//! # Windows and macOS
//!
//! Rust needs the linker of the tools in the table. No OpenSSL is needed, and `vendored` changes nothing.
//! Root certificates are those of the system. Windows has no Unix sockets
//! ([`Config::lmtp_unix`](crate::Config::lmtp_unix)).
//!
//! # What was tested
//!
//! The README lists each system, and what ran there.
