//! Whatever somebody puts into the Authorization header, the cookies or `connection_init`: nobody gets in by it, and the
//! server does not stumble.
//!
//! The generator is seeded, so that a failure comes again: half of what it makes is noise, half is a real credential with
//! something changed.

use anyhow::{Context, Result, bail, ensure};
use futures::{SinkExt, StreamExt};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use reqwest::header::HeaderValue;
use serde_json::{Value, json};
use tests::{DEADLINE, TestApp, TestDatabase};
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest, protocol::frame::coding::CloseCode};

tests::on_both_databases!(
    no_header_and_no_cookie_opens_the_api,
    no_connection_init_opens_a_websocket,
);

const SEED: u64 = 0x6b61_6261_7221;
const QUERY: &str = "{ viewer { role } devices { totalCount } members { totalCount } }";
/// What closes a socket that is refused: a malformed message, nobody, not any more.
const REFUSED: [u16; 3] = [4400, 4401, 4403];

/// Credentials that are good.
struct Good {
    access: String,
    refresh: String,
    program: String,
}

impl Good {
    async fn of(app: &TestApp) -> Result<Self> {
        let create =
            "mutation { createApiToken(input: { name: \"x\", scopes: [READ] }) { secret userErrors { code } } }";
        let program = app.client.mutate(create, json!({}), "createApiToken").await?;
        let text = |value: &Value| value.as_str().map(str::to_owned).context("no text");
        Ok(Self {
            access: text(&app.session["accessToken"])?,
            refresh: text(&app.session["refreshToken"])?,
            program: text(&program["secret"])?,
        })
    }

    /// Whether these would perhaps rightly be let in: a whole credential is among them.
    fn admits(&self, header: &[u8], cookie: &[u8]) -> bool {
        let holds = |bytes: &[u8], good: &String| bytes.windows(good.len()).any(|part| part == good.as_bytes());
        holds(header, &self.access) || holds(header, &self.program) || holds(cookie, &self.refresh)
    }
}

/// Makes texts that somebody could try.
struct Hostile {
    random: StdRng,
    good: Good,
}

