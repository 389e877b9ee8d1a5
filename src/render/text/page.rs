//! The page: numbers and times on the left, lifelines in the middle, words on the right.

use std::fmt::Write as _;

use super::columns::Columns;
use super::crossings::{Arrow, Style};
use super::focus::Focus;
use super::lifelines::Lifelines;
use super::moments::{Moment, Sign};
use super::selection::{Gap, Row};
use super::{Options, WIDTH_MIN};
use crate::protocol::ProcessId;
use crate::trace::Shapes;

/// The least room for words.
const WORDS_MIN: usize = 26;

/// Blanks before and after numbers, times and lifelines.
const MARGINS: usize = 8;

/// What lifelines leave to words where there is room for both.
const WORDS_WANTED: usize = 44;

/// A diagram that is being drawn.
pub struct Page<'a> {
    moments: &'a [Moment],
    rows: &'a [Row],
    focus: &'a Focus,
    shapes: &'a Shapes,
    columns: Columns,
    /// The width of numbers, and of times.
    gutter: (usize, usize),
    words: usize,
    text: String,
}

impl<'a> Page<'a> {
    /// A page for these rows.
    pub fn new(
        moments: &'a [Moment],
        rows: &'a [Row],
        focus: &'a Focus,
        shapes: &'a Shapes,
        options: &Options,
    ) -> Self {
        let told = || shown(moments, rows);
        let number = told().map(|moment| moment.first.to_string().len() + 1).max().unwrap_or(0);
        let time = told().map(|moment| moment.at.to_string().len()).max().unwrap_or(0);
        let (number, time) = (number.max("event".len()), time.max("time".len()));
        let width = options.width.max(WIDTH_MIN);
        let left = number + time + MARGINS;
        let room = width.saturating_sub(left + WORDS_WANTED).max(width.saturating_sub(left) / 2);
        let room = room.min(width.saturating_sub(left + WORDS_MIN));
        let columns = Columns::new(told(), room);
        let words = width.saturating_sub(left + columns.width()).max(WORDS_MIN);
        let (gutter, text) = ((number, time), String::new());
        Self { moments, rows, focus, shapes, columns, gutter, words, text }
    }

    /// Draws all of it.
    pub fn draw(mut self) -> String {
        if self.rows.is_empty() {
            return String::new();
        }
        self.head();
        let mut lifelines = Lifelines::new(self.moments);
        let mut passed = 0;
        for row in self.rows {
            match row {
                Row::Moment(index) => {
                    self.moments[passed..*index].iter().for_each(|moment| lifelines.pass(moment));
                    let moment = &self.moments[*index];
                    let before = lifelines.clone();
                    lifelines.pass(moment);
                    passed = index + 1;
                    self.moment(moment, &before, &lifelines);
                }
                Row::Gap(gap) => self.gap(gap, &lifelines),
            }
        }
        self.legend();
        self.text
    }

    fn head(&mut self) {
        let (number, time) = self.gutter;
        let header = self.columns.header();
        if let Some(about) = self.about() {
            self.line(&format!("  {about}"));
            self.text.push('\n');
        }
        self.line(&format!("  {:>number$}  {:>time$}  {header}", "event", "time"));
    }

