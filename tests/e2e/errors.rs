//! Everything a user can get wrong, and everything that can be gone, ends in a typed error.

use anyhow::{Context, Result, ensure};
use sandbox::Behavior;
use serde_json::json;
use tests::{Client, EMAIL, PASSWORD, SEND, Stage, StageOptions, TestDatabase, eventually, text_input};

tests::on_both_databases!(
    a_wrong_password_is_refused_like_an_unknown_address,
    forged_and_missing_tokens_are_unauthenticated,
    malformed_input_names_the_field,
    a_number_that_is_not_on_whatsapp_fails_with_a_reason,
    a_refused_message_fails_with_whatsapps_code,
    unknown_ids_are_not_found,
    a_network_that_is_gone_is_a_status_and_loses_nothing,
);

async fn a_wrong_password_is_refused_like_an_unknown_address(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    let document =
        "mutation($input: LoginInput!) { login(input: $input) { accessToken userErrors { code message field } } }";
    let mut answers = Vec::new();
    for (email, password) in [(EMAIL, "wrong"), ("nobody@kabar.test", PASSWORD)] {
        let input = json!({ "input": { "email": email, "password": password } });
        let data = stage.client.anonymous().query(document, input).await?;
        ensure!(data["login"]["accessToken"].is_null(), "{data}");
        ensure!(
            data["login"]["userErrors"][0]["code"] == "INVALID_CREDENTIALS",
            "{data}"
        );
        answers.push(data);
    }
    ensure!(
        answers[0] == answers[1],
        "the answers tell whether an address is known: {answers:?}"
    );
    Ok(())
}

async fn forged_and_missing_tokens_are_unauthenticated(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    let token = stage.client.token().context("no token")?.to_owned();
    let (head, rest) = token.split_once('.').context("no JWT")?;
    let (claims, signature) = rest.split_once('.').context("no JWT")?;
    let forged = format!("{head}.{claims}.{}", signature.chars().rev().collect::<String>());
    for client in [
        stage.client.anonymous(),
        stage.client.with_token(&forged),
        stage.client.with_token("nonsense"),
    ] {
        let response = client.send("{ viewer { role } }", json!({})).await?;
        ensure!(response.code() == Some("UNAUTHENTICATED"), "{response:?}");
    }
    ensure!(
        stage
            .client
            .send("{ viewer { role } }", json!({}))
            .await?
            .errors
            .is_empty()
    );
    Ok(())
}

async fn malformed_input_names_the_field(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    let device = stage.linked_device("+6281200000001").await?;
    let cases = [
        (
            text_input(&device.id, "not a number", "hello"),
            "INVALID_PHONE_NUMBER",
            json!(["to", "phone"]),
        ),
        (
            text_input(&device.id, "+62", "hello"),
            "INVALID_PHONE_NUMBER",
            json!(["to", "phone"]),
        ),
        (
            text_input(&device.id, "+6281200000002", &"x".repeat(4097)),
            "INVALID_INPUT",
            json!(["content", "text", "body"]),
        ),
        (
            text_input(&device.id, "+6281200000002", "  "),
            "INVALID_INPUT",
            json!(["content", "text", "body"]),
        ),
    ];
    for (input, code, field) in cases {
        let data = stage.client.query(SEND, json!({ "input": input })).await?;
        let error = &data["sendMessage"]["userErrors"][0];
        ensure!(error["code"] == code, "{error} instead of {code}");
        let found = error["field"].as_array().cloned().unwrap_or_default();
        let wanted = field.as_array().cloned().unwrap_or_default();
        ensure!(found.ends_with(&wanted), "{error} instead of {field}");
        ensure!(data["sendMessage"]["message"].is_null(), "{data}");
    }
    stage.phone("+6281200000002")?;
    let longest = stage.send_text(&device.id, "+6281200000002", &"é".repeat(4096)).await?;
    stage.until_message(&longest, "DELIVERED").await?;
    Ok(())
}

