//! The server as a process against the simulated WhatsApp network, on both databases.

mod link;
