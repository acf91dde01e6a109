//! Something loaded from the API: on its way, there, or failed.

use leptos::{prelude::*, task::spawn_local};

use super::{live::use_live, session::use_session};
use crate::api::error::ApiError;

#[derive(Clone, Debug, PartialEq)]
pub enum Load<T> {
    Loading,
    Ready(T),
    Failed(ApiError),
}

/// How much of a load is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// What was there gives way to a skeleton.
    Openly,
    /// What was there stays until the answer is; a failure shows.
    InPlace,
    /// Neither the loading nor a failure shows.
    Quietly,
}

/// A value and how to load it again. Later answers win over earlier ones.
pub struct Remote<T: Send + Sync + 'static> {
    pub value: RwSignal<Load<T>>,
    reload: StoredValue<Box<dyn Fn(Manner)>, LocalStorage>,
}

impl<T: Send + Sync + 'static> Clone for Remote<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Send + Sync + 'static> Copy for Remote<T> {}

impl<T: Clone + Send + Sync + 'static> Remote<T> {
    /// Loads now, whenever a signal read by `fetch` changes, and quietly after each reconnect.
    pub fn new<F, Answer>(fetch: F) -> Self
    where
        F: Fn() -> Answer + 'static,
        Answer: Future<Output = Result<T, ApiError>> + 'static,
    {
        let value = RwSignal::new(Load::Loading);
        let turn = StoredValue::new(0_u32);
        let session = use_session();
        let fetch = std::rc::Rc::new(fetch);
        let start = move |fetch: &F, manner: Manner| {
            if manner == Manner::Openly {
                value.set(Load::Loading);
            }
            turn.update_value(|turn| *turn += 1);
            let mine = turn.get_value();
            let answer = fetch();
            spawn_local(async move {
                let answer = answer.await;
                if turn.try_get_value() != Some(mine) {
                    return;
                }
                match answer {
                    Ok(loaded) => value.set(Load::Ready(loaded)),
                    Err(ApiError::SignedOut) => session.leave(),
                    Err(_)
                        if manner == Manner::Quietly
                            && value.with_untracked(|value| matches!(value, Load::Ready(_))) => {}
                    Err(error) => value.set(Load::Failed(error)),
                }
            });
        };
        let again = fetch.clone();
        Effect::new(move |before: Option<()>| {
            start(
                &fetch,
                if before.is_none() {
                    Manner::Openly
                } else {
                    Manner::InPlace
                },
            );
        });
        let live = use_live();
        let loader = again.clone();
        Effect::new(move |before: Option<u32>| {
            let epoch = live.epoch.get();
            if before.is_some_and(|before| before != epoch) {
                untrack(|| start(&loader, Manner::Quietly));
            }
            epoch
        });
        let reload: Box<dyn Fn(Manner)> = Box::new(move |manner| untrack(|| start(&again, manner)));
        Self {
            value,
            reload: StoredValue::new_local(reload),
        }
    }

    /// What was loaded; nothing while it is on its way, and when it failed.
    pub fn ready(self) -> Option<T> {
        self.value.with(|value| match value {
            Load::Ready(value) => Some(value.clone()),
            Load::Loading | Load::Failed(_) => None,
        })
    }

    /// Loads again and shows it.
    pub fn retry(self) {
        self.reload.with_value(|reload| reload(Manner::Openly));
    }

    /// Loads again behind what is shown.
    pub fn refresh(self) {
        // A page that is gone has nothing to refresh.
        let _ = self.reload.try_with_value(|reload| reload(Manner::Quietly));
    }

    /// Changes what is loaded, when it is.
    pub fn patch(self, change: impl FnOnce(&mut T)) {
        let ready = self
            .value
            .try_with_untracked(|value| matches!(value, Load::Ready(_)))
            .unwrap_or(false);
        if ready {
            self.value.update(|value| {
                if let Load::Ready(value) = value {
                    change(value);
                }
            });
        }
    }
}
