//! Real whatsapp-rust clients against the network.

mod accidents;
mod client;
mod groups;
mod linking;
mod media;
mod messages;
mod restart;
