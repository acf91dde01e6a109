//! The second lock under the types: what Postgres itself shows to the server's role, whatever the statement.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use futures::{StreamExt, stream};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::json;
use tests::{Kind, PASSWORD, TestApp, TestDatabase, connect, connect_plainly, run_on, second_tenant};

mod postgres {
    use super::*;

    #[test]
    fn every_table_of_tenants_is_locked() -> Result<()> {
        run_on(Kind::Postgres, super::every_table_of_tenants_is_locked)
    }

    #[test]
    fn whoever_asks_sees_all_of_its_own() -> Result<()> {
        run_on(Kind::Postgres, super::whoever_asks_sees_all_of_its_own)
    }

    #[test]
    fn raw_statements_reach_one_tenant_at_most() -> Result<()> {
        run_on(Kind::Postgres, super::raw_statements_reach_one_tenant_at_most)
    }
}

#[expect(clippy::disallowed_types, reason = "a test asks past the server")]
type Connection = sea_orm::DatabaseConnection;

/// The tables of tenants by their names, with the column that names the tenant, as the entities declare them.
fn tables() -> Result<BTreeMap<String, String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../entity/src");
    let mut tables = BTreeMap::new();
    for file in std::fs::read_dir(folder)? {
        let text = std::fs::read_to_string(file?.path())?;
        if !text.contains("impl TenantOwned for") && !text.contains("impl AppendOnly for") {
            continue;
        }
        let between = |before: &str, after: &str| {
            let rest = text.split_once(before)?.1;
            Some(rest.split_once(after)?.0.to_owned())
        };
        let table = between("table_name = \"", "\"").context("an entity without a table")?;
        let variant = between("const TENANT: Column = Column::", ";").context("an entity without a tenant")?;
        let column = if variant == "Id" { "id" } else { "tenant_id" };
        tables.insert(table, column.to_owned());
    }
    ensure!(tables.len() >= 13, "the entities were not found: {tables:?}");
    Ok(tables)
}

async fn numbers(connection: &Connection, sql: &str) -> Result<Vec<i64>> {
    let rows = connection
        .query_all_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await;
    let rows = rows.with_context(|| sql.to_owned())?;
    Ok(rows
        .iter()
        .map(|row| row.try_get_by_index(0))
        .collect::<Result<_, _>>()?)
}

async fn number(connection: &Connection, sql: &str) -> Result<i64> {
    numbers(connection, sql).await?.first().copied().context("no row")
}

async fn every_table_of_tenants_is_locked(database: TestDatabase) -> Result<()> {
    let connection = connect(&database.url()).await?;
    for (table, column) in tables()? {
        let locked = format!(
            "SELECT count(*) FROM pg_class JOIN pg_policy ON polrelid = pg_class.oid
             WHERE relname = '{table}' AND relrowsecurity AND relforcerowsecurity AND polcmd = '*'
             AND pg_get_expr(polqual, polrelid) LIKE '%({column} = %kabar.tenant%'"
        );
        ensure!(
            number(&connection, &locked).await? == 1,
            "the table {table} belongs to tenants, but Postgres shows its rows to everybody: call \
             `row_security::lock(manager, \"{table}\", \"{column}\")` in the migration that makes it"
        );
    }
    Ok(connection.close().await?)
}