impl Hostile {
    fn new(good: Good) -> Self {
        Self {
            random: StdRng::seed_from_u64(SEED),
            good,
        }
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.random.random_range(0..choices.len())]
    }

    /// Bytes that may stand in a header.
    fn noise(&mut self) -> Vec<u8> {
        let length = self.random.random_range(0..200);
        (0..length)
            .map(|_| match self.random.random_range(0..4) {
                0 => self.random.random_range(0x80..=0xff_u8),
                _ => self.random.random_range(0x20..0x7f_u8),
            })
            .collect()
    }

    /// A good credential with something changed.
    fn changed(&mut self) -> Vec<u8> {
        let (access, refresh, program) = (
            self.good.access.clone(),
            self.good.refresh.clone(),
            self.good.program.clone(),
        );
        let good = self
            .pick(&[access.as_str(), refresh.as_str(), program.as_str()])
            .to_owned();
        let mut bytes = good.clone().into_bytes();
        let at = self.random.random_range(0..bytes.len());
        match self.random.random_range(0..9) {
            0 => bytes[at] = self.random.random_range(0x21..0x7f),
            1 => bytes.truncate(at),
            2 => bytes.insert(at, self.random.random_range(0x21..0x7f)),
            3 => {
                bytes.remove(at);
            }
            4 => bytes.extend_from_slice(good.as_bytes()),
            5 => bytes.reverse(),
            6 => {
                bytes = self
                    .pick(&["null", "undefined", "0", "true", "[]", "{}", "' OR 1=1 --", "%00"])
                    .into();
            }
            7 => bytes = unsigned(&access, self.pick(&["none", "None", "HS512", "RS256", "HS256"])).into_bytes(),
            _ => {
                // The parts of a token in another order.
                let mut parts: Vec<&str> = good.split('.').collect();
                parts.rotate_left(1);
                bytes = parts.join(".").into_bytes();
            }
        }
        bytes
    }

    fn credential(&mut self) -> Vec<u8> {
        if self.random.random_bool(0.5) {
            self.noise()
        } else {
            self.changed()
        }
    }

    fn header(&mut self) -> Vec<u8> {
        let scheme = self.pick(&[
            "Bearer ",
            "bearer ",
            "Bearer  ",
            "Bearer",
            "Basic ",
            "",
            "Token ",
            "Bearer Bearer ",
        ]);
        let mut header = scheme.as_bytes().to_vec();
        header.extend(self.credential());
        header
    }

    fn cookie(&mut self) -> Vec<u8> {
        let name = self.pick(&[
            "kabar_session=",
            "__Host-kabar=",
            "kabar_session",
            "",
            "; =;kabar_session=",
            "a=b; kabar_session=",
        ]);
        let mut cookie = name.as_bytes().to_vec();
        cookie.extend(self.credential());
        cookie
    }

    /// A payload of `connection_init`, or something in place of the whole message.
    fn opening(&mut self) -> Message {
        let text = String::from_utf8_lossy(&self.header()).into_owned();
        let payload = match self.random.random_range(0..10) {
            0 => json!(null),
            1 => json!({}),
            2 => json!({ "authorization": null }),
            3 => json!({ "authorization": { "token": text } }),
            4 => json!({ "authorization": [text] }),
            5 => json!(text),
            6 => json!({ "Authorization": text, "authorization": 7 }),
            7 => json!({ "token": text, "headers": { "authorization": text } }),
            _ => json!({ "authorization": text }),
        };
        match self.random.random_range(0..8) {
            0 => Message::text(String::from_utf8_lossy(&self.noise()).into_owned()),
            1 => Message::binary(self.noise()),
            2 => Message::text(json!({ "type": text, "payload": payload }).to_string()),
            3 => {
                let subscribe = json!({ "type": "subscribe", "id": "1", "payload": { "query": QUERY } });
                Message::text(subscribe.to_string())
            }
            _ => Message::text(json!({ "type": "connection_init", "payload": payload }).to_string()),
        }
    }
}

/// A token with the same claims under another algorithm, and the old signature or none.
fn unsigned(token: &str, algorithm: &str) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    let header = json!({ "typ": "JWT", "alg": algorithm }).to_string();
    let signature = if algorithm.eq_ignore_ascii_case("none") {
        ""
    } else {
        parts[2]
    };
    format!("{}.{}.{signature}", base64url(header.as_bytes()), parts[1])
}

fn base64url(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0_u32, |bits, byte| (bits << 8) | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for position in 0..=chunk.len() {
            text.push(char::from(LETTERS[((bits >> (18 - 6 * position)) & 63) as usize]));
        }
    }
    text
}

