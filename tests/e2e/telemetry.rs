//! Traces for a collector: what they tell, what they never tell, and that nobody waits for them.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use sandbox::Target;
use serde_json::{Value, json};
use tests::{
    Authority, Collector, EMAIL, LinkedDevice, PASSWORD, Stage, StageOptions, TestDatabase, TracedSpan, eventually,
    text_input,
};
use tokio::net::TcpListener;

tests::on_both_databases!(
    a_request_and_its_message_are_one_trace_that_tells_nothing_personal,
    a_server_that_stops_delivers_its_last_traces_first,
    a_collector_that_is_not_there_delays_nothing,
    a_collector_behind_tls_is_spoken_to_when_it_is_trusted,
    without_a_collector_callers_may_send_what_they_want,
);

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";
const OTHER_TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const ROUTE: &str = "POST /graphql";
const SEND: &str = "mutation OrderShipped($input: SendMessageInput!) { sendMessage(input: $input) {
    message { id } userErrors { code message } } }";
const LOG: (&str, &str) = ("KABAR_LOG", "info,api=debug");

fn options(endpoint: String, further: &[(&'static str, &str)]) -> StageOptions {
    let mut environment = vec![
        ("KABAR_TELEMETRY_OTLP_ENDPOINT", endpoint),
        ("KABAR_LOG_FORMAT", "json".to_owned()),
        ("OTEL_BSP_SCHEDULE_DELAY", "100".to_owned()),
    ];
    environment.extend(further.iter().map(|(name, value)| (*name, (*value).to_owned())));
    StageOptions {
        environment,
        ..StageOptions::default()
    }
}

/// Sends a message in a trace of the caller's own; answers the message's id.
async fn send_traced(stage: &Stage, device: &LinkedDevice, to: &str, text: &str, trace: &str) -> Result<String> {
    let mut input = text_input(&device.id, to, text);
    input["idempotencyKey"] = json!(format!("key-of-{trace}"));
    let answer: Value = reqwest::Client::new()
        .post(format!("{}/graphql", stage.kabar.base()))
        .bearer_auth(stage.client.token().context("nobody is logged in")?)
        .header("traceparent", format!("00-{trace}-{CALLER}-01"))
        .json(&json!({ "query": SEND, "variables": { "input": input } }))
        .send()
        .await?
        .json()
        .await?;
    let id = answer["data"]["sendMessage"]["message"]["id"].as_str();
    id.map(str::to_owned).with_context(|| answer.to_string())
}

async fn span_of(collector: &Collector, trace: &str, name: &str) -> Result<TracedSpan> {
    eventually(&format!("{name} of {trace} was delivered"), || async {
        let spans = collector.spans()?.into_iter();
        Ok(spans
            .rev()
            .find(|span| (span.trace_id == trace || trace.is_empty()) && span.name == name))
    })
    .await
}

fn says<'a>(span: &'a TracedSpan, name: &str) -> &'a str {
    span.attributes.get(name).map_or("", String::as_str)
}

