//! Runs the walk-throughs in `fixtures/walkthroughs/`: the protocol as commented data.
//!
//! `UPDATE_WALKTHROUGHS=1 cargo test --test protocol walkthroughs` rewrites what is expected. A rewritten
//! expectation is a claim about the protocol: read the difference before it is committed.

mod commands;
mod processes;
mod rescaling;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use cutwater::protocol::{Defect, DefectSet};

use crate::script::{Script, Step};
use commands::Stage;

/// Defects that change no walk-through, by the reason: mostly, where their site is.
const SHOWN_NOWHERE: &[(&str, &[Defect])] = &[
    (
        "in the task of a worker: its queues, buffers and user code; no walk-through shows them yet",
        &[
            Defect::PositionAfterNextRecord,
            Defect::UnreadNotCaptured,
            Defect::OpenBufferNotCaptured,
            Defect::BarrierBeforeOpenBuffer,
            Defect::RestoredRestForgotten,
            Defect::AbortedOvertakes,
            Defect::SupersededOvertakes,
            Defect::AbortedCaptureKept,
            Defect::OffsetCommittedEarly,
            Defect::NewestPositionCommitted,
            Defect::MessagesAcknowledgedOnDelivery,
            Defect::PrefetchedInPosition,
            Defect::NoFlushAtBarrier,
            Defect::ReconnectLossUnnoticed,
            Defect::FinishedBeforeCommitted,
            Defect::PositionMovedByStop,
            Defect::WatermarkOvertakesBacklog,
            Defect::BarrierOvertakesWatermark,
            Defect::EmptyChannelStateRefused,
            Defect::RepeatedAssignmentTaken,
        ],
    ),
    (
        "in the coordinator's process: savepoints, rescales, enumerators, stores in trouble; no walk-through shows them yet",
        &[
            Defect::CorruptReadAccepted,
            Defect::SavepointTakenForLeftover,
            Defect::SavepointSettlesSplits,
            Defect::VanishedSinkForgotten,
            Defect::SourcesBeforeEnumerator,
            Defect::EnumeratorOfAbortedSnapshots,
            Defect::ForwardStateDealtOut,
        ],
    ),
    (
        "in a store or the sink target in trouble; no walk-through has any yet",
        &[
            Defect::RolledBackReopens,
            Defect::TimedOutReopens,
            Defect::RefusedCommitForgotten,
            Defect::RefusedCommitGivenUp,
            Defect::AnsweredBeforeSynced,
        ],
    ),
    (
        "in a ready-made sink over an external system, which no walk-through has",
        &[
            Defect::RefusedFlushAcknowledged,
            Defect::RefusedCommitConfirmed,
            Defect::ExpiredCommitDropped,
            Defect::EpochKeptAfterCommit,
            Defect::LingeringTransactionsLeft,
            Defect::PromisedAbortedAtOpen,
            Defect::PooledIdRecycledEarly,
            Defect::StagedFileOverwritten,
            Defect::CommitRepeatedUnasked,
            Defect::CommitterIdentityLost,
            Defect::LastFilesForgotten,
            Defect::ConflictTakenForSuccess,
            Defect::CommittedBranchTakenForLost,
            Defect::PreparedRolledBackAtOpen,
            Defect::CompletedUploadTakenForLost,
            Defect::ObjectNameReused,
            Defect::WaitingRowsForgotten,
            Defect::MessageNamedByAttempt,
            Defect::DeduplicationNumberReset,
            Defect::OnlyNewestRestored,
            Defect::CommitRetryForgotten,
            Defect::DeletesNotWritten,
            Defect::NothingUndone,
            Defect::UndoAppliedTwice,
            Defect::LeftBranchesKept,
            Defect::LeftUploadsKept,
        ],
    ),
    (
        "in the dataflow, below the protocol: sources, timers and watermarks",
        &[
            Defect::EmptyEpochResetsPosition,
            Defect::BatchPositionOnly,
            Defect::TimersNotRestored,
            Defect::FiredTimerInSnapshot,
            Defect::SilentInputIgnored,
            Defect::EndedInputHoldsWatermark,
        ],
    ),
    (
        "in the operators, which are user code: windows, deduplication, requests, lists of subtasks",
        &[
            Defect::MergingSessionsNotSnapshotted,
            Defect::MergedSessionForgotten,
            Defect::MergedTimerLost,
            Defect::WindowPurgedWhenGiven,
            Defect::DuplicateMovesExpiry,
            Defect::AnsweredNotSnapshotted,
            Defect::SnapshotWhileQueueFull,
            Defect::RestoredRequestsNotCounted,
            Defect::UnionListNotPruned,
            Defect::BroadcastNotCopied,
            Defect::JoinWaitsSwapped,
            Defect::LastAnswersNotAwaited,
            Defect::ReducedReplaced,
            Defect::UnchangedNotAccumulated,
            Defect::MessageIdsNotSnapshotted,
            Defect::DrainedBesideRequests,
            Defect::StopKnownFromTrigger,
        ],
    ),
    (
        "between two versions of a job, which no walk-through has",
        &[Defect::StateFoundByPlace, Defect::RenamedStateDropped],
    ),
    (
        "in the enumerator, whose state machine has tests of its own beside these",
        &[
            Defect::SplitsDiscoveredAgain,
            Defect::GatewayLeftOpen,
            Defect::LostEventUnnoticed,
            Defect::SplitsNotReturned,
            Defect::CheckpointedSplitsReturned,
            Defect::RestoredEnumeratorSilent,
            Defect::DiscoveredSplitsForgotten,
            Defect::KnownSplitsForgotten,
            Defect::MissingSplitTakenForRemoved,
            Defect::DiscoveryNotResumed,
            Defect::SplitReleasedAtItsEnd,
        ],
    ),
    (
        "walk-throughs trigger by command: they have no clock that could be set back",
        &[Defect::ClockSetBackStopsTriggers, Defect::ExpiresEarly],
    ),
    (
        "takes what waits in the gate behind the barrier, and walk-throughs deliver one by one",
        &[Defect::LogStoppedLate, Defect::BehindBarrierCaptured],
    ),
];

