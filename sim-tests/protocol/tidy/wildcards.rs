//! No arm for everything else over events, what follows from them, protocol points, messages and timers: a new
//! variant compiles only when every place that could meet it says what it does with it.
//!
//! A function that asks for a few variants by name (a selection) may have one, and so may `matches!` of several
//! variants; each is listed here, so that a new one is seen in review.

use super::{SourceFile, lexer, line_of};

/// The enums, by their last name, wherever they are declared.
const ENUMS: &[&str] = &[
    "Event",
    "Message",
    "ToWorker",
    "ToCoordinator",
    "ToSourceLog",
    "ToSinkTarget",
    "Point",
    "Timer",
    "TaskTimer",
    "SinkTimer",
    "CoordinatorWakeUp",
    "Fact",
];

/// Enums of other worlds that bear the same names: a graph's, and the laboratory's.
const ELSEWHERE: &[&str] = &["src/classic/", "src/lab/", "src/workload/"];

/// Files and functions that select: what they do not name is none of their business, and will never be.
const SELECTIONS: &[(&str, &[&str])] = &[
    // What several ask for, beside the enum.
    ("src/trace/about.rs", &["names_channel"]),
    (
        "src/trace/selections.rs",
        &["shape", "standing", "hindrance", "moves_record", "begins_recovery", "ends_fault"],
    ),
    // The events of records, before all others: the rest goes to a function that knows every event.
    ("src/trace/digest.rs", &["record"]),
    ("src/oracle/judge.rs", &["observe"]),
    // What an oracle listens for; it is told of nothing else.
    ("src/oracle/oracles.rs", &["observe"]),
    // What an oracle judges by, of what follows from events.
    ("src/oracle/causes.rs", &["learn"]),
    ("src/oracle/conservation.rs", &["learn"]),
    ("src/oracle/cut.rs", &["learn"]),
    ("src/oracle/durability.rs", &["learn"]),
    ("src/oracle/event_time.rs", &["learn"]),
    ("src/oracle/lifecycle.rs", &["learn"]),
    ("src/oracle/liveness.rs", &["learn"]),
    ("src/oracle/order.rs", &["learn"]),
    ("src/oracle/output.rs", &["learn"]),
    ("src/oracle/ownership.rs", &["learn"]),
    ("src/oracle/splits.rs", &["learn"]),
    ("src/oracle/state.rs", &["learn"]),
    ("src/oracle/stopped_world.rs", &["learn"]),
    ("src/oracle/termination.rs", &["learn"]),
    // What the job comes to.
    ("src/oracle/course.rs", &["is_told_again", "overhear", "reveal", "follow"]),
    ("src/oracle/course/lives.rs", &["take"]),
    ("src/oracle/course/store.rs", &["take"]),
    ("src/oracle/course/weather.rs", &["take", "strike"]),
    ("src/oracle/course/reign.rs", &["take", "is_of_deposed"]),
    // Words: an event without any is called by its name.
    (
        "src/render/words.rs",
        &[
            "in_channel",
            "of_channel_state",
            "at_subtask",
            "in_time",
            "at_coordinator",
            "at_store",
            "at_sink",
        ],
    ),
    ("src/render/words/faults.rs", &["of_fault"]),
    ("src/render/words/splits.rs", &["of_enumerator"]),
    ("src/render/text/moments.rs", &["ending"]),
    ("src/cli/narrator.rs", &["checkpoint_line", "is_told", "names_subject"]),
    // Who watches a run for something.
    ("src/oracle/liveness/awaited.rs", &["select", "select_of_checkpoint"]),
    ("src/explore/loss/follower.rs", &["select"]),
    ("src/explore/overhead/meter.rs", &["observe"]),
    ("src/explore/reach/impossible.rs", &["of_point"]),
    ("src/explore/reach/lives.rs", &["on_channel", "at_ends", "of_coordinator"]),
    ("src/explore/reach/situations.rs", &["observe", "observe_task"]),
    ("src/view/causes.rs", &["trigger", "send", "in_channel", "outside", "by_coordinator"]),
    ("src/view/checkpoints.rs", &["take", "take_step"]),
    ("src/view/metrics.rs", &["take"]),
    ("src/view/shades.rs", &["take"]),
    ("src/view/wording.rs", &["common"]),
    // Worlds: what ends a run.
    ("src/world/run_state.rs", &["note"]),
    // How far apart faults are aimed, of points that are not otherwise known.
    ("src/plan/draw/aim.rs", &["doublings"]),
];

pub fn complaints(file: &SourceFile) -> Vec<String> {
    let is_elsewhere = ELSEWHERE.iter().any(|folder| file.path.starts_with(folder));
    if is_elsewhere {
        return Vec::new();
    }
    let own = SELECTIONS.iter().filter(|(path, _)| *path == file.path);
    complaints_but(file, &own.flat_map(|(_, names)| *names).copied().collect::<Vec<_>>())
}

