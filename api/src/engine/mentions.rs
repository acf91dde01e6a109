//! Mentions in a text, as WhatsApp writes them.
//!
//! A person is mentioned by `ContextInfo.mentionedJid`. Apps show a name where `@` and the user part of that address stand
//! in the text, and tell the person also when they stand nowhere.
//!
//! Everybody in a group is mentioned by a bit of `ContextInfo.nonJidMentions`. WhatsApp Web sets it when somebody picks
//! `@all` (its `WAWebNonJidMentionType.MENTION_ALL`), in small groups for every member, in large ones for admins. Listing
//! all participants in `mentionedJid` instead is what was done before WhatsApp had this; it would make a message depend on
//! who is in the group at the moment of an attempt, name them all to everybody, and pass over who has muted `@all`.

use std::collections::{HashMap, HashSet};

use buffa::MessageField;
use futures::future::join_all;
use wacore_binary::Jid;
use waproto::whatsapp as wa;

use super::{Mention, Text, addresses::Addresses};

/// The bit that means everybody.
const EVERYONE: u32 = 1;
/// A group has no more people.
const MOST: usize = 1024;

/// The text as it is written on the wire, and who is mentioned in it; `None` when nobody is.
pub(super) fn compose(text: &Text) -> Option<(String, wa::ContextInfo)> {
    if text.mentions.is_empty() && !text.mentions_everyone {
        return None;
    }
    let mut seen = HashSet::new();
    let people = text.mentions.iter().map(written);
    let context = wa::ContextInfo {
        mentioned_jid: people.filter(|jid| seen.insert(*jid)).map(str::to_owned).collect(),
        non_jid_mentions: text.mentions_everyone.then_some(EVERYONE),
        ..Default::default()
    };
    let others: HashMap<&str, &str> = text
        .mentions
        .iter()
        .filter(|mention| written_differs(mention))
        .map(|mention| (user(&mention.jid), user(written(mention))))
        .collect();
    Some((readdress(&text.body, &others), context))
}

/// Adds the context to a text that is an `extendedTextMessage`, or makes it one.
pub(super) fn put(message: &mut wa::Message, context: wa::ContextInfo) {
    let body = message.conversation.take();
    let text = message.extended_text_message.get_or_insert_default();
    text.text = text.text.take().or(body);
    text.context_info = MessageField::some(context);
}

fn written(mention: &Mention) -> &str {
    mention.written.as_deref().unwrap_or(&mention.jid)
}

fn written_differs(mention: &Mention) -> bool {
    mention.written.as_ref().is_some_and(|written| *written != mention.jid)
}

fn user(jid: &str) -> &str {
    jid.split('@').next().unwrap_or(jid)
}

/// The text with other digits behind each `@` that has some of these.
fn readdress(body: &str, others: &HashMap<&str, &str>) -> String {
    if others.is_empty() {
        return body.to_owned();
    }
    let mut parts = body.split('@');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(part.len());
        let (digits, rest) = part.split_at(end);
        text.push('@');
        text.push_str(others.get(digits).copied().unwrap_or(digits));
        text.push_str(rest);
    }
    text
}

/// Whom a text that came in mentions. `in_group` because only a group has everybody.
pub(super) async fn read(addresses: &Addresses, message: &wa::Message, in_group: bool) -> (Vec<Mention>, bool) {
    let (people, everyone) = listed(message);
    let mentions = join_all(people.iter().map(|person| async {
        let jid = addresses.resolve(person, None).await.jid;
        let written = person.to_non_ad_string();
        Mention {
            written: (written != jid).then_some(written),
            jid,
        }
    }));
    (mentions.await, everyone && in_group)
}

/// The people of a text, each once and no more than there can be, and whether everybody is meant.
fn listed(message: &wa::Message) -> (Vec<Jid>, bool) {
    let text = message.extended_text_message.as_option();
    let Some(context) = text.and_then(|text| text.context_info.as_option()) else {
        return (Vec::new(), false);
    };
    let mut seen = HashSet::new();
    let people = context
        .mentioned_jid
        .iter()
        .filter_map(|text| text.parse::<Jid>().ok())
        .filter(|jid| (jid.is_pn() || jid.is_lid()) && is_number(&jid.user))
        .map(|jid| jid.to_non_ad())
        .filter(|jid| seen.insert(jid.to_string()))
        .take(MOST)
        .collect();
    (people, context.non_jid_mentions.unwrap_or_default() & EVERYONE != 0)
}

/// Addresses are kept as long as somebody else's client may have made them.
fn is_number(user: &str) -> bool {
    (1..=20).contains(&user.len()) && user.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mention(jid: &str, written: Option<&str>) -> Mention {
        Mention {
            jid: jid.to_owned(),
            written: written.map(str::to_owned),
        }
    }

    #[test]
    fn people_are_called_as_their_group_calls_them() {
        let text = Text {
            body: "@6281, @62812 dan a@62812b, bukan @628123 @".to_owned(),
            mentions: vec![
                mention("6281@s.whatsapp.net", None),
                mention("62812@s.whatsapp.net", Some("900@lid")),
                mention("900@lid", Some("900@lid")),
            ],
            ..Text::default()
        };
        let (body, context) = compose(&text).expect("mentions");
        assert_eq!(body, "@6281, @900 dan a@900b, bukan @628123 @");
        assert_eq!(context.mentioned_jid, ["6281@s.whatsapp.net", "900@lid"]);
        assert_eq!(context.non_jid_mentions, None);
    }

    #[test]
    fn everybody_is_a_bit_and_nobody_is_nothing() {
        let everyone = Text {
            body: "@all rapat".to_owned(),
            mentions_everyone: true,
            ..Text::default()
        };
        let (body, context) = compose(&everyone).expect("everybody");
        assert_eq!((body.as_str(), context.non_jid_mentions), ("@all rapat", Some(1)));
        assert!(context.mentioned_jid.is_empty());
        assert_eq!(compose(&Text::default()), None);
    }

    #[test]
    fn what_others_list_is_bounded_and_only_people() {
        let people: Vec<String> = (0..2000).map(|number| format!("{}@lid", 1000 + number / 2)).collect();
        let strange = [
            "",
            "x@lid",
            "120363@g.us",
            "status@broadcast",
            "6281:4@s.whatsapp.net",
            "6281@s.whatsapp.net",
        ];
        let mut message = wa::Message::default();
        let context = wa::ContextInfo {
            mentioned_jid: strange.into_iter().map(str::to_owned).chain(people).collect(),
            non_jid_mentions: Some(6),
            ..Default::default()
        };
        put(&mut message, context);
        let (people, everyone) = listed(&message);
        assert_eq!(people[0].to_string(), "6281@s.whatsapp.net");
        assert_eq!(people[1].to_string(), "1000@lid");
        assert_eq!((people.len(), everyone), (1001, false));
        assert_eq!(listed(&wa::Message::default()), (Vec::new(), false));
    }
}
