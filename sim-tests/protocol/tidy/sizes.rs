//! No file over 500 lines, no function over 70.

use super::{SourceFile, lexer, line_of};

const FILE_LINES_MAX: usize = 500;

const FUNCTION_LINES_MAX: usize = 70;

pub fn complaints(file: &SourceFile) -> Vec<String> {
    let path = &file.path;
    let mut complaints = Vec::new();
    let lines = file.text.lines().count();
    if lines > FILE_LINES_MAX {
        complaints.push(format!("{path}: {lines} lines, {FILE_LINES_MAX} at most: split it"));
    }
    for (line, lines) in functions(&file.code) {
        if lines > FUNCTION_LINES_MAX {
            complaints.push(format!(
                "{path}:{line}: a function of {lines} lines, {FUNCTION_LINES_MAX} at most"
            ));
        }
    }
    complaints
}

/// Each function's first line, and how many lines it has.
fn functions(code: &str) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (offset, _) in code.match_indices("fn ") {
        let before = code[..offset].bytes().next_back();
        if before.is_some_and(lexer::is_word) {
            continue;
        }
        let end = lexer::item_end(code, offset);
        let lines = code[offset..end].matches('\n').count() + 1;
        found.push((line_of(code, offset), lines));
    }
    found
}

#[test]
fn long_files_and_functions_are_seen() {
    let complain = |text: &str| complaints(&SourceFile::new("src/a/b.rs", text));
    let body = |lines| format!("\nfn f(\n) {{\n{}}}\n", "    g();\n".repeat(lines));
    assert_eq!(complain(&body(67)), Vec::<String>::new());
    assert_eq!(complain(&body(68)), ["src/a/b.rs:2: a function of 71 lines, 70 at most"]);
    assert_eq!(complain(&"\n".repeat(500)), Vec::<String>::new());
    let found = complain(&"\n".repeat(501));
    assert_eq!(found, ["src/a/b.rs: 501 lines, 500 at most: split it"]);
}
