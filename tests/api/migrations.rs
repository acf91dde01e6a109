//! Migrations that move rows move all of them, and rightly.

use anyhow::{Result, ensure};
use migration::{Migrator, MigratorTrait};
use sea_orm::ConnectionTrait;
use tests::{Customer, Kind, TestApp, TestDatabase, rows};

tests::on_both_databases!(what_waits_gets_its_place_in_the_queue);

/// Undoes `m2026_11_22_000076_message_queue`.
fn without_queue(kind: Kind) -> [&'static str; 4] {
    let moment = match kind {
        Kind::Sqlite => "ALTER TABLE message ADD COLUMN next_attempt_at timestamp_with_timezone_text NULL",
        Kind::Postgres => "ALTER TABLE message ADD COLUMN next_attempt_at timestamptz NULL",
    };
    [
        "DROP TABLE message_queue",
        moment,
        "CREATE INDEX message_outbox ON message (device_id, status, priority, id) \
         WHERE status = 'scheduled' OR status = 'queued' OR status = 'sending'",
        "DELETE FROM seaql_migrations WHERE version = 'm2026_11_22_000076_message_queue'",
    ]
}

async fn what_waits_gets_its_place_in_the_queue(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let customer = Customer::create(&app.client, "Warung").await?;
    let device = customer.device().await?;
    let connection = app.database.connect().await?;
    for statement in without_queue(app.database.kind()) {
        connection.execute_unprepared(statement).await?;
    }
    rows::messages_in_every_status(&app.database, &customer.id, &device).await?;
    connection
        .execute_unprepared("UPDATE message SET next_attempt_at = created_at WHERE status = 'queued'")
        .await?;
    Migrator::up(&connection, None).await?;
    let faults = rows::faults_of_queue(&app.database).await?;
    ensure!(faults.is_empty(), "{faults:?}");
    ensure!(
        rows::count_queue(&app.database).await? == 2,
        "one is QUEUED, one SENDING"
    );
    let backend = connection.get_database_backend();
    let postponed = "SELECT q.sending FROM message_queue AS q JOIN message AS m ON m.id = q.message_id
        WHERE q.next_attempt_at = m.created_at AND q.priority = m.priority AND q.device_id = m.device_id";
    let postponed = connection
        .query_all_raw(sea_orm::Statement::from_string(backend, postponed))
        .await?;
    ensure!(postponed.len() == 1, "the moment of the next attempt came along");
    Ok(())
}
