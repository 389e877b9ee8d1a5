//! A plan that does not hold, made smaller, and told on two screens.

use std::path::{Path, PathBuf};

use super::pages::{LINES_MAX, cut, folded, keep, replay_command, seed_command, wrapped};
use super::{Check, CheckError, CheckFailure};
use crate::explore::apart::{Apart, apart};
use crate::explore::command;
use crate::explore::experiments::Prepared;
use crate::explore::explain::explain;
use crate::explore::loss::name_lost;
use crate::explore::recording::{Recording, highlight};
use crate::explore::report::headline;
use crate::explore::run::{Outcome, run_plan};
use crate::explore::shrink::{InProcess, Shrinker, Shrunk, Until};
use crate::explore::signature::Signature;
use crate::explore::story::{in_values, observations};
use crate::explore::unprovoked::Unprovoked;
use crate::explore::viewing::{UNASKED_MAX, run_for_view};
use crate::oracle::Verdict;
use crate::plan::{Environment, Plan};
use crate::render::Options;
use crate::render::text::diagram;

/// How many rows of a diagram are told; all of it is in its file.
const ROWS_TOLD: usize = 12;

/// Where a plan is from that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The check drew it, from its seed.
    Drawn,
    /// Somebody handed it in: no seed of the check need give it.
    Given,
}

/// A failure, as it is told.
struct Told<'a> {
    plan: &'a Plan,
    drawn: &'a Plan,
    origin: Origin,
    prepared: &'a Prepared,
    verdict: &'a Verdict,
    /// How it was made smaller, where it was.
    shrunk: Option<&'a Shrunk>,
    /// Where two runs of it part, where they do.
    apart: Option<&'a Apart>,
    is_repeatable: bool,
}

impl Check {
    /// What is wrong without any failure, as it is told.
    pub(super) fn unprovoked(&self, unprovoked: &Unprovoked) -> CheckError {
        let text = format!("{}: {unprovoked}", self.workload);
        let rows = wrapped(&[text]);
        CheckError::Unprovoked(rows[..rows.len().min(LINES_MAX)].join("\n"))
    }

    /// What is wrong with a plan that does not hold: that its runs differ, where they do.
    pub(super) fn violated(&self, drawn: &Plan, origin: Origin, verdict: Verdict) -> CheckError {
        let prepared = match self.experiments.prepare(&drawn.job) {
            Ok(prepared) => prepared,
            Err(error) => return CheckError::experiment(error),
        };
        let run = |plan: &Plan, prepared: &Prepared| run_plan(plan, prepared, self.world, ()).0;
        let (one, two) = (run(drawn, &prepared), run(drawn, &prepared));
        let is_repeatable = one == two && one.verdict == verdict;
        if !is_repeatable {
            return self.not_repeatable(drawn, origin, &prepared, &verdict);
        }
        let shrunk = self.shrunk(drawn);
        let plan = shrunk.as_ref().map_or(drawn, |shrunk| &shrunk.plan);
        let Ok(prepared) = self.experiments.prepare(&plan.job) else {
            return CheckError::usage(format!(
                "there is no job of the plan of seed {}",
                drawn.seed
            ));
        };
        let Outcome { mut verdict, .. } = run(plan, &prepared);
        name_lost(plan, &prepared, self.world, &mut verdict);
        let (verdict, shrunk) = (&verdict, shrunk.as_ref());
        let (prepared, apart) = (&prepared, None);
        self.failure(&Told { plan, drawn, origin, prepared, verdict, shrunk, apart, is_repeatable })
    }

    /// What is wrong with a plan two runs of which differ.
    pub(super) fn not_repeatable(
        &self,
        plan: &Plan,
        origin: Origin,
        prepared: &Prepared,
        verdict: &Verdict,
    ) -> CheckError {
        let seen = || observations(plan, prepared, self.world);
        let apart = apart(&seen(), &seen(), &seen());
        let (drawn, apart) = (plan, apart.as_ref());
        let (shrunk, is_repeatable) = (None, false);
        self.failure(&Told { plan, drawn, origin, prepared, verdict, shrunk, apart, is_repeatable })
    }

    fn shrunk(&self, plan: &Plan) -> Option<Shrunk> {
        let (experiments, world, until) = (&*self.experiments, self.world, Until::default());
        let runner = InProcess { experiments, world, is_twice: false, until };
        let shrinker = Shrinker { runner: &runner, jobs: self.threads, runs_max: self.shrink_runs };
        (self.shrink_runs > 0).then(|| shrinker.shrink(plan, &|| false, |_| {}).ok()).flatten()
    }

