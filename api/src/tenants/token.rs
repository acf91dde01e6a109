//! Access tokens (signed, short-lived) and refresh tokens (random, stored as a hash only).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{SessionId, TenantId, UserId};
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::secret::{MasterKey, Secret};

const ISSUER: &str = "kabar";
const AUDIENCE: &str = "kabar-api";
/// Of what shows that a login has passed its first step. It opens nothing else.
const CHALLENGE_AUDIENCE: &str = "kabar-login";
const REFRESH_PREFIX: &str = "kbr_";

/// The token is malformed, forged, expired, or not for us. Why is not told to callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token is not valid")]
pub struct InvalidToken;

/// Who an access token speaks for. What that person may do is read from the database, never from the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims {
    /// The person.
    pub user_id: UserId,
    /// The tenant that the token acts in.
    pub tenant_id: TenantId,
    /// The login it came from.
    pub session_id: SessionId,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
    /// When it ends.
    pub expires_at: DateTime<Utc>,
}

#[derive(Serialize, Deserialize)]
struct Wire {
    iss: String,
    aud: String,
    sub: String,
    tid: String,
    sid: String,
    iat: i64,
    exp: i64,
}

#[derive(Serialize, Deserialize)]
struct ChallengeWire {
    iss: String,
    aud: String,
    sub: String,
    tid: String,
    iat: i64,
    exp: i64,
}

/// A refresh token. It can only be had once, when it is made.
#[derive(Clone, Debug)]
pub struct RefreshToken(Secret);

impl RefreshToken {
    /// What the caller keeps.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// What the database keeps.
    pub fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.0.expose().as_bytes()).to_vec()
    }

    /// Reads what a caller sent. `None` when it can't be one.
    pub fn read(text: &str) -> Option<Self> {
        let encoded = text.trim().strip_prefix(REFRESH_PREFIX)?;
        let bytes = URL_SAFE_NO_PAD.decode(encoded).ok()?;
        (bytes.len() == 32).then(|| Self::encode(&bytes))
    }

    /// A random one.
    pub fn random() -> Self {
        Self::encode(&rand::random::<[u8; 32]>())
    }

    fn encode(bytes: &[u8]) -> Self {
        Self(Secret::new(format!(
            "{REFRESH_PREFIX}{}",
            URL_SAFE_NO_PAD.encode(bytes)
        )))
    }
}

/// Signs and checks tokens.
#[derive(Clone)]
pub struct Tokens {
    key_id: String,
    encoding: EncodingKey,
    decoding: DecodingKey,
    lifetime: TimeDelta,
    succession: [u8; 32],
}

impl Tokens {
    /// Derives the keys.
    pub fn new(master: &MasterKey, lifetime: std::time::Duration) -> Self {
        let key = master.derive("access token v1");
        Self {
            key_id: URL_SAFE_NO_PAD.encode(&Sha256::digest(key)[..6]),
            encoding: EncodingKey::from_secret(&key),
            decoding: DecodingKey::from_secret(&key),
            lifetime: TimeDelta::from_std(lifetime).unwrap_or(TimeDelta::minutes(10)),
            succession: master.derive("refresh token succession v1"),
        }
    }

    /// How long an access token lasts.
    pub fn lifetime(&self) -> TimeDelta {
        self.lifetime
    }

    /// Signs an access token; answers when it ends, too.
    pub fn sign(
        &self,
        user_id: UserId,
        tenant_id: TenantId,
        session_id: SessionId,
        now: DateTime<Utc>,
    ) -> Result<(Secret, DateTime<Utc>), jsonwebtoken::errors::Error> {
        let expires_at = DateTime::from_timestamp((now + self.lifetime).timestamp(), 0).unwrap_or(now);
        let wire = Wire {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: user_id.to_string(),
            tid: tenant_id.to_string(),
            sid: session_id.to_string(),
            iat: now.timestamp(),
            exp: expires_at.timestamp(),
        };
        Ok((Secret::new(self.encode(&wire)?), expires_at))
    }

