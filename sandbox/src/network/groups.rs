//! What the handle does with groups.

use std::sync::{Arc, Mutex, PoisonError};

use super::Network;
use crate::account::{Account, lock};
use crate::error::SandboxError;
use crate::groups::GroupState;
use crate::handlers::group_changes;
use crate::views::Group;

#[expect(
    clippy::unused_async,
    reason = "callers await everything that acts on the network, whether or not it waits today"
)]
impl Network {
    /// The phone creates a group.
    pub async fn create_group(
        &self,
        owner: &str,
        subject: &str,
        participants: &[String],
    ) -> Result<Group, SandboxError> {
        let owner = self.online(owner)?;
        let members = participants
            .iter()
            .map(|number| self.core.account_by_number(number))
            .collect::<Result<Vec<_>, _>>()?;
        let group = group_changes::create(&self.core, &owner, None, subject, &members);
        let view = lock(&group).view();
        Ok(view)
    }

    /// Adds a member to a group, as its owner would.
    pub async fn add_to_group(&self, group: &str, number: &str) -> Result<Group, SandboxError> {
        let account = self.core.account_by_number(number)?;
        let (group, owner) = self.owned(group)?;
        group_changes::add(&self.core, &owner, None, &group, &[account]);
        let view = lock(&group).view();
        Ok(view)
    }

    /// Removes a member from a group, as its owner would.
    pub async fn remove_from_group(&self, group: &str, number: &str) -> Result<Group, SandboxError> {
        let account = self.core.account_by_number(number)?;
        let (group, owner) = self.owned(group)?;
        group_changes::remove(&self.core, &owner, None, &group, &[account]);
        let view = lock(&group).view();
        Ok(view)
    }

    /// Gives a group another name, as its owner would.
    pub async fn rename_group(&self, group: &str, subject: &str) -> Result<Group, SandboxError> {
        let (group, owner) = self.owned(group)?;
        group_changes::rename(&self.core, &owner, None, &group, subject);
        let view = lock(&group).view();
        Ok(view)
    }

    /// A group and whoever made it.
    fn owned(&self, group: &str) -> Result<(Arc<Mutex<GroupState>>, Arc<Account>), SandboxError> {
        let missing = || SandboxError::NoSuchGroup(group.to_owned());
        let id = group.split('@').next().unwrap_or_default();
        let group = self.core.group(id).ok_or_else(missing)?;
        let owner = lock(&group).owner.clone();
        let owner = self.core.account(&owner).ok_or_else(missing)?;
        Ok((group, owner))
    }

    /// All groups, oldest first.
    pub fn all_groups(&self) -> Vec<Group> {
        let groups = self.core.groups.read().unwrap_or_else(PoisonError::into_inner);
        let mut views: Vec<Group> = groups.values().map(|group| lock(group).view()).collect();
        views.sort_by_key(|group| group.created_at);
        views
    }

    /// The groups this number is a member of, oldest first.
    pub fn groups(&self, number: &str) -> Vec<Group> {
        self.core.account_by_number(number).map_or_else(
            |_| Vec::new(),
            |account| {
                self.core
                    .groups_of(&account)
                    .iter()
                    .map(|group| lock(group).view())
                    .collect()
            },
        )
    }
}
