//! What groups are called: asked when something passes through a group that nobody asked about, told anew when it changes.
//!
//! Nothing waits for the answer, and messages never do: a group goes by its address until its subject is known.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use tokio::sync::Semaphore;
use wacore::stanza::groups::GroupNotificationAction;
use wacore::types::events::GroupUpdate;
use wacore_binary::{Jid, JidExt as _};
use whatsapp_rust::{Client, GroupError, IqError};

use super::{EventKind, pump::Outlet};

/// Groups that were asked about are remembered, up to this many.
const ASKED: usize = 1024;
/// A device asks about so many groups at once: WhatsApp refuses who asks too much.
const AT_ONCE: usize = 2;
const PATIENCE: Duration = Duration::from_secs(20);

/// What one device knows of the names of its groups.
pub(super) struct Subjects {
    outlet: Outlet,
    asked: Mutex<HashMap<Jid, Asked>>,
    turn: Semaphore,
}

#[derive(Default)]
struct Asked {
    /// The subject changed since: the answer may be the old one.
    changed: bool,
}

impl Subjects {
    pub(super) fn new(outlet: Outlet) -> Arc<Self> {
        Arc::new(Self {
            outlet,
            asked: Mutex::default(),
            turn: Semaphore::new(AT_ONCE),
        })
    }

    /// Asks what a group is called and tells it, unless that was done before. To be called when the group's chat is there.
    pub(super) fn learn(self: &Arc<Self>, client: &Arc<Client>, chat: &Jid) {
        if !chat.is_group() || !self.begin(chat) {
            return;
        }
        let (this, client, group) = (Arc::clone(self), Arc::clone(client), chat.clone());
        tokio::spawn(async move {
            let Ok(_turn) = this.turn.acquire().await else { return };
            if let Some(subject) = this.ask(&client, &group).await {
                this.outlet.tell(told(&group, subject)).await;
            }
        });
    }

    /// A change that WhatsApp tells of, when it is one of the name.
    pub(super) fn changed(&self, update: &GroupUpdate) -> Option<EventKind> {
        let GroupNotificationAction::Subject { subject, .. } = &update.action else {
            return None;
        };
        if let Some(asked) = self.asked().get_mut(&update.group_jid) {
            asked.changed = true;
        }
        (!subject.is_empty()).then(|| told(&update.group_jid, subject.clone()))
    }

    fn begin(&self, group: &Jid) -> bool {
        let mut asked = self.asked();
        if asked.contains_key(group) {
            return false;
        }
        if asked.len() >= ASKED {
            asked.clear();
        }
        asked.insert(group.clone(), Asked::default());
        true
    }

    async fn ask(&self, client: &Client, group: &Jid) -> Option<String> {
        let groups = client.groups();
        let answer = tokio::time::timeout(PATIENCE, groups.get_metadata(group)).await;
        let mut asked = self.asked();
        match answer {
            Ok(Ok(metadata)) => {
                let overtaken = asked.get(group).is_some_and(|asked| asked.changed);
                Some(metadata.subject).filter(|subject| !overtaken && !subject.is_empty())
            }
            // WhatsApp would say so again.
            Ok(Err(GroupError::Iq(error @ IqError::ServerError { .. }))) => {
                tracing::info!(%error, device = %self.outlet.device, "a group's name was not told");
                None
            }
            // The connection is gone: the group is asked about with what passes through it next.
            Ok(Err(_)) | Err(_) => {
                asked.remove(group);
                None
            }
        }
    }

    fn asked(&self) -> std::sync::MutexGuard<'_, HashMap<Jid, Asked>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn told(group: &Jid, subject: String) -> EventKind {
    EventKind::GroupSubject {
        group: group.to_non_ad_string(),
        subject,
    }
}
