//! What is measured, the same way for every contestant.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use sea_orm::ConnectionTrait;
use serde_json::json;
use tests::{Kind, TestDatabase, Usage};

use crate::contestant::Contestant;
use crate::network::SandboxProcess;
use crate::report::{Results, Work, median};

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

/// How often what varies from minute to minute is measured; the median counts.
pub const TAKES: usize = 3;

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
        Round::Work => {
            results.work = work(results.name, contestant, network, database, size).await?;
            Ok(())
        }
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
    let mut takes = Vec::with_capacity(TAKES);
    for _ in 0..TAKES {
        takes.push(reconnect(contestant, network, &devices).await?);
    }
    results.reconnect_cpu = median(takes.iter().map(|(cpu, _)| *cpu).collect()).unwrap_or_default();
    results.reconnect_seconds = median(takes.iter().map(|(_, seconds)| *seconds).collect()).unwrap_or_default();
    let reconnected = results.reconnect_cpu.as_secs_f64();
    eprintln!(
        "  reconnect: {reconnected:.2} s of processor time in {:.1} s",
        results.reconnect_seconds
    );
    Ok(())
}

async fn work(
    name: &str,
    contestant: &mut Contestant,
    network: &SandboxProcess,
    database: Option<&TestDatabase>,
    size: Size,
) -> Result<Work> {
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
    let mut work = Work::default();
    texts(name, contestant, network, &recipients, size, &mut work).await?;
    let each = work.cpu_per_text.as_secs_f64() * 1000.0;
    eprintln!("  texts: {:.0} per second, {each:.3} ms each", work.texts_per_second);
    let cast = Cast {
        network,
        devices: &devices,
        recipients: &recipients,
        count: size.incoming(name),
    };
    incoming(contestant, &cast, &mut work).await?;
    eprintln!("  incoming: {:.0} per second", work.incoming_per_second);
    waiting(contestant, &cast, &mut work).await?;
    eprintln!("  handed out: {:.0} per second", work.waiting_per_second);
    Ok(work)
}

/// Who writes to whom, and how many texts.
struct Cast<'a> {
    network: &'a SandboxProcess,
    devices: &'a [String],
    recipients: &'a [String],
    count: usize,
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

