//! What is measured, the same way for every contestant.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use sea_orm::ConnectionTrait;
use serde_json::json;
use tests::{Kind, TestDatabase, Usage};

use crate::contestant::Contestant;
use crate::network::SandboxProcess;
use crate::report::Results;

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub few: usize,
    pub many: usize,
    pub texts: usize,
    /// The bare client is done with as many before its receipts come in: its rate needs more.
    pub texts_of_bare: usize,
    /// Baileys is some twenty times slower; its rate is as clear after fewer.
    pub texts_of_baileys: usize,
    pub incoming: usize,
    pub senders: usize,
    pub recipients: usize,
    pub settle: Duration,
}

impl Size {
    pub const FULL: Self = Self {
        few: 100,
        many: 300,
        texts: 10_000,
        texts_of_bare: 60_000,
        texts_of_baileys: 1_500,
        incoming: 20_000,
        senders: 10,
        recipients: 50,
        settle: Duration::from_secs(8),
    };
    pub const QUICK: Self = Self {
        few: 10,
        many: 20,
        texts: 500,
        texts_of_bare: 500,
        texts_of_baileys: 500,
        incoming: 500,
        settle: Duration::from_secs(2),
        ..Self::FULL
    };

    fn incoming(&self, name: &str) -> usize {
        if name == "baileys" {
            self.texts_of_baileys
        } else {
            self.incoming
        }
    }
}

fn device_number(index: usize) -> String {
    format!("+62811{index:07}")
}

fn recipient_number(index: usize) -> String {
    format!("+62822{index:07}")
}

/// A process of its own each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// Memory and processor time of linked devices that do nothing, and connecting all of them again.
    Idle,
    /// Texts out and in.
    Work,
    /// What stands before a query, in this process.
    Protection,
}

pub async fn run(
    round: Round,
    contestant: &mut Contestant,
    network: &SandboxProcess,
    database: Option<&TestDatabase>,
    size: Size,
    results: &mut Results,
) -> Result<()> {
    match round {
        Round::Idle => idle(contestant, network, size, results).await,
        Round::Work => work(contestant, network, database, size, results).await,
        Round::Protection => bail!("needs no contestant"),
    }
}

async fn idle(contestant: &mut Contestant, network: &SandboxProcess, size: Size, results: &mut Results) -> Result<()> {
    let devices: Vec<String> = (0..size.many).map(device_number).collect();
    network.create_phones(&devices).await?;
    let empty = settled(contestant, size).await?;
    results.resident_empty = empty.resident_bytes;
    link(contestant, network, &devices[..size.few]).await?;
    let few = settled(contestant, size).await?;
    results.resident_few = few.resident_bytes.saturating_sub(empty.resident_bytes) / size.few as u64;
    link(contestant, network, &devices[size.few..]).await?;
    let many = settled(contestant, size).await?;
    results.resident_many = many.resident_bytes.saturating_sub(empty.resident_bytes) / size.many as u64;
    eprintln!(
        "  memory: {} and {} kB per device",
        results.resident_few / 1000,
        results.resident_many / 1000
    );

    let before = contestant.usage()?;
    tokio::time::sleep(size.settle).await;
    let idle = contestant.usage()?.cpu.saturating_sub(before.cpu);
    results.idle_cpu_per_minute = idle.mul_f64(60.0 / size.settle.as_secs_f64());
    reconnect(contestant, network, &devices, results).await?;
    let reconnected = results.reconnect_cpu.as_secs_f64();
    eprintln!(
        "  reconnect: {reconnected:.2} s of processor time in {:.1} s",
        results.reconnect_seconds
    );
    Ok(())
}

