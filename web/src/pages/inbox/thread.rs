//! The messages of one chat: what is stored, what is being sent, what is older, and what comes in.
//!
//! **Invariant:** what a person sends has one key for all its attempts, so neither a double click, nor a retry, nor an
//! answer that got lost makes two messages.

use futures::channel::oneshot;
use leptos::{prelude::*, task::spawn_local};

use crate::{
    api::{
        chats::Chat,
        error::ApiError,
        messages::{self, Direction, Message, RecipientInput, Written},
        values::At,
    },
    state::{format, live, rows::Rows, unique},
    words,
};

const PAGE_SIZE: i32 = 50;

/// One bubble.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    Stored(Box<Message>),
    /// Sent from here and not answered yet, or refused.
    Pending {
        key: String,
        written: Written,
        at: At,
        refused: Option<String>,
    },
}

/// A row of the thread: a day or a bubble.
#[derive(Clone, PartialEq)]
pub enum Item {
    Day(String, String),
    Bubble(String, ArcRwSignal<Entry>),
}

impl Item {
    pub fn key(&self) -> String {
        match self {
            Self::Day(key, _) => format!("day-{key}"),
            Self::Bubble(key, _) => key.clone(),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    Loading,
    Ready,
    Failed(ApiError),
}

#[derive(Clone, Copy)]
pub struct Thread {
    pub rows: Rows<Entry>,
    pub stage: RwSignal<Stage>,
    /// Where older messages are, when there are any.
    pub older: RwSignal<Option<String>>,
    pub loading_older: RwSignal<bool>,
    /// They could not be loaded.
    pub older_failed: RwSignal<bool>,
    /// Set by who shows the thread: whether its beginning comes near, so that older messages are wanted.
    pub near_start: RwSignal<bool>,
    /// Grows with every message that is new here.
    pub arrived: RwSignal<u32>,
    /// Grows when a bubble got taller.
    pub grown: RwSignal<u32>,
    /// What came in last, to be read out: the list itself also changes when somebody only scrolls.
    pub heard: RwSignal<String>,
    chat_id: StoredValue<String>,
    /// Ends with the newest attempt to send.
    last_turn: StoredValue<Option<oneshot::Receiver<()>>>,
}

impl Thread {
    pub fn of(chat_id: String) -> Self {
        let this = Self {
            rows: Rows::new(),
            stage: RwSignal::new(Stage::Loading),
            older: RwSignal::new(None),
            loading_older: RwSignal::new(false),
            older_failed: RwSignal::new(false),
            near_start: RwSignal::new(false),
            arrived: RwSignal::new(0),
            grown: RwSignal::new(0),
            heard: RwSignal::new(String::new()),
            chat_id: StoredValue::new(chat_id),
            last_turn: StoredValue::new(None),
        };
        let live = live::use_live();
        Effect::new(move |_| {
            live.epoch.track();
            untrack(|| this.load());
        });
        Effect::new(move |_| {
            if this.near_start.get() && this.older.with(Option::is_some) {
                untrack(|| this.load_older());
            }
        });
        live::on_event(move |event| {
            if let Some(message) = event.message()
                && this.chat_id.with_value(|id| message.chat.id.inner() == id)
            {
                this.take(message.clone());
            }
        });
        this
    }

    /// The newest page, merged with what is there.
    pub fn load(self) {
        spawn_local(async move {
            let Some(chat_id) = self.chat_id.try_get_value() else {
                return;
            };
            let answer = messages::of_chat(chat_id, PAGE_SIZE, None).await;
            if self.stage.try_get_untracked().is_none() {
                return;
            }
            match answer {
                Ok(page) => {
                    let first = self.stage.get_untracked() != Stage::Ready;
                    let overlaps = page
                        .nodes
                        .iter()
                        .any(|message| self.rows.get(message.id.inner()).is_some());
                    if first || !overlaps {
                        self.older
                            .set(page.page_info.start_cursor.filter(|_| page.page_info.has_previous_page));
                        let pending = self.pending();
                        let entries = page.nodes.into_iter().map(|message| Entry::Stored(Box::new(message)));
                        self.rows.replace(entries.chain(pending).collect(), key);
                    } else {
                        for message in page.nodes {
                            self.take(message);
                        }
                    }
                    self.stage.set(Stage::Ready);
                }
                Err(error) if self.stage.get_untracked() != Stage::Ready => self.stage.set(Stage::Failed(error)),
                Err(_) => {}
            }
        });
    }

    pub fn load_older(self) {
        let Some(before) = self.older.get_untracked() else {
            return;
        };
        if self.loading_older.get_untracked() {
            return;
        }
        self.loading_older.set(true);
        self.older_failed.set(false);
        spawn_local(async move {
            let Some(chat_id) = self.chat_id.try_get_value() else {
                return;
            };
            let answer = messages::of_chat(chat_id, PAGE_SIZE, Some(before)).await;
            if self.stage.try_get_untracked().is_none() {
                return;
            }
            if let Ok(page) = answer {
                let mut entries: Vec<_> = page
                    .nodes
                    .into_iter()
                    .filter(|message| self.rows.get(message.id.inner()).is_none())
                    .map(|message| {
                        (
                            message.id.inner().to_owned(),
                            ArcRwSignal::new(Entry::Stored(Box::new(message))),
                        )
                    })
                    .collect();
                self.rows.list.update(|list| {
                    entries.append(list);
                    *list = entries;
                });
                // Told after the rows, so that they are drawn when it is asked whether still older ones are wanted.
                self.older
                    .set(page.page_info.start_cursor.filter(|_| page.page_info.has_previous_page));
            } else {
                self.older_failed.set(true);
            }
            self.loading_older.set(false);
        });
    }

    /// A message as the server has it now.
    fn take(self, message: Message) {
        let id = message.id.inner().to_owned();
        if let Some(Entry::Stored(known)) = self.rows.get(&id) {
            // The answer to sending may come after the events about it: a status never moves back on the screen.
            if known.status_history.len() <= message.status_history.len() {
                self.rows.update(&id, Entry::Stored(Box::new(message)));
                self.grown.update(|grown| *grown += 1);
            }
            return;
        }
        if message.direction == Direction::Out {
            let body = message.content.text();
            let mine = self.pending().into_iter().find_map(|entry| match entry {
                Entry::Pending {
                    key,
                    written,
                    refused: None,
                    ..
                } if written.body == body => Some(key),
                _ => None,
            });
            if let Some(mine) = mine {
                return self.settle(&mine, message);
            }
        }
        if message.direction == Direction::In {
            let text = message.content.text();
            // The same words once more are another text, or else nothing would be read out.
            self.heard.update(|heard| {
                *heard = if heard == text {
                    format!("{text}\u{a0}")
                } else {
                    text.to_owned()
                };
            });
        }
        let at = message.created_at;
        let row = (id, ArcRwSignal::new(Entry::Stored(Box::new(message))));
        self.rows.list.update(|list| {
            let place = list
                .iter()
                .rposition(|(_, entry)| entry.with_untracked(|entry| time(entry) <= at));
            list.insert(place.map_or(0, |place| place + 1), row);
        });
        self.arrived.update(|arrived| *arrived += 1);
    }

    /// Puts the stored message where the pending one was.
    fn settle(self, key: &str, message: Message) {
        let id = message.id.inner().to_owned();
        if self.rows.get(&id).is_some() {
            self.rows.remove(key);
            return;
        }
        let mut row = Some((id, ArcRwSignal::new(Entry::Stored(Box::new(message)))));
        self.rows.list.update(|list| {
            if let Some(place) = list.iter().position(|(known, _)| known == key)
                && let Some(row) = row.take()
            {
                list[place] = row;
            }
        });
    }

    fn pending(self) -> Vec<Entry> {
        self.rows.list.with_untracked(|list| {
            list.iter()
                .map(|(_, entry)| entry.get_untracked())
                .filter(|entry| matches!(entry, Entry::Pending { .. }))
                .collect()
        })
    }

    /// Shows the text at once and sends it.
    pub fn send(self, chat: &Chat, written: Written) {
        let key = unique::key();
        let entry = Entry::Pending {
            key: key.clone(),
            written: written.clone(),
            at: At::now(),
            refused: None,
        };
        self.rows.push(key.clone(), entry);
        self.arrived.update(|arrived| *arrived += 1);
        self.attempt(chat.clone(), key, written);
    }

    /// Sends again what was refused, with the key it had.
    pub fn send_again(self, chat: &Chat, key: String, written: Written) {
        self.rows.update(
            &key,
            Entry::Pending {
                key: key.clone(),
                written: written.clone(),
                at: At::now(),
                refused: None,
            },
        );
        self.attempt(chat.clone(), key, written);
    }

    /// Sends after what was sent before from here: a preview takes a while to fetch, and what is written meanwhile must
    /// not overtake it.
    fn attempt(self, chat: Chat, key: String, written: Written) {
        let (done, turn) = oneshot::channel::<()>();
        let before = self.last_turn.try_update_value(|last| last.replace(turn)).flatten();
        spawn_local(async move {
            if let Some(before) = before {
                // It ends when the other attempt does, whatever came of it.
                let _ = before.await;
            }
            let to = RecipientInput::Jid(chat.jid);
            let answer = messages::send_text(chat.device.id, to, written.clone(), key.clone()).await;
            drop(done);
            if self.stage.try_get_untracked().is_none() {
                return;
            }
            match answer {
                Ok(message) => {
                    if self.rows.get(&key).is_some() {
                        self.settle(&key, message);
                    } else {
                        self.take(message);
                    }
                }
                Err(error) => {
                    let refused = Some(words::explain(&error));
                    self.rows.update(
                        &key,
                        Entry::Pending {
                            key: key.clone(),
                            written,
                            at: At::now(),
                            refused,
                        },
                    );
                    self.grown.update(|grown| *grown += 1);
                }
            }
        });
    }

    /// The server sends a failed message once more, under the id it has.
    pub fn retry(self, message: &Message, on_error: impl Fn(&ApiError) + 'static) {
        let id = message.id.clone();
        spawn_local(async move {
            match messages::retry(id).await {
                Ok(message) => {
                    let id = message.id.inner().to_owned();
                    self.rows.update(&id, Entry::Stored(Box::new(message)));
                }
                Err(error) => on_error(&error),
            }
        });
    }

    /// Takes back what is still waiting.
    pub fn cancel(self, message: &Message, on_error: impl Fn(&ApiError) + 'static) {
        let id = message.id.clone();
        spawn_local(async move {
            match messages::cancel(id).await {
                Ok(message) => {
                    let id = message.id.inner().to_owned();
                    self.rows.update(&id, Entry::Stored(Box::new(message)));
                }
                Err(error) => on_error(&error),
            }
        });
    }

    /// The rows with a heading before each day.
    pub fn items(self) -> Memo<Vec<Item>> {
        Memo::new(move |_| {
            let mut day = String::new();
            let mut items = Vec::new();
            self.rows.list.with(|list| {
                for (key, entry) in list {
                    let at = entry.with_untracked(time);
                    let of_entry = format::day_key(at);
                    if of_entry != day {
                        items.push(Item::Day(of_entry.clone(), format::day_heading(at)));
                        day = of_entry;
                    }
                    items.push(Item::Bubble(key.clone(), entry.clone()));
                }
            });
            items
        })
    }
}

fn key(entry: &Entry) -> String {
    match entry {
        Entry::Stored(message) => message.id.inner().to_owned(),
        Entry::Pending { key, .. } => key.clone(),
    }
}

pub fn time(entry: &Entry) -> At {
    match entry {
        Entry::Stored(message) => message.created_at,
        Entry::Pending { at, .. } => *at,
    }
}
