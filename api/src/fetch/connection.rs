//! One request: a connection to a checked address, what is asked, what is answered.

use std::{io, net::SocketAddr, time::Duration};

use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::timeout,
};
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};
use tokio_util::task::AbortOnDropHandle;
use url::{Host, Position, Url};

use super::{FetchError, Wanted, addresses::Addresses};

/// One of several addresses of a server may be deaf.
const PATIENCE: Duration = Duration::from_secs(2);
/// The largest head of an answer.
const HEAD: usize = 64 * 1024;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// An answer whose body is still to be read.
pub(super) struct Answer {
    response: Response<Incoming>,
    /// The connection ends with the answer.
    _connection: AbortOnDropHandle<()>,
}

pub(super) async fn get(
    addresses: &Addresses,
    tls: &TlsConnector,
    url: &Url,
    wanted: Wanted,
) -> Result<Answer, FetchError> {
    let stream = connect(addresses.of(url).await?).await?;
    let stream: Box<dyn Stream> = if url.scheme() == "https" {
        let connected = tls.connect(server_name(url)?, stream).await;
        Box::new(connected.map_err(FetchError::Unreachable)?)
    } else {
        Box::new(stream)
    };
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(HEAD)
        .handshake(TokioIo::new(stream))
        .await?;
    // What goes wrong on it is told by the answer.
    let connection = AbortOnDropHandle::new(tokio::spawn(async move {
        let _ = connection.await;
    }));
    let response = sender.send_request(request(url, wanted)?).await?;
    Ok(Answer {
        response,
        _connection: connection,
    })
}

async fn connect(addresses: Vec<SocketAddr>) -> Result<TcpStream, FetchError> {
    let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match timeout(PATIENCE, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => failure = error,
            Err(_) => failure = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(FetchError::Unreachable(failure))
}

fn server_name(url: &Url) -> Result<ServerName<'static>, FetchError> {
    match url.host().ok_or(FetchError::Address)? {
        Host::Domain(name) => ServerName::try_from(name.to_owned()).map_err(|_| FetchError::Address),
        Host::Ipv4(address) => Ok(std::net::IpAddr::V4(address).into()),
        Host::Ipv6(address) => Ok(std::net::IpAddr::V6(address).into()),
    }
}

fn request(url: &Url, wanted: Wanted) -> Result<Request<Empty<Bytes>>, FetchError> {
    let accept: Vec<String> = wanted
        .types
        .iter()
        .map(|kind| {
            if kind.ends_with('/') {
                format!("{kind}*")
            } else {
                (*kind).to_owned()
            }
        })
        .collect();
    Request::get(&url[Position::BeforePath..Position::AfterQuery])
        .header(header::HOST, &url[Position::BeforeHost..Position::AfterPort])
        .header(
            header::USER_AGENT,
            concat!("Mozilla/5.0 (compatible; Kabar/", env!("CARGO_PKG_VERSION"), ")"),
        )
        .header(header::ACCEPT, accept.join(", "))
        // Unpacking could make much of little.
        .header(header::ACCEPT_ENCODING, "identity")
        .header(header::CONNECTION, "close")
        .body(Empty::new())
        .map_err(|_| FetchError::Address)
}

impl Answer {
    pub(super) fn status(&self) -> StatusCode {
        self.response.status()
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// Reads at most `most` bytes. Of something larger the beginning is answered, when that is enough.
    pub(super) async fn body(self, most: usize, beginning: bool) -> Result<Vec<u8>, FetchError> {
        let mut body = self.response.into_body();
        let mut bytes = Vec::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame?.into_data() else { continue };
            let room = most - bytes.len();
            bytes.extend_from_slice(&data[..data.len().min(room)]);
            if data.len() > room {
                return if beginning {
                    Ok(bytes)
                } else {
                    Err(FetchError::TooLarge(most))
                };
            }
        }
        Ok(bytes)
    }
}