async fn raw_statements_reach_one_tenant_at_most(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let url = app.database.url();
    second_tenant(&url, "stranger@kabar.test").await?;
    let (stranger, _) = app.client.login("stranger@kabar.test", PASSWORD).await?;
    let create = "mutation { createDevice(input: { name: \"D\" }) { userErrors { code } } }";
    for client in [&app.client, &stranger] {
        client.mutate(create, json!({}), "createDevice").await?;
    }
    let outside = connect(&url).await?;
    let sql = "SELECT id::text FROM tenant ORDER BY name = 'Stranger'";
    let rows = outside
        .query_all_raw(Statement::from_string(DbBackend::Postgres, sql))
        .await?;
    let tenants: Vec<String> = rows
        .iter()
        .map(|row| row.try_get_by_index(0))
        .collect::<Result<_, _>>()?;
    let [ours, theirs] = tenants.as_slice() else {
        anyhow::bail!("two tenants: {tenants:?}")
    };

    let inside = connect_plainly(&url).await?;
    let ordinary = "SELECT count(*) FROM pg_roles WHERE rolname = current_user AND NOT rolsuper AND NOT rolbypassrls";
    ensure!(
        number(&inside, ordinary).await? == 1,
        "the tests' role is not an ordinary one"
    );
    let tables = tables()?;
    for table in tables.keys() {
        let seen = number(&inside, &format!("SELECT count(*) FROM {table}")).await?;
        ensure!(
            seen == 0,
            "{seen} rows of {table} are shown to somebody who has said nothing"
        );
    }
    inside
        .execute_unprepared(&format!("SET kabar.tenant = '{ours}'"))
        .await?;
    for (table, column) in &tables {
        let foreign = format!("SELECT count(*) FROM {table} WHERE {column} IS DISTINCT FROM '{ours}'");
        ensure!(number(&inside, &foreign).await? == 0, "{table} shows rows of others");
        let own = format!("SELECT count(*) FROM {table} WHERE {column} = '{ours}'");
        let (shown, there) = (number(&inside, &own).await?, number(&outside, &own).await?);
        ensure!(shown == there, "{table} shows {shown} of {there} own rows");
        let deleted = inside
            .execute_unprepared(&format!("DELETE FROM {table} WHERE {column} = '{theirs}'"))
            .await?;
        ensure!(deleted.rows_affected() == 0, "rows of others were deleted from {table}");
    }
    let update = format!("UPDATE device SET name = 'mine' WHERE tenant_id = '{theirs}'");
    ensure!(inside.execute_unprepared(&update).await?.rows_affected() == 0);
    for write in [
        format!("UPDATE device SET tenant_id = '{theirs}'"),
        format!("INSERT INTO event_sequence (tenant_id, last) VALUES ('{theirs}', 9)"),
        format!("INSERT INTO chat SELECT * FROM json_populate_record(NULL::chat, '{{\"tenant_id\": \"{theirs}\"}}')"),
    ] {
        let refused = inside
            .execute_unprepared(&write)
            .await
            .err()
            .context("it was written")?;
        ensure!(refused.to_string().contains("row-level security"), "{write}: {refused}");
    }
    inside.close().await?;
    Ok(outside.close().await?)
}

/// Connections that are shared by two tenants, given back while they were at work, and cut: whoever asks sees its own rows,
/// all of them, or is told that it failed. A connection that was told of the other tenant would show nothing.
async fn whoever_asks_sees_all_of_its_own(database: TestDatabase) -> Result<()> {
    // Fewer connections than askers: they change hands all the time.
    let app = TestApp::with(database, &[("database.max_connections", "3")]).await?;
    let url = app.database.url();
    second_tenant(&url, "stranger@kabar.test").await?;
    let (stranger, _) = app.client.login("stranger@kabar.test", PASSWORD).await?;
    let clients = [app.client.clone(), stranger];
    let create = "mutation($name: String!) { createDevice(input: { name: $name }) { userErrors { code } } }";
    for (place, client) in clients.iter().enumerate() {
        let name = json!({ "name": format!("of {place}") });
        client.mutate(create, name, "createDevice").await?;
    }
    let outside = connect(&url).await?;
    let cut = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'kabar'
               AND datname = current_database() AND pid <> pg_backend_pid()";
    let asked = (0..600_usize).map(|turn| {
        let (clients, outside) = (&clients, &outside);
        async move {
            let place = turn % 2;
            let query = "{ devices { nodes { name } } overview { devices { total } } }";
            let answer = clients[place].send(query, json!({}));
            if turn % 7 == 0 {
                // Somebody who does not wait for the answer.
                let soon = std::time::Duration::from_micros(u64::try_from(turn)? * 20);
                let _ = tokio::time::timeout(soon, answer).await;
                return Ok(0);
            }
            if turn % 150 == 149 {
                number(outside, cut).await?;
            }
            let answer = answer.await?;
            if !answer.errors.is_empty() {
                return Ok(0);
            }
            let own = json!([{ "name": format!("of {place}") }]);
            ensure!(
                answer.data["devices"]["nodes"] == own,
                "{place} is shown {}",
                answer.data
            );
            anyhow::Ok(1)
        }
    });
    let seen: Vec<Result<usize>> = stream::iter(asked).buffer_unordered(12).collect().await;
    let seen: usize = seen.into_iter().sum::<Result<usize>>()?;
    ensure!(seen > 400, "only {seen} of 600 were answered");
    Ok(outside.close().await?)
}
