//! The GraphQL schema: the domains' queries, mutations and subscriptions, merged.

use std::sync::Arc;

use async_graphql::{
    Context, ID, Interface, MergedObject, MergedSubscription, Object, Request, SchemaBuilder, ServerResult,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextPrepareRequest},
};
use entity::{ApiTokenId, AuditEntryId, ChatId, DeviceId, InvitationId, MembershipId, MessageId, TenantId, UserId};

use crate::{
    audit_log::{AuditEntry, AuditLogQuery},
    chats::schema::{Chat, ChatQuery},
    devices::{
        schema::{DeviceMutation, DeviceQuery},
        views::Device,
    },
    feed::{FeedQuery, FeedSubscription},
    graphql::GqlError,
    messages::{
        relations,
        schema::{MessageMutation, MessageQuery},
        views::Message,
    },
    overview::Overview,
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
    #[expect(clippy::unused_async, reason = "a resolver is asynchronous")]
    async fn overview(&self, ctx: &Context<'_>) -> Result<Overview, GqlError> {
        principal(ctx)?.require(Permission::Read)?;
        Ok(Overview::of(scope(ctx)?))
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