async fn work(
    contestant: &mut Contestant,
    network: &SandboxProcess,
    database: Option<&TestDatabase>,
    size: Size,
    results: &mut Results,
) -> Result<()> {
    let devices: Vec<String> = (0..size.senders).map(device_number).collect();
    let recipients: Vec<String> = (0..size.recipients).map(recipient_number).collect();
    network.create_phones(&devices).await?;
    network.create_phones(&recipients).await?;
    link(contestant, network, &devices).await?;
    warm_up(contestant, &recipients, size).await?;
    if let Some(database) = database.filter(|database| database.kind() == Kind::Postgres) {
        // As autovacuum does within a minute: a database that never looked at its tables plans as if they were empty.
        database.connect().await?.execute_unprepared("ANALYZE").await?;
    }
    texts(contestant, network, &recipients, size, results).await?;
    let each = results.cpu_per_text.as_secs_f64() * 1000.0;
    eprintln!("  texts: {:.0} per second, {each:.3} ms each", results.texts_per_second);
    incoming(contestant, network, &devices, &recipients, size, results).await?;
    eprintln!("  incoming: {:.0} per second", results.incoming_per_second);
    waiting(contestant, network, &devices, &recipients, size, results).await?;
    eprintln!("  handed out: {:.0} per second", results.waiting_per_second);
    Ok(())
}

async fn link(contestant: &mut Contestant, network: &SandboxProcess, numbers: &[String]) -> Result<()> {
    match contestant {
        Contestant::Rival(rival) => rival.obey(json!({ "do": "link", "numbers": numbers })).await.map(drop),
        Contestant::Kabar(kabar) => kabar.link(numbers, network).await,
    }
}

/// Usage when nothing happens any more: after some seconds of quiet.
async fn settled(contestant: &Contestant, size: Size) -> Result<Usage> {
    tokio::time::sleep(size.settle).await;
    contestant.usage()
}

/// All devices connected again: Kabar after a restart of its process, the rivals after all their sockets were cut.
async fn reconnect(
    contestant: &mut Contestant,
    network: &SandboxProcess,
    devices: &[String],
    results: &mut Results,
) -> Result<()> {
    match contestant {
        Contestant::Rival(rival) => {
            rival.obey(json!({ "do": "reset" })).await?;
            let (began, before) = (Instant::now(), rival.usage()?);
            network.drop_sockets(devices).await?;
            rival.obey(json!({ "do": "connected", "count": devices.len() })).await?;
            results.reconnect_seconds = began.elapsed().as_secs_f64();
            tokio::time::sleep(Duration::from_secs(2)).await;
            results.reconnect_cpu = rival.usage()?.cpu.saturating_sub(before.cpu);
        }
        Contestant::Kabar(kabar) => {
            kabar.kabar.terminate().await?;
            let began = Instant::now();
            kabar.kabar.start_again().await?;
            kabar.until_connected(devices.len()).await?;
            results.reconnect_seconds = began.elapsed().as_secs_f64();
            tokio::time::sleep(Duration::from_secs(2)).await;
            results.reconnect_cpu = kabar.kabar.usage()?.cpu;
        }
    }
    Ok(())
}

