//! What the database said a moment ago, so that it is not asked for every request.

use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// More answers are not kept.
const MOST: usize = 20_000;

/// Answers, each believed for a while.
#[derive(Debug)]
pub struct Believed<K, V> {
    lifetime: Duration,
    /// When each was asked for, and what the answer was.
    answers: Mutex<HashMap<K, (Instant, V)>>,
}

impl<K: Eq + Hash, V: Clone> Believed<K, V> {
    /// Answers are believed for `lifetime`.
    pub fn new(lifetime: Duration) -> Self {
        Self {
            lifetime,
            answers: Mutex::default(),
        }
    }

    /// What is believed, or what `ask` finds. That there is nothing is not believed: it is asked again.
    pub async fn get<Q, E>(&self, key: &Q, ask: impl Future<Output = Result<Option<V>, E>>) -> Result<Option<V>, E>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        let asked = Instant::now();
        if let Some((since, answer)) = self.lock().get(key)
            && asked.duration_since(*since) < self.lifetime
        {
            return Ok(Some(answer.clone()));
        }
        let found = ask.await?;
        let mut answers = self.lock();
        if answers.len() >= MOST {
            answers.retain(|_, (since, _)| asked.duration_since(*since) < self.lifetime);
        }
        match &found {
            // Believed from the moment it was asked, not answered: the answer may be older than its arrival.
            Some(answer) if answers.len() < MOST => {
                answers.insert(key.to_owned(), (asked, answer.clone()));
            }
            _ => {
                answers.remove(key);
            }
        }
        Ok(found)
    }

    /// Forgets the answers that `which` names, so that a change counts at once on this node.
    pub fn forget(&self, which: impl Fn(&K, &V) -> bool) {
        self.lock().retain(|key, (_, answer)| !which(key, answer));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, (Instant, V)>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn ask(believed: &Believed<u8, u8>, now: u8) -> Option<u8> {
        let found = believed.get(&1, std::future::ready(Ok::<_, ()>(Some(now)))).await;
        found.expect("it is answered")
    }

    #[tokio::test]
    async fn an_answer_is_believed_until_it_is_forgotten_or_old() {
        let believed = Believed::new(Duration::from_hours(1));
        assert_eq!(ask(&believed, 7).await, Some(7));
        assert_eq!(ask(&believed, 8).await, Some(7));
        believed.forget(|key, _| *key == 1);
        assert_eq!(ask(&believed, 8).await, Some(8));
        let old = Believed::new(Duration::ZERO);
        assert_eq!(ask(&old, 7).await, Some(7));
        assert_eq!(ask(&old, 8).await, Some(8));
    }
}
