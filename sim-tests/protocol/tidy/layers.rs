//! Who may name whom: dependencies between top-level modules point one way.

use super::{SourceFile, line_of};

/// Each top-level module, with those that it may name.
///
/// `plan` names `cluster` for its settings, and `dataflow` for the shape of an input: a plan holds them,
/// and others make something of them.
const TABLE: &[(&str, &[&str])] = &[
    ("protocol", &[]),
    ("trace", &["protocol"]),
    ("external", &["protocol", "trace"]),
    ("dataflow", &["protocol", "trace", "external"]),
    ("sinks", &["protocol", "external", "dataflow"]),
    ("cluster", &["protocol", "trace", "external", "dataflow"]),
    ("plan", &["protocol", "trace", "dataflow", "cluster"]),
    ("classic", &["protocol", "trace", "plan"]),
    ("independent", &["protocol", "plan"]),
    ("lab", &["protocol"]),
    ("world", &["protocol", "trace", "dataflow", "cluster", "plan"]),
    ("oracle", &["protocol", "trace"]),
    ("workload", &["protocol", "external", "dataflow", "sinks"]),
    ("render", &["protocol", "trace"]),
    ("view", &["protocol", "trace", "render"]),
    (
        "explore",
        &[
            "protocol", "trace", "dataflow", "cluster", "plan", "world", "oracle", "workload",
            "render", "view", "lab",
        ],
    ),
    (
        "cli",
        &[
            "protocol",
            "trace",
            "dataflow",
            "cluster",
            "plan",
            "world",
            "oracle",
            "workload",
            "explore",
            "render",
            "view",
            "classic",
            "independent",
            "lab",
        ],
    ),
];

/// The two crate roots, which declare modules and name what they please.
const ROOTS: &[&str] = &["src/lib.rs", "src/main.rs"];

pub fn complaints(file: &SourceFile) -> Vec<String> {
    if !file.path.starts_with("src/") || ROOTS.contains(&file.path.as_str()) {
        return Vec::new();
    }
    let modules = module_path(&file.path);
    let own = modules.first().map_or("", String::as_str);
    let Some((_, allowed)) = TABLE.iter().find(|(name, _)| *name == own) else {
        return vec![format!("{}:1: module {own:?} is not in the table of layers", file.path)];
    };
    let mut complaints = Vec::new();
    for (offset, named) in names(&file.code, modules.len()) {
        let is_module = TABLE.iter().any(|(name, _)| *name == named);
        if is_module && named != own && !allowed.contains(&named) {
            let line = line_of(&file.code, offset);
            complaints.push(format!("{}:{line}: {own} must not name {named}", file.path));
        }
    }
    complaints
}

/// `src/a/b.rs` is `[a, b]`, `src/a/mod.rs` is `[a]`.
fn module_path(path: &str) -> Vec<String> {
    let inner = path.trim_start_matches("src/").trim_end_matches(".rs");
    let parts = inner.split('/').filter(|part| *part != "mod");
    parts.map(str::to_owned).collect()
}

/// What is named at the crate's root, and where: by `crate::`, or by as many `super::` as lead there.
fn names(code: &str, depth: usize) -> Vec<(usize, &str)> {
    let climb = "super::".repeat(depth);
    let mut found = Vec::new();
    for prefix in ["crate::", climb.as_str()] {
        for (offset, _) in code.match_indices(prefix) {
            let before = code[..offset].bytes().next_back();
            if before.is_some_and(|byte| super::lexer::is_word(byte) || byte == b':') {
                continue;
            }
            let rest = &code[offset + prefix.len()..];
            found.extend(first_segments(rest).into_iter().map(|name| (offset, name)));
        }
    }
    found
}

/// The first segment of a path, or those of each member of a group.
fn first_segments(rest: &str) -> Vec<&str> {
    let Some(group) = rest.strip_prefix('{') else {
        return vec![word(rest)];
    };
    let mut depth = 0;
    let mut is_first = true;
    let mut segments = Vec::new();
    for (offset, byte) in group.bytes().enumerate() {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => break,
            b'}' => depth -= 1,
            b',' if depth == 0 => is_first = true,
            byte if is_first && super::lexer::is_word(byte) => {
                segments.push(word(&group[offset..]));
                is_first = false;
            }
            _ => {}
        }
    }
    segments
}

fn word(rest: &str) -> &str {
    let end = rest.bytes().position(|byte| !super::lexer::is_word(byte)).unwrap_or(rest.len());
    &rest[..end]
}

#[test]
fn upward_names_are_seen() {
    let complain = |path: &str, text: &str| complaints(&SourceFile::new(path, text));
    let fine =
        "use crate::protocol::Gate;\n// crate::world\nuse crate::{protocol, trace::{Event}};";
    assert_eq!(complain("src/cluster/worker.rs", fine), Vec::<String>::new());
    let found = complain("src/cluster/worker.rs", "\nuse crate::world::Kernel;");
    assert_eq!(found, ["src/cluster/worker.rs:2: cluster must not name world"]);
    let group = "use crate::{\n    dataflow::{Job, oracle},\n    plan::Plan,\n};";
    let found = complain("src/cluster/mod.rs", group);
    assert_eq!(found, ["src/cluster/mod.rs:1: cluster must not name plan"]);
    let found = complain("src/oracle/cut.rs", "fn f() { super::super::world::run(); }");
    assert_eq!(found, ["src/oracle/cut.rs:1: oracle must not name world"]);
    let found = complain("src/oracle/cut.rs", "fn f() { let x = crate::cluster::Worker; }");
    assert_eq!(found, ["src/oracle/cut.rs:1: oracle must not name cluster"]);
    let found = complain("src/helpers/mod.rs", "");
    assert_eq!(found, ["src/helpers/mod.rs:1: module \"helpers\" is not in the table of layers"]);
}
