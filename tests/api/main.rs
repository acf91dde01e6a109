//! The API's rules from outside, in process, with a clock that the test holds; no WhatsApp network.

mod account;
mod api_tokens;
mod audit;
mod cross_origin;
mod deletion;
mod devices;
mod exports;
mod grants;
mod hostile_credentials;
mod keys;
mod limits;
mod members;
mod mentions;
mod migrations;
mod operation;
mod password_reset;
mod platform;
mod rates;
mod row_security;
mod second_factor;
mod sessions;
mod surface;
mod sweep;
mod tenancy;
mod token_limits;
mod usage;
