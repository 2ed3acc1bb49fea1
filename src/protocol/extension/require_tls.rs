//! REQUIRETLS (RFC 8689): mail that must be sent over TLS all the way.

use crate::envelope::Envelope;
use crate::parameter::Parameter;

impl Parameter {
    /// Makes REQUIRETLS: every server on the way must use TLS with a verified certificate, or
    /// return the message (RFC 8689).
    #[must_use]
    pub fn require_tls() -> Self {
        Self::known("REQUIRETLS", None)
    }
}

impl Envelope {
    /// Sends the message only with verified TLS all the way (REQUIRETLS, RFC 8689); by default this
    /// is not required.
    ///
    /// Sending is an error if this connection has no TLS, if it does not verify certificates, or
    /// if the server does not offer REQUIRETLS. [`ignore_unsupported`](Self::ignore_unsupported)
    /// does not change that. Your own [`tls_connector`](crate::Config::tls_connector) is assumed to
    /// verify certificates.
    pub fn require_tls(self) -> Self {
        self.parameter(Parameter::require_tls())
    }
}
