//! Access tokens (signed, short-lived) and refresh tokens (random, stored as a hash only).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, TimeDelta, Utc};
use entity::{SessionId, TenantId, UserId};
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::Sha256;

use crate::{
    keys::SigningKeys,
    secret::{MasterKey, Secret},
};

const ISSUER: &str = "kabar";
const AUDIENCE: &str = "kabar-api";
/// Of what shows that a login has passed its first step. It opens nothing else.
const CHALLENGE_AUDIENCE: &str = "kabar-login";
const REFRESH_PREFIX: &str = "kbr_";

/// The token is malformed, forged, expired, or not for us. Why is not told to callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the token is not valid")]
pub struct InvalidToken;

/// A token can't be signed.
#[derive(Debug, thiserror::Error)]
pub enum SigningError {
    /// The keys were not read yet.
    #[error("there is no key that signs")]
    NoKey,
    /// The library refused.
    #[error(transparent)]
    Library(#[from] jsonwebtoken::errors::Error),
}

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
        self.0.sha256()
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
    keys: SigningKeys,
    lifetime: TimeDelta,
    succession: [u8; 32],
}

impl Tokens {
    /// Signs and checks with the keys as they are at each moment.
    pub fn new(keys: SigningKeys, master: &MasterKey, lifetime: std::time::Duration) -> Self {
        Self {
            keys,
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
    ) -> Result<(Secret, DateTime<Utc>), SigningError> {
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
        Ok((Secret::new(self.encode(&wire, now)?), expires_at))
    }

    /// Checks signature, algorithm, key, issuer, audience and time.
    pub fn verify(&self, token: &str, now: DateTime<Utc>) -> Result<Claims, InvalidToken> {
        let wire: Wire = self.decode(token, AUDIENCE, now)?;
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
    ) -> Result<(Secret, DateTime<Utc>), SigningError> {
        let expires_at = DateTime::from_timestamp((now + lifetime).timestamp(), 0).unwrap_or(now);
        let wire = ChallengeWire {
            iss: ISSUER.to_owned(),
            aud: CHALLENGE_AUDIENCE.to_owned(),
            sub: user_id.to_string(),
            tid: tenant_id.to_string(),
            iat: now.timestamp(),
            exp: expires_at.timestamp(),
        };
        Ok((Secret::new(self.encode(&wire, now)?), expires_at))
    }

    /// Who gave the right password, for which tenant, and when.
    pub fn verify_challenge(
        &self,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<(UserId, TenantId, DateTime<Utc>), InvalidToken> {
        let wire: ChallengeWire = self.decode(token, CHALLENGE_AUDIENCE, now)?;
        if now.timestamp() >= wire.exp {
            return Err(InvalidToken);
        }
        Ok((
            wire.sub.parse().map_err(|_| InvalidToken)?,
            wire.tid.parse().map_err(|_| InvalidToken)?,
            DateTime::from_timestamp(wire.iat, 0).ok_or(InvalidToken)?,
        ))
    }

    fn encode(&self, wire: &impl Serialize, now: DateTime<Utc>) -> Result<String, SigningError> {
        let key = self.keys.signer(now).ok_or(SigningError::NoKey)?;
        let header = Header {
            kid: Some(key.id),
            ..Header::new(Algorithm::HS256)
        };
        Ok(jsonwebtoken::encode(
            &header,
            wire,
            &EncodingKey::from_secret(&key.secret),
        )?)
    }

    /// Checks signature, algorithm, key, issuer and audience.
    fn decode<T: DeserializeOwned>(&self, token: &str, audience: &str, now: DateTime<Utc>) -> Result<T, InvalidToken> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| InvalidToken)?;
        let key = header
            .kid
            .and_then(|id| self.keys.checker(&id, now))
            .ok_or(InvalidToken)?;
        let decoded = jsonwebtoken::decode(token, &DecodingKey::from_secret(&key.secret), &validation(audience));
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
    use crate::{clock::new_id, keys::SigningKey};

    fn tokens(byte: u8) -> Tokens {
        with_keys(vec![SigningKey::lasting([byte; 32])])
    }

    fn with_keys(keys: Vec<SigningKey>) -> Tokens {
        let master = MasterKey::new(vec![1; 32]).expect("long enough");
        Tokens::new(SigningKeys::new(keys), &master, std::time::Duration::from_mins(10))
    }

    fn key_id(tokens: &Tokens) -> String {
        tokens.keys.signer(now()).expect("a key").id
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
        let none = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"none","kid":"{}"}}"#, key_id(&tokens)));
        let stronger = URL_SAFE_NO_PAD.encode(format!(r#"{{"alg":"HS512","kid":"{}"}}"#, key_id(&tokens)));
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
    fn a_new_key_signs_while_tokens_of_the_old_one_last_and_ends_them_at_its_time() {
        let at = |seconds: i64| now() + TimeDelta::seconds(seconds);
        let old = SigningKey::new([1; 32], at(-1000), None);
        let tokens = with_keys(vec![old.clone()]);
        let (before, claims) = signed(&tokens);
        let retiring = SigningKey {
            retired_at: Some(at(400)),
            ..old
        };
        let new = SigningKey::new([2; 32], at(3), None);
        tokens.keys.replace(vec![retiring, new.clone()]);
        assert_eq!(tokens.verify(&before, at(399)), Ok(claims), "nobody is logged out");
        assert_eq!(tokens.verify(&before, at(400)), Err(InvalidToken));
        let header_of = |now| {
            let (token, _) = tokens
                .sign(claims.user_id, claims.tenant_id, claims.session_id, now)
                .expect("signed");
            jsonwebtoken::decode_header(token.expose()).expect("a header").kid
        };
        assert_ne!(header_of(at(2)), Some(new.id.clone()), "not before every node knows it");
        assert_eq!(header_of(at(3)), Some(new.id));
    }

    #[test]
    fn a_token_that_names_no_key_or_another_one_is_refused() {
        let tokens = with_keys(vec![SigningKey::lasting([1; 32]), SigningKey::lasting([2; 32])]);
        let (token, _) = signed(&tokens);
        let payload = token.split('.').nth(1).expect("three parts").to_owned();
        let wire = URL_SAFE_NO_PAD.decode(payload).expect("base64");
        let wire: serde_json::Value = serde_json::from_slice(&wire).expect("JSON");
        let other = SigningKey::lasting([1; 32]).id;
        for kid in [None, Some(other), Some("../../etc/passwd".to_owned())] {
            let header = Header {
                kid,
                ..Header::new(Algorithm::HS256)
            };
            let forged = jsonwebtoken::encode(&header, &wire, &EncodingKey::from_secret(&[2; 32])).expect("signed");
            assert_eq!(tokens.verify(&forged, now()), Err(InvalidToken));
        }
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
            kid: Some(key_id(&tokens)),
            ..Header::new(Algorithm::HS256)
        };
        let key = EncodingKey::from_secret(&[1; 32]);
        let forged = jsonwebtoken::encode(&header, &wire, &key).expect("it can be signed");
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
