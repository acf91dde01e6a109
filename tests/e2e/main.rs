//! The server as a process against the simulated WhatsApp network, on both databases.

mod crashes;
mod database;
mod deletion;
mod errors;
mod exports;
mod hidden_addresses;
mod keys;
mod link_previews;
mod linking;
mod mail;
mod mentions;
mod messages;
mod plans;
mod quotas;
mod restarts;
mod subscriptions;
mod telemetry;
mod two_nodes;
