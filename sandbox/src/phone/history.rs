//! What a phone remembers of its conversations, for companions that ask.
//!
//! A new companion gets the newest messages of each conversation; later it asks for older ones
//! (`HISTORY_SYNC_ON_DEMAND`). Both travel as a zlib stream inside the message that announces them.
//! The memory is bounded per conversation and does not survive a restart of the network.

use std::collections::{BTreeMap, VecDeque};

use buffa::Message as _;
use waproto::whatsapp as wa;

/// Messages kept per conversation.
const KEPT: usize = 300;
/// Messages per conversation that a new companion gets.
const FIRST: usize = 50;

/// One message of a conversation.
#[derive(Clone)]
pub struct Line {
    pub id: String,
    pub from_me: bool,
    /// In groups, the sender's jid.
    pub participant: Option<String>,
    pub name: String,
    /// Seconds since 1970.
    pub at: u64,
    pub message: wa::Message,
}

/// Conversations by the jid a companion knows them under.
#[derive(Default)]
pub struct History {
    conversations: BTreeMap<String, VecDeque<Line>>,
}

impl History {
    /// Remembers a message, unless it is known already.
    pub fn note(&mut self, chat: &str, line: Line) {
        if !self.conversations.contains_key(chat) {
            self.conversations.insert(chat.to_owned(), VecDeque::new());
        }
        let Some(lines) = self.conversations.get_mut(chat) else {
            return;
        };
        // Messages that come twice come again soon.
        if lines.iter().rev().take(20).any(|known| known.id == line.id) {
            return;
        }
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// The newest messages of every conversation.
    pub fn newest(&self) -> Vec<wa::Conversation> {
        self.conversations
            .iter()
            .map(|(chat, lines)| {
                let start = lines.len().saturating_sub(FIRST);
                conversation(chat, lines.range(start..))
            })
            .collect()
    }

    /// Up to `count` messages of a conversation before the one named.
    pub fn before(&self, chat: &str, id: &str, count: usize) -> Option<wa::Conversation> {
        let lines = self.conversations.get(chat)?;
        let end = lines.iter().position(|line| line.id == id).unwrap_or(lines.len());
        Some(conversation(chat, lines.range(end.saturating_sub(count)..end)))
    }
}

/// Messages newest first, as phones send them.
fn conversation<'a>(chat: &str, lines: impl DoubleEndedIterator<Item = &'a Line>) -> wa::Conversation {
    let messages: Vec<wa::HistorySyncMsg> = lines
        .rev()
        .zip(1..)
        .map(|(line, order)| wa::HistorySyncMsg {
            message: buffa::MessageField::some(web_message(chat, line)),
            msg_order_id: Some(order),
        })
        .collect();
    let last = messages
        .first()
        .and_then(|message| message.message.as_option())
        .and_then(|message| message.message_timestamp);
    wa::Conversation {
        id: chat.to_owned(),
        messages,
        last_msg_timestamp: last,
        conversation_timestamp: last,
        ..Default::default()
    }
}

fn web_message(chat: &str, line: &Line) -> wa::WebMessageInfo {
    wa::WebMessageInfo {
        key: buffa::MessageField::some(wa::MessageKey {
            remote_jid: Some(chat.to_owned()),
            from_me: Some(line.from_me),
            id: Some(line.id.clone()),
            participant: line.participant.clone(),
        }),
        message: buffa::MessageField::some(line.message.clone()),
        message_timestamp: Some(line.at),
        participant: line.participant.clone(),
        push_name: Some(line.name.clone()),
        ..Default::default()
    }
}

/// The announcement of a history that is inside it.
pub fn announcement(
    kind: wa::message::HistorySyncType,
    request: Option<&str>,
    conversations: Vec<wa::Conversation>,
    pushnames: Vec<wa::Pushname>,
) -> wa::message::HistorySyncNotification {
    use wa::history_sync::HistorySyncType as Inner;
    use wa::message::HistorySyncType as Outer;
    let sync_type = match kind {
        Outer::RECENT => Inner::RECENT,
        Outer::ON_DEMAND => Inner::ON_DEMAND,
        _ => Inner::INITIAL_BOOTSTRAP,
    };
    let history = wa::HistorySync {
        sync_type,
        conversations,
        chunk_order: Some(1),
        progress: Some(100),
        pushnames,
        ..Default::default()
    }
    .encode_to_vec();
    wa::message::HistorySyncNotification {
        file_length: Some(history.len() as u64),
        sync_type: Some(kind),
        chunk_order: Some(1),
        progress: Some(100),
        peer_data_request_session_id: request.map(ToOwned::to_owned),
        initial_hist_bootstrap_inline_payload: Some(stored_zlib(&history)),
        ..Default::default()
    }
}

/// A zlib stream of stored blocks: histories travel as zlib, and these are too short to compress.
fn stored_zlib(data: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let mut blocks = data.chunks(65_535).peekable();
    while let Some(block) = blocks.next() {
        let length = u16::try_from(block.len()).unwrap_or(u16::MAX);
        stream.push(u8::from(blocks.peek().is_none()));
        stream.extend_from_slice(&length.to_le_bytes());
        stream.extend_from_slice(&(!length).to_le_bytes());
        stream.extend_from_slice(block);
    }
    let (mut low, mut high) = (1u32, 0u32);
    for byte in data {
        low = (low + u32::from(*byte)) % 65_521;
        high = (high + low) % 65_521;
    }
    stream.extend_from_slice(&(high << 16 | low).to_be_bytes());
    stream
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: &str) -> Line {
        Line {
            id: id.to_owned(),
            from_me: false,
            participant: None,
            name: "Ani".to_owned(),
            at: 1,
            message: wa::Message::default(),
        }
    }

    fn ids(conversation: &wa::Conversation) -> Vec<String> {
        conversation
            .messages
            .iter()
            .filter_map(|message| message.message.as_option()?.key.as_option()?.id.clone())
            .collect()
    }

    #[test]
    fn older_messages_are_those_before_the_one_named() {
        let mut history = History::default();
        for id in ["A", "B", "C", "C", "D"] {
            history.note("chat", line(id));
        }
        assert_eq!(ids(&history.newest()[0]), ["D", "C", "B", "A"]);
        assert_eq!(ids(&history.before("chat", "C", 1).unwrap()), ["B"]);
        assert_eq!(ids(&history.before("chat", "A", 5).unwrap()), Vec::<String>::new());
        assert!(history.before("other", "A", 5).is_none());
    }

    #[test]
    fn stored_blocks_are_a_zlib_stream() {
        for length in [7usize, 65_535, 200_000] {
            let data = vec![7u8; length];
            let mut frame = vec![2u8];
            frame.extend_from_slice(&stored_zlib(&data));
            // The binary decoder inflates frames whose first byte has this bit.
            assert_eq!(wacore_binary::util::unpack(&frame).unwrap().as_ref(), data);
        }
    }
}
