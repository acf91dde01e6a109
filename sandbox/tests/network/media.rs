//! Media: encrypted by one client, kept by the network, decrypted by another.

use whatsapp_rust::upload::UploadOptions;
use whatsapp_rust::wacore::download::MediaType;
use whatsapp_rust::wacore::types::events::Event;
use whatsapp_rust::waproto::whatsapp as wa;

use crate::client::{TestClient, jid, ledger, network};

#[tokio::test(flavor = "multi_thread")]
async fn a_document_comes_out_as_it_went_in() {
    let network = network().await;
    let (sender, _) = TestClient::linked(&network, "+628120000001").await;
    let (receiver, _) = TestClient::linked(&network, "+628120000002").await;
    // One file below and one above five megabytes, where clients begin to resume.
    for length in [200_000usize, 6_000_000] {
        let file: Vec<u8> = (0..length)
            .map(|index| u8::try_from(index * 31 % 251).unwrap())
            .collect();
        let uploaded = sender
            .client
            .upload(file.clone(), MediaType::Document, UploadOptions::default())
            .await
            .unwrap();
        let document = wa::message::DocumentMessage {
            url: Some(uploaded.url),
            direct_path: Some(uploaded.direct_path),
            media_key: Some(uploaded.media_key.to_vec()),
            file_sha256: Some(uploaded.file_sha256.to_vec()),
            file_enc_sha256: Some(uploaded.file_enc_sha256.to_vec()),
            file_length: Some(uploaded.file_length),
            file_name: Some(format!("{length}.bin")),
            caption: Some("a file".to_owned()),
            ..Default::default()
        };
        let message = wa::Message {
            document_message: document.into(),
            ..Default::default()
        };
        sender.client.send_message(jid("+628120000002"), message).await.unwrap();
        let arrived = receiver
            .wait(|event| match event {
                Event::Messages(batch) => batch.messages.iter().find_map(|inbound| {
                    let document = inbound.message.document_message.as_option()?;
                    (document.file_length == Some(length as u64)).then(|| document.clone())
                }),
                _ => None,
            })
            .await;
        assert!(
            receiver.client.download(&arrived).await.unwrap() == file,
            "the bytes are the same"
        );
    }
    let rows = ledger(&network, "+628120000002", 2).await;
    assert_eq!(
        (rows[0].kind.as_str(), rows[0].text.as_deref()),
        ("document", Some("a file"))
    );
    assert!(network.stats().media_bytes > 6_200_000);
    network.shutdown().await;
}
