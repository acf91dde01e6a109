//! The server's side of the Noise handshake.
//!
//! Three patterns, as whatsapp-rust's `handshake.rs` and Baileys start them: **XX** when the client
//! knows nothing of the server, **IK** when it kept the server's static key from before, and
//! **XXfallback** when it kept one that is no longer ours: its first message cannot be read, so it
//! is answered in the shape of XX and the client starts over with the ephemeral key already sent.
//! The certificate chain is not signed by WhatsApp: clients need the feature
//! `danger-skip-cert-chain-verify` (whatsapp-rust) or do not check it (Baileys).

use buffa::Message as _;
use wacore_binary::consts::{NOISE_PATTERN_IK, NOISE_PATTERN_XX, NOISE_PATTERN_XXFALLBACK};
use wacore_libsignal::protocol::KeyPair;
use wacore_noise::{NoiseCipher, NoiseHandshake};
use waproto::whatsapp as wa;
use waproto::whatsapp::HandshakeMessage;

/// Why a handshake ended.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeFailure {
    #[error("the handshake message lacks a part")]
    Incomplete,
    #[error("the handshake message cannot be decoded")]
    Malformed,
    #[error("the handshake failed: {0}")]
    Cryptography(String),
}

impl From<buffa::DecodeError> for HandshakeFailure {
    fn from(_: buffa::DecodeError) -> Self {
        Self::Malformed
    }
}

impl From<wacore_noise::HandshakeError> for HandshakeFailure {
    fn from(failure: wacore_noise::HandshakeError) -> Self {
        Self::Cryptography(failure.to_string())
    }
}

/// The keys of an established connection and who the client says it is.
pub struct Established {
    pub write: NoiseCipher,
    pub read: NoiseCipher,
    pub client_static: [u8; 32],
    pub payload: wa::ClientPayload,
    /// IK: the client knew us already, and is whatsapp-rust.
    pub resumed: bool,
}

/// The server's lasting identity.
pub struct ServerIdentity {
    static_key: KeyPair,
    certificate: Vec<u8>,
}

/// What to do after the client's first message.
pub enum AfterHello {
    /// IK: done; the reply is all that is left to send.
    Done {
        reply: Vec<u8>,
        established: Box<Established>,
    },
    /// XX: wait for the client's finish.
    AwaitFinish {
        reply: Vec<u8>,
        pending: Box<PendingFinish>,
    },
}

/// A handshake that waits for the client's last message.
pub struct PendingFinish {
    noise: NoiseHandshake,
    ephemeral: KeyPair,
}

impl ServerIdentity {
    pub fn new(static_key: KeyPair) -> Self {
        let certificate = certificate_chain(static_key.public_key.public_key_bytes());
        Self {
            static_key,
            certificate,
        }
    }

    /// Reads a ClientHello. `prologue` is the connection header the client sent.
    pub fn read_hello(&self, prologue: &[u8], frame: &[u8]) -> Result<AfterHello, HandshakeFailure> {
        let hello = HandshakeMessage::decode_from_slice(frame)?
            .client_hello
            .into_option()
            .ok_or(HandshakeFailure::Incomplete)?;
        let ephemeral = hello.ephemeral.ok_or(HandshakeFailure::Incomplete)?;
        match (hello.r#static, hello.payload) {
            (Some(encrypted_static), Some(encrypted_payload)) => {
                match self.answer_ik(prologue, &ephemeral, &encrypted_static, &encrypted_payload) {
                    Ok(done) => Ok(done),
                    Err(_) => self.answer_xx(NOISE_PATTERN_XXFALLBACK, prologue, &ephemeral),
                }
            }
            _ => self.answer_xx(NOISE_PATTERN_XX, prologue, &ephemeral),
        }
    }

    fn answer_xx(
        &self,
        pattern: &str,
        prologue: &[u8],
        client_ephemeral: &[u8],
    ) -> Result<AfterHello, HandshakeFailure> {
        let mut noise = NoiseHandshake::new(pattern, prologue)?;
        noise.authenticate(client_ephemeral);
        let ephemeral = KeyPair::generate(&mut rand::rng());
        noise.authenticate(ephemeral.public_key.public_key_bytes());
        noise.mix_shared_secret(ephemeral.private_key.serialize(), client_ephemeral)?;
        let encrypted_static = noise.encrypt(self.static_key.public_key.public_key_bytes())?;
        noise.mix_shared_secret(self.static_key.private_key.serialize(), client_ephemeral)?;
        let encrypted_certificate = noise.encrypt(&self.certificate)?;
        let reply = server_hello(&ephemeral, Some(encrypted_static), encrypted_certificate);
        Ok(AfterHello::AwaitFinish {
            reply,
            pending: Box::new(PendingFinish { noise, ephemeral }),
        })
    }

    fn answer_ik(
        &self,
        prologue: &[u8],
        client_ephemeral: &[u8],
        encrypted_static: &[u8],
        encrypted_payload: &[u8],
    ) -> Result<AfterHello, HandshakeFailure> {
        let mut noise = NoiseHandshake::new(NOISE_PATTERN_IK, prologue)?;
        noise.authenticate(self.static_key.public_key.public_key_bytes());
        noise.authenticate(client_ephemeral);
        noise.mix_shared_secret(self.static_key.private_key.serialize(), client_ephemeral)?;
        let client_static = key_bytes(noise.decrypt(encrypted_static)?)?;
        noise.mix_shared_secret(self.static_key.private_key.serialize(), &client_static)?;
        let payload = wa::ClientPayload::decode_from_slice(&noise.decrypt(encrypted_payload)?)?;

        let ephemeral = KeyPair::generate(&mut rand::rng());
        noise.authenticate(ephemeral.public_key.public_key_bytes());
        noise.mix_shared_secret(ephemeral.private_key.serialize(), client_ephemeral)?;
        noise.mix_shared_secret(ephemeral.private_key.serialize(), &client_static)?;
        let encrypted_certificate = noise.encrypt(&self.certificate)?;
        let reply = server_hello(&ephemeral, None, encrypted_certificate);
        // `finish` names the keys as the initiator sees them; we are the responder.
        let (client_write, client_read) = noise.finish()?;
        Ok(AfterHello::Done {
            reply,
            established: Box::new(Established {
                write: client_read,
                read: client_write,
                client_static,
                payload,
                resumed: true,
            }),
        })
    }
}

