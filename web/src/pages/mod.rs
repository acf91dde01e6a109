//! One folder or file per page, named as in the address.

pub mod activity;
pub mod devices;
pub mod entrance;
pub mod inbox;
pub mod login;
pub mod not_found;
pub mod overview;
pub mod parts;
pub mod platform;
pub mod sandbox;
pub mod settings;
pub mod unreachable;
