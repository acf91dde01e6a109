//! Kabar beside two rivals doing the same work against the same sandbox; started by `cargo xtask bench`.
//!
//! Every contestant is a process of its own, gets a fresh `kabar-sandbox`, and is measured from outside, through /proc.
//! Contestants run one after the other.

// An optimised build lays out the futures of the whole schema at once.
#![recursion_limit = "256"]
#![expect(
    clippy::cast_precision_loss,
    reason = "counts and bytes of a benchmark are far below 2^52"
)]

mod contestant;
mod network;
mod protection;
mod report;
mod rounds;

use std::path::PathBuf;

use anyhow::{Context, Result};
use tests::{Kind, TestDatabase};

use contestant::{Contestant, KabarContestant, Rival};
use network::SandboxProcess;
use protection::Extent;
use report::{Results, Work};
use rounds::{Round, Size};

/// Arguments: the folder of the built programs, the file to write, `quick` for a trial, `idle`, `work` or `protection` for
/// one round alone, and the contestants.
fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let programs = PathBuf::from(
        arguments
            .next()
            .context("usage: bench PROGRAMS REPORT [quick] [idle|work|protection] [NAME…]")?,
    );
    let report = PathBuf::from(
        arguments
            .next()
            .context("usage: bench PROGRAMS REPORT [quick] [idle|work|protection] [NAME…]")?,
    );
    let (quick, words): (Vec<String>, Vec<String>) = arguments.partition(|word| word == "quick");
    let (only, named): (Vec<String>, Vec<String>) = words
        .into_iter()
        .partition(|word| ROUNDS.iter().any(|(name, _)| word == name));
    let rounds: Vec<Round> = ROUNDS
        .into_iter()
        .filter(|(name, _)| only.is_empty() || only.iter().any(|only| only == name))
        .map(|(_, round)| round)
        .collect();
    let size = if quick.is_empty() { Size::FULL } else { Size::QUICK };
    let wanted = |name: &str| named.is_empty() || named.iter().any(|wanted| name.starts_with(wanted.as_str()));

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let results = runtime.block_on(async {
        let contestants: Vec<&'static str> = ["bare", "baileys", "kabar-sqlite", "kabar-postgres"]
            .into_iter()
            .filter(|name| wanted(name))
            .collect();
        let mut results = Vec::new();
        for name in &contestants {
            eprintln!("{name}");
            let measured = measure(name, &programs, &rounds, size).await;
            results.push(measured.with_context(|| (*name).to_owned())?);
        }
        if rounds.contains(&Round::Work) {
            // In turns, so that a slow minute of the machine is everybody's.
            let mut takes: Vec<Vec<Work>> = results.iter().map(|one| vec![one.work.clone()]).collect();
            for _ in 1..rounds::TAKES {
                for (name, takes) in contestants
                    .iter()
                    .zip(&mut takes)
                    .filter(|(name, _)| **name != "baileys")
                {
                    eprintln!("{name}, again");
                    let again = measure(name, &programs, &[Round::Work], size).await;
                    takes.push(again.with_context(|| (*name).to_owned())?.work);
                }
            }
            for (one, takes) in results.iter_mut().zip(takes) {
                one.work = Work::median(&takes);
            }
        }
        anyhow::Ok(results)
    })?;
    let text = report::write(&results, size)?;
    print!("{text}");
    std::fs::write(&report, text).with_context(|| format!("cannot write {}", report.display()))
}

const ROUNDS: [(&str, Round); 3] = [
    ("idle", Round::Idle),
    ("work", Round::Work),
    ("protection", Round::Protection),
];

async fn measure(name: &'static str, programs: &std::path::Path, rounds: &[Round], size: Size) -> Result<Results> {
    let mut results = Results {
        name,
        ..Results::default()
    };
    let rounds = rounds
        .iter()
        .filter(|round| **round != Round::Protection || name.starts_with("kabar"));
    // Idle devices first, then work with few devices in a process that never had more.
    for round in rounds {
        // Kept until the measurement is over.
        let database = match name {
            "kabar-sqlite" => Some(TestDatabase::new(Kind::Sqlite).await?),
            "kabar-postgres" => Some(TestDatabase::durable_postgres().await?),
            _ => None,
        };
        if *round == Round::Protection {
            let measured = protection::measure(database.context("no database")?, Extent::of(size)).await?;
            eprintln!("  protection: {:.1} % of the throughput", measured.share * 100.0);
            results.protection = Some(measured);
            continue;
        }
        let network = SandboxProcess::start(programs).await?;
        let mut contestant = match (name, &database) {
            ("bare", _) => Contestant::Rival(Rival::bare(programs, &network).await?),
            ("baileys", _) => Contestant::Rival(Rival::baileys(&network).await?),
            (_, Some(database)) => {
                Contestant::Kabar(KabarContestant::start(programs, &network, &database.url()).await?)
            }
            _ => anyhow::bail!("unknown contestant"),
        };
        rounds::run(*round, &mut contestant, &network, database.as_ref(), size, &mut results).await?;
    }
    Ok(results)
}
