//! Queries that cost too much are refused before they run.

use anyhow::{Result, ensure};
use serde_json::json;
use tests::{TestApp, TestDatabase};

tests::on_both_databases!(queries_that_are_too_large_are_refused);

async fn queries_that_are_too_large_are_refused(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    let deep = format!(
        "{{ devices {{ nodes {{ {} id {} }} }} }}",
        "chats { nodes { device { ".repeat(8),
        "} } }".repeat(8)
    );
    let aliases = (0..200).fold(String::new(), |aliases, number| {
        aliases + &format!("a{number}: __typename ")
    });
    let wide = format!("{{ {aliases} }}");
    let long = format!("{{ viewer {{ role }} }} # {}", "x".repeat(100_000));
    let page = "{ devices(first: 100000) { nodes { id } } }".to_owned();
    for (what, document) in [("depth", deep), ("aliases", wide), ("length", long), ("page", page)] {
        let response = app.client.send(&document, json!({})).await?;
        ensure!(!response.errors.is_empty(), "{what} is not limited");
    }
    ensure!(
        app.client
            .send("{ viewer { role } }", json!({}))
            .await?
            .errors
            .is_empty()
    );
    Ok(())
}
