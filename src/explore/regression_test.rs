//! A ready `#[test]` of a plan: Rust source that needs nothing but this library.

use super::signature::Signature;
use crate::plan::{Name, Plan};

/// The source of a test called `name` of this plan, that fails as `signature` says.
///
/// A plan with defects is expected to fail so with them, and to hold without; any other plan to hold,
/// so that its test fails until the bug is gone. The source is formatted as rustfmt does.
///
/// `registry` is the path of the function that makes the registry with its job; none where the job comes with the
/// library.
#[must_use]
pub fn regression_test(
    name: &Name,
    plan: &Plan,
    signature: &Signature,
    registry: Option<&str>,
) -> String {
    let name = identifier(name);
    let property = signature.property();
    let json = plan.to_json();
    let hashes = hashes(&json);
    let run = if *signature == Signature::NotDeterministic { RUN_TWICE } else { RUN };
    let run = match registry {
        Some(place) => run.replace(BUILT_IN, &of_registry(place)),
        None => run.to_owned(),
    };
    let uses = if *signature == Signature::NotDeterministic { USES_TWICE } else { USES };
    let body = if plan.defects.is_empty() { HOLDS.to_owned() } else { fails(signature) };
    format!(
        "//! {property}\n\n\
         {uses}\n\
         #[test]\n\
         fn {name}() {{\n\
         {body}}}\n\n\
         {run}\n\
         const PLAN: &str = r{hashes}\"{json}\"{hashes};\n"
    )
}

/// What is run of what comes with the library.
const BUILT_IN: &str = "    let prepared = Experiments::new().prepare(&plan.job).expect(\"the job is one of ours\");\n";

fn of_registry(place: &str) -> String {
    format!(
        "    let experiments = Experiments::of({place}()).expect(\"the registry is sound\");\n    \
         let prepared = experiments.prepare(&plan.job).expect(\"the job is registered\");\n"
    )
}

const USES: &str = "\
use cutwater::explore::{Experiments, Signature, WorldKind, run_plan};
use cutwater::plan::Plan;
use cutwater::protocol::DefectSet;
";

const HOLDS: &str = "    assert_eq!(fails(DefectSet::NONE), None);\n";

fn fails(signature: &Signature) -> String {
    format!(
        "    let plan = Plan::from_json(\"PLAN\", PLAN).expect(\"the plan is whole\");\n    \
         assert_eq!(fails(plan.defects).as_deref(), Some({:?}));\n    \
         assert_eq!(fails(DefectSet::NONE), None);\n",
        signature.to_string()
    )
}

const RUN: &str = "\
/// How the plan fails with these defects; none when all holds.
fn fails(defects: DefectSet) -> Option<String> {
    let plan = Plan::from_json(\"PLAN\", PLAN).expect(\"the plan is whole\");
    let plan = Plan { defects, ..plan };
    let prepared = Experiments::new().prepare(&plan.job).expect(\"the job is one of ours\");
    let (outcome, _) = run_plan(&plan, &prepared, WorldKind::Kernel, ());
    Signature::of(&outcome.verdict).map(|signature| signature.to_string())
}
";

const USES_TWICE: &str = "\
use cutwater::explore::{Experiments, WorldKind, run_plan};
use cutwater::plan::Plan;
use cutwater::protocol::DefectSet;
";

const RUN_TWICE: &str = "\
/// How the plan fails with these defects: two runs of it differ; none when they do not.
fn fails(defects: DefectSet) -> Option<String> {
    let plan = Plan::from_json(\"PLAN\", PLAN).expect(\"the plan is whole\");
    let plan = Plan { defects, ..plan };
    let prepared = Experiments::new().prepare(&plan.job).expect(\"the job is one of ours\");
    let run = || run_plan(&plan, &prepared, WorldKind::Kernel, ()).0;
    (run() != run()).then(|| \"not-deterministic\".to_owned())
}
";

/// Words that Rust takes for no name. Names here are of lower case letters.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// A name that Rust takes.
fn identifier(name: &Name) -> String {
    let plain = name.replace('-', "_");
    let is_word = plain.starts_with(|c: char| c.is_ascii_alphabetic());
    if is_word && !KEYWORDS.contains(&plain.as_str()) { plain } else { format!("plan_{plain}") }
}

/// As many as a raw string needs around this text.
fn hashes(text: &str) -> String {
    let longest =
        text.split('"').skip(1).map(|rest| rest.len() - rest.trim_start_matches('#').len());
    "#".repeat(longest.max().unwrap_or(0) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_gives_one_that_rust_takes() {
        let cases = [
            ("late-abort", "late_abort"),
            ("7th", "plan_7th"),
            ("-", "plan__"),
            ("loop", "plan_loop"),
        ];
        for (name, expected) in cases {
            assert_eq!(identifier(&Name::literal(name)), expected);
        }
    }
}
