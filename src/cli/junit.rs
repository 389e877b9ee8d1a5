//! Reports as JUnit XML, which CI systems show: a test case for each scenario of a sweep.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::error::CliError;
use super::out::new_file;
use super::sweep::report::{Report, Row};

/// Where a report goes as JUnit XML: a file that was not there before.
#[derive(Debug)]
pub struct JunitTarget {
    path: PathBuf,
    file: File,
}

/// How many failures of a scenario are told in full.
const TOLD_MAX: usize = 20;

/// The name of the suite, and the class of its cases.
const SUITE: &str = "cutwater sweep";

impl JunitTarget {
    /// The target that `path` names.
    pub fn open(path: &Path) -> Result<Self, CliError> {
        Ok(Self { path: path.to_owned(), file: new_file(path)? })
    }

    /// Writes the report.
    pub fn write(mut self, report: &Report) -> Result<(), CliError> {
        let written = xml(report).and_then(|xml| self.file.write_all(&xml));
        written.map_err(|error| CliError::io(&self.path, error))
    }
}

/// One test case.
struct Case<'a> {
    name: &'a str,
    result: CaseResult,
}

enum CaseResult {
    Passed,
    Skipped,
    /// With the kind of the first, its first line, and all that is told.
    Failed {
        kind: String,
        message: String,
        text: String,
    },
}

impl<'a> Case<'a> {
    fn of(row: &'a Row, report: &Report) -> Self {
        let shortcomings = report.shortcomings(row.name());
        let failed: u64 = row.failed().iter().map(|(number, _)| *number).sum();
        let result = match (failed, shortcomings.first()) {
            (0, None) if row.seeds() == 0 => CaseResult::Skipped,
            (0, None) => CaseResult::Passed,
            (0, Some(first)) => CaseResult::Failed {
                kind: "sweep".to_owned(),
                message: first.clone(),
                text: shortcomings.join("\n"),
            },
            (_, _) => failed_case(row, report, failed, &shortcomings),
        };
        Self { name: row.name(), result }
    }
}

fn failed_case(row: &Row, report: &Report, failed: u64, shortcomings: &[String]) -> CaseResult {
    let mut failures = report.failures_of(row.name());
    let first = report.failures_of(row.name()).next();
    let mut text = format!("{failed} of {} runs failed\n", row.seeds());
    for failure in failures.by_ref().take(TOLD_MAX) {
        let _ = write!(text, "\n{}\n{}\n", failure.headline(), failure.command());
    }
    for shortcoming in shortcomings {
        let _ = write!(text, "\n{shortcoming}\n");
    }
    CaseResult::Failed {
        kind: first.map_or("sweep", |first| first.signature()).to_owned(),
        message: first.map_or("", |first| first.headline()).to_owned(),
        text,
    }
}

fn xml(report: &Report) -> io::Result<Vec<u8>> {
    let cases: Vec<Case<'_>> = report.scenarios().iter().map(|row| Case::of(row, report)).collect();
    let number = |is: fn(&CaseResult) -> bool| cases.iter().filter(|case| is(&case.result)).count();
    let counts = [
        ("tests", cases.len().to_string()),
        ("failures", number(|it| matches!(it, CaseResult::Failed { .. })).to_string()),
        ("errors", "0".to_owned()),
        ("skipped", number(|it| matches!(it, CaseResult::Skipped)).to_string()),
    ];
    let counts = || counts.iter().map(|(name, value)| (*name, value.as_str()));
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let suites = writer.create_element("testsuites").with_attribute(("name", SUITE));
    suites.with_attributes(counts()).write_inner_content(|writer| {
        let suite = writer.create_element("testsuite").with_attribute(("name", SUITE));
        suite.with_attributes(counts()).write_inner_content(|writer| {
            cases.iter().try_for_each(|case| write_case(writer, case))
        })?;
        Ok(())
    })?;
    let mut xml = writer.into_inner();
    xml.push(b'\n');
    Ok(xml)
}

fn write_case(writer: &mut Writer<Vec<u8>>, case: &Case<'_>) -> io::Result<()> {
    let name = printable(case.name);
    let attributes = [("name", name.as_str()), ("classname", SUITE)];
    let element = writer.create_element("testcase").with_attributes(attributes);
    match &case.result {
        CaseResult::Passed => element.write_empty()?,
        CaseResult::Skipped => element.write_inner_content(|writer| {
            writer.create_element("skipped").write_empty().map(|_| ())
        })?,
        CaseResult::Failed { kind, message, text } => element.write_inner_content(|writer| {
            let (kind, message, text) = (printable(kind), printable(message), printable(text));
            let attributes = [("type", kind.as_str()), ("message", message.as_str())];
            let failure = writer.create_element("failure").with_attributes(attributes);
            failure.write_text_content(BytesText::new(&text)).map(|_| ())
        })?,
    };
    Ok(())
}

/// XML has no way to write most control characters, which the words of a panic may hold.
fn printable(text: &str) -> String {
    let is_fine = |c: char| !c.is_control() || matches!(c, '\n' | '\t');
    text.chars().map(|c| if is_fine(c) { c } else { '\u{FFFD}' }).collect()
}