/// Every sender writes to every recipient once: sessions exist, chats exist.
async fn warm_up(contestant: &mut Contestant, recipients: &[String], size: Size) -> Result<()> {
    let count = size.senders * size.recipients;
    match contestant {
        Contestant::Rival(rival) => {
            let send = json!({ "do": "send", "from": size.senders, "to": recipients, "count": count });
            rival.obey(send).await?;
        }
        Contestant::Kabar(kabar) => {
            kabar.accept(size.senders, recipients, count).await?;
            kabar.until_drained(size.senders).await?;
        }
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    Ok(())
}

async fn texts(
    contestant: &mut Contestant,
    network: &SandboxProcess,
    recipients: &[String],
    size: Size,
    results: &mut Results,
) -> Result<()> {
    match contestant {
        Contestant::Rival(rival) => {
            let count = if results.name == "baileys" {
                size.texts_of_baileys
            } else {
                size.texts_of_bare
            };
            let before = rival.usage()?;
            let send = json!({ "do": "send", "from": size.senders, "to": recipients, "count": count });
            let seconds = rival.obey(send).await?;
            results.texts_per_second = count as f64 / seconds;
            // Delivery receipts come in for some seconds after the last acknowledgement; they belong to the texts.
            tokio::time::sleep(size.settle).await;
            results.cpu_per_text = (rival.usage()?.cpu.saturating_sub(before.cpu)).div_f64(count as f64);
        }
        Contestant::Kabar(kabar) => {
            let count = size.texts;
            // Accepted while nothing goes out, then out while nothing is accepted.
            let senders: Vec<String> = kabar.devices[..size.senders].to_vec();
            for id in &senders {
                kabar.change("disconnectDevice", id).await?;
            }
            let before = kabar.kabar.usage()?;
            let accepted = kabar.accept(size.senders, recipients, count).await?;
            let between = kabar.kabar.usage()?;
            results.accepted_per_second = Some(count as f64 / accepted.seconds);
            results.accepted_p50 = Some(accepted.p50);
            results.accepted_p99 = Some(accepted.p99);
            let sent_before = network.messages().await?;
            for id in &senders {
                kabar.change("connectDevice", id).await?;
            }
            // The clock runs from the first text on the wire to the last one durably SENT.
            while network.messages().await? == sent_before {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let began = Instant::now();
            kabar.until_drained(size.senders).await?;
            results.texts_per_second = count as f64 / began.elapsed().as_secs_f64();
            tokio::time::sleep(size.settle).await;
            let after = kabar.kabar.usage()?;
            results.cpu_per_text = after.cpu.saturating_sub(between.cpu).div_f64(count as f64);
            results.cpu_per_accepted = Some(between.cpu.saturating_sub(before.cpu).div_f64(count as f64));

            // Both at the same time, as in life.
            let began = Instant::now();
            kabar.accept(size.senders, recipients, count).await?;
            kabar.until_drained(size.senders).await?;
            results.whole_way_per_second = Some(count as f64 / began.elapsed().as_secs_f64());
        }
    }
    Ok(())
}

/// Phones write to connected devices as fast as the sandbox can; the clock runs from the first text that comes in to the last.
async fn incoming(
    contestant: &mut Contestant,
    network: &SandboxProcess,
    devices: &[String],
    recipients: &[String],
    size: Size,
    results: &mut Results,
) -> Result<()> {
    let times = size.incoming(results.name) / (devices.len() * recipients.len());
    let count = times * devices.len() * recipients.len();
    let before = contestant.usage()?;
    let seconds = hear(contestant, count, network.flood(recipients, devices, times)).await?;
    results.incoming_per_second = count as f64 / seconds;
    tokio::time::sleep(Duration::from_secs(1)).await;
    results.cpu_per_incoming = contestant.usage()?.cpu.saturating_sub(before.cpu).div_f64(count as f64);
    Ok(())
}

/// Texts wait at the server while the devices are kept out, and are handed out when they are let in.
async fn waiting(
    contestant: &mut Contestant,
    network: &SandboxProcess,
    devices: &[String],
    recipients: &[String],
    size: Size,
    results: &mut Results,
) -> Result<()> {
    let count = size.incoming(results.name);
    network.refuse(devices, true).await?;
    network.drop_sockets(devices).await?;
    network.write(recipients, devices, count).await?;
    let seconds = hear(contestant, count, network.refuse(devices, false)).await?;
    results.waiting_per_second = count as f64 / seconds;
    Ok(())
}

/// The seconds from the first to the last of `count` texts that come in once this was done.
async fn hear(contestant: &mut Contestant, count: usize, then: impl Future<Output = Result<()>>) -> Result<f64> {
    match contestant {
        Contestant::Rival(rival) => {
            rival.obey(json!({ "do": "reset" })).await?;
            rival.tell(&json!({ "do": "received", "count": count })).await?;
            then.await?;
            rival.answer().await
        }
        Contestant::Kabar(kabar) => {
            let heard = kabar.listen(count).await?;
            then.await?;
            heard.await?.context("the subscriber failed")
        }
    }
}

impl Contestant {
    fn usage(&self) -> Result<Usage> {
        match self {
            Self::Kabar(kabar) => kabar.kabar.usage(),
            Self::Rival(rival) => rival.usage(),
        }
    }
}