async fn a_request_and_its_message_are_one_trace_that_tells_nothing_personal(database: TestDatabase) -> Result<()> {
    let collector = Collector::start().await?;
    let further = [LOG, ("KABAR_TELEMETRY_HEADERS", "x-tenant=traces of ours")];
    let stage = Stage::with(database, options(collector.endpoint(), &further)).await?;
    let device = stage.linked_device("+6281200000001").await?;
    stage.phone("+6281200000002")?;

    let id = send_traced(&stage, &device, "+6281200000002", "Your order has left", TRACE).await?;
    let request = span_of(&collector, TRACE, ROUTE).await?;
    ensure!(request.parent == CALLER, "{request:?}");
    ensure!(says(&request, "http.request.method") == "POST", "{request:?}");
    ensure!(says(&request, "http.route") == "/graphql", "{request:?}");
    ensure!(says(&request, "http.response.status_code") == "200", "{request:?}");
    ensure!(request.resource["service.name"] == "kabar", "{request:?}");
    ensure!(collector.header("x-tenant").as_deref() == Some("traces of ours"));

    let operation = span_of(&collector, TRACE, "graphql.mutation").await?;
    ensure!(operation.parent == request.span_id, "{operation:?}");
    ensure!(
        says(&operation, "graphql.operation.name") == "OrderShipped",
        "{operation:?}"
    );
    ensure!(!operation.is_error, "{operation:?}");

    let sending = span_of(&collector, TRACE, "message.send").await?;
    ensure!(sending.parent == operation.span_id, "{sending:?}");
    ensure!(says(&sending, "kabar.message.id") == id, "{sending:?}");
    ensure!(says(&sending, "kabar.device.id") == device.id, "{sending:?}");
    ensure!(says(&sending, "kabar.message.attempt") == "1", "{sending:?}");

    let whose = Target::Phone(device.number.clone());
    stage
        .network
        .send_text("+6281200000002", whose, "Thank you very much")
        .await?;
    let coming = span_of(&collector, "", "message.receive").await?;
    ensure!(says(&coming, "messaging.batch.message_count") == "1", "{coming:?}");

    // The lines of a request name its trace.
    let log = stage.kabar.log();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut named = lines.filter(|line| line["span"]["trace_id"] == TRACE && line["span"]["name"] == "request");
    ensure!(named.any(|line| line["message"] == "answered"), "{log}");
    ensure!(!log.contains("message.send"), "spans for the collector are in the log");

    let (_, metrics) = stage.client.get("/metrics").await?;
    let delivered = "kabar_telemetry_spans_total{outcome=\"delivered\"}";
    ensure!(String::from_utf8_lossy(&metrics).contains(delivered));

    let bytes = collector.bytes();
    let token = stage.client.token().context("nobody is logged in")?;
    for personal in [
        "6281200000001",
        "6281200000002",
        "81200000",
        "Your order",
        "Thank you",
        "key-of",
        "s.whatsapp.net",
        "Device of",
        EMAIL,
        PASSWORD,
        token,
    ] {
        let found = bytes.windows(personal.len()).any(|part| part == personal.as_bytes());
        ensure!(!found, "the traces tell {personal:?}");
    }
    let spans = collector.spans()?;
    ensure!(spans.iter().all(|span| span.events == 0), "log lines are in the traces");
    Ok(())
}

async fn a_server_that_stops_delivers_its_last_traces_first(database: TestDatabase) -> Result<()> {
    let collector = Collector::start().await?;
    // By itself it would deliver in an hour.
    let options = StageOptions {
        environment: vec![
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint()),
            ("OTEL_SERVICE_NAME", "kabar-east".to_owned()),
            ("OTEL_BSP_SCHEDULE_DELAY", "3600000".to_owned()),
        ],
        ..StageOptions::default()
    };
    let mut stage = Stage::with(database, options).await?;
    let device = stage.linked_device("+6281200000001").await?;
    stage.phone("+6281200000002")?;
    let id = send_traced(&stage, &device, "+6281200000002", "Good night", OTHER_TRACE).await?;
    stage.until_message(&id, "DELIVERED").await?;
    ensure!(collector.spans()?.is_empty());
    stage.kabar.terminate().await?;
    let spans = collector.spans()?;
    for name in [ROUTE, "graphql.mutation", "message.send"] {
        let span = spans
            .iter()
            .find(|span| span.trace_id == OTHER_TRACE && span.name == name)
            .with_context(|| format!("{name} was lost"))?;
        ensure!(span.resource["service.name"] == "kabar-east", "{span:?}");
    }
    Ok(())
}