/// All devices connected again: the processor time, and the seconds until they are. Kabar's process is started anew; the
/// bare clients are made anew over their stores; Baileys makes new sockets when its own are cut.
async fn reconnect(
    contestant: &mut Contestant,
    network: &SandboxProcess,
    devices: &[String],
) -> Result<(Duration, f64)> {
    match contestant {
        Contestant::Rival(rival) => {
            rival.obey(json!({ "do": "reset" })).await?;
            let stops = rival.can_stop();
            if stops {
                rival.obey(json!({ "do": "stop" })).await?;
            }
            let (began, before) = (Instant::now(), rival.usage()?);
            if stops {
                rival.obey(json!({ "do": "start" })).await?;
            } else {
                network.drop_sockets(devices).await?;
            }
            rival.obey(json!({ "do": "connected", "count": devices.len() })).await?;
            let seconds = began.elapsed().as_secs_f64();
            tokio::time::sleep(Duration::from_secs(2)).await;
            Ok((rival.usage()?.cpu.saturating_sub(before.cpu), seconds))
        }
        Contestant::Kabar(kabar) => {
            kabar.kabar.terminate().await?;
            let began = Instant::now();
            kabar.kabar.start_again().await?;
            kabar.until_connected(devices.len()).await?;
            let seconds = began.elapsed().as_secs_f64();
            tokio::time::sleep(Duration::from_secs(2)).await;
            Ok((kabar.kabar.usage()?.cpu, seconds))
        }
    }
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
    name: &str,
    contestant: &mut Contestant,
    network: &SandboxProcess,
    recipients: &[String],
    size: Size,
    work: &mut Work,
) -> Result<()> {
    match contestant {
        Contestant::Rival(rival) => {
            let count = if name == "baileys" {
                size.texts_of_baileys
            } else {
                size.texts_of_bare
            };
            let before = rival.usage()?;
            let send = json!({ "do": "send", "from": size.senders, "to": recipients, "count": count });
            let seconds = rival.obey(send).await?;
            work.texts_per_second = count as f64 / seconds;
            // Delivery receipts come in for some seconds after the last acknowledgement; they belong to the texts.
            tokio::time::sleep(size.settle).await;
            work.cpu_per_text = (rival.usage()?.cpu.saturating_sub(before.cpu)).div_f64(count as f64);
        }
        Contestant::Kabar(kabar) => {
            let (first, count) = (size.senders * recipients.len(), size.texts);
            // Accepted while nothing goes out, then out while nothing is accepted.
            let senders: Vec<String> = kabar.devices[..size.senders].to_vec();
            for id in &senders {
                kabar.change("disconnectDevice", id).await?;
            }
            let before = kabar.kabar.usage()?;
            let accepted = kabar.accept(size.senders, recipients, first + count).await?;
            let between = kabar.kabar.usage()?;
            work.accepted_per_second = Some((first + count) as f64 / accepted.seconds);
            work.accepted_p50 = Some(accepted.p50);
            work.accepted_p99 = Some(accepted.p99);
            let sent_before = network.messages().await?;
            for id in &senders {
                kabar.change("connectDevice", id).await?;
            }
            let sent = async |texts: usize| {
                let wanted = sent_before + texts as u64;
                while network.messages_from(wanted).await? < wanted {}
                anyhow::Ok(())
            };
            // Until then sessions are loaded. Kabar is not asked for anything before the last text is on the wire: whoever
            // asks measures the questions, too.
            sent(first).await?;
            let (began, warm) = (Instant::now(), kabar.kabar.usage()?);
            sent(first + count).await?;
            kabar.until_drained(size.senders).await?;
            work.texts_per_second = count as f64 / began.elapsed().as_secs_f64();
            tokio::time::sleep(size.settle).await;
            let after = kabar.kabar.usage()?;
            work.cpu_per_text = after.cpu.saturating_sub(warm.cpu).div_f64(count as f64);
            work.cpu_per_accepted = Some(between.cpu.saturating_sub(before.cpu).div_f64((first + count) as f64));

            // Both at the same time, as in life.
            let began = Instant::now();
            kabar.accept(size.senders, recipients, count).await?;
            kabar.until_drained(size.senders).await?;
            work.whole_way_per_second = Some(count as f64 / began.elapsed().as_secs_f64());
        }
    }
    Ok(())
}

/// Phones write to connected devices as fast as the sandbox can; the clock runs from the first text that comes in to the last.
async fn incoming(contestant: &mut Contestant, cast: &Cast<'_>, work: &mut Work) -> Result<()> {
    let pairs = cast.devices.len() * cast.recipients.len();
    let times = cast.count / pairs;
    let count = times * pairs;
    let before = contestant.usage()?;
    let flood = cast.network.flood(cast.recipients, cast.devices, times);
    let seconds = hear(contestant, count, flood).await?;
    work.incoming_per_second = count as f64 / seconds;
    tokio::time::sleep(Duration::from_secs(1)).await;
    work.cpu_per_incoming = contestant.usage()?.cpu.saturating_sub(before.cpu).div_f64(count as f64);
    Ok(())
}

/// Texts wait at the server while the devices are kept out, and are handed out when they are let in.
async fn waiting(contestant: &mut Contestant, cast: &Cast<'_>, work: &mut Work) -> Result<()> {
    let (network, count) = (cast.network, cast.count);
    network.refuse(cast.devices, true).await?;
    network.drop_sockets(cast.devices).await?;
    network.write(cast.recipients, cast.devices, count).await?;
    let seconds = hear(contestant, count, network.refuse(cast.devices, false)).await?;
    work.waiting_per_second = count as f64 / seconds;
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
