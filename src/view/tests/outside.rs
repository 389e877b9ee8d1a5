//! What a trace from outside may hold, and what the page does with it.

use super::super::markup;
use super::*;

#[test]
fn nothing_in_a_trace_is_markup() {
    let name = format!("</script><script>alert(1)</script>{}", "x".repeat(10_000));
    let mut topology = topology();
    topology.operators[0].name.clone_from(&name);
    let mut tape = Tape::of(topology);
    let reason = "<img src=x onerror=alert(1)>".to_owned();
    tape.on(0, Event::SubtaskFailed { subtask: A, attempt: ONE, reason });
    tape.sent(0, 0);
    let subject =
        Subject { title: "<b>'&\"".to_owned(), command: name.clone(), ..Subject::default() };
    let page = View::new(&tape.events, subject).html();
    assert!(page.contains("<title>&lt;b&gt;&#39;&amp;&quot;</title>"));
    assert!(!page.contains("alert(1)</script>") && !page.contains("<img"));
    assert_eq!(page.matches("<script").count(), 3, "the head, one part, and the page's own");
    assert!(page.len() < 200_000, "a long name is not told again with every event");
}

#[test]
fn the_page_asks_for_nothing_and_is_small() {
    let page = View::new(&[], Subject::default()).html();
    assert!(page.len() <= 150_000, "{} bytes", page.len());
    let script = markup::SCRIPT.concat();
    for word in [
        "fetch(",
        "XMLHttpRequest",
        "WebSocket",
        "import(",
        "innerHTML",
        "eval(",
        "document.write",
        "@import",
        "url(",
    ] {
        assert!(!page.contains(word), "{word}");
    }
    let addresses: Vec<_> =
        script.match_indices("http").map(|(at, _)| &script[at..at + 26]).collect();
    assert_eq!(addresses, ["http://www.w3.org/2000/svg"], "a name and not an address");
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn a_shape_that_names_what_it_has_not_is_none() {
    let mut topology = topology();
    topology.subtasks[1].operator = OperatorId(9);
    let mut tape = Tape::of(topology);
    tape.sent(1, 0);
    tape.sum_snapshot(0, 0);
    let names: Vec<String> = tape.view().lanes.all.into_iter().map(|lane| lane.name).collect();
    assert_eq!(names, ["coordinator", "subtask-2", "worker-0"]);
}

#[test]
fn so_many_checkpoints_and_channels_are_told_as_there_is_room_for() {
    let mut topology = topology();
    topology.channels = (0..50_000).map(|_| topology.channels[0]).collect();
    let mut tape = Tape::of(topology);
    for number in 0..100 {
        let checkpoint = CheckpointId(number);
        tape.at(ProcessId::Coordinator, Event::Triggered { attempt: ONE, checkpoint });
    }
    let checkpoints = tape.view().checkpoints;
    let told = checkpoints.iter().filter(|own| own.is_told).count();
    assert_eq!((checkpoints.len(), told), (100, 79), "4,000,000 subtasks and channels in all");
    assert!(checkpoints.iter().all(|own| own.is_told != own.channels.is_empty()));
}
