//! The API's rules from outside, in process, with a clock that the test holds; no WhatsApp network.

mod account;
mod api_tokens;
mod audit;
mod cross_origin;
mod devices;
mod limits;
mod members;
mod operation;
mod platform;
mod rates;
mod sessions;
mod tenancy;
