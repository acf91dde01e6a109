//! The server as a process against the simulated WhatsApp network, on both databases.

mod crashes;
mod database;
mod deletion;
mod errors;
mod exports;
mod groups;
mod hidden_addresses;
mod keys;
mod link_previews;
mod linking;
mod mail;
mod mentions;
mod messages;
mod plans;
mod queue;
mod quotas;
mod receiving_crashes;
mod restarts;
mod sandbox;
mod subscriptions;
mod telemetry;
mod two_nodes;
