//! What a person sees: one line when a step begins, one when it ends, and plain words in between.

use std::fmt::Write as _;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

fn coloured() -> bool {
    std::env::var_os("NO_COLOR").is_none() && std::io::stderr().is_terminal()
}

fn paint(code: &str, text: &str) -> String {
    if coloured() {
        format!("\x1b[{code}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

/// A step among several: `[2/5] Console: compile to WebAssembly`.
#[derive(Debug)]
pub struct Step {
    started: Instant,
}

impl Step {
    pub fn begin(number: usize, of: usize, title: &str) -> Self {
        eprintln!("{} {}", paint("36;1", &format!("[{number}/{of}]")), paint("1", title));
        Self {
            started: Instant::now(),
        }
    }

    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    pub fn done(&self, what: &str) {
        let shown = duration(self.elapsed());
        eprintln!(
            "      {} {what} {}",
            paint("32", "✓"),
            paint("2", &format!("({shown})"))
        );
    }
}

/// A remark below the current step.
pub fn note(text: &str) {
    for line in text.lines() {
        eprintln!("      {line}");
    }
}

pub fn warn(text: &str) {
    let mut lines = text.lines();
    eprintln!("{} {}", paint("33;1", "warning:"), lines.next().unwrap_or_default());
    for line in lines {
        eprintln!("         {line}");
    }
}

pub fn failed(text: &str) {
    eprintln!("{} {text}", paint("31;1", "error:"));
}

/// `850 ms`, `12.3 s`, `4 min 05 s`.
pub fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    let mut shown = String::new();
    let written = if seconds >= 60 {
        write!(shown, "{} min {:02} s", seconds / 60, seconds % 60)
    } else if seconds >= 1 {
        write!(shown, "{:.1} s", time.as_secs_f64())
    } else {
        write!(shown, "{} ms", time.as_millis())
    };
    debug_assert!(written.is_ok(), "writing to a String cannot fail");
    shown
}

/// `1.2 MB`, `340 kB`.
pub fn size(bytes: u64) -> String {
    if bytes >= 1_000_000 {
        format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000)
    } else {
        format!("{} kB", bytes.div_ceil(1000))
    }
}

#[cfg(test)]
mod tests {
    use super::{duration, size};
    use std::time::Duration;

    #[test]
    fn times_and_sizes_read_naturally() {
        assert_eq!(duration(Duration::from_millis(850)), "850 ms");
        assert_eq!(duration(Duration::from_millis(12_340)), "12.3 s");
        assert_eq!(duration(Duration::from_secs(245)), "4 min 05 s");
        assert_eq!(size(340_000), "340 kB");
        assert_eq!(size(1_250_000), "1.2 MB");
    }
}