    /// Checks signature, algorithm, key, issuer, audience and time.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Claims, InvalidToken> {
        let wire: Wire = self.decode(token, AUDIENCE)?;
        let claims = Claims {
            user_id: wire.sub.parse().map_err(|_| InvalidToken)?,
            tenant_id: wire.tid.parse().map_err(|_| InvalidToken)?,
            session_id: wire.sid.parse().map_err(|_| InvalidToken)?,
            issued_at: DateTime::from_timestamp(wire.iat, 0).ok_or(InvalidToken)?,
            expires_at: DateTime::from_timestamp(wire.exp, 0).ok_or(InvalidToken)?,
        };
        if now < claims.expires_at {
            Ok(claims)
        } else {
            Err(InvalidToken)
        }
    }

    /// Signs that somebody gave the right password a moment ago; answers when it ends, too.
    pub fn sign_challenge(
        &self,
        user_id: UserId,
        tenant_id: TenantId,
        now: DateTime<Utc>,
        lifetime: TimeDelta,
    ) -> Result<(Secret, DateTime<Utc>), jsonwebtoken::errors::Error> {
        let expires_at = DateTime::from_timestamp((now + lifetime).timestamp(), 0).unwrap_or(now);
        let wire = ChallengeWire {
            iss: ISSUER.to_owned(),
            aud: CHALLENGE_AUDIENCE.to_owned(),
            sub: user_id.to_string(),
            tid: tenant_id.to_string(),
            iat: now.timestamp(),
            exp: expires_at.timestamp(),
        };
        Ok((Secret::new(self.encode(&wire)?), expires_at))
    }

    /// Who gave the right password, for which tenant, and when.
    pub fn verify_challenge(
        &self,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<(UserId, TenantId, DateTime<Utc>), InvalidToken> {
        let wire: ChallengeWire = self.decode(token, CHALLENGE_AUDIENCE)?;
        if now.timestamp() >= wire.exp {
            return Err(InvalidToken);
        }
        Ok((
            wire.sub.parse().map_err(|_| InvalidToken)?,
            wire.tid.parse().map_err(|_| InvalidToken)?,
            DateTime::from_timestamp(wire.iat, 0).ok_or(InvalidToken)?,
        ))
    }

    fn encode(&self, wire: &impl Serialize) -> Result<String, jsonwebtoken::errors::Error> {
        let header = Header {
            kid: Some(self.key_id.clone()),
            ..Header::new(Algorithm::HS256)
        };
        jsonwebtoken::encode(&header, wire, &self.encoding)
    }

    /// Checks signature, algorithm, key, issuer and audience.
    fn decode<T: DeserializeOwned>(&self, token: &str, audience: &str) -> Result<T, InvalidToken> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| InvalidToken)?;
        if header.kid.as_deref() != Some(self.key_id.as_str()) {
            return Err(InvalidToken);
        }
        let decoded = jsonwebtoken::decode(token, &self.decoding, &validation(audience));
        Ok(decoded.map_err(|_| InvalidToken)?.claims)
    }

    /// The token that replaces `token`. It is computed, not drawn, so that two tabs which refresh at the same moment get
    /// the same one: a family of tokens never has two branches, and a thief's use always shows.
    pub fn successor(&self, token: &RefreshToken) -> RefreshToken {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.succession).expect("HMAC takes keys of any length");
        mac.update(token.expose().as_bytes());
        RefreshToken::encode(&mac.finalize().into_bytes())
    }
}