async fn no_header_and_no_cookie_opens_the_api(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let mut hostile = Hostile::new(Good::of(&app).await?);
    let http = reqwest::Client::new();
    let mut tried = 0;
    while tried < 400 {
        let (header, cookie) = (hostile.header(), hostile.cookie());
        let by_cookie = hostile.random.random_bool(0.5);
        if hostile.good.admits(&header, &cookie) {
            continue;
        }
        tried += 1;
        let mut request = http
            .post(format!("{}/graphql", app.client.base()))
            .header("cookie", HeaderValue::from_bytes(&cookie)?)
            .json(&json!({ "query": QUERY }));
        if hostile.random.random_bool(0.8) {
            request = request.header("authorization", HeaderValue::from_bytes(&header)?);
        }
        if by_cookie {
            request = request.header("x-kabar-session", "cookie");
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let body = response.text().await?;
        let told = || format!("{header:?} with {cookie:?}: {status} {body}");
        ensure!((400..500).contains(&status) || status == 200, "{}", told());
        ensure!(!body.contains("OWNER") && !body.contains("totalCount"), "{}", told());
        let answer: Value = serde_json::from_str(&body).with_context(told)?;
        ensure!(
            answer["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED",
            "{}",
            told()
        );

        // A picture is also given to cookies, because it changes nothing.
        let response = http
            .get(format!("{}/devices/dev_{}/qr.png", app.client.base(), "0".repeat(26)))
            .header("cookie", HeaderValue::from_bytes(&cookie)?)
            .header("authorization", HeaderValue::from_bytes(&header)?)
            .send()
            .await?;
        ensure!(response.status() == 401, "{} {}", response.status(), told());
    }
    let mut session = json!({ "input": { "refreshToken": null } });
    let refresh =
        "mutation($input: RefreshSessionInput) { refreshSession(input: $input) { accessToken userErrors { code } } }";
    for _ in 0..100 {
        let token = String::from_utf8_lossy(&hostile.credential()).into_owned();
        if token.trim() == hostile.good.refresh {
            continue;
        }
        session["input"]["refreshToken"] = token.into();
        let code = app
            .client
            .anonymous()
            .refused(refresh, session.clone(), "refreshSession")
            .await?;
        ensure!(code == "SESSION_EXPIRED", "{session}: {code}");
    }
    // After all of it the real ones work.
    app.client.query(QUERY, json!({})).await?;
    app.client
        .with_token(&hostile.good.program)
        .query("{ devices { totalCount } }", json!({}))
        .await?;
    Ok(())
}

async fn no_connection_init_opens_a_websocket(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let mut hostile = Hostile::new(Good::of(&app).await?);
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..200 {
        let (opening, cookie) = (hostile.opening(), hostile.cookie());
        if hostile.good.admits(&opening.clone().into_data(), &cookie) {
            continue;
        }
        let own_page = hostile.random.random_bool(0.5);
        let code = closed_with(&app, opening.clone(), &cookie, own_page)
            .await
            .with_context(|| format!("{opening:?} with {cookie:?}"))?;
        ensure!(REFUSED.contains(&code), "{opening:?} with {cookie:?}: {code}");
        seen.insert(code);
    }
    ensure!(
        seen.len() == REFUSED.len(),
        "the generator does not reach every refusal: {seen:?}"
    );

    // A foreign page's websocket carries the browser's cookie, and gets nothing by it.
    let cookie = format!("kabar_session={}", hostile.good.refresh).into_bytes();
    let init = Message::text(json!({ "type": "connection_init" }).to_string());
    let code = closed_with(&app, init, &cookie, false).await?;
    ensure!(code == 4401, "{code}");
    Ok(())
}

/// Opens a websocket, says one thing, and answers the code that it was closed with.
async fn closed_with(app: &TestApp, opening: Message, cookie: &[u8], own_page: bool) -> Result<u16> {
    let base = app.client.base();
    let mut request = format!("{}/graphql", base.replacen("http", "ws", 1)).into_client_request()?;
    let headers = request.headers_mut();
    headers.insert("sec-websocket-protocol", "graphql-transport-ws".parse()?);
    headers.insert("cookie", HeaderValue::from_bytes(cookie)?);
    let origin = if own_page { base } else { "https://elsewhere.test" };
    headers.insert("origin", origin.parse()?);
    let (mut socket, _) = tokio_tungstenite::connect_async(request).await?;
    socket.send(opening).await?;
    let closed = async {
        while let Some(message) = socket.next().await {
            match message? {
                Message::Close(Some(frame)) => return Ok(u16::from(frame.code)),
                Message::Close(None) => bail!("closed without a code"),
                Message::Text(text) => bail!("it was answered: {text}"),
                _ => {}
            }
        }
        bail!("gone without a word ({:?})", CloseCode::Abnormal)
    };
    tokio::time::timeout(DEADLINE, closed).await.context("it stays open")?
}
