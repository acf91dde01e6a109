//! A text that a phone writes, with the people whom it mentions, as WhatsApp's apps put it on the wire.
//!
//! A mention is `@` and the user part of an address in the text, and the address in `ContextInfo.mentionedJid`. In groups
//! that go by hidden identity both are hidden identities, whatever the person who writes sees. Everybody is mentioned by
//! bit 1 of `ContextInfo.nonJidMentions`; apps write `@all` besides.

use std::collections::HashMap;
use std::sync::Arc;

use waproto::whatsapp as wa;

use crate::account::{Account, lock};
use crate::core::Core;
use crate::error::SandboxError;
use crate::number::Addressing;
use crate::views::Target;

/// The bit of `nonJidMentions` that means everybody in the group.
const EVERYONE: u32 = 1;

/// What a phone writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// Where `@` and the digits of a mentioned number stand, others see the mention.
    pub body: String,
    /// Numbers on this network.
    pub mentions: Vec<String>,
    /// Everybody in the group.
    pub mentions_everyone: bool,
}

impl From<&str> for Text {
    fn from(body: &str) -> Self {
        Self {
            body: body.to_owned(),
            ..Self::default()
        }
    }
}

impl From<&String> for Text {
    fn from(body: &String) -> Self {
        body.as_str().into()
    }
}

/// The message as it goes to `to`.
pub fn compose(core: &Core, to: &Target, text: Text) -> Result<wa::Message, SandboxError> {
    if text.mentions.is_empty() && !text.mentions_everyone {
        return Ok(wa::Message {
            conversation: Some(text.body),
            ..Default::default()
        });
    }
    let addressing = addressing(core, to);
    let mentioned = text
        .mentions
        .iter()
        .map(|number| core.account_by_number(number))
        .collect::<Result<Vec<Arc<Account>>, _>>()?;
    let written: HashMap<&str, String> = mentioned
        .iter()
        .map(|account| (account.user.as_str(), account.jid(addressing).user.to_string()))
        .collect();
    let context = wa::ContextInfo {
        mentioned_jid: mentioned
            .iter()
            .map(|account| account.jid(addressing).to_string())
            .collect(),
        non_jid_mentions: text.mentions_everyone.then_some(EVERYONE),
        ..Default::default()
    };
    let text = wa::message::ExtendedTextMessage {
        text: Some(readdress(&text.body, &written)),
        context_info: buffa::MessageField::some(context),
        ..Default::default()
    };
    Ok(wa::Message {
        extended_text_message: buffa::MessageField::some(text),
        ..Default::default()
    })
}

/// How people are called in that conversation.
fn addressing(core: &Core, to: &Target) -> Addressing {
    let group = match to {
        Target::Group(jid) => core.group(jid.split('@').next().unwrap_or_default()),
        Target::Phone(_) => None,
    };
    group.map_or_else(|| core.addressing(), |group| lock(&group).addressing)
}

/// The text with other digits behind each `@` that has some of these.
fn readdress(body: &str, written: &HashMap<&str, String>) -> String {
    let mut parts = body.split('@');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(part.len());
        let (digits, rest) = part.split_at(end);
        text.push('@');
        text.push_str(written.get(digits).map_or(digits, String::as_str));
        text.push_str(rest);
    }
    text
}

/// Whom a text mentions, in the order and form in which they stand in it, and whether it mentions everybody.
pub fn mentions(text: &wa::message::ExtendedTextMessage) -> (Vec<String>, bool) {
    let Some(context) = text.context_info.as_option() else {
        return (Vec::new(), false);
    };
    let everyone = context.non_jid_mentions.unwrap_or_default() & EVERYONE != 0;
    (context.mentioned_jid.clone(), everyone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_numbers_are_readdressed() {
        let written = HashMap::from([("6281", "900".to_owned()), ("62812", "901".to_owned())]);
        let text = readdress("@6281 dan @62812, a@6281b, @628 @62813 @", &written);
        assert_eq!(text, "@900 dan @901, a@900b, @628 @62813 @");
        assert_eq!(readdress("", &written), "");
    }
}
