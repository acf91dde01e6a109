//! What a decrypted message is, for the ledger.

use waproto::whatsapp as wa;

use crate::text;
use crate::views::LinkPreview;

/// The kind and the text of a message; `None` when nobody would see it (keys, protocol).
pub fn describe(message: &wa::Message) -> Option<(&'static str, Option<String>)> {
    let message = unwrap(message);
    if let Some(text) = message.conversation.as_ref().filter(|text| !text.is_empty()) {
        return Some(("text", Some(text.clone())));
    }
    if let Some(text) = message.extended_text_message.as_option() {
        return Some(("text", text.text.clone()));
    }
    if let Some(image) = message.image_message.as_option() {
        return Some(("image", image.caption.clone()));
    }
    if let Some(video) = message.video_message.as_option() {
        let kind = if video.gif_playback == Some(true) {
            "gif"
        } else {
            "video"
        };
        return Some((kind, video.caption.clone()));
    }
    if let Some(audio) = message.audio_message.as_option() {
        return Some((if audio.ptt == Some(true) { "voice" } else { "audio" }, None));
    }
    if let Some(document) = message.document_message.as_option() {
        return Some(("document", document.caption.clone()));
    }
    if message.sticker_message.is_set() {
        return Some(("sticker", None));
    }
    if let Some(location) = message.location_message.as_option() {
        return Some(("location", location.name.clone()));
    }
    if let Some(contact) = message.contact_message.as_option() {
        return Some(("contact", contact.display_name.clone()));
    }
    if let Some(contacts) = message.contacts_array_message.as_option() {
        return Some(("contact", contacts.display_name.clone()));
    }
    if let Some(reaction) = message.reaction_message.as_option() {
        return Some(("reaction", reaction.text.clone()));
    }
    let polls = [
        &message.poll_creation_message,
        &message.poll_creation_message_v2,
        &message.poll_creation_message_v3,
    ];
    if let Some(poll) = polls.into_iter().find_map(|poll| poll.as_option()) {
        return Some(("poll", poll.name.clone()));
    }
    if message.poll_update_message.is_set() {
        return Some(("pollVote", None));
    }
    if let Some(buttons) = message.buttons_message.as_option() {
        return Some(("buttons", buttons.content_text.clone()));
    }
    if let Some(list) = message.list_message.as_option() {
        return Some(("list", list.description.clone()));
    }
    if message.pin_in_chat_message.is_set() {
        return Some(("pin", None));
    }
    if let Some(protocol) = message.protocol_message.as_option() {
        return describe_protocol(protocol);
    }
    // Only keys: nothing to show.
    let mut rest = message.clone();
    rest.sender_key_distribution_message = buffa::MessageField::none();
    rest.message_context_info = buffa::MessageField::none();
    (rest != wa::Message::default()).then_some(("other", None))
}

/// What a text shows of its link.
pub fn link_preview(message: &wa::Message) -> Option<LinkPreview> {
    let text = unwrap(message).extended_text_message.as_option()?;
    Some(LinkPreview {
        url: text.matched_text.clone()?,
        title: text.title.clone(),
        description: text.description.clone(),
        thumbnail_bytes: text.jpeg_thumbnail.as_ref().map_or(0, Vec::len),
    })
}

/// Whom a text mentions, and whether it mentions everybody.
pub fn mentions(message: &wa::Message) -> (Vec<String>, bool) {
    let text = unwrap(message).extended_text_message.as_option();
    text.map(text::mentions).unwrap_or_default()
}

fn describe_protocol(protocol: &wa::message::ProtocolMessage) -> Option<(&'static str, Option<String>)> {
    use wa::message::protocol_message::Type;
    match protocol.r#type {
        Some(Type::REVOKE) => Some(("revoke", protocol.key.as_option().and_then(|key| key.id.clone()))),
        Some(Type::MESSAGE_EDIT) => {
            let text = protocol
                .edited_message
                .as_option()
                .and_then(describe)
                .and_then(|(_, text)| text);
            Some(("edit", text))
        }
        Some(Type::EPHEMERAL_SETTING) => Some(("disappearing", None)),
        // No type is the default: a revoke.
        None if protocol.key.is_set() => Some(("revoke", protocol.key.as_option().and_then(|key| key.id.clone()))),
        _ => None,
    }
}

/// The message inside the wrappers of view-once, disappearing, edited and captioned messages.
fn unwrap(message: &wa::Message) -> &wa::Message {
    let wrappers = [
        &message.view_once_message,
        &message.view_once_message_v2,
        &message.view_once_message_v2_extension,
        &message.ephemeral_message,
        &message.document_with_caption_message,
        &message.edited_message,
    ];
    match wrappers
        .into_iter()
        .find_map(|wrapper| wrapper.as_option())
        .and_then(|wrapper| wrapper.message.as_option())
    {
        Some(inner) => unwrap(inner),
        None => message,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_captions_are_found_inside_wrappers() {
        let text = wa::Message {
            conversation: Some("hello".to_owned()),
            ..Default::default()
        };
        assert_eq!(describe(&text), Some(("text", Some("hello".to_owned()))));
        let wrapped = wa::Message {
            ephemeral_message: buffa::MessageField::some(wa::message::FutureProofMessage {
                message: buffa::MessageField::some(text),
            }),
            ..Default::default()
        };
        assert_eq!(describe(&wrapped), Some(("text", Some("hello".to_owned()))));
    }

    #[test]
    fn keys_alone_are_nothing_to_show() {
        let keys = wa::Message {
            sender_key_distribution_message: buffa::MessageField::some(
                wa::message::SenderKeyDistributionMessage::default(),
            ),
            ..Default::default()
        };
        assert_eq!(describe(&keys), None);
    }
}
