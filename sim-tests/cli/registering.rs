//! Jobs of one's own by name: what a registry takes, and what it says of the rest.

use cutwater::explore::{Check, CheckError, Registry, RegistryError, ScenarioOrigin};
use cutwater::plan::{Name, Plan};
use cutwater::workload::{Workload, WorkloadSettings};

use super::check::{built_in, forgetful, refused, registry};

#[test]
fn a_registry_holds_each_name_once_and_names_that_are_names() {
    let twice = registry().with(Workload::new("forgetful", forgetful));
    assert_eq!(
        twice.check().map_err(|error| error.to_string()),
        Err("two workloads are called \"forgetful\": expected each name once".to_owned())
    );
    let taken = Registry::built_in().with(Workload::new("relay", forgetful));
    assert!(taken.check().is_err_and(|error| error.to_string().contains("\"relay\"")));
    let wrong = Registry::new().with(Workload::new("My Job", forgetful));
    assert!(wrong.check().is_err_and(|error| error.to_string().contains("lower case letters")));
    let long = Registry::new().with(Workload::new("x".repeat(60), forgetful));
    assert!(long.check().is_err_and(|error| error.to_string().contains("at most 48")));
    let foreign = registry().with_scenario(built_in("calm"));
    assert!(foreign.check().is_err_and(|error| error.to_string().contains("unknown workload")));
}

#[test]
fn a_usual_scenario_has_its_name_alone() {
    let library = Registry::built_in().with(Workload::new("unaligned", forgetful));
    let of_library = twice_called("unaligned", ScenarioOrigin::Library, "unaligned");
    assert_eq!(library.check(), Err(of_library));
    let of = |name| Workload::new(name, forgetful).single_split();
    let (one, other) = (|| of("forgetful"), || of("forgetful-unaligned"));
    let twice = |one, other| Err(twice_called("forgetful-unaligned", usual_of(one), other));
    let usual = Registry::new().with(one()).with(other());
    assert_eq!(usual.check(), twice("forgetful", "forgetful-unaligned"));
    let told = usual.check().map_err(|error| error.to_string());
    assert_eq!(
        told,
        Err("two scenarios are called \"forgetful-unaligned\", the usual one of workload \"forgetful\" and \
             the usual one of workload \"forgetful-unaligned\": expected each name once"
            .to_owned())
    );
    let usual = Registry::new().with(other()).with(one());
    assert_eq!(usual.check(), twice("forgetful-unaligned", "forgetful"), "in either order");
    let apart = Registry::new().with(one()).with(of("forgetful-rescaled"));
    assert_eq!(apart.check(), Ok(()), "it cannot be rescaled: there is no such scenario");
    let mut given = apart.scenario("forgetful").expect("a usual one").clone();
    given.name = Name::literal("forgetful-unaligned");
    let given = Registry::new().with(one()).with(other()).with_scenario(given);
    assert_eq!(given.check(), Ok(()), "it takes the place of both");
}

/// Two scenarios have this name; the second is a usual one of this workload.
fn twice_called(name: &str, one: ScenarioOrigin, workload: &str) -> RegistryError {
    RegistryError::ScenarioTwice { name: name.to_owned(), one, other: usual_of(workload) }
}

fn usual_of(workload: &str) -> ScenarioOrigin {
    ScenarioOrigin::Usual { workload: workload.to_owned() }
}

/// A job whose size decides whether it can be made.
fn picky(settings: &WorkloadSettings) -> bool {
    assert!(settings.records != Some(7), "seven is too much for me");
    true
}

#[test]
fn a_function_that_panics_is_told_with_its_workload_and_place() {
    let registry = Registry::new().with(Workload::new("broken", |_| panic!("nobody made me")));
    let told = refused(Check::registered(registry.clone(), "broken"));
    let words = "workload broken: the function that makes it panicked: nobody made me, at ";
    assert!(told.starts_with(words) && told.contains("registering.rs:"), "{told}");
    let usual = registry.scenario_names();
    assert_eq!(usual, ["broken"], "so that running it says why");
    let picky =
        |settings: &WorkloadSettings| picky(settings).then(|| forgetful(settings)).expect("");
    let registry = Registry::new().with(Workload::new("picky", picky).single_split());
    let check = Check::registered(registry, "picky").expect("its usual size can be made");
    let mut plan: Plan = check.plan(0).expect("it can be drawn");
    plan.job.records = Some(7);
    let told = check.judge(&plan).expect_err("it panics");
    assert!(
        matches!(&*told, CheckError::Usage(problem) if problem.contains("seven is too much")),
        "{told}"
    );
}
