//! Linking and unlinking.

use std::sync::Arc;

use sandbox::{Behavior, Disruption, SandboxError};
use whatsapp_rust::pair_code::PairCodeOptions;
use whatsapp_rust::wacore::store::InMemoryBackend;
use whatsapp_rust::wacore::types::events::Event;

use crate::client::{TestClient, jid, network, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_qr_code_links_a_device() {
    let network = network().await;
    let (client, device) = TestClient::linked(&network, "+628120000001").await;
    assert_eq!(device.id, 1);
    let phone = network.phone("628120000001").unwrap();
    assert_eq!(phone.linked_devices.len(), 1);
    assert!(phone.linked_devices[0].online);
    client.stop().await;
    until(|| (!network.phone("628120000001").unwrap().linked_devices[0].online).then_some(())).await;
    network.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pairing_code_links_a_device() {
    let network = network().await;
    let options = PairCodeOptions {
        phone_number: "628120000001".to_owned(),
        ..PairCodeOptions::default()
    };
    let client = TestClient::start(&network, Arc::new(InMemoryBackend::new()), Some(options)).await;
    let code = client
        .wait(|event| match event {
            Event::PairingCode(code) => Some(code.code.clone()),
            _ => None,
        })
        .await;
    let wrong = network.enter_pairing_code("+628120000002", &code).await;
    assert!(matches!(wrong, Err(SandboxError::NoPairingRequested)), "{wrong:?}");
    let device = network.enter_pairing_code("+628120000001", &code).await.unwrap();
    assert_eq!(device.id, 1);
    client.connected(1).await;
    network.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_pairing_code_is_noticed_and_the_right_one_still_works() {
    let network = network().await;
    let options = PairCodeOptions {
        phone_number: "628120000001".to_owned(),
        ..PairCodeOptions::default()
    };
    let client = TestClient::start(&network, Arc::new(InMemoryBackend::new()), Some(options)).await;
    let code = client
        .wait(|event| match event {
            Event::PairingCode(code) => Some(code.code.clone()),
            _ => None,
        })
        .await;
    let other = if code.starts_with('A') { "BBBBBBBB" } else { "AAAAAAAA" };
    let wrong = network.enter_pairing_code("+628120000001", other).await;
    assert!(matches!(wrong, Err(SandboxError::WrongPairingCode)), "{wrong:?}");
    network.enter_pairing_code("+628120000001", &code).await.unwrap();
    client.connected(1).await;
    network.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_code_is_refused() {
    let network = network().await;
    network
        .create_phone("+628120000001", None, Behavior::default())
        .unwrap();
    let twice = network.create_phone("628120000001", None, Behavior::default());
    assert!(matches!(twice, Err(SandboxError::AlreadyExists(_))));
    assert!(matches!(
        network.scan_qr("+628120000001", "nonsense").await,
        Err(SandboxError::InvalidQr)
    ));
    assert!(matches!(
        network.enter_pairing_code("+628120000001", "ABCD1234").await,
        Err(SandboxError::NoPairingRequested)
    ));
    network.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_was_logged_out_is_told_and_stays_out() {
    let network = network().await;
    let (client, device) = TestClient::linked(&network, "+628120000001").await;
    network
        .disrupt(
            "+628120000001",
            Disruption::LogOut {
                device: Some(device.id),
            },
        )
        .await
        .unwrap();
    client
        .wait(|event| matches!(event, Event::LoggedOut(_)).then_some(()))
        .await;
    assert!(network.phone("+628120000001").unwrap().linked_devices.is_empty());
    let again = network
        .disrupt("+628120000001", Disruption::LogOut { device: None })
        .await;
    assert!(matches!(again, Err(SandboxError::NotLinked(_))));

    // Its credentials are worthless from now on.
    let returning = TestClient::start(&network, client.stop().await, None).await;
    returning
        .wait(|event| matches!(event, Event::LoggedOut(_) | Event::PairingQrCode(_)).then_some(()))
        .await;
    network.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_can_log_itself_out() {
    let network = network().await;
    let (client, _) = TestClient::linked(&network, "+628120000001").await;
    client.client.logout().await;
    until(|| {
        network
            .phone("+628120000001")
            .unwrap()
            .linked_devices
            .is_empty()
            .then_some(())
    })
    .await;
    network.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_found_unless_they_are_not_on_whatsapp() {
    let network = network().await;
    let (client, _) = TestClient::linked(&network, "+628120000001").await;
    network
        .create_phone("+628120000002", None, Behavior::default())
        .unwrap();
    let absent = Behavior {
        on_whatsapp: false,
        ..Behavior::default()
    };
    network.create_phone("+628120000003", None, absent).unwrap();
    let asked = [jid("+628120000002"), jid("+628120000003"), jid("+628120000004")];
    let answers = client.client.contacts().is_on_whatsapp(&asked).await.unwrap();
    let registered = |number: &str| {
        answers
            .iter()
            .any(|answer| answer.jid.user == number.trim_start_matches('+') && answer.is_registered)
    };
    assert!(registered("+628120000002"));
    assert!(!registered("+628120000003"));
    assert!(!registered("+628120000004"));
    network.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_loopback_is_served() {
    let config = sandbox::NetworkConfig {
        listen: ([0, 0, 0, 0], 0).into(),
        data_dir: None,
    };
    assert!(matches!(
        sandbox::Network::start(config).await,
        Err(SandboxError::NotLoopback(_))
    ));
}
