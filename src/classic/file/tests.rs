//! What is read, and what is refused with its line.

use super::*;
use crate::classic::Workload;

const TOPOLOGY: &str = "# two\n2\n\nN1 1\nN2 0\nN1 N2\nN2 N1\n";

fn refused(text: &str) -> String {
    topology(text, Workload::Tokens).expect_err("it is wrong").to_string()
}

fn refused_events(text: &str) -> String {
    let system = topology(TOPOLOGY, Workload::Tokens).expect("it is right");
    events(text, &system.graph).expect_err("it is wrong").to_string()
}

#[test]
fn a_topology_is_read() {
    let system = topology(TOPOLOGY, Workload::Tokens).expect("it is right");
    assert_eq!(system.tokens, [1, 0]);
    let shown: Vec<_> =
        system.graph.channels().map(|channel| system.graph.shown(channel).to_string()).collect();
    assert_eq!(shown, ["N1->N2", "N2->N1"]);
}

#[test]
fn a_wrong_topology_is_refused_with_its_line() {
    assert_eq!(refused(""), "1: expected the number of processes");
    assert_eq!(refused("N1 1"), "1: \"N1 1\": expected the number of processes");
    assert_eq!(refused("0"), "1: no processes: expected at least one");
    assert_eq!(refused("-1"), "1: \"-1\": expected a number of processes, at most 1000");
    assert_eq!(refused("2\nN1 1\n"), "2: 1 processes: expected 2, as said at the top");
    assert_eq!(refused("1\nN1\n"), "2: \"N1\": expected a process and its tokens");
    let taken = refused("2\nN1 1\nN1 2\n");
    assert_eq!(taken, "3: N1 is there already: expected a name of its own for each process");
    assert!(refused("1\nN1 x\n").starts_with("2: \"x\": expected a number of tokens"));
    assert_eq!(refused("1\nN1 1\nN1 N2\n"), "3: unknown process \"N2\"");
    let twice = refused(&format!("{TOPOLOGY}N1 N2\n"));
    assert!(twice.starts_with("8: a channel leads from N1 to N2 already"), "{twice}");
    let one_way = topology("2\nN1 1\nN2 1\nN1 N2\n", Workload::Locks).expect_err("no way back");
    assert!(one_way.to_string().starts_with("1: N1->N2 has no channel back"), "{one_way}");
}

#[test]
fn wrong_events_are_refused_with_their_line() {
    let expected = "expected send FROM TO N, snapshot PROCESS…, tick, or tick N";
    assert_eq!(refused_events("tick\nsnd N1 N2 1"), format!("2: \"snd N1 N2 1\": {expected}"));
    assert_eq!(refused_events("snapshot"), format!("1: \"snapshot\": {expected}"));
    let unknown = "1: unknown process \"N3\": expected one of the topology";
    assert_eq!(refused_events("snapshot N3"), unknown);
    let no_channel = "1: no channel leads from N1 to N1: expected one of the topology";
    assert_eq!(refused_events("send N1 N1 1"), no_channel);
    assert!(refused_events("send N1 N2 -3").contains("expected a number of tokens"));
    assert!(refused_events("tick 9999999").contains("expected a number of ticks, at most 1000000"));
    let system = topology("2\nN1 1\nN2 1\nN1 N2\n", Workload::Tokens).expect("it is right");
    let lonely = events("snapshot N2", &system.graph).expect_err("N1 is never reached");
    assert!(lonely.to_string().contains("no way leads to N1"), "{lonely}");
    assert!(events("snapshot N1\nsnapshot N2 N1", &system.graph).is_ok());
}

#[test]
fn a_snapshot_is_read_as_it_was_written() {
    let text = "7\nN1 4\nN2 0\nN1 N2 token(3)\nN1 N2 token(1)\n";
    assert_eq!(snap(text).expect("it is right").to_string(), text);
    let wrong = snap("7\nN1 N2 tokn(3)\n").expect_err("no such message");
    assert_eq!(wrong.to_string(), "2: \"tokn(3)\": expected a message such as token(3)");
    assert!(
        snap("N1 4\n").expect_err("no id").to_string().starts_with("1: \"N1 4\": expected an id")
    );
    assert_eq!(snap("").expect_err("nothing").to_string(), "1: expected the id of a snapshot");
}
