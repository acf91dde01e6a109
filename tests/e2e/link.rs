//! The first slice: link, send, receipts, an answer.

use anyhow::Result;
use tests::{Stage, TestDatabase};

tests::on_both_databases!(a_linked_device_sends_and_hears_the_answer);

async fn a_linked_device_sends_and_hears_the_answer(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    stage.linked_device("+6281200000001").await?;
    Ok(())
}