async fn a_collector_that_is_not_there_delays_nothing(database: TestDatabase) -> Result<()> {
    // One that takes connections and never answers.
    let deaf = TcpListener::bind("127.0.0.1:0").await?;
    let endpoint = format!("http://{}", deaf.local_addr()?);
    let mut stage = Stage::with(database, options(endpoint, &[])).await?;
    let device = stage.linked_device("+6281200000001").await?;
    stage.phone("+6281200000002")?;
    let id = send_traced(&stage, &device, "+6281200000002", "first", TRACE).await?;
    stage.until_message(&id, "DELIVERED").await?;
    // It is given up on sooner than a shutdown is allowed to take.
    let took = stage.kabar.terminate().await?;
    ensure!(took < Duration::from_secs(8), "stopping took {took:?}");

    // Now nobody is there at all.
    drop(deaf);
    stage.kabar.start_again().await?;
    stage.log_in_again().await?;
    stage.until_status(&device.id, "CONNECTED").await?;
    let id = send_traced(&stage, &device, "+6281200000002", "second", OTHER_TRACE).await?;
    stage.until_message(&id, "DELIVERED").await?;
    eventually("spans that nobody takes are counted", || async {
        let (_, metrics) = stage.client.get("/metrics").await?;
        let counted = String::from_utf8_lossy(&metrics).contains("kabar_telemetry_spans_total{outcome=\"failed\"}");
        Ok(counted.then_some(()))
    })
    .await?;
    let log = stage.kabar.log();
    ensure!(
        log.matches("the collector does not take traces").count() <= 2,
        "once for each start is enough"
    );
    let took = stage.kabar.terminate().await?;
    ensure!(took < Duration::from_secs(8), "stopping took {took:?}");
    Ok(())
}

async fn a_collector_behind_tls_is_spoken_to_when_it_is_trusted(database: TestDatabase) -> Result<()> {
    let authority = Authority::new()?;
    let collector = Collector::start_secured(&authority).await?;
    let folder = tempfile::tempdir()?;
    let ca_file = folder.path().join("authority.pem");
    std::fs::write(&ca_file, authority.pem())?;

    // Nobody said that it is to be trusted.
    let mut stage = Stage::with(database, options(collector.endpoint(), &[])).await?;
    let device = stage.linked_device("+6281200000001").await?;
    stage.phone("+6281200000002")?;
    let id = send_traced(&stage, &device, "+6281200000002", "first", TRACE).await?;
    stage.until_message(&id, "DELIVERED").await?;
    eventually("the log says that the collector takes nothing", || async {
        Ok(stage
            .kabar
            .log()
            .contains("the collector does not take traces")
            .then_some(()))
    })
    .await?;
    let took = stage.kabar.terminate().await?;
    ensure!(took < Duration::from_secs(8), "stopping took {took:?}");
    ensure!(collector.bytes().is_empty(), "it was told something");

    // Another authority does not help.
    let other = folder.path().join("other.pem");
    std::fs::write(&other, Authority::new()?.pem())?;
    stage.kabar.set("KABAR_TELEMETRY_CA_FILE", &other.display().to_string());
    stage.kabar.start_again().await?;
    stage.log_in_again().await?;
    eventually("the log says so again", || async {
        let said = stage.kabar.log().matches("the collector does not take traces").count();
        Ok((said == 2).then_some(()))
    })
    .await?;
    stage.kabar.terminate().await?;
    ensure!(collector.bytes().is_empty(), "it was told something");

    stage
        .kabar
        .set("KABAR_TELEMETRY_CA_FILE", &ca_file.display().to_string());
    stage.kabar.start_again().await?;
    stage.log_in_again().await?;
    stage.until_status(&device.id, "CONNECTED").await?;
    let id = send_traced(&stage, &device, "+6281200000002", "second", OTHER_TRACE).await?;
    stage.until_message(&id, "DELIVERED").await?;
    span_of(&collector, OTHER_TRACE, "message.send").await.map(|_| ())
}

async fn without_a_collector_callers_may_send_what_they_want(database: TestDatabase) -> Result<()> {
    let stage = Stage::with(database, options(String::new(), &[LOG])).await?;
    let http = reqwest::Client::new();
    for header in [format!("00-{TRACE}-{CALLER}-01"), "nonsense".to_owned()] {
        let url = format!("{}/ping", stage.kabar.base());
        let answer = http.get(url).header("traceparent", header).send().await?;
        ensure!(answer.status().is_success(), "{answer:?}");
    }
    let (_, metrics) = stage.client.get("/metrics").await?;
    ensure!(!String::from_utf8_lossy(&metrics).contains("kabar_telemetry"));
    ensure!(!stage.kabar.log().contains(TRACE));
    Ok(())
}
