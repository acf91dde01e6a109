//! Stanzas as bytes: binary XML with WhatsApp's dictionary, encrypted, behind three bytes of length.

use wacore_binary::marshal::{marshal_to_vec, unmarshal_ref};
use wacore_binary::util::unpack;
use wacore_binary::{Node, NodeContent};
use wacore_noise::NoiseCipher;

/// A decrypted frame as a stanza.
pub fn decode(frame: &[u8]) -> Option<Node> {
    let body = unpack(frame).ok()?;
    unmarshal_ref(&body).ok().map(|node| node.to_owned())
}

/// Appends a stanza as an encrypted frame. `false` when it cannot be encoded or is too long;
/// nothing is appended then.
pub fn encode_into(stanza: &Node, cipher: &NoiseCipher, counter: &mut u32, frames: &mut Vec<u8>) -> bool {
    let mut body = Vec::with_capacity(estimate(stanza));
    if marshal_to_vec(stanza, &mut body).is_err() {
        return false;
    }
    if cipher.encrypt_in_place_with_counter(*counter, &mut body).is_err() {
        return false;
    }
    let Ok(length) = u32::try_from(body.len()) else {
        return false;
    };
    if length >= 1 << 24 {
        return false;
    }
    *counter = counter.wrapping_add(1);
    frames.extend_from_slice(&length.to_be_bytes()[1..]);
    frames.extend_from_slice(&body);
    true
}

fn estimate(stanza: &Node) -> usize {
    64 + match &stanza.content {
        Some(NodeContent::Bytes(bytes)) => bytes.len(),
        Some(NodeContent::String(text)) => text.len(),
        Some(NodeContent::Nodes(children)) => children.iter().map(estimate).sum(),
        None => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wacore_binary::builder::NodeBuilder;
    use wacore_binary::marshal::marshal;

    #[test]
    fn a_stanza_survives_the_wire() {
        let stanza = NodeBuilder::new("message")
            .attr("id", "3EB0AA")
            .attr("type", "text")
            .children([NodeBuilder::new("enc").bytes(vec![1, 2, 3]).build()])
            .build();
        let decoded = decode(&marshal(&stanza).unwrap()).unwrap();
        assert_eq!(decoded, stanza);
    }

    #[test]
    fn frames_are_counted_and_can_be_read_back() {
        let cipher = NoiseCipher::new(&[7; 32]).unwrap();
        let (mut counter, mut frames) = (0, Vec::new());
        for id in ["A", "B"] {
            let stanza = NodeBuilder::new("ack").attr("id", id).build();
            assert!(encode_into(&stanza, &cipher, &mut counter, &mut frames));
        }
        assert_eq!(counter, 2);
        let length = usize::from(frames[1]) << 8 | usize::from(frames[2]);
        let mut first = frames[3..3 + length].to_vec();
        cipher.decrypt_in_place_with_counter(0, &mut first).unwrap();
        assert_eq!(decode(&first).unwrap().attrs.get("id").unwrap(), "A");
    }
}
