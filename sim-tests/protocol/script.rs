//! The walk-through file format: comments, commands, `----`, what they lead to, a blank line.

use std::fmt::Write as _;

/// One block of commands and what is expected of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Comment and blank lines before the commands, as they are.
    pub prose: Vec<String>,
    /// The commands, each with its line number from 1.
    pub commands: Vec<(usize, String)>,
    /// The line number of the first expected line.
    pub expected_at: usize,
    /// What the commands lead to, line by line.
    pub expected: Vec<String>,
}

/// A whole walk-through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The blocks, in order.
    pub steps: Vec<Step>,
    /// Comment and blank lines after the last block.
    pub epilogue: Vec<String>,
}

impl Script {
    /// Reads a file's text. An error starts with the line it is about.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line)).peekable();
        let mut steps = Vec::new();
        loop {
            let mut prose = Vec::new();
            while let Some((_, line)) = lines.next_if(|(_, line)| is_prose(line)) {
                prose.push(line.to_owned());
            }
            if lines.peek().is_none() {
                return Ok(Self { steps, epilogue: prose });
            }
            let mut commands = Vec::new();
            while let Some((number, line)) =
                lines.next_if(|(_, line)| !is_prose(line) && *line != RULE)
            {
                commands.push((number, line.to_owned()));
            }
            let after = commands.last().map_or(1, |(number, _)| *number);
            let Some((rule_at, _)) = lines.next_if(|(_, line)| *line == RULE) else {
                return Err(format!("{after}: commands without a `{RULE}` line after them"));
            };
            if commands.is_empty() {
                return Err(format!("{rule_at}: a `{RULE}` line without commands before it"));
            }
            let mut expected = Vec::new();
            while let Some((_, line)) = lines.next_if(|(_, line)| !line.is_empty()) {
                expected.push(line.to_owned());
            }
            steps.push(Step { prose, commands, expected_at: rule_at + 1, expected });
        }
    }

    /// The text of a file that parses to this.
    pub fn render(&self) -> String {
        let mut text = String::new();
        for step in &self.steps {
            let commands = step.commands.iter().map(|(_, command)| command.as_str());
            let rule = std::iter::once(RULE);
            let expected = step.expected.iter().map(String::as_str);
            let prose = step.prose.iter().map(String::as_str);
            for line in prose.chain(commands).chain(rule).chain(expected) {
                let _ = writeln!(text, "{line}");
            }
        }
        for line in &self.epilogue {
            let _ = writeln!(text, "{line}");
        }
        text
    }

    /// Whether it opens with what it shows and why.
    pub fn opens_with_comment(&self) -> bool {
        let first = self.steps.first().and_then(|step| step.prose.first());
        first.is_some_and(|line| line.starts_with("# "))
    }
}

const RULE: &str = "----";

fn is_prose(line: &str) -> bool {
    line.is_empty() || line.starts_with('#')
}
