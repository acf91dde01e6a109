//! Messages that could not be opened: asking for them again, and sending them again.

use wacore_binary::Node;
use wacore_binary::builder::NodeBuilder;

use super::PhoneTask;
use super::receiving::Envelope;
use super::signal::address;
use crate::clock;
use crate::handlers::{keys, receipts};
use crate::stanza::{attr, leaf};

/// Retry receipts sent for one message before the phone gives up, as WhatsApp Web does.
const MAXIMUM_RETRIES: u8 = 5;

impl PhoneTask {
    /// A retry receipt with the phone's keys: the sender starts a new session and sends again.
    pub(super) fn ask_again(&mut self, envelope: &Envelope) {
        let count = self.retries.entry(envelope.id.clone()).or_insert(0);
        *count += 1;
        let count = *count;
        if count > MAXIMUM_RETRIES {
            return;
        }
        let retry = NodeBuilder::new("retry")
            .attr("v", 1)
            .attr("count", count)
            .attr("id", envelope.id.as_str())
            .attr("t", clock::unix_seconds())
            .build();
        let mut receipt = receipts::from_phone(
            &envelope.from,
            envelope.participant.as_ref(),
            &envelope.id,
            Some("retry"),
        );
        if let Some(recipient) = &envelope.recipient {
            // A companion finds the message by the chat it was for.
            receipt = receipt.attr("recipient", recipient);
        }
        let receipt = receipt
            .children([
                retry,
                leaf("registration", self.account.keys.registration_id.to_be_bytes()),
                keys::phone_retry_keys(&self.account),
            ])
            .build();
        receipts::accept(&self.core, &self.origin(), &receipt);
    }

    /// A device could not open what this phone sent: a new session, and the message again.
    pub(super) async fn asked_again(&mut self, receipt: &Node) {
        let Some(envelope) = self.read_envelope(receipt) else {
            return;
        };
        let Some(sent) = self.sent.iter().find(|sent| sent.id == envelope.id) else {
            tracing::debug!("a device asks for a message this phone no longer has");
            return;
        };
        let (to, message) = (sent.to.clone(), sent.message.clone());
        let count = receipt
            .get_optional_child("retry")
            .and_then(|retry| attr(retry, "count"))
            .and_then(|count| count.parse().ok())
            .unwrap_or(1u8);
        if count >= MAXIMUM_RETRIES {
            return;
        }
        let address = address(&envelope.sender, envelope.device);
        // A new session either way: from the keys in the receipt, or from a fresh bundle. The old one
        // is kept behind it for what the device sent before.
        let bundle = keys::read_retry_keys(receipt).or_else(|| {
            let device = envelope.sender.device(envelope.device)?;
            keys::take_bundle(&self.core, &envelope.sender, &device)
        });
        if let Some(bundle) = bundle
            && let Err(failure) = self.start_session(&address, bundle).await
        {
            tracing::debug!(%failure, "the keys for a retry are unusable");
        }
        if let Err(failure) = self
            .send_again(&envelope.id, &to, message, &envelope.sender, envelope.device, count)
            .await
        {
            tracing::debug!(%failure, "a message cannot be sent again");
        }
    }
}