#[test]
fn every_walkthrough_holds() {
    let update = std::env::var_os("UPDATE_WALKTHROUGHS").is_some();
    let mut failures = Vec::new();
    for path in walkthroughs(&folder()).unwrap_or_else(|trouble| panic!("{trouble}")) {
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
        match check(&text, DefectSet::NONE) {
            Ok(actual) if update => {
                fs::write(&path, actual.render())
                    .unwrap_or_else(|error| panic!("{path:?}: {error}"));
            }
            Ok(actual) => failures.extend(difference(&text, &actual, &path)),
            Err(trouble) => failures.push(format!("{}:{trouble}", path.display())),
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n\n"));
}

#[test]
fn every_walkthrough_says_what_it_shows() {
    for path in walkthroughs(&folder()).unwrap_or_else(|trouble| panic!("{trouble}")) {
        let script = read(&path);
        assert!(script.opens_with_comment(), "{}: opens without a comment", path.display());
    }
}

#[test]
fn the_protocol_document_links_every_walkthrough() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/PROTOCOL.md");
    let text = fs::read_to_string(&document).expect("the document is there");
    for path in walkthroughs(&folder()).unwrap_or_else(|trouble| panic!("{trouble}")) {
        let name = path.file_name().and_then(|name| name.to_str()).expect("a plain name");
        let linked = text.contains(&format!("(../fixtures/walkthroughs/{name})"));
        assert!(linked, "docs/PROTOCOL.md does not link {name}");
    }
}

/// A defect that changes no walk-through is a rule that none of them shows, or one that no walk-through can show:
/// then the list says why.
#[test]
fn every_defect_changes_a_walkthrough_or_is_excused() {
    let scripts = walkthroughs(&folder()).unwrap_or_default();
    let scripts: Vec<_> = scripts.iter().map(|path| read(path)).collect();
    let right: Vec<_> = scripts.iter().map(|script| play(script, DefectSet::NONE)).collect();
    let mut complaints = Vec::new();
    for defect in Defect::all() {
        let mut played = scripts.iter().zip(&right);
        let is_shown = played.any(|(script, right)| is_changed_by(defect, script, right));
        let is_excused = SHOWN_NOWHERE.iter().any(|(_, excused)| excused.contains(&defect));
        match (is_shown, is_excused) {
            (false, false) => complaints.push(format!("no walk-through notices {defect}")),
            (true, true) => complaints.push(format!("{defect} is excused, and is shown")),
            (true, false) | (false, true) => {}
        }
    }
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn an_unknown_command_fails_with_its_line() {
    let text = "# What.\njob a -> sink\n----\n\nemitt a 1\n----\n";
    let trouble = check(text, DefectSet::NONE).expect_err("there is no such command");
    assert_eq!(trouble, "5: unknown command \"emitt a 1\"");
}

#[test]
fn a_wrong_expectation_fails_with_its_line() {
    let text = "# What.\njob a -> sink\nemit a 1\n----\n> a: 2\n";
    let actual = check(text, DefectSet::NONE).expect("the commands are fine");
    let told = difference(text, &actual, Path::new("x.txt")).expect("1 is not 2");
    assert!(told.starts_with("x.txt:5: expected"), "{told}");
}

#[test]
fn a_block_without_a_rule_fails_with_its_line() {
    let trouble = check("# What.\njob a -> sink\n", DefectSet::NONE).expect_err("no rule");
    assert!(trouble.starts_with("2: "), "{trouble}");
}

#[test]
fn an_empty_folder_fails() {
    let empty = Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-walkthroughs");
    fs::create_dir_all(&empty).expect("the target folder is writable");
    assert!(walkthroughs(&empty).is_err(), "nothing to run is a failure");
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/walkthroughs")
}

/// The walk-throughs of a folder in reading order; none at all is an error.
fn walkthroughs(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    paths.sort();
    if paths.is_empty() {
        return Err(format!("{}: no walk-through", folder.display()));
    }
    Ok(paths)
}

fn read(path: &Path) -> Script {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    Script::parse(&text).unwrap_or_else(|trouble| panic!("{}:{trouble}", path.display()))
}

/// The walk-through with what its commands lead to, or the line that cannot be carried out.
fn check(text: &str, defects: DefectSet) -> Result<Script, String> {
    play(&Script::parse(text)?, defects)
}

fn play(script: &Script, defects: DefectSet) -> Result<Script, String> {
    let mut stage = Stage::with_defects(defects);
    let mut played = script.clone();
    for step in &mut played.steps {
        step.expected = run(&mut stage, step)?;
    }
    Ok(played)
}

fn run(stage: &mut Stage, step: &Step) -> Result<Vec<String>, String> {
    let mut lines = Vec::new();
    for (number, command) in &step.commands {
        lines.extend(stage.run(command).map_err(|trouble| format!("{number}: {trouble}"))?);
    }
    Ok(lines)
}

/// The first line at which the two part, with what surrounds it.
fn difference(text: &str, actual: &Script, path: &Path) -> Option<String> {
    let expected = Script::parse(text).ok()?;
    let mut steps = expected.steps.iter().zip(&actual.steps);
    let (step, actual) = steps.find(|(step, actual)| step.expected != actual.expected)?;
    let same = step.expected.iter().zip(&actual.expected).take_while(|(a, b)| a == b).count();
    let line = step.expected_at + same;
    let wanted = step.expected.get(same).map_or("nothing more", String::as_str);
    let got = actual.expected.get(same).map_or("nothing more", String::as_str);
    let whole = actual.expected.join("\n");
    let path = path.display();
    Some(format!("{path}:{line}: expected `{wanted}`, got `{got}`; the whole block:\n{whole}"))
}

/// Whether the defect shows: in what is said, in a command that no longer applies, or in an assertion.
fn is_changed_by(defect: Defect, script: &Script, right: &Result<Script, String>) -> bool {
    let wrong = catch_unwind(AssertUnwindSafe(|| play(script, DefectSet::only(defect))));
    wrong.map_or(true, |wrong| wrong != *right)
}
