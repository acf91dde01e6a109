//! Looking at the sandbox network.

use async_graphql::{Context, Object, Subscription};
use futures::{Stream, StreamExt, stream};
use sandbox::{Network, NetworkEvent};
use tokio::sync::broadcast::error::RecvError;

use super::views::{SandboxGroup, SandboxPhone, phones};
use crate::{
    graphql::{
        GqlError,
        pagination::{CountedConnection, PageArguments},
        scalars::PhoneNumber,
    },
    tenants::{Permission, principal},
};

/// The sandbox network of this server.
pub struct Sandbox(Network);

/// The sandbox network of this server.
#[Object]
impl Sandbox {
    /// Its address. Any WhatsApp Web client that lets its URL be set can connect to it.
    async fn url(&self) -> String {
        self.0.url()
    }

    /// The simulated phones, sorted by number.
    async fn phones(
        &self,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<CountedConnection<SandboxPhone>, GqlError> {
        phones(&self.0, PageArguments::forward(first, after))
    }

    /// One phone; null when there is none with this number.
    async fn phone(&self, number: PhoneNumber) -> Option<SandboxPhone> {
        self.0.phone(&number.0).map(Into::into)
    }

    /// The groups on the network, oldest first.
    async fn groups(&self) -> Vec<SandboxGroup> {
        self.0.all_groups().into_iter().map(Into::into).collect()
    }
}

/// Queries of the sandbox network.
#[derive(Default)]
pub struct SandboxQuery;

#[Object]
impl SandboxQuery {
    /// The sandbox network; null when this server does not run one.
    async fn sandbox(&self, ctx: &Context<'_>) -> Result<Option<Sandbox>, GqlError> {
        principal(ctx)?.require(Permission::Read)?;
        Ok(ctx.data_opt::<Network>().cloned().map(Sandbox))
    }
}

/// Subscriptions to the sandbox network.
#[derive(Default)]
pub struct SandboxSubscription;

#[Subscription]
impl SandboxSubscription {
    /// A phone whenever something reaches it or changes about it. A hint to look: when much happens at once, phones are
    /// told of once for several changes.
    async fn sandbox_updated(&self, ctx: &Context<'_>) -> Result<impl Stream<Item = SandboxPhone> + use<>, GqlError> {
        principal(ctx)?.require(Permission::Read)?;
        let network = ctx.data_opt::<Network>().cloned();
        let network = network.ok_or_else(|| GqlError::bad_request("This server runs no sandbox network."))?;
        let events = network.subscribe();
        let phones = stream::unfold((events, network), |(mut events, network)| async move {
            loop {
                let number = match events.recv().await {
                    Ok(event) => Some(number_of(event)),
                    Err(RecvError::Lagged(_)) => None,
                    Err(RecvError::Closed) => return None,
                };
                if let Some(phone) = number.and_then(|number| network.phone(&number)) {
                    return Some((SandboxPhone::from(phone), (events, network)));
                }
            }
        });
        Ok(phones.boxed())
    }
}

fn number_of(event: NetworkEvent) -> String {
    match event {
        NetworkEvent::PhoneChanged { number }
        | NetworkEvent::Received { number, .. }
        | NetworkEvent::DeviceLinked { number, .. }
        | NetworkEvent::DeviceUnlinked { number, .. }
        | NetworkEvent::DeviceOnline { number, .. }
        | NetworkEvent::DeviceOffline { number, .. } => number,
        NetworkEvent::GroupChanged { group } => group.owner,
    }
}