impl PendingFinish {
    /// Reads a ClientFinish.
    pub fn read_finish(mut self, frame: &[u8]) -> Result<Established, HandshakeFailure> {
        let finish = HandshakeMessage::decode_from_slice(frame)?
            .client_finish
            .into_option()
            .ok_or(HandshakeFailure::Incomplete)?;
        let encrypted_static = finish.r#static.ok_or(HandshakeFailure::Incomplete)?;
        let encrypted_payload = finish.payload.ok_or(HandshakeFailure::Incomplete)?;
        let client_static = key_bytes(self.noise.decrypt(&encrypted_static)?)?;
        self.noise
            .mix_shared_secret(self.ephemeral.private_key.serialize(), &client_static)?;
        let payload = wa::ClientPayload::decode_from_slice(&self.noise.decrypt(&encrypted_payload)?)?;
        let (client_write, client_read) = self.noise.finish()?;
        Ok(Established {
            write: client_read,
            read: client_write,
            client_static,
            payload,
            resumed: false,
        })
    }
}

fn key_bytes(bytes: Vec<u8>) -> Result<[u8; 32], HandshakeFailure> {
    bytes.try_into().map_err(|_| HandshakeFailure::Malformed)
}

fn server_hello(ephemeral: &KeyPair, encrypted_static: Option<Vec<u8>>, payload: Vec<u8>) -> Vec<u8> {
    HandshakeMessage {
        server_hello: buffa::MessageField::some(wa::handshake_message::ServerHello {
            ephemeral: Some(ephemeral.public_key.public_key_bytes().to_vec()),
            r#static: encrypted_static,
            payload: Some(payload),
            ..Default::default()
        }),
        ..Default::default()
    }
    .encode_to_vec()
}

/// A chain whose contents are consistent (whatsapp-rust's `verify_server_cert` compares serials and
/// the leaf key) and whose signatures are zeros.
fn certificate_chain(server_key: &[u8]) -> Vec<u8> {
    use wa::cert_chain::{NoiseCertificate, noise_certificate::Details};
    let certificate = |serial: u32, issuer_serial: u32, key: &[u8]| {
        let details = Details {
            serial: Some(serial),
            issuer_serial: Some(issuer_serial),
            key: Some(key.to_vec()),
            not_before: Some(1_600_000_000),
            not_after: Some(4_000_000_000),
        };
        buffa::MessageField::some(NoiseCertificate {
            details: Some(details.encode_to_vec()),
            signature: Some(vec![0; 64]),
        })
    };
    wa::CertChain {
        intermediate: certificate(1, 0, &[9; 32]),
        leaf: certificate(2, 1, server_key),
    }
    .encode_to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use wacore_binary::consts::WA_CONN_HEADER;
    use wacore_noise::{IkHandshakeState, IkServerHelloOutcome};

    fn payload() -> Vec<u8> {
        wa::ClientPayload {
            username: Some(628_123_456_789),
            ..Default::default()
        }
        .encode_to_vec()
    }

    #[test]
    fn a_client_that_knows_the_server_is_done_after_one_exchange() {
        let server = ServerIdentity::new(KeyPair::generate(&mut rand::rng()));
        let known: [u8; 32] = server.static_key.public_key.public_key_bytes().try_into().unwrap();
        let client_key = KeyPair::generate(&mut rand::rng());
        let mut client = IkHandshakeState::new(client_key.clone(), known, payload(), &WA_CONN_HEADER).unwrap();
        let hello = client.build_client_hello().unwrap();
        let AfterHello::Done { reply, established } = server.read_hello(&WA_CONN_HEADER, &hello).unwrap() else {
            panic!("IK is expected to finish at once");
        };
        assert_eq!(established.payload.username, Some(628_123_456_789));
        assert_eq!(established.client_static, client_key.public_key.public_key_bytes());
        let IkServerHelloOutcome::Continue(outcome) = client.read_server_hello(&reply).unwrap() else {
            panic!("the client is expected to accept");
        };
        let mut frame = b"hello".to_vec();
        outcome
            .write_cipher
            .encrypt_in_place_with_counter(0, &mut frame)
            .unwrap();
        established.read.decrypt_in_place_with_counter(0, &mut frame).unwrap();
        assert_eq!(frame, b"hello");
    }

    #[test]
    fn a_client_with_an_outdated_server_key_falls_back() {
        let server = ServerIdentity::new(KeyPair::generate(&mut rand::rng()));
        let other = KeyPair::generate(&mut rand::rng());
        let outdated: [u8; 32] = other.public_key.public_key_bytes().try_into().unwrap();
        let mut client = IkHandshakeState::new(
            KeyPair::generate(&mut rand::rng()),
            outdated,
            payload(),
            &WA_CONN_HEADER,
        )
        .unwrap();
        let hello = client.build_client_hello().unwrap();
        let AfterHello::AwaitFinish { reply, .. } = server.read_hello(&WA_CONN_HEADER, &hello).unwrap() else {
            panic!("a fallback is expected");
        };
        assert!(matches!(
            client.read_server_hello(&reply).unwrap(),
            IkServerHelloOutcome::Fallback(_)
        ));
    }
}
