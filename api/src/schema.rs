//! The GraphQL schema: the domains' queries, mutations and subscriptions, merged.

use std::sync::Arc;

use async_graphql::{
    Context, ID, Interface, MergedObject, MergedSubscription, Object, Request, SchemaBuilder, ServerResult,
    SimpleObject,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextPrepareRequest},
};
use chrono::{NaiveTime, TimeZone, Utc};
use entity::{
    ApiTokenId, AuditEntryId, ChatId, DeviceId, InvitationId, MembershipId, MessageId, TenantId, UserId, device,
    message,
};

use crate::{
    audit_log::{AuditEntry, AuditLogQuery},
    chats::{
        self,
        queries::ChatSearch,
        schema::{Chat, ChatQuery},
    },
    clock::Clock,
    devices::{
        self,
        schema::{DeviceMutation, DeviceQuery},
        views::Device,
    },
    feed::{FeedQuery, FeedSubscription},
    graphql::GqlError,
    messages::{
        self, relations,
        schema::{MessageMutation, MessageQuery},
        views::Message,
    },
    platform::{GrantMutation, PlanMutation, PlatformQuery, PlatformSettingsMutation, PlatformTenantMutation},
    store::Store,
    tenants::{
        AccountMutation, AccountQuery, ApiToken, ApiTokenMutation, ApiTokenQuery, Invitation, Member, MemberMutation,
        MemberQuery, PasswordResetMutation, PasswordResetQuery, PasswordStrengthQuery, Permission, Principal,
        SecondFactorMutation, SessionMutation, Tenancy, Tenant, TenantMutation, TenantQuery, User, figures, principal,
        scope, views::UsageQuery,
    },
};

/// The schema.
pub type Schema = async_graphql::Schema<Query, Mutation, Subscription>;

/// Every query.
#[derive(MergedObject, Default)]
pub struct Query(
    RootQuery,
    TenantQuery,
    UsageQuery,
    AccountQuery,
    PasswordResetQuery,
    PasswordStrengthQuery,
    MemberQuery,
    ApiTokenQuery,
    DeviceQuery,
    ChatQuery,
    MessageQuery,
    FeedQuery,
    AuditLogQuery,
    PlatformQuery,
    SandboxQueries,
);

/// Every mutation.
#[derive(MergedObject, Default)]
pub struct Mutation(
    SessionMutation,
    TenantMutation,
    AccountMutation,
    SecondFactorMutation,
    PasswordResetMutation,
    MemberMutation,
    ApiTokenMutation,
    DeviceMutation,
    MessageMutation,
    PlatformTenantMutation,
    PlanMutation,
    GrantMutation,
    PlatformSettingsMutation,
    SandboxMutations,
);

/// Every subscription.
#[derive(MergedSubscription, Default)]
pub struct Subscription(FeedSubscription, SandboxSubscriptions);

#[cfg(feature = "sandbox")]
use crate::sandbox_control::{
    SandboxMutation as SandboxMutations, SandboxQuery as SandboxQueries, SandboxSubscription as SandboxSubscriptions,
};

#[cfg(not(feature = "sandbox"))]
use without_sandbox::{SandboxMutations, SandboxQueries, SandboxSubscriptions};

#[cfg(not(feature = "sandbox"))]
mod without_sandbox {
    //! A build for the real WhatsApp has no sandbox in its schema.

    use async_graphql::{MergedObject, MergedSubscription};

    #[derive(MergedObject, Default)]
    pub struct SandboxQueries();
    #[derive(MergedObject, Default)]
    pub struct SandboxMutations();
    #[derive(MergedSubscription, Default)]
    pub struct SandboxSubscriptions();
}

/// A schema without data and limits: whoever serves it adds both.
pub fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    async_graphql::Schema::build(Query::default(), Mutation::default(), Subscription::default()).extension(Loaders)
}

/// Anything with an id.
#[derive(Interface)]
#[graphql(field(name = "id", ty = "&ID", desc = "Opaque id, with a prefix that tells what it is."))]
pub enum Node {
    Device(Device),
    Chat(Chat),
    Message(Message),
    Tenant(Tenant),
    User(User),
    AuditEntry(AuditEntry),
    ApiToken(ApiToken),
    Member(Member),
    Invitation(Invitation),
}

/// Queries that belong to no single domain.
#[derive(Default)]
pub struct RootQuery;

