//! Counts tests from the lines that test runners print.

/// Tests that passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub passed: usize,
    pub failed: usize,
}

impl Count {
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }

    /// Reads `test result: ok. 12 passed; 0 failed; …`, the last line of each of cargo's test binaries.
    pub fn see(&mut self, line: &str) {
        let Some(result) = line.trim_start().strip_prefix("test result: ") else {
            return;
        };
        for part in result.split([';', '.']) {
            let mut words = part.split_whitespace();
            let (Some(number), Some(what)) = (words.next(), words.next()) else {
                continue;
            };
            let Ok(number) = number.parse::<usize>() else { continue };
            match what {
                "passed" => self.passed += number,
                "failed" => self.failed += number,
                _ => {}
            }
        }
    }

    pub fn shown(self) -> Option<String> {
        match (self.passed, self.failed) {
            (0, 0) => None,
            (passed, 0) => Some(format!("{passed} passed")),
            (passed, failed) => Some(format!("{passed} passed, {failed} failed")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Count;

    #[test]
    fn cargos_result_lines_add_up() {
        let mut count = Count::default();
        count.see("running 3 tests");
        count.see("test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.10s");
        count.see("test result: FAILED. 3 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 4.10s");
        assert_eq!(count, Count { passed: 15, failed: 2 });
        assert_eq!(count.shown().as_deref(), Some("15 passed, 2 failed"));
    }
}
