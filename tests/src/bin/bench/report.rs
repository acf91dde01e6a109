//! The table in docs/benchmarks.md.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::Result;

use crate::contestant::CONNECTIONS;
use crate::protection::Protection;
use crate::rounds::Size;

/// What one contestant achieved.
#[derive(Clone, Debug, Default)]
pub struct Results {
    pub name: &'static str,
    pub resident_empty: u64,
    pub resident_few: u64,
    pub resident_many: u64,
    pub idle_cpu_per_minute: Duration,
    pub reconnect_cpu: Duration,
    pub reconnect_seconds: f64,
    pub work: Work,
    pub protection: Option<Protection>,
}

/// What one contestant achieved with texts.
#[derive(Clone, Debug, Default)]
pub struct Work {
    pub texts_per_second: f64,
    pub cpu_per_text: Duration,
    pub cpu_per_accepted: Option<Duration>,
    pub whole_way_per_second: Option<f64>,
    pub accepted_per_second: Option<f64>,
    pub accepted_p50: Option<Duration>,
    pub accepted_p99: Option<Duration>,
    pub incoming_per_second: f64,
    pub cpu_per_incoming: Duration,
    pub waiting_per_second: f64,
}

impl Work {
    /// The median of several takes, each figure by itself.
    pub fn median(takes: &[Self]) -> Self {
        let rate = |of: fn(&Self) -> f64| median(takes.iter().map(of).collect()).unwrap_or_default();
        let time = |of: fn(&Self) -> Duration| median(takes.iter().map(of).collect()).unwrap_or_default();
        Self {
            texts_per_second: rate(|one| one.texts_per_second),
            cpu_per_text: time(|one| one.cpu_per_text),
            cpu_per_accepted: median(takes.iter().filter_map(|one| one.cpu_per_accepted).collect()),
            whole_way_per_second: median(takes.iter().filter_map(|one| one.whole_way_per_second).collect()),
            accepted_per_second: median(takes.iter().filter_map(|one| one.accepted_per_second).collect()),
            accepted_p50: median(takes.iter().filter_map(|one| one.accepted_p50).collect()),
            accepted_p99: median(takes.iter().filter_map(|one| one.accepted_p99).collect()),
            incoming_per_second: rate(|one| one.incoming_per_second),
            cpu_per_incoming: time(|one| one.cpu_per_incoming),
            waiting_per_second: rate(|one| one.waiting_per_second),
        }
    }
}

/// The middle one; of an even number, the lower of the two.
pub fn median<T: PartialOrd + Copy>(mut values: Vec<T>) -> Option<T> {
    values.sort_by(|one, other| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal));
    values.get(values.len().saturating_sub(1) / 2).copied()
}

pub fn write(results: &[Results], size: Size) -> Result<String> {
    let mut text = String::new();
    writeln!(text, "# Benchmarks\n")?;
    writeln!(
        text,
        "Written by `cargo xtask bench`. Every contestant is one process and speaks to a `kabar-sandbox` of its own on the \
         same machine, which shares the processor with the load generator; what counts are the ratios. Optimised build \
         (`opt-level = 3`, no LTO).\n"
    )?;
    writeln!(text, "{}\n", machine())?;
    let names: Vec<&str> = results.iter().map(|result| title(result.name)).collect();
    writeln!(text, "| | {} |", names.join(" | "))?;
    writeln!(text, "|---|{}", "---:|".repeat(names.len()))?;
    let mut row = |label: String, cell: &dyn Fn(&Results) -> String| {
        let cells: Vec<String> = results.iter().map(cell).collect();
        writeln!(text, "| {label} | {} |", cells.join(" | "))
    };
    row("resident memory without devices".into(), &|one| {
        format!("{:.1} MB", one.resident_empty as f64 / 1e6)
    })?;
    row(
        format!("resident memory per idle device, {} linked", size.few),
        &|one| format!("{} kB", one.resident_few / 1000),
    )?;
    row(
        format!("resident memory per idle device, {} linked", size.many),
        &|one| format!("{} kB", one.resident_many / 1000),
    )?;
    row(
        format!("processor time of {} idle devices per minute", size.many),
        &|one| seconds(one.idle_cpu_per_minute),
    )?;
    row(
        format!("{} devices connected again, processor time", size.many),
        &|one| seconds(one.reconnect_cpu),
    )?;
    row(format!("{} devices connected again, wall time", size.many), &|one| {
        format!("{:.1} s", one.reconnect_seconds)
    })?;
    row("texts out per second, acknowledged".into(), &|one| {
        format!("{:.0}", one.work.texts_per_second)
    })?;
    row("processor time per text out".into(), &|one| {
        milliseconds(one.work.cpu_per_text)
    })?;
    row("processor time per text accepted by `sendMessage`".into(), &|one| {
        optional(one.work.cpu_per_accepted.map(milliseconds))
    })?;
    row("texts per second from HTTP to acknowledged".into(), &|one| {
        optional(one.work.whole_way_per_second.map(whole))
    })?;
    row(
        format!("`sendMessage` accepted per second, {CONNECTIONS} connections"),
        &|one| optional(one.work.accepted_per_second.map(whole)),
    )?;
    row("… p50".into(), &|one| {
        optional(one.work.accepted_p50.map(milliseconds))
    })?;
    row("… p99".into(), &|one| {
        optional(one.work.accepted_p99.map(milliseconds))
    })?;
    row("texts in per second".into(), &|one| whole(one.work.incoming_per_second))?;
    row("processor time per text in".into(), &|one| {
        milliseconds(one.work.cpu_per_incoming)
    })?;
    row(
        "texts in per second, of those that waited at the server".into(),
        &|one| whole(one.work.waiting_per_second),
    )?;
    row("`devices` queries per second, as they are served".into(), &|one| {
        optional(one.protection.map(|protection| whole(protection.guarded)))
    })?;
    row("… without what protects them".into(), &|one| {
        optional(one.protection.map(|protection| whole(protection.bare)))
    })?;
    row("… the part that protects, wanted at most 15 %".into(), &|one| {
        let share = one.protection.map(|protection| protection.share * 100.0);
        optional(share.map(|share| format!("{share:.1} %")))
    })?;
    writeln!(text)?;
    ratios(&mut text, results)?;
    text.push_str(HOW);
    text.push('\n');
    Ok(text)
}