    fn failure(&self, told: &Told<'_>) -> CheckError {
        let Told { plan, drawn, prepared, verdict, is_repeatable, .. } = *told;
        let recording = Recording::default();
        let _ = run_plan(plan, prepared, self.world, recording.clone());
        let events = recording.take();
        let drawing = |rows_max| {
            let highlight = if is_repeatable { highlight(verdict) } else { None };
            diagram(&events, &Options { highlight, rows_max, ..Options::default() })
        };
        let all = drawing(Options::default().rows_max);
        let kept = self.kept(told, &all);
        let mut lines = self.lines(told, &kept);
        lines.push(String::new());
        let room = LINES_MAX.saturating_sub(lines.len());
        if is_repeatable {
            lines.extend(cut(&drawing(ROWS_TOLD), room));
        }
        lines.truncate(LINES_MAX);
        CheckError::Violated(Box::new(CheckFailure {
            plan: plan.clone(),
            drawn: drawn.clone(),
            verdict: verdict.clone(),
            is_repeatable,
            text: lines.join("\n"),
        }))
    }

    /// Everything but the diagram.
    fn lines(&self, told: &Told<'_>, kept: &Result<PathBuf, String>) -> Vec<String> {
        let Told { plan, drawn, origin, prepared, verdict, shrunk, apart, is_repeatable } = *told;
        let (mut rows, mut lines) = (Vec::new(), Vec::new());
        if is_repeatable {
            rows = wrapped(&[headline(verdict, &plan.scenario, drawn.seed)]);
            rows.push(String::new());
            lines.extend(in_values(plan, prepared, self.world, verdict));
            lines.extend(explained(plan, prepared, verdict));
        } else {
            let place = format!("{}, seed {}", plan.scenario, drawn.seed);
            lines.push(format!("not deterministic ({place}): two runs of one plan differ"));
            lines.extend(apart.map(ToString::to_string));
        }
        lines.extend(shrunk.map(|Shrunk { before, after, runs, .. }| {
            format!("shrunk       from {before}; to {after}; in {runs} runs")
        }));
        rows.extend(wrapped(&lines));
        rows.push(String::new());
        let seed = (origin == Origin::Drawn).then(|| seed_command(drawn.seed, self.world));
        let (replay, where_it_is) = match kept {
            Ok(dir) => {
                let (plan, dir) = (dir.join("plan.json"), dir.display());
                let files = "plan.json, drawn.json, diagram.txt, view.html";
                (Some(self.replay_command(&plan)), format!("kept in      {dir}: {files}"))
            }
            Err(why) => (None, format!("nothing is kept of it: {why}")),
        };
        let commands: Vec<String> =
            replay.into_iter().chain(seed).map(|parts| folded(&parts)).collect();
        rows.extend(commands.iter().flat_map(|command| command.lines()).map(str::to_owned));
        rows.extend(wrapped(&[where_it_is]));
        rows
    }

    /// The command that runs a plan again: of the program in which the job is registered, or of this test.
    fn replay_command(&self, plan: &Path) -> Vec<String> {
        if self.is_registered {
            let program = command::replay("cargo run --", plan, self.world);
            let flags = command::build_flags(self.world).map(str::to_owned);
            flags.into_iter().chain([program]).collect()
        } else {
            replay_command(plan, self.world)
        }
    }

    /// Keeps the plan with what is known of it.
    fn kept(&self, told: &Told<'_>, diagram: &str) -> Result<PathBuf, String> {
        let Told { plan, drawn, prepared, .. } = *told;
        let file = |plan: &Plan, prepared: &Prepared| {
            plan.to_json_in(&Environment::of_plan(plan), &prepared.shape(&plan.job))
        };
        let large = self.experiments.prepare(&drawn.job).map_err(|error| error.to_string())?;
        let command = self.replay_command(Path::new("plan.json")).join(" ");
        let (_, view) = run_for_view(plan, prepared, self.world, UNASKED_MAX, &command);
        keep(
            &self.out,
            &[
                ("plan.json", file(plan, prepared)),
                ("drawn.json", file(drawn, &large)),
                ("diagram.txt", diagram.to_owned()),
                ("view.html", view.html()),
            ],
        )
    }
}

/// What was done, what was expected, and where it shows.
fn explained(plan: &Plan, prepared: &Prepared, verdict: &Verdict) -> Vec<String> {
    let Some(signature) = Signature::of(verdict) else { return Vec::new() };
    let topology = prepared.experiment.job.topology();
    let [done, expected, _, _, place] =
        explain(plan, topology, &signature, verdict.violations().first());
    let aligned = |line: String| match line.split_once(':') {
        Some((what, text)) => format!("{what:<13}{}", text.trim_start()),
        None => line,
    };
    [done, expected, place].map(aligned).to_vec()
}
