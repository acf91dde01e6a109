//! What only those may ask who run the platform.

pub mod audit;
pub mod grants;
pub mod people;
pub mod plans;
pub mod settings;
pub mod tenants;