#[Object]
impl RootQuery {
    /// Anything by its id. Null when there is nothing with it, or when it is somebody else's.
    async fn node(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Node>, GqlError> {
        principal(ctx)?.require(Permission::Read)?;
        find_node(ctx, &id).await
    }

    /// The tenant's figures at a glance.
    async fn overview(&self, ctx: &Context<'_>) -> Result<Overview, GqlError> {
        principal(ctx)?.require(Permission::Read)?;
        overview(ctx).await
    }
}

async fn find_node(ctx: &Context<'_>, id: &ID) -> Result<Option<Node>, GqlError> {
    if let Ok(id) = id.parse::<DeviceId>() {
        return Ok(relations::find_device(ctx, id).await?.map(Node::Device));
    }
    if let Ok(id) = id.parse::<ChatId>() {
        return Ok(relations::find_chat(ctx, id).await?.map(Node::Chat));
    }
    if let Ok(id) = id.parse::<MessageId>() {
        return Ok(relations::find_message(ctx, id).await?.map(Node::Message));
    }
    if let Ok(id) = id.parse::<TenantId>() {
        return Ok(Tenant::find(ctx, id).await?.map(Node::Tenant));
    }
    if let Ok(id) = id.parse::<UserId>() {
        return Ok(User::find(ctx, id).await?.map(Node::User));
    }
    if let Ok(id) = id.parse::<MembershipId>() {
        return Ok(Member::find(ctx, id).await?.map(Node::Member));
    }
    if let Ok(id) = id.parse::<InvitationId>() {
        return Ok(Invitation::find(ctx, id).await?.map(Node::Invitation));
    }
    if let Ok(id) = id.parse::<ApiTokenId>() {
        return Ok(ApiToken::find(ctx, id).await?.map(Node::ApiToken));
    }
    if let Ok(id) = id.parse::<AuditEntryId>() {
        return Ok(AuditEntry::find(ctx, id).await?.map(Node::AuditEntry));
    }
    Ok(None)
}

/// The tenant's figures at a glance.
#[derive(SimpleObject)]
pub struct Overview {
    /// Devices by how they do.
    pub devices: DeviceCounts,
    /// Messages since midnight in the tenant's time zone.
    pub messages_today: MessageCounts,
    /// Chats with unread messages.
    pub unread_chats: u64,
}

/// Devices by how they do.
#[derive(Default, SimpleObject)]
pub struct DeviceCounts {
    /// All of them.
    pub total: i64,
    /// Messages flow.
    pub connected: i64,
    /// Somebody should look: degraded, disconnected, logged out, banned or failed.
    pub attention: i64,
}

/// Messages by how far they came. A read message counts as delivered and sent as well.
#[derive(Default, SimpleObject)]
pub struct MessageCounts {
    /// Came in.
    pub received: i64,
    /// WhatsApp's server took them.
    pub sent: i64,
    /// They reached the recipient's phone.
    pub delivered: i64,
    /// They were read.
    pub read: i64,
    /// They were not sent.
    pub failed: i64,
    /// They wait, or are on their way.
    pub waiting: i64,
}

async fn overview(ctx: &Context<'_>) -> Result<Overview, GqlError> {
    let scope = scope(ctx)?;
    let tenant = scope.find::<entity::tenant::Entity>().one().await?;
    let zone = tenant.map(|tenant| tenant.time_zone).unwrap_or_default();
    let since = midnight(ctx.data_unchecked::<Clock>(), &zone);
    let unread = ChatSearch {
        unread: Some(true),
        ..ChatSearch::default()
    };
    Ok(Overview {
        devices: count_devices(devices::queries::count_by_status(&scope).await?),
        messages_today: count_messages(messages::queries::count_since(&scope, since).await?),
        unread_chats: chats::queries::count(&scope, &unread).await?,
    })
}

/// When today began in a time zone. A zone that is not known, or a midnight that the clocks skipped, is read as UTC.
fn midnight(clock: &Clock, zone: &str) -> chrono::DateTime<Utc> {
    let zone: chrono_tz::Tz = zone.parse().unwrap_or(chrono_tz::UTC);
    let today = clock.now().with_timezone(&zone).date_naive().and_time(NaiveTime::MIN);
    zone.from_local_datetime(&today)
        .earliest()
        .map_or_else(|| today.and_utc(), |at| at.with_timezone(&Utc))
}

fn count_devices(rows: Vec<(device::Status, i64)>) -> DeviceCounts {
    use device::Status;
    let mut counts = DeviceCounts::default();
    for (status, count) in rows {
        counts.total += count;
        match status {
            Status::Connected => counts.connected += count,
            Status::Degraded | Status::Disconnected | Status::LoggedOut | Status::Banned | Status::Failed => {
                counts.attention += count;
            }
            Status::Created | Status::Connecting | Status::QrReady | Status::Pairing | Status::PasskeyRequired => {}
        }
    }
    counts
}

fn count_messages(rows: Vec<(message::Direction, message::Status, i64)>) -> MessageCounts {
    use message::Status;
    let mut counts = MessageCounts::default();
    for (direction, status, count) in rows {
        if direction == message::Direction::In {
            counts.received += count;
            continue;
        }
        match status {
            Status::Scheduled | Status::Queued | Status::Sending => counts.waiting += count,
            Status::Failed | Status::Expired => counts.failed += count,
            Status::Canceled | Status::Received => {}
            Status::Sent | Status::Delivered | Status::Read | Status::Played => {
                counts.sent += count;
                counts.delivered += if status == Status::Sent { 0 } else { count };
                counts.read += if matches!(status, Status::Read | Status::Played) {
                    count
                } else {
                    0
                };
            }
        }
    }
    counts
}

/// Gives every request of a caller its loader, so that fields of a page of rows are read together.
struct Loaders;

impl ExtensionFactory for Loaders {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for Loaders {
    async fn prepare_request(
        &self,
        ctx: &ExtensionContext<'_>,
        request: Request,
        next: NextPrepareRequest<'_>,
    ) -> ServerResult<Request> {
        let of_request = request.data.get(&std::any::TypeId::of::<Principal>());
        let caller = of_request
            .and_then(|data| data.downcast_ref::<Principal>())
            .or_else(|| ctx.data_opt::<Principal>());
        let scope = caller
            .zip(ctx.data_opt::<Store>())
            .map(|(caller, store)| store.scope(caller));
        let request = match scope {
            Some(scope) => request.data(relations::loader(scope)),
            None => request,
        };
        let request = match ctx.data_opt::<Tenancy>() {
            Some(tenancy) => request.data(figures::loader(tenancy.clone())),
            None => request,
        };
        next.run(ctx, request).await
    }
}
