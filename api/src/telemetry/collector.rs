//! The client that hands spans to the collector.

use std::time::Duration;

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};
use ureq::{
    Agent,
    config::Config,
    tls::{Certificate, RootCerts, TlsConfig},
};

use super::TelemetryError;

/// More of an answer is not read.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// Blocks, and may: only the thread that delivers spans calls it.
#[derive(Debug)]
pub struct Client {
    agent: Agent,
}

impl Client {
    /// A client that gives a request up after so long, and trusts these authorities (PEM) besides the public ones.
    pub fn new(patience: Duration, authorities: Option<&[u8]>) -> Result<Self, TelemetryError> {
        let tls = TlsConfig::builder().root_certs(trusted(authorities)?).build();
        let config = Config::builder()
            .tls_config(tls)
            .timeout_global(Some(patience))
            // Where traces go is what is configured, whatever the environment or an answer says.
            .proxy(None)
            .max_redirects(0)
            .http_status_as_error(false)
            .build();
        Ok(Self { agent: config.into() })
    }
}

fn trusted(authorities: Option<&[u8]>) -> Result<RootCerts, TelemetryError> {
    let Some(pem) = authorities else {
        return Ok(RootCerts::WebPki);
    };
    let unusable = |error: &dyn std::fmt::Display| TelemetryError::Authorities(error.to_string());
    let mut own = RootCertStore::empty();
    let mut certificates: Vec<_> = webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .map(|certificate| Certificate::from_der(certificate))
        .collect();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| unusable(&error))?;
        // The client would pass over one that is no authority's certificate, and then trust nobody without a word.
        own.add(certificate.clone()).map_err(|error| unusable(&error))?;
        certificates.push(Certificate::from_der(&certificate).to_owned());
    }
    Ok(RootCerts::from(certificates))
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let answer = self.agent.run(Request::from_parts(parts, body.as_ref()))?;
        let (parts, mut body) = answer.into_parts();
        let bytes = body.with_config().limit(LONGEST_ANSWER).read_to_vec()?;
        Ok(Response::from_parts(parts, bytes.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::trusted;
    use ureq::tls::RootCerts;

    #[test]
    fn a_certificate_that_is_none_is_refused_instead_of_passed_over() {
        let pem = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        let refused = trusted(Some(pem)).expect_err("four letters are no certificate");
        assert!(refused.to_string().starts_with("telemetry.ca_file"), "{refused}");
        assert!(matches!(trusted(None), Ok(RootCerts::WebPki)));
    }
}
