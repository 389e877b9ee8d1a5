//! Words that have no place: ambient time, randomness and threads in what is simulated, and panics
//! without words in what is shipped.

use super::{SourceFile, lexer, line_of};

/// What is a plain value: no clock, no randomness, no threads, no order but one that is written down.
const PURE: &[&str] = &["src/protocol/", "src/dataflow/", "src/cluster/"];

/// What plain values do not know.
const AMBIENT: &[&str] = &[
    "HashMap",
    "HashSet",
    "Instant",
    "RandomState",
    "SystemTime",
    "async",
    "await",
    "madsim",
    "println",
    "rand",
    "rand_chacha",
    "thread",
    "tokio",
];

/// No map whose order differs between runs, anywhere.
const UNORDERED: &[&str] = &["HashMap", "HashSet"];

pub fn complaints(file: &SourceFile) -> Vec<String> {
    let is_pure = PURE.iter().any(|folder| file.path.starts_with(folder));
    let words = if is_pure { AMBIENT } else { UNORDERED };
    let mut found: Vec<String> = Vec::new();
    for word in words {
        found.extend(occurrences(&file.code, word).map(|offset| {
            let line = line_of(&file.code, offset);
            format!("{}:{line}: {word} has no place here", file.path)
        }));
    }
    for (offset, _) in file.shipped.match_indices(".unwrap()") {
        let line = line_of(&file.shipped, offset);
        found.push(format!("{}:{line}: unwrap(): say what was expected", file.path));
    }
    found
}

/// Where `word` stands as a whole identifier.
fn occurrences<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.match_indices(word).map(|(offset, _)| offset).filter(move |offset| {
        let before = code[..*offset].bytes().next_back();
        let after = code[offset + word.len()..].bytes().next();
        !before.is_some_and(lexer::is_word) && !after.is_some_and(lexer::is_word)
    })
}

#[test]
fn misplaced_words_are_seen() {
    let complain = |path: &str, text: &str| complaints(&SourceFile::new(path, text));
    let clean = "// a thread, a HashMap\nfn threads() { operand(\"tokio\"); x.unwrap_or(1); }";
    assert_eq!(complain("src/protocol/gate.rs", clean), Vec::<String>::new());
    let found = complain("src/protocol/gate.rs", "use std::time::Instant;\nuse tokio::time;");
    let expected = [
        "src/protocol/gate.rs:1: Instant has no place here",
        "src/protocol/gate.rs:2: tokio has no place here",
    ];
    assert_eq!(found, expected);
    for word in AMBIENT {
        let text = format!("fn f() {{ {word}; }}");
        assert_eq!(complain("src/cluster/worker.rs", &text).len(), 1, "{word}");
    }
    assert_eq!(complain("sim-tests/a.rs", "use std::collections::HashMap;").len(), 1);
    assert_eq!(complain("src/world/kernel.rs", "use std::thread;").len(), 0);
}

#[test]
fn unwrap_is_seen_outside_tests() {
    let complain = |path: &str, text: &str| complaints(&SourceFile::new(path, text));
    let found = complain("src/world/a.rs", "fn f() {\n    x.unwrap();\n}");
    assert_eq!(found, ["src/world/a.rs:2: unwrap(): say what was expected"]);
    let in_tests = "#[cfg(test)]\nmod tests {\n    fn f() { x.unwrap(); }\n}";
    assert_eq!(complain("src/world/a.rs", in_tests), Vec::<String>::new());
    assert_eq!(complain("src/world/tests.rs", "fn f() { x.unwrap(); }"), Vec::<String>::new());
}
