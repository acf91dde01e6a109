//! A deletion is not forgotten by a server that was killed.

use std::time::Duration;

use anyhow::{Result, ensure};
use sandbox::Target;
use serde_json::json;
use tests::{Client, Customer, EMAIL, PASSWORD, Stage, TestDatabase, eventually, rows, within};

tests::on_both_databases!(
    a_deletion_goes_on_after_the_server_was_killed,
    the_devices_of_a_deleted_tenant_are_unlinked,
);

/// Enough for twenty batches, so that a kill comes between two.
const MESSAGES: u32 = 10_000;

const DELETE: &str = "mutation($id: ID!, $confirm: String!) { deleteTenant(input: { id: $id, confirm: $confirm }) {
    tenant { status } userErrors { code } } }";

async fn is_gone(client: &Client, id: &str) -> Result<Option<()>> {
    let document = "query($id: ID!) { platform { tenant(id: $id) { id } } }";
    let found = client.query(document, json!({ "id": id })).await?;
    Ok(found["platform"]["tenant"].is_null().then_some(()))
}

async fn a_deletion_goes_on_after_the_server_was_killed(database: TestDatabase) -> Result<()> {
    let mut stage = Stage::new(database).await?;
    let customer = Customer::create(&stage.client, "Warung").await?;
    let device = customer.device().await?;
    rows::conversation(&stage.database, &customer.id, &device, MESSAGES).await?;
    let input = json!({ "id": customer.id, "confirm": customer.slug });
    stage.client.mutate(DELETE, input, "deleteTenant").await?;
    eventually("the first batch is gone", || async {
        Ok((rows::count_messages(&stage.database).await? < u64::from(MESSAGES)).then_some(()))
    })
    .await?;
    stage.kabar.kill().await?;
    let left = rows::count_messages(&stage.database).await?;
    ensure!(left > 0, "it was done before it could be killed");
    println!("killed with {left} messages left");
    stage.kabar.start_again().await?;
    let (client, _) = Client::new(stage.kabar.base()).login(EMAIL, PASSWORD).await?;
    within(Duration::from_mins(3), "the tenant is gone", || {
        is_gone(&client, &customer.id)
    })
    .await?;
    let rest = rows::rows_of_tenant(&stage.database, &customer.id).await?;
    ensure!(rest.iter().all(|(_, count)| *count == 0), "{rest:?}");
    Ok(())
}

async fn the_devices_of_a_deleted_tenant_are_unlinked(database: TestDatabase) -> Result<()> {
    let mut stage = Stage::new(database).await?;
    let customer = Customer::create(&stage.client, "Warung").await?;
    let operator = std::mem::replace(&mut stage.client, customer.owner.clone());
    let device = stage.linked_device("+6281200000001").await?;
    stage.phone("+6281200000002")?;
    stage
        .network
        .send_text("+6281200000002", Target::Phone(device.number.clone()), "hello")
        .await?;
    let usage = "{ usage(range: {}, granularity: DAY) { messagesIn devices } }";
    eventually("the message is counted", || async {
        let data = stage.client.query(usage, json!({})).await?;
        let last = data["usage"].as_array().and_then(|points| points.last().cloned());
        Ok(last
            .filter(|point| point["messagesIn"] == 1 && point["devices"] == 1)
            .map(|_| ()))
    })
    .await?;
    let input = json!({ "id": customer.id, "confirm": customer.slug });
    operator.mutate(DELETE, input, "deleteTenant").await?;
    eventually("the tenant is gone", || is_gone(&operator, &customer.id)).await?;
    ensure!(
        !stage.kabar.log().contains("could not be unlinked"),
        "the device was not unlinked at WhatsApp"
    );
    Ok(())
}
