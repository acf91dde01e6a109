//! What operators and load balancers ask.

use anyhow::{Result, ensure};
use tests::{TestApp, TestDatabase};

tests::on_both_databases!(health_and_metrics_answer);

async fn health_and_metrics_answer(database: TestDatabase) -> Result<()> {
    let app = TestApp::new(database).await?;
    for path in ["/health", "/health/live", "/health/ready", "/ping"] {
        let (status, body) = app.client.anonymous().get(path).await?;
        ensure!(status == 200, "{path}: {status} {}", String::from_utf8_lossy(&body));
    }
    let (status, body) = app.client.anonymous().get("/metrics").await?;
    ensure!(
        status == 200 && String::from_utf8_lossy(&body).contains("# TYPE"),
        "{status}"
    );
    let (status, body) = app.client.anonymous().get("/graphiql").await?;
    let page = String::from_utf8_lossy(&body);
    ensure!(
        status == 200 && !page.contains("https://unpkg"),
        "GraphiQL works offline"
    );
    Ok(())
}