fn validation(audience: &str) -> Validation {
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    // The clock of the server decides, which tests can hold; it is compared by the callers.
    validation.validate_exp = false;
    validation
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::new_id;

    fn tokens(byte: u8) -> Tokens {
        let master = MasterKey::new(vec![byte; 32]).expect("long enough");
        Tokens::new(&master, std::time::Duration::from_mins(10))
    }

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).expect("a moment")
    }

    fn signed(tokens: &Tokens) -> (String, Claims) {
        let claims = Claims {
            user_id: new_id(),
            tenant_id: new_id(),
            session_id: new_id(),
            issued_at: now(),
            expires_at: now() + TimeDelta::seconds(600),
        };
        let (token, expires_at) = tokens
            .sign(claims.user_id, claims.tenant_id, claims.session_id, now())
            .expect("it can be signed");
        assert_eq!(expires_at, claims.expires_at);
        (token.expose().to_owned(), claims)
    }

    #[test]
    fn a_signed_token_is_read_back_until_it_expires() {
        let tokens = tokens(1);
        let (token, claims) = signed(&tokens);
        assert_eq!(tokens.verify(&token, now()), Ok(claims));
        assert_eq!(tokens.verify(&token, now() + TimeDelta::seconds(599)), Ok(claims));
        assert_eq!(
            tokens.verify(&token, now() + TimeDelta::seconds(600)),
            Err(InvalidToken)
        );
    }

    #[test]
    fn forged_tokens_are_refused() {
        let tokens = tokens(1);
        let (token, _) = signed(&tokens);
        let (other, _) = signed(&super::tests::tokens(2));
        let parts: Vec<&str> = token.split('.').collect();
        let none = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"none","kid":"{}"}}"#, tokens.key_id));
        let stronger = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"HS512","kid":"{}"}}"#, tokens.key_id));
        let mut payload = URL_SAFE_NO_PAD.decode(parts[1]).expect("base64");
        let last = payload.len() - 3;
        payload[last] ^= 1;
        for forged in [
            other,
            format!("{none}.{}.", parts[1]),
            format!("{none}.{}.{}", parts[1], parts[2]),
            format!("{stronger}.{}.{}", parts[1], parts[2]),
            format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(payload), parts[2]),
            String::new(),
            "a.b.c".to_owned(),
        ] {
            assert_eq!(tokens.verify(&forged, now()), Err(InvalidToken), "{forged}");
        }
    }

    #[test]
    fn what_a_login_waits_with_opens_nothing_and_ends() {
        let tokens = tokens(1);
        let (user, tenant): (UserId, TenantId) = (new_id(), new_id());
        let (challenge, until) = tokens
            .sign_challenge(user, tenant, now(), TimeDelta::minutes(5))
            .expect("it can be signed");
        assert_eq!(tokens.verify(challenge.expose(), now()), Err(InvalidToken));
        assert_eq!(
            tokens.verify_challenge(challenge.expose(), now()),
            Ok((user, tenant, now()))
        );
        assert_eq!(tokens.verify_challenge(challenge.expose(), until), Err(InvalidToken));
        let (access, _) = signed(&tokens);
        assert_eq!(tokens.verify_challenge(&access, now()), Err(InvalidToken));
    }

    #[test]
    fn another_audience_is_refused() {
        let tokens = tokens(1);
        let (token, _) = signed(&tokens);
        let payload = URL_SAFE_NO_PAD
            .decode(token.split('.').nth(1).expect("three parts"))
            .expect("base64");
        let mut wire: serde_json::Value = serde_json::from_slice(&payload).expect("JSON");
        wire["aud"] = "somebody".into();
        let header = Header {
            kid: Some(tokens.key_id.clone()),
            ..Header::new(Algorithm::HS256)
        };
        let forged = jsonwebtoken::encode(&header, &wire, &tokens.encoding).expect("it can be signed");
        assert_eq!(tokens.verify(&forged, now()), Err(InvalidToken));
    }

    #[test]
    fn refresh_tokens_have_one_successor_each() {
        let tokens = tokens(1);
        let first = RefreshToken::random();
        assert_eq!(tokens.successor(&first).expose(), tokens.successor(&first).expose());
        assert_ne!(
            tokens.successor(&first).expose(),
            tokens.successor(&RefreshToken::random()).expose()
        );
        assert_eq!(
            RefreshToken::read(first.expose()).map(|read| read.hash()),
            Some(first.hash())
        );
        assert!(RefreshToken::read("kbr_short").is_none() && RefreshToken::read("").is_none());
    }
}
