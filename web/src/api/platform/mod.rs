//! What only those may ask who run the platform.

pub mod plans;
pub mod settings;
pub mod tenants;
