//! Usage over time.

use super::phrases;
use crate::api::usage::Granularity;

phrases! {
    over_time: "Over time", "Dari waktu ke waktu";
    messages_out: "Messages sent", "Pesan dikirim";
    messages_in: "Messages received", "Pesan diterima";
    campaign_recipients: "Campaign recipients", "Penerima kampanye";
    in_all: "in all", "seluruhnya";
    at_present: "now", "sekarang";
    as_table: "As a table", "Sebagai tabel";
    beginning: "Beginning", "Mulai";
    span: "Length of a bar", "Panjang satu batang";
    bars_of(name: &str, bars: i32, most: &str): format!("{name}: {bars} bars, the highest {most}"),
        format!("{name}: {bars} batang, tertinggi {most}");
    granularity(granularity: Granularity): match granularity {
        Granularity::Day => "30 days",
        Granularity::Week => "26 weeks",
        Granularity::Month => "12 months",
    }.to_owned(), match granularity {
        Granularity::Day => "30 hari",
        Granularity::Week => "26 minggu",
        Granularity::Month => "12 bulan",
    }.to_owned();
}
