//! The way to the SMTP server: its address, whether by TLS, and whose certificates are trusted.

use std::time::Duration;

use http::Uri;
use lettre::{
    AsyncSmtpTransport, Tokio1Executor,
    transport::smtp::{
        Error,
        client::{Certificate, Tls, TlsParameters},
    },
};

/// How long one conversation with the SMTP server may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What hands letters over.
pub type Transport = AsyncSmtpTransport<Tokio1Executor>;

/// By a URL as the configuration has it. `authorities` are trusted besides the public ones.
pub fn build(url: &str, authorities: Option<&[u8]>) -> Result<Transport, Error> {
    let mut builder = Transport::from_url(url)?;
    if let Some(pem) = authorities
        && let Some(tls) = tls(url, pem)?
    {
        builder = builder.tls(tls);
    }
    Ok(builder.timeout(Some(PATIENCE)).build())
}

/// What the URL says about TLS, with further authorities; none when it asks for no TLS.
fn tls(url: &str, pem: &[u8]) -> Result<Option<Tls>, Error> {
    // An address without a host was refused before.
    let Ok(uri) = url.parse::<Uri>() else { return Ok(None) };
    let host = uri.host().unwrap_or_default().to_owned();
    let parameters = TlsParameters::builder(host)
        .add_root_certificate(Certificate::from_pem(pem)?)
        .build()?;
    let wants = |way: &str| {
        let mut pairs = uri.query().unwrap_or_default().split('&');
        pairs.any(|pair| pair.strip_prefix("tls=") == Some(way))
    };
    Ok(match uri.scheme_str() {
        Some("smtps") => Some(Tls::Wrapper(parameters)),
        _ if wants("required") => Some(Tls::Required(parameters)),
        _ if wants("opportunistic") => Some(Tls::Opportunistic(parameters)),
        _ => None,
    })
}
