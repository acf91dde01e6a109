//! How a subscriber follows the log: from a cursor or from now on, until something fails.

use std::pin::Pin;

use async_graphql::Context;
use entity::event;
use futures::{Stream, StreamExt, stream};
use sea_orm::DbErr;

use crate::{
    events::{EventFilter, EventLog, Follow},
    graphql::{GqlError, pagination::decode_cursor, scalars::Cursor},
    store::TenantScope,
    tenants::{Permission, principal, scope},
};

/// What a subscription gives.
pub(super) type Live<T> = Pin<Box<dyn Stream<Item = Result<T, GqlError>> + Send>>;

/// Follows the log; each batch of rows is turned into items by `turn`.
pub(super) async fn follow<T, F, R>(
    ctx: &Context<'_>,
    filter: EventFilter,
    after: Option<Cursor>,
    turn: F,
) -> Result<Live<T>, GqlError>
where
    T: Send + 'static,
    F: Fn(TenantScope, Vec<event::Model>) -> R + Send + Sync + 'static,
    R: Future<Output = Result<Vec<T>, DbErr>> + Send + 'static,
{
    principal(ctx)?.require(Permission::Read)?;
    let scope = scope(ctx)?;
    let after = after.map(|cursor| decode_cursor::<i64>(&cursor.0)).transpose()?;
    let bus = ctx.data_unchecked::<EventLog>().bus();
    let follow = Follow::begin(scope.clone(), bus, filter, after).await?;
    let batches = stream::unfold((follow, turn, scope), |(mut follow, turn, scope)| async move {
        let batch = match follow.next().await {
            Ok(rows) => turn(scope.clone(), rows).await,
            Err(error) => Err(error),
        };
        let items: Vec<Result<T, GqlError>> = match batch {
            Ok(items) => items.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error.into())],
        };
        Some((stream::iter(items), (follow, turn, scope)))
    });
    Ok(Box::pin(end_after_error(batches.flatten())))
}

/// A stream that failed ends, so that the client subscribes again with its cursor and nothing is left out.
fn end_after_error<T>(items: impl Stream<Item = Result<T, GqlError>>) -> impl Stream<Item = Result<T, GqlError>> {
    items.scan(false, |failed, item| {
        let ended = std::mem::replace(failed, item.is_err());
        std::future::ready((!ended).then_some(item))
    })
}
