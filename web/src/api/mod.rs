//! What the console asks of the API: typed queries, one file per domain, and how they travel.
//!
//! Every struct here is checked against `api/schema.graphql` when the console is compiled. Nothing in here draws.

pub mod account;
pub mod api_tokens;
pub mod audit;
pub mod chats;
pub mod client;
pub mod devices;
pub mod error;
pub mod events;
pub mod members;
pub mod messages;
pub mod overview;
pub mod password_reset;
pub mod password_strength;
pub mod platform;
pub mod sandbox;
pub mod second_factor;
pub mod sessions;
pub mod socket;
pub mod tenancy;
pub mod token;
pub mod usage;
pub mod values;

#[cynic::schema("kabar")]
pub mod schema {}