/// A list that names a function which selects nothing is stale.
fn complaints_but(file: &SourceFile, selections: &[&str]) -> Vec<String> {
    let code = file.shipped.as_str();
    let names = names_in(code);
    let mut offsets: Vec<_> = matches(code).flat_map(|arms| hidden(&arms, &names)).collect();
    let several = |pattern: &str| pattern.contains('|') && mentions(pattern, &names);
    offsets.extend(questions(code).filter(|(_, asked)| several(asked)).map(|(at, _)| at));
    offsets.sort_unstable();
    let functions = functions(code);
    let home = |at: usize| {
        let inner = functions.iter().rfind(|(_, from, to)| (*from..*to).contains(&at));
        inner.map_or("", |(name, ..)| *name)
    };
    let (selected, hidden): (Vec<usize>, Vec<usize>) =
        offsets.into_iter().partition(|at| selections.contains(&home(*at)));
    let stale = selections.iter().filter(|name| !selected.iter().any(|at| home(*at) == **name));
    let stale = stale.map(|name| format!("{}: {name} selects nothing: off the list", file.path));
    let hidden = hidden.into_iter().map(|at| {
        let line = line_of(code, at);
        format!("{}:{line}: name the variants, or list the function as a selection", file.path)
    });
    hidden.chain(stale).collect()
}

/// How the enums are called in a file, and `Self` where one is implemented.
fn names_in(code: &str) -> Vec<String> {
    let mut names: Vec<String> = ENUMS.iter().map(|name| (*name).to_owned()).collect();
    for name in ENUMS {
        let renamed = format!("{name} as ");
        for (at, _) in code.match_indices(&renamed) {
            let alias = code[at + renamed.len()..].split(|c: char| !c.is_alphanumeric()).next();
            names.extend(alias.map(str::to_owned));
        }
        if code.contains(&format!("impl {name} {{")) {
            names.push("Self".to_owned());
        }
    }
    names
}

/// An arm of a `match`: where its pattern begins, and the pattern without its guard.
type Arm<'a> = (usize, &'a str);

/// All arms of each `match`.
fn matches(code: &str) -> impl Iterator<Item = Vec<Arm<'_>>> {
    words(code, "match").filter_map(|at| arms(code, at + "match".len()))
}

/// Where `matches!` stands, and what it asks for.
fn questions(code: &str) -> impl Iterator<Item = (usize, &str)> {
    words(code, "matches").filter(|at| code[*at..].starts_with("matches!(")).map(|at| {
        let open = at + "matches!".len();
        let close = closing(code, open);
        let inside = open + 1;
        let comma = end_of(code, inside, |rest| rest.starts_with(','));
        (at, &code[comma.min(close)..close])
    })
}

/// Where a word stands, whole.
fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.match_indices(word).map(|(at, _)| at).filter(move |at| {
        let before = code[..*at].bytes().next_back();
        let after = code[at + word.len()..].bytes().next();
        !before.is_some_and(lexer::is_word) && !after.is_some_and(lexer::is_word)
    })
}

fn arms(code: &str, scrutinee: usize) -> Option<Vec<Arm<'_>>> {
    let open = end_of(code, scrutinee, |rest| rest.starts_with(['{', ';']));
    if !code[open..].starts_with('{') {
        return None;
    }
    let close = closing(code, open);
    let mut arms = Vec::new();
    let mut at = skip(code, open + 1);
    while at < close {
        let arrow = end_of(code, at, |rest| rest.starts_with("=>"));
        if arrow >= close {
            break;
        }
        let body = skip(code, arrow + "=>".len());
        let guard = at + code[at..arrow].find(" if ").unwrap_or(arrow - at);
        arms.push((at, code[at..guard].trim()));
        at = after_body(code, body);
    }
    Some(arms)
}

/// Where the arm after the one with this body begins.
fn after_body(code: &str, body: usize) -> usize {
    let end = if code[body..].starts_with('{') {
        closing(code, body) + 1
    } else {
        end_of(code, body, |rest| rest.starts_with([',', '}']))
    };
    let next = skip(code, end);
    if code[next..].starts_with(',') { skip(code, next + 1) } else { next }
}

fn skip(code: &str, from: usize) -> usize {
    from + code[from..].len() - code[from..].trim_start().len()
}

/// The first place outside all brackets at which `is_end` holds, or the end of the code.
fn end_of(code: &str, from: usize, is_end: impl Fn(&str) -> bool) -> usize {
    let mut at = from;
    while at < code.len() {
        let rest = &code[at..];
        if is_end(rest) {
            return at;
        }
        at = match rest.as_bytes()[0] {
            b'(' | b'[' | b'{' => closing(code, at) + 1,
            b':' if rest.starts_with("::<") => at + generics(rest),
            byte if byte < 0x80 => at + 1,
            _ => at + rest.chars().next().map_or(1, char::len_utf8),
        };
    }
    code.len()
}