async fn a_number_that_is_not_on_whatsapp_fails_with_a_reason(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    let device = stage.linked_device("+6281200000001").await?;
    stage.phone_that(
        "+6281200000002",
        Behavior {
            on_whatsapp: false,
            ..Behavior::default()
        },
    )?;
    for number in ["+6281200000002", "+6281299999999"] {
        let id = stage.send_text(&device.id, number, "hello?").await?;
        let message = stage.until_message(&id, "FAILED").await?;
        ensure!(message["error"]["code"] == "NOT_ON_WHATSAPP", "{message}");
    }
    stage.phone("+6281200000003")?;
    let id = stage.send_text(&device.id, "+6281200000003", "hello!").await?;
    stage.until_message(&id, "DELIVERED").await?;
    Ok(())
}

async fn a_refused_message_fails_with_whatsapps_code(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    let device = stage.linked_device("+6281200000001").await?;
    stage.phone_that(
        "+6281200000002",
        Behavior {
            nack_code: Some(463),
            ..Behavior::default()
        },
    )?;
    let id = stage.send_text(&device.id, "+6281200000002", "buy now").await?;
    let message = stage.until_message(&id, "FAILED").await?;
    ensure!(message["error"]["whatsappCode"] == 463, "{message}");
    Ok(())
}

async fn unknown_ids_are_not_found(database: TestDatabase) -> Result<()> {
    let stage = Stage::new(database).await?;
    let id = stage.create_device("Short-lived").await?;
    let document = "mutation($id: ID!) { deleteDevice(id: $id) { deletedId userErrors { code message } } }";
    stage
        .client
        .mutate(document, json!({ "id": id }), "deleteDevice")
        .await?;

    for (document, field) in [
        (
            "mutation($id: ID!) { connectDevice(id: $id) { device { id } userErrors { code } } }",
            "connectDevice",
        ),
        (
            "mutation($id: ID!) { disconnectDevice(id: $id) { device { id } userErrors { code } } }",
            "disconnectDevice",
        ),
        (
            "mutation($id: ID!) { deleteDevice(id: $id) { deletedId userErrors { code } } }",
            "deleteDevice",
        ),
        (
            "mutation($id: ID!) { cancelMessage(id: $id) { message { id } userErrors { code } } }",
            "cancelMessage",
        ),
        (
            "mutation($id: ID!) { markChatRead(chatId: $id) { chat { id } userErrors { code } } }",
            "markChatRead",
        ),
    ] {
        for id in [id.as_str(), "nonsense"] {
            let code = stage.client.refused(document, json!({ "id": id }), field).await?;
            ensure!(code == "NOT_FOUND", "{field} with {id}: {code}");
        }
    }
    let input = json!({ "input": text_input(&id, "+6281200000002", "hello") });
    let code = stage.client.refused(SEND, input, "sendMessage").await?;
    ensure!(code == "NOT_FOUND", "{code}");
    Ok(())
}

async fn a_network_that_is_gone_is_a_status_and_loses_nothing(database: TestDatabase) -> Result<()> {
    let options = StageOptions {
        lasting_network: true,
        ..StageOptions::default()
    };
    let mut stage = Stage::with(database, options).await?;
    let device = stage.linked_device("+6281200000001").await?;
    stage.phone("+6281200000002")?;
    stage.stop_network().await;
    eventually("the device is seen as gone", || async {
        Ok((stage.device(&device.id).await?["status"] != "CONNECTED").then_some(()))
    })
    .await?;

    // A server that starts while the network is gone is as well off as one that was running.
    stage.kabar.restart().await?;
    let client = Client::new(stage.kabar.base());
    ensure!(client.get("/health/live").await?.0 == 200);
    let id = stage.send_text(&device.id, "+6281200000002", "later").await?;
    ensure!(stage.message(&id).await?["status"] == "QUEUED");

    stage.start_network().await?;
    stage.until_message(&id, "DELIVERED").await?;
    Ok(())
}
