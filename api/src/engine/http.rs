//! HTTP for media: straight to WhatsApp's hosts, or to the sandbox in their place.

use async_trait::async_trait;
use wacore::net::{HttpClient, HttpRequest, HttpResponse, StreamingHttpResponse, UploadBody};
use whatsapp_rust::http::UreqHttpClient;

use super::Endpoint;

/// The library's client, with every host replaced when there is a sandbox.
#[derive(Clone)]
pub(super) struct MediaHttp {
    inner: UreqHttpClient,
    /// `http://127.0.0.1:PORT`
    base: Option<String>,
}

impl MediaHttp {
    pub(super) fn new(endpoint: &Endpoint) -> Self {
        let base = match endpoint {
            Endpoint::Live => None,
            #[cfg(feature = "sandbox")]
            Endpoint::Sandbox { media_base, .. } => Some(media_base.trim_end_matches('/').to_owned()),
        };
        Self {
            inner: UreqHttpClient::new(),
            base,
        }
    }

    /// **Invariant:** with a sandbox, no request leaves for another host.
    fn redirect(&self, mut request: HttpRequest) -> HttpRequest {
        if let Some(base) = &self.base {
            let after_scheme = request
                .url
                .split_once("://")
                .map_or(request.url.as_str(), |(_, rest)| rest);
            let path = after_scheme.find('/').map_or("/", |start| &after_scheme[start..]);
            request.url = format!("{base}{path}");
        }
        request
    }
}

#[async_trait]
impl HttpClient for MediaHttp {
    async fn execute(&self, request: HttpRequest) -> anyhow::Result<HttpResponse> {
        self.inner.execute(self.redirect(request)).await
    }

    fn supports_streaming(&self) -> bool {
        self.inner.supports_streaming()
    }

    fn execute_streaming(&self, request: HttpRequest) -> anyhow::Result<StreamingHttpResponse> {
        self.inner.execute_streaming(self.redirect(request))
    }

    fn supports_upload_streaming(&self) -> bool {
        self.inner.supports_upload_streaming()
    }

    fn execute_upload(
        &self,
        request: HttpRequest,
        body: UploadBody,
        content_length: u64,
    ) -> anyhow::Result<HttpResponse> {
        self.inner.execute_upload(self.redirect(request), body, content_length)
    }
}

#[cfg(all(test, feature = "sandbox"))]
mod tests {
    use super::*;

    #[test]
    fn every_host_becomes_the_sandbox() {
        let endpoint = Endpoint::Sandbox {
            url: String::new(),
            media_base: "http://127.0.0.1:9/".into(),
        };
        let http = MediaHttp::new(&endpoint);
        for (from, to) in [
            (
                "https://mmg.whatsapp.net/mms/image/x?auth=1",
                "http://127.0.0.1:9/mms/image/x?auth=1",
            ),
            ("https://media.fbcdn.net", "http://127.0.0.1:9/"),
            ("http://169.254.169.254/latest", "http://127.0.0.1:9/latest"),
        ] {
            assert_eq!(http.redirect(HttpRequest::get(from)).url, to);
        }
    }
}
