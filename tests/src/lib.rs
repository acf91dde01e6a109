//! The test harness: databases, the server as a process, the simulated network, and clients of the API.
//!
//! A test takes a [`Stage`] and speaks to Kabar as its users do. Nothing sleeps for a fixed time: [`eventually`] and
//! [`Subscription::until`] wait for a condition and fail at a deadline.

mod app;
mod authority;
mod client;
mod collector;
mod crowd;
mod customer;
mod database;
mod place;
mod postgres;
mod process;
pub mod rows;
mod second_tenant;
mod smtp;
mod stage;
mod subscription;
mod wait;
mod website;

pub use app::TestApp;
pub use authority::Authority;
pub use client::{Client, Response};
pub use collector::{Collector, TracedSpan};
pub use crowd::crowd;
pub use customer::Customer;
pub use database::{Kind, TestDatabase, run_on};
pub use place::Place;
pub use postgres::{PostgresServer, connect, connect_plainly};
pub use process::{Kabar, Usage, usage_of};
pub use second_tenant::second_tenant;
pub use smtp::{Mail, MailServer, Security};
pub use stage::{EMAIL, LinkedDevice, PASSWORD, SEND, Stage, StageOptions, text_input};
pub use subscription::Subscription;
pub use wait::{DEADLINE, eventually, within};
pub use website::{Page, Website};

/// Gives each of the named `async fn(TestDatabase) -> anyhow::Result<()>` two tests, `sqlite::name` and `postgres::name`.
#[macro_export]
macro_rules! on_both_databases {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test]
            fn $name() -> anyhow::Result<()> {
                $crate::run_on($crate::Kind::Sqlite, super::$name)
            })+
        }
        mod postgres {
            $(#[test]
            fn $name() -> anyhow::Result<()> {
                $crate::run_on($crate::Kind::Postgres, super::$name)
            })+
        }
    };
}
