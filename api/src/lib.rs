//! Kabar's server: a GraphQL API and a console over WhatsApp.

pub mod clock;
pub mod store;
