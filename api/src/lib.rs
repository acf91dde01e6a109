//! Kabar's server: a GraphQL API and a console over WhatsApp.

// The futures of the GraphQL server's fields nest deeper than the compiler's default of 128 when it optimises.
#![recursion_limit = "256"]

pub mod app;
pub mod audit;
pub mod audit_log;
pub mod chats;
pub mod clock;
pub mod config;
pub mod devices;
pub mod dispatch;
pub mod engine;
pub mod events;
pub mod feed;
pub mod fetch;
pub mod graphql;
pub mod http;
pub mod keys;
pub mod logging;
pub mod mail;
pub mod messages;
pub mod overview;
pub mod phone;
pub mod pictures;
pub mod platform;
pub mod rates;
#[cfg(feature = "sandbox")]
pub mod sandbox_control;
pub mod schema;
pub mod secret;
pub mod store;
pub mod telemetry;
pub mod tenants;
