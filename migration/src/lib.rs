//! Kabar's database migrations, for Postgres and SQLite alike.
//!
//! **Invariant:** append-only. A migration that has been released is never changed; a new one follows it. This crate does
//! not depend on `entity`: a migration describes the tables of its own day.

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;

mod columns;
mod m2026_11_21_000001_accounts;
mod m2026_11_21_000002_devices;
mod m2026_11_21_000003_messages;
mod m2026_11_21_000004_events;
mod m2026_11_21_000005_message_indexes;
mod m2026_11_21_000006_engine_records;
mod m2026_11_21_000010_audit;
mod m2026_11_21_000011_api_tokens;
mod m2026_11_21_000012_invitations;
mod m2026_11_21_000020_plans;
mod m2026_11_21_000021_quotas;
mod m2026_11_21_000022_rates;
mod m2026_11_21_000031_address_pairs;
mod m2026_11_21_000040_second_factors;
mod m2026_11_21_000041_password_resets;
mod m2026_11_21_000042_server_keys;
mod m2026_11_21_000050_access_grants;
mod m2026_11_21_000051_tenant_deletion;
mod m2026_11_21_000060_api_token_limits;
mod m2026_11_21_000061_row_level_security;
mod m2026_11_21_000070_lighter_rows;
mod m2026_11_21_000072_one_parent;
mod m2026_11_22_000073_fewer_indexes;
mod m2026_11_22_000074_one_chat_key;
mod m2026_11_22_000075_sender_and_id;
mod m2026_11_22_000076_message_queue;
pub mod row_security;

/// Runs the migrations in order.
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m2026_11_21_000001_accounts::Migration),
            Box::new(m2026_11_21_000002_devices::Migration),
            Box::new(m2026_11_21_000003_messages::Migration),
            Box::new(m2026_11_21_000004_events::Migration),
            Box::new(m2026_11_21_000005_message_indexes::Migration),
            Box::new(m2026_11_21_000010_audit::Migration),
            Box::new(m2026_11_21_000031_address_pairs::Migration),
            Box::new(m2026_11_21_000020_plans::Migration),
            Box::new(m2026_11_21_000021_quotas::Migration),
            Box::new(m2026_11_21_000022_rates::Migration),
            Box::new(m2026_11_21_000011_api_tokens::Migration),
            Box::new(m2026_11_21_000012_invitations::Migration),
            Box::new(m2026_11_21_000006_engine_records::Migration),
            Box::new(m2026_11_21_000040_second_factors::Migration),
            Box::new(m2026_11_21_000041_password_resets::Migration),
            Box::new(m2026_11_21_000042_server_keys::Migration),
            Box::new(m2026_11_21_000050_access_grants::Migration),
            Box::new(m2026_11_21_000051_tenant_deletion::Migration),
            Box::new(m2026_11_21_000060_api_token_limits::Migration),
            Box::new(m2026_11_21_000061_row_level_security::Migration),
            Box::new(m2026_11_21_000070_lighter_rows::Migration),
            Box::new(m2026_11_21_000072_one_parent::Migration),
            Box::new(m2026_11_22_000073_fewer_indexes::Migration),
            Box::new(m2026_11_22_000074_one_chat_key::Migration),
            Box::new(m2026_11_22_000075_sender_and_id::Migration),
            Box::new(m2026_11_22_000076_message_queue::Migration),
        ]
    }
}
