//! Everything that is wrong with a config file, and how it is shown.
//!
//! Invariant: the text kept for showing has every secret replaced by dots before it gets here, so that no way
//! of printing a report can reveal one.

use std::fmt;
use std::ops::Range;
use std::path::Path;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError,
    MietteSpanContents, SourceCode, SourceSpan, SpanContents,
};

use crate::codes::Code;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What `safelight explain` knows it by.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// Where, in bytes of the file; None: the file as a whole.
    pub span: Option<Range<usize>>,
    /// A remark on the spot itself.
    pub label: Option<String>,
    /// What to do.
    pub help: Option<String>,
}

impl Problem {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), span: None, label: None, help: None }
    }

    pub(crate) fn at(mut self, span: impl Into<Option<Range<usize>>>) -> Self {
        self.span = span.into();
        self
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// All problems of one file, in the order of the file.
#[derive(Debug, Clone)]
pub struct Report {
    name: String,
    shown: String,
    problems: Vec<Problem>,
}

impl Report {
    /// `shown` is the text of the file with its secrets already hidden.
    pub(crate) fn new(file: &Path, shown: &str, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| problem.span.as_ref().map_or(0, |span| span.start));
        Self { name: printable(&file.display().to_string()), shown: printable(shown), problems }
    }

    /// The problems.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Line and column of a problem, both from 1, the column in characters.
    pub fn position(&self, problem: &Problem) -> Option<(usize, usize)> {
        problem.span.as_ref().map(|span| position(&self.shown, span.start))
    }

    /// For people: message and code, the spot in the file, what to do; one block per problem.
    pub fn render(&self, colour: bool) -> String {
        let blocks: Vec<String> =
            self.problems.iter().map(|problem| self.render_one(problem, colour)).collect();
        blocks.join("\n")
    }

    fn render_one(&self, problem: &Problem, colour: bool) -> String {
        let word = if colour { "\u{1b}[1;31merror\u{1b}[0m" } else { "error" };
        let first = format!("{word}: {}   [{}]\n", printable(&problem.message), problem.code);
        let theme =
            if colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_links(false)
            .with_context_lines(1)
            .with_wrap_lines(false);
        let mut drawn = String::new();
        let drawing = Drawing { report: self, problem };
        if problem.span.is_none() || handler.render_report(&mut drawn, &drawing).is_err() {
            let help =
                problem.help.as_ref().map(|help| format!("  help: {help}\n")).unwrap_or_default();
            return format!("{first}  in {}\n{help}", self.name);
        }
        // The handler's own first lines repeat the message; ours stands above already.
        let start = drawn.find('╭').and_then(|at| drawn[..at].rfind('\n')).map_or(0, |at| at + 1);
        first + &drawn[start..]
    }

    /// For programs: an array of `{code, message, file, line, column, help}`; line and column are null for
    /// problems of the file as a whole.
    pub fn to_json(&self) -> serde_json::Value {
        let one = |problem: &Problem| {
            let (line, column) = self.position(problem).unzip();
            serde_json::json!({
                "code": problem.code.0,
                "message": problem.message,
                "file": self.name,
                "line": line,
                "column": column,
                "help": problem.help,
            })
        };
        self.problems.iter().map(one).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Report {}

/// Line and column of a byte offset, both from 1, the column in characters.
pub(crate) fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    (line, before[line_start(before)..].chars().count() + 1)
}

/// Control characters, also those that turn the direction of text, become question marks, as many as they
/// have bytes, so that positions stay right; the returns of Windows line ends become blanks.
fn printable(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}');
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\r' {
            clean.push(' ');
        } else if (c.is_control() && !matches!(c, '\n' | '\t')) || turns(c) {
            clean.extend(std::iter::repeat_n('?', c.len_utf8()));
        } else {
            clean.push(c);
        }
    }
    clean
}

/// What the drawing library needs to know about one problem.
#[derive(Debug)]
struct Drawing<'a> {
    report: &'a Report,
    problem: &'a Problem,
}

impl fmt::Display for Drawing<'_> {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Drawing<'_> {}

impl Diagnostic for Drawing<'_> {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.problem.help.as_ref().map(|help| Box::new(help) as _)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self.report)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.problem.span.clone()?;
        let label = LabeledSpan::new(self.problem.label.clone(), span.start, span.len());
        Some(Box::new(std::iter::once(label)))
    }
}

/// Shows the lines of the spot, and the line above where that is the header of the table. More context would
/// only push the next problem off the screen.
impl SourceCode for Report {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        before: usize,
        after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let text = &self.shown;
        let end = span.offset().saturating_add(span.len());
        let (Some(head), Some(tail)) = (text.get(..span.offset()), text.get(end..)) else {
            return Err(MietteError::OutOfBounds);
        };
        let mut start = span.offset();
        let mut stop = end;
        // Without context only the position of the spot is asked for.
        if before > 0 || after > 0 {
            start = line_start(head);
            stop += tail.find('\n').unwrap_or(tail.len());
            let above = line_start(head[..start].trim_end_matches('\n'));
            if text[above..start].starts_with('[') {
                start = above;
            }
        }
        let (line, column) = position(text, start);
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            &text.as_bytes()[start..stop],
            (start, stop - start).into(),
            line - 1,
            column - 1,
            text[start..stop].lines().count().max(1),
        )))
    }
}

/// Where the last line of `text` begins.
fn line_start(text: &str) -> usize {
    text.rfind('\n').map_or(0, |at| at + 1)
}