    /// What the diagram tells in full.
    fn about(&self) -> Option<String> {
        let highlight = self.focus.highlight.as_ref()?;
        let checkpoint = self.focus.checkpoint.map(|checkpoint| checkpoint.to_string());
        let topology = self.shapes.at(highlight.event);
        let subtask = highlight.subtask.map(|it| format!("subtask {}", topology.name(it)));
        let channel = highlight.channel.map(|it| format!("channel {}", topology.channel_name(it)));
        let record = highlight.record.map(|it| format!("record {it}, and what it was made of"));
        let parts = [checkpoint, subtask, channel, record];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| format!("The story of {}", parts.join("; ")))
    }

    fn moment(&mut self, moment: &Moment, before: &Lifelines, after: &Lifelines) {
        let (number, time) = self.gutter;
        let mark = if moment.is_violation { ">>" } else { "  " };
        let first = format!("#{}", moment.first);
        let margin = format!("{mark}{first:>number$}  {:>time$}  ", moment.at.to_string());
        let mut words = moment.words();
        if self.columns.position(moment.process).is_none() {
            words = format!("({}) {words}", moment.process);
        }
        let mut lines = wrapped(&words, self.words);
        if let (true, Some(highlight)) = (moment.is_violation, &self.focus.highlight) {
            lines.extend(wrapped(&format!("VIOLATED HERE: {}", highlight.what), self.words));
        }
        let picture = self.picture(moment, before);
        let blank = " ".repeat(margin.chars().count());
        for (index, line) in lines.iter().enumerate() {
            if index == 0 {
                self.line(&format!("{margin}{picture}  {line}"));
            } else {
                let lifelines = self.lifelines(after);
                self.line(&format!("{blank}{lifelines}  {line}"));
            }
        }
    }

    fn gap(&mut self, gap: &Gap, lifelines: &Lifelines) {
        let (number, time) = self.gutter;
        let blank = " ".repeat(number + time + 6);
        let picture = self.lifelines(lifelines);
        for (index, line) in wrapped(&gap.words(), self.words - 2).iter().enumerate() {
            let sign = if index == 0 { '⋮' } else { ' ' };
            self.line(&format!("{blank}{picture}  {sign} {line}"));
        }
    }

    fn lifelines(&self, lifelines: &Lifelines) -> String {
        self.canvas(lifelines).into_iter().collect()
    }

    fn canvas(&self, lifelines: &Lifelines) -> Vec<char> {
        let mut canvas = vec![' '; self.columns.width()];
        for process in &self.columns.shown {
            if let Some(position) = self.columns.position(*process) {
                canvas[position] = lifelines.line(*process);
            }
        }
        canvas
    }

    fn picture(&self, moment: &Moment, lifelines: &Lifelines) -> String {
        let mut canvas = self.canvas(lifelines);
        if let Some(position) = self.columns.position(moment.process) {
            canvas[position] = sign(moment.sign);
        }
        if let Some(arrow) = moment.arrow {
            self.arrow(arrow, moment.process, &mut canvas);
        }
        canvas.into_iter().collect()
    }

    /// Draws a message between two lifelines, right up to the sign of the one that it is about.
    fn arrow(&self, arrow: Arrow, process: ProcessId, canvas: &mut [char]) {
        let ends = (self.columns.position(arrow.from), self.columns.position(arrow.to));
        let (Some(from), Some(to)) = ends else { return };
        // Between two subtasks of one worker there is no way to draw.
        if from == to {
            return;
        }
        let is_right = from < to;
        let (low, high) = (from.min(to), from.max(to));
        let (line, crossing) = match arrow.style {
            Style::Arrived => ('─', '┼'),
            Style::Hampered | Style::Lost => ('╌', '┼'),
        };
        for cell in &mut canvas[low + 1..high] {
            *cell = if *cell == ' ' { line } else { crossing };
        }
        if arrow.from != process {
            canvas[from] = if is_right { '├' } else { '┤' };
        }
        let head = if is_right { to - 1 } else { to + 1 };
        canvas[head] = match (arrow.style, is_right) {
            (Style::Lost, _) => '╳',
            (Style::Hampered, true) => '▷',
            (Style::Hampered, false) => '◁',
            (Style::Arrived, true) => '▶',
            (Style::Arrived, false) => '◀',
        };
    }

    /// Explains the signs that were used.
    fn legend(&mut self) {
        let mut signs = vec!["● event".to_owned(), "─▶ message, where it arrives".to_owned()];
        let used = |sign: char| self.text.contains(sign);
        if let Some(checkpoint) = self.focus.checkpoint {
            match (used('◆'), used('║')) {
                (true, true) => {
                    signs.push(format!("◆ snapshot for {checkpoint}, ║ behind it: the cut"));
                }
                (true, false) => signs.push(format!("◆ snapshot for {checkpoint}")),
                (false, true) => signs.push(format!("║ behind the cut of {checkpoint}")),
                (false, false) => {}
            }
        }
        let others = [
            ('✖', "✖ crash, no line while it is down"),
            ('▲', "▲ back"),
            ('◌', "◌ stalled: ┆"),
            ('!', "! fault"),
            ('╌', "╌▷ late, doubled or held, ╌╳ lost"),
            ('⋮', "⋮ left out"),
        ];
        let others = others.iter().filter(|(sign, _)| used(*sign));
        signs.extend(others.map(|(_, words)| (*words).to_owned()));
        if !self.columns.left_out.is_empty() {
            let names: Vec<String> =
                self.columns.left_out.iter().map(ToString::to_string).collect();
            signs.push(format!("no column for: {}", names.join(", ")));
        }
        self.text.push('\n');
        let (number, time) = self.gutter;
        let width = number + time + MARGINS + self.columns.width() + self.words;
        for line in packed(&signs, width - 2) {
            self.line(&format!("  {line}"));
        }
    }

    fn line(&mut self, line: &str) {
        let _ = writeln!(self.text, "{}", line.trim_end());
    }
}

fn shown<'a>(moments: &'a [Moment], rows: &'a [Row]) -> impl Iterator<Item = &'a Moment> {
    rows.iter().filter_map(|row| match row {
        Row::Moment(index) => Some(&moments[*index]),
        Row::Gap(_) => None,
    })
}

fn sign(sign: Sign) -> char {
    match sign {
        Sign::Event => '●',
        Sign::Trouble => '!',
        Sign::Pause => '◌',
        Sign::Return => '▲',
        Sign::Snapshot => '◆',
        Sign::Crash => '✖',
    }
}

/// Items side by side in lines of at most so many characters; a longer item is broken between words.
fn packed(items: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for item in items {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 3 + item.chars().count() <= width => {
                line.push_str("   ");
                line.push_str(item);
            }
            _ => lines.extend(wrapped(item, width)),
        }
    }
    lines
}

/// Lines of at most so many characters, broken between words; a longer word is broken within.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut length = 0;
    for word in text.split_whitespace() {
        let mut rest: Vec<char> = word.chars().collect();
        if length > 0 && length + 1 + rest.len() > width {
            lines.push(String::new());
            length = 0;
        }
        while rest.len() > width {
            let tail = rest.split_off(width);
            lines.last_mut().expect("there is a line").extend(rest);
            lines.push(String::new());
            rest = tail;
        }
        let line = lines.last_mut().expect("there is a line");
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        length += rest.len();
        line.extend(rest);
    }
    lines
}
