//! The API, from outside, without a WhatsApp network.
