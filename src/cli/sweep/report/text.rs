//! The report as people read it.

use std::fmt;
use std::time::Duration;

use strum::IntoEnumIterator as _;

use super::super::super::progress::{rate, ratio};
use super::super::super::table::{Align, Table, count};
use super::{Ended, FailedRun, GroupRow, Pace, Report, Row};
use crate::explore::reach::summary::Unmet;
use crate::explore::report::Unreached;
use crate::plan::FaultFamily;

impl Report {
    fn seeds(&self) -> u64 {
        self.scenarios.iter().map(|row| row.seeds).sum()
    }

    pub(super) fn table(&self) -> Table {
        let families: Vec<FaultFamily> = FaultFamily::iter()
            .filter(|family| self.scenarios.iter().any(|row| row.struck(*family).is_some()))
            .collect();
        let mut columns = vec![("scenario", Align::Left), ("seeds", Align::Right)];
        columns.extend(families.iter().map(|family| (family.into(), Align::Right)));
        columns.extend([
            ("completed", Align::Right),
            ("aborted", Align::Right),
            ("restores", Align::Right),
            ("records", Align::Right),
            ("verdict", Align::Left),
        ]);
        let mut table = Table::new(&columns);
        for row in &self.scenarios {
            let faults = families.iter().map(|family| row.struck(*family));
            let faults = faults.map(|number| number.map(count).unwrap_or_default());
            let counts = [row.completed, row.aborted, row.restores, row.records].map(count);
            let head = [row.name.clone(), count(row.seeds)];
            table.row(head.into_iter().chain(faults).chain(counts).chain([self.verdict(row)]));
        }
        table
    }

    fn verdict(&self, row: &Row) -> String {
        let failed = row.failed().into_iter().filter(|(number, _)| *number > 0);
        let mut said: Vec<String> =
            failed.map(|(number, what)| format!("{number} {what}")).collect();
        for missing in self.unreached.iter().filter(|missing| missing.scenario == row.name) {
            said.push(format!("never {}", missing.class));
        }
        for missing in self.unmet.iter().filter(|missing| missing.scenario == row.name) {
            said.push(format!("never {}", missing.expectation));
        }
        match (said.is_empty(), row.seeds) {
            (true, 0) => "not run".to_owned(),
            (true, _) if row.not_owed > 0 => format!("held, {} not owed", row.not_owed),
            (true, _) => "held".to_owned(),
            (false, _) => said.join(", "),
        }
    }

    fn write_pace(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seeds = count(self.seeds());
        let Some(Pace { seconds, runs, events, virtual_ns, .. }) = self.pace else {
            return writeln!(f, "\n{seeds} seeds, {} events", count(self.total.events));
        };
        let elapsed = Duration::from_secs_f64(seconds);
        let now = match runs == self.seeds() {
            true => String::new(),
            false => format!(", {} of them now", count(runs)),
        };
        writeln!(
            f,
            "\n{seeds} seeds{now} in {seconds:.1} s: {} seeds/s, {} events/s, simulated : wall {} : 1",
            rate(runs, elapsed),
            rate(events, elapsed),
            ratio(virtual_ns, elapsed),
        )
    }

    /// One failure of each signature, and how many there are like it.
    fn write_failures(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut failures = self.failures.as_slice();
        for GroupRow { signature, runs, listed } in &self.groups {
            let (group, rest) = failures.split_at(*listed);
            failures = rest;
            let Some(FailedRun { violated, command, kept, view, .. }) = group.first() else {
                continue;
            };
            writeln!(f, "\n{violated}\n{command}")?;
            if let Some(kept) = kept {
                writeln!(f, "kept in {}", kept.display())?;
            }
            if let Some(view) = view {
                writeln!(f, "view    {}", view.display())?;
            }
            if *runs > 1 {
                writeln!(f, "{} more like it: {signature}", count(*runs as u64 - 1))?;
            }
        }
        Ok(())
    }

    fn write_divergent(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for run in &self.divergent {
            writeln!(f, "\n{}\n{}", run.headline(), run.command)?;
        }
        match self.divergent.iter().find_map(|run| run.parting.as_ref()) {
            Some(parting) => write!(f, "{parting}"),
            None => Ok(()),
        }
    }

    fn write_end(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let missing = count(self.missing);
        match self.ended {
            Ended::Finished => Ok(()),
            Ended::Budget => {
                writeln!(f, "\nthe budget is spent: {missing} runs were not made, and do not count")
            }
            Ended::Plateau { turns } => {
                writeln!(f, "\nnothing new for long: ended after {} turns", count(turns))
            }
            Ended::Interrupted => writeln!(f, "\ninterrupted: the table shows what had been run"),
            Ended::Broken => writeln!(f, "\nbroken off: {missing} runs were not made"),
            Ended::Partial => writeln!(f, "\npartial: {missing} runs are in none of the files"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.table())?;
        self.write_pace(f)?;
        writeln!(f, "reach  {}", self.reach)?;
        self.write_failures(f)?;
        for missing in &self.unreached {
            let Unreached { scenario, class, expected } = missing;
            writeln!(f, "\n{scenario}: {class} never struck, with {expected} expected")?;
        }
        for missing in &self.unmet {
            let Unmet { scenario, expectation, runs } = missing;
            writeln!(f, "\n{scenario}: {expectation} never happened, in {} runs", count(*runs))?;
        }
        for line in &self.contradictions {
            writeln!(f, "\n{line}")?;
        }
        self.write_divergent(f)?;
        self.write_end(f)
    }
}