const HOW: &str = "
How it was measured:
- *bare*: the client library on its in-memory store, which keeps nothing; dialled with `TCP_NODELAY`, which its own transport lacks. *Baileys*: credentials in memory, one Node process. Both send from the same ten clients to the same fifty phones with at most 64 unacknowledged texts per client, as Kabar does.
- Memory and connecting again are measured in one process with up to 300 devices, texts in another with ten. Texts are measured three times, each time in new processes, one contestant after the other (Baileys once), and connecting again three times in turn; every figure is the median of its three.
- *Texts out*: Kabar first accepts all of them while the ten devices are disconnected, and is not asked for anything while they go out. Each device's first text to each phone is not counted, since everybody's sessions are open by then; from there the clock runs until the last one is SENT in the database. Processor time includes the delivery receipts. The bare client sends six times as many, or it would be done before the first receipts come.
- *Texts in*: all phones write to all of the ten connected devices at the same time; the sandbox makes the texts (session encryption included) while they are taken, on the same processors. The clock runs from the first to the last one counted (rivals) or pushed to a subscriber after it was stored and logged (Kabar). *Those that waited* were made while the devices were kept out, and the sandbox hands them out without waiting for anything as soon as a device is let in, where WhatsApp hands out two hundred at a time: that is the receiver alone.
- *Connected again*: Kabar after a restart of its process, everything included; the bare clients are stopped and made anew over the stores that they have in memory, and Baileys, after all sockets were cut, makes new ones over its credentials by itself.
- *What protects a query*: a page of 50 devices, asked for by 16 callers at once over HTTP with an API token, against the same schema behind a route that only reads the body, runs it for a caller who was authenticated once, and writes the answer; in turns, within one process that is its own load generator.
- Postgres runs on the same machine with its default durability, and has looked at its tables once (`ANALYZE`), as autovacuum does within a minute; its processor time is not counted to Kabar.";

fn ratios(text: &mut String, results: &[Results]) -> Result<()> {
    let find = |name: &str| results.iter().find(|one| one.name == name);
    let Some(bare) = find("bare") else { return Ok(()) };
    writeln!(
        text,
        "| Against the bare client | wanted | {} |",
        ["SQLite", "Postgres"].join(" | ")
    )?;
    writeln!(text, "|---|---|---:|---:|")?;
    let kabar = [find("kabar-sqlite"), find("kabar-postgres")];
    let mut row = |label: &str, wanted: &str, ratio: &dyn Fn(&Results) -> f64| {
        let cells: Vec<String> = kabar
            .iter()
            .map(|one| one.map_or_else(|| "–".to_owned(), |one| format!("{:.2}×", ratio(one))))
            .collect();
        writeln!(text, "| {label} | {wanted} | {} |", cells.join(" | "))
    };
    row("memory per device, few", "≤ 1×", &|one| {
        one.resident_few as f64 / bare.resident_few as f64
    })?;
    row("memory per device, many", "≤ 1×", &|one| {
        one.resident_many as f64 / bare.resident_many as f64
    })?;
    row("texts out per second", "≥ 0.25×", &|one| {
        one.work.texts_per_second / bare.work.texts_per_second
    })?;
    row("processor time per text out", "≤ 4×", &|one| {
        one.work.cpu_per_text.as_secs_f64() / bare.work.cpu_per_text.as_secs_f64()
    })?;
    row("texts in per second", "≥ 0.25×", &|one| {
        one.work.incoming_per_second / bare.work.incoming_per_second
    })?;
    row("processor time to connect again", "≤ 2×", &|one| {
        one.reconnect_cpu.as_secs_f64() / bare.reconnect_cpu.as_secs_f64()
    })?;
    if let Some(baileys) = find("baileys") {
        row("texts out per second, against Baileys", "≥ 3×", &|one| {
            one.work.texts_per_second / baileys.work.texts_per_second
        })?;
    }
    Ok(())
}

fn title(name: &str) -> &str {
    match name {
        "bare" => "bare client",
        "baileys" => "Baileys 7",
        "kabar-sqlite" => "Kabar, SQLite",
        "kabar-postgres" => "Kabar, Postgres",
        other => other,
    }
}

fn whole(value: f64) -> String {
    format!("{value:.0}")
}

fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1000.0)
}

fn optional(cell: Option<String>) -> String {
    cell.unwrap_or_else(|| "–".to_owned())
}

fn machine() -> String {
    let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpu
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown processor", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let cores = cpu.lines().filter(|line| line.starts_with("processor")).count();
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let kilobytes: u64 = memory
        .split_whitespace()
        .nth(1)
        .and_then(|kilobytes| kilobytes.parse().ok())
        .unwrap_or_default();
    let told = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output().ok();
        output
            .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
            .unwrap_or_default()
    };
    let (date, rust, node) = (
        told("date", &["-u", "+%Y-%m-%d"]),
        told("rustc", &["--version"]),
        told("node", &["--version"]),
    );
    format!(
        "{date}, {model}, {cores} cores, {} GB; {rust}, Node {node}.",
        kilobytes / 1_000_000
    )
}