/// How long `::<…>` is.
fn generics(rest: &str) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in rest.bytes().enumerate() {
        match byte {
            b'<' => depth += 1,
            b'>' if rest.as_bytes()[at - 1] != b'-' => depth -= 1,
            _ => continue,
        }
        if depth == 0 {
            return at + 1;
        }
    }
    rest.len()
}

/// Where the bracket that opens at `open` is closed.
fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in code.bytes().enumerate().skip(open) {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            _ => continue,
        }
        if depth == 0 {
            return at;
        }
    }
    code.len()
}

/// The arms that stand for variants which they do not name, where others name some.
fn hidden(arms: &[Arm<'_>], names: &[String]) -> Vec<usize> {
    if !arms.iter().any(|(_, pattern)| mentions(pattern, names)) {
        return Vec::new();
    }
    arms.iter().filter(|(_, pattern)| takes_all(pattern)).map(|(at, _)| *at).collect()
}

fn mentions(pattern: &str, names: &[String]) -> bool {
    names
        .iter()
        .any(|name| words(pattern, name).any(|at| pattern[at + name.len()..].starts_with("::")))
}

/// Whether a pattern, or an alternative of it, names nothing but bindings, tuples, and what may be there.
fn takes_all(pattern: &str) -> bool {
    pattern.split('|').any(|alternative| {
        let mut parts = alternative
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .filter(|part| !part.is_empty() && *part != "Some");
        let is_binding = |part: &str| part.starts_with(|c: char| c.is_lowercase() || c == '_');
        let mut any = false;
        let all = parts.all(|part| {
            any = true;
            is_binding(part)
        });
        any && all && !alternative.contains(['"', '.', ':'])
    })
}

/// Each function, with where it begins and ends; the innermost of several is the last.
fn functions(code: &str) -> Vec<(&str, usize, usize)> {
    let found = words(code, "fn").map(|at| {
        let name = code[at + 2..].trim_start();
        let name = name.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or(name);
        (name, at, lexer::item_end(code, at))
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complain(text: &str, selections: &[&str]) -> Vec<String> {
        complaints_but(&SourceFile::new("src/a.rs", text), selections)
    }

    const HIDDEN: &str = "name the variants, or list the function as a selection";

    #[test]
    fn a_planted_wildcard_is_seen() {
        let arms = [
            "_ => 1",
            "other => f::<A, B>(other)",
            "_ if x => 1",
            "Event::B | _ => 1",
            "(_, rest) => 1",
            "Some(_) | None => { 1 }",
            "&_ => 1",
        ];
        for arm in arms {
            let text = format!(
                "fn f(e: &Event) {{\n    match e {{\n        Event::A {{ x, .. }} => {{ g(x); }}\n        {arm},\n    }}\n}}"
            );
            assert_eq!(complain(&text, &[]), [format!("src/a.rs:4: {HIDDEN}")], "{arm}");
            assert_eq!(complain(&text, &["f"]), Vec::<String>::new(), "{arm}");
        }
    }

    #[test]
    fn every_name_of_the_enums_is_known() {
        for text in [
            "fn f() { use Point as P; match p { P::A => 1, _ => 2 } }",
            "fn f() { match x.map(|y| { y }) { Some(Timer::A) => g(), _ => {} } }",
            "impl Message { fn f(&self) { match self { Self::A => 1, _ => 0 } } }",
            "fn f() { matches!(g(a, b), Event::A { .. } | Event::B(_)) }",
        ] {
            assert_eq!(complain(text, &[]).len(), 1, "{text}");
        }
    }

    #[test]
    fn what_hides_nothing_is_let_be() {
        for text in [
            "fn f() { match e { Event::A => 1, Event::B { .. } | Event::C(_) => 2 } }",
            "fn f() { match e { Other::A => Event::A, _ => Event::B } }",
            "fn f() { matches!(e, Event::A { .. }) && matches!(o, Other::A | Other::B) }",
            "fn f() { let Event::A { x } = e else { return }; match x { 1 => 2, _ => 3 } }",
            "#[cfg(test)]\nmod tests { fn f() { match e { Event::A => 1, _ => 2 } } }",
        ] {
            assert_eq!(complain(text, &[]), Vec::<String>::new(), "{text}");
        }
    }

    #[test]
    fn a_selection_that_selects_nothing_is_stale() {
        let found = complain("fn f() { match e { Event::A => 1, Event::B => 2 } }", &["f"]);
        assert_eq!(found, ["src/a.rs: f selects nothing: off the list"]);
    }
}
