//! What users name and Kabar fetches: one guarded client.
//!
//! A user's address may lead anywhere, also to what only this server reaches: its own ports, its neighbours, the cloud's
//! metadata. So addresses are looked at before anything is sent to them.
//!
//! **Invariant:** nothing goes to an address that was not checked. A name is resolved once for each request, and the
//! connection is made to an address that was looked at, not to the name: a name that answers something else the next time
//! gains nothing. A redirect is a new request and begins anew.
//!
//! **Invariant:** an answer is bounded in bytes, and a fetch in time.

mod addresses;
mod connection;

use std::{io, sync::Arc};

use http::{StatusCode, header};
use tokio::time::{Instant, timeout_at};
use tokio_rustls::{
    TlsConnector,
    rustls::{self, ClientConfig, RootCertStore, crypto::ring, pki_types::pem::PemObject},
};
use url::Url;

use self::addresses::Addresses;
use crate::config;

/// How often a fetch is sent elsewhere.
const MOST_REDIRECTS: usize = 4;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// The media types that are taken; one that ends in `/` stands for all that begin so.
    pub types: &'static [&'static str],
    /// At most so many bytes of it.
    pub most: usize,
    /// Whether the beginning of something larger is enough.
    pub beginning: bool,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Where it was in the end.
    pub url: Url,
    /// As the server called it.
    pub content_type: String,
    pub body: Vec<u8>,
}

/// Why something was not fetched. No text of these names an address: they are logged.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// Neither http nor https, or no address at all.
    #[error("it is no address of the web")]
    Address,
    /// The address carries a user name or a password.
    #[error("the address carries a user name or a password")]
    Credentials,
    /// The name is not known.
    #[error("the name has no address")]
    Unknown(#[source] io::Error),
    /// It is not on the public internet.
    #[error("the address is not on the public internet")]
    Private,
    /// The server is not there, or its certificate is not good.
    #[error("the server cannot be reached: {0}")]
    Unreachable(#[source] io::Error),
    /// It was sent elsewhere too often.
    #[error("it was sent elsewhere more than {MOST_REDIRECTS} times")]
    Redirects,
    /// The server refused.
    #[error("the server answered {0}")]
    Refused(StatusCode),
    /// It is something else than what was wanted, or packed in a way that was not asked for.
    #[error("it is not what was wanted")]
    Kind,
    /// It is too large.
    #[error("it is larger than {0} bytes")]
    TooLarge(usize),
    /// The answer is no HTTP, or ended before its end.
    #[error("the answer broke off")]
    Broken(#[from] hyper::Error),
    /// It took too long.
    #[error("it took too long")]
    TimedOut,
}

/// The certificates that were configured cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("fetching.ca_file holds a certificate that can't be used: {0}")]
pub struct AuthorityError(String);

/// The guarded client. Cheap to clone.
#[derive(Clone)]
pub struct Fetcher {
    addresses: Arc<Addresses>,
    tls: TlsConnector,
}

impl Fetcher {
    /// With the public authorities and those of the configuration.
    pub fn new(config: &config::Fetching) -> Result<Self, AuthorityError> {
        let unusable = |error: &dyn std::error::Error| AuthorityError(error.to_string());
        let mut roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
        let further = config.authorities.as_deref().unwrap_or_default();
        for certificate in rustls::pki_types::CertificateDer::pem_slice_iter(further) {
            let certificate = certificate.map_err(|error| unusable(&error))?;
            roots.add(certificate).map_err(|error| unusable(&error))?;
        }
        let mut tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(&error))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            addresses: Arc::new(Addresses::new(config.allowed_networks.clone())),
            tls: TlsConnector::from(Arc::new(tls)),
        })
    }

    /// Gets what is there, following redirects. Nothing is kept, no cookie is taken or sent.
    pub async fn get(&self, url: Url, wanted: Wanted, deadline: Instant) -> Result<Fetched, FetchError> {
        timeout_at(deadline, self.follow(url, wanted))
            .await
            .unwrap_or(Err(FetchError::TimedOut))
    }

    async fn follow(&self, mut url: Url, wanted: Wanted) -> Result<Fetched, FetchError> {
        for _ in 0..=MOST_REDIRECTS {
            check(&url)?;
            let response = connection::get(&self.addresses, &self.tls, &url, wanted).await?;
            let status = response.status();
            if !status.is_redirection() {
                return read(url, response, wanted).await;
            }
            let elsewhere = response.headers().get(header::LOCATION);
            let elsewhere = elsewhere.and_then(|to| std::str::from_utf8(to.as_bytes()).ok());
            // 304 and its like lead nowhere.
            let elsewhere = elsewhere.ok_or(FetchError::Refused(status))?;
            url = url.join(elsewhere).map_err(|_| FetchError::Address)?;
        }
        Err(FetchError::Redirects)
    }
}

fn check(url: &Url) -> Result<(), FetchError> {
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err(FetchError::Address);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(FetchError::Credentials);
    }
    Ok(())
}

async fn read(url: Url, response: connection::Answer, wanted: Wanted) -> Result<Fetched, FetchError> {
    if !response.status().is_success() {
        return Err(FetchError::Refused(response.status()));
    }
    let text = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    let content_type = text(header::CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
    let kind = content_type.split(';').next().unwrap_or_default().trim();
    let takes = |wanted: &&str| kind == *wanted || (wanted.ends_with('/') && kind.starts_with(*wanted));
    let packed = text(header::CONTENT_ENCODING).is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity"));
    if packed || !wanted.types.iter().any(takes) {
        return Err(FetchError::Kind);
    }
    let body = response.body(wanted.most, wanted.beginning).await?;
    Ok(Fetched {
        url,
        content_type,
        body,
    })
}

#[cfg(test)]
mod tests;
