//! What the walk over a config file says about mistakes, and what it hides while doing so.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use crate::check::{Node, Walk, in_file_order};
use crate::codes;
use crate::definition::{Form, Setting};
use crate::references;
use crate::report::Problem;
use crate::suggest::{choices, nearest};
use crate::words::{Words, sounds_secret};

/// Up to so many settings are named when one is misspelt.
const MANY: usize = 8;

impl Walk<'_> {
    pub(crate) fn plain_secret(&mut self, span: Range<usize>) {
        self.hidden.push(span.clone());
        let help = match self.path.as_slice() {
            // Of all secrets, this one need not be looked for: signing in brings it.
            [tables, name, setting]
                if tables == "destination" && ["token", "account"].contains(&setting.as_str()) =>
            {
                format!(
                    "safelight auth login {name}      brings one; here stands where it is kept:\n{}",
                    references::HELP
                )
            }
            _ => references::HELP.to_owned(),
        };
        self.problems.push(
            Problem::new(codes::PLAIN_SECRET, "a password is written in the config file")
                .at(span)
                .label("anyone who can read this file can use it")
                .help(help),
        );
    }

    pub(crate) fn unknown(
        &mut self,
        key: &Spanned<DeString<'_>>,
        node: Node<'_, '_>,
        settings: &[&Setting],
    ) {
        let name = key.get_ref().as_ref();
        let known = || settings.iter().map(|setting| setting.name);
        let meant = nearest(name, known());
        self.hide_inside(name, node);
        let message = format!("unknown setting `{name}`");
        // A long list is only worth reading when there is no better hint.
        let (message, help) = match (meant, settings.len() <= MANY) {
            (Some(meant), true) => (
                format!("{message}, expected {}", choices(known())),
                Some(format!("did you mean `{meant}`?")),
            ),
            (Some(meant), false) => (message, Some(format!("did you mean `{meant}`?"))),
            (None, _) => (format!("{message}, expected {}", choices(known())), None),
        };
        let mut problem = Problem::new(codes::UNKNOWN_SETTING, message).at(key.span());
        problem.help = help;
        self.problems.push(problem);
    }

    /// Hides what may be a secret in a value that is not understood: every text, and numbers too where the
    /// name sounds like it.
    pub(crate) fn hide_inside(&mut self, name: &str, node: Node<'_, '_>) {
        match node.get_ref() {
            DeValue::Table(table) => {
                for (key, node) in in_file_order(Some(table)) {
                    self.hide_inside(key.get_ref(), node);
                }
            }
            DeValue::Array(nodes) => {
                for node in nodes {
                    self.hide_inside(name, node);
                }
            }
            DeValue::String(_) => self.hidden.push(node.span()),
            _ if sounds_secret(name) => self.hidden.push(node.span()),
            _ => {}
        }
    }

    pub(crate) fn wrong_type(&mut self, form: &Form, node: Node<'_, '_>) {
        let (expected, help) = match form {
            Form::Flag => ("true or false", None),
            Form::Count(..) => ("a whole number", None),
            Form::Text | Form::Path | Form::Secret | Form::Choice(_) => ("text in quotes", None),
            Form::Words(words) => (words.what, Some(example(words))),
            Form::TextOrSecret => {
                ("text in quotes", Some("write numbers in quotes too".to_owned()))
            }
            Form::List(_) => ("a list in square brackets", None),
            Form::OneOrMore(_) => ("text in quotes, or a list of it", None),
            Form::ChoiceOrTable(words, _) => (
                "a word in quotes or a table",
                words.first().map(|word| format!("for example \"{}\"", word.text)),
            ),
            Form::Table(_) | Form::Named(_) | Form::Variants(_) => ("a table", None),
        };
        let found = match node.get_ref() {
            DeValue::String(_) => "text",
            DeValue::Integer(_) | DeValue::Float(_) => "a bare number",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date",
            DeValue::Array(_) => "a list",
            DeValue::Table(_) => "a table",
        };
        let name = self.path.last().cloned().unwrap_or_default();
        if matches!(form, Form::Secret | Form::TextOrSecret) || sounds_secret(&name) {
            self.hide_inside(&name, node);
        }
        let message = format!("`{}` must be {expected}, not {found}", self.here());
        let mut problem = Problem::new(codes::WRONG_TYPE, message).at(node.span());
        problem.help = help;
        self.problems.push(problem);
    }

    pub(crate) fn wrong_value(&mut self, message: &str, span: Range<usize>, help: Option<&str>) {
        let mut problem = Problem::new(codes::WRONG_VALUE, message).at(span);
        problem.help = help.map(str::to_owned);
        self.problems.push(problem);
    }

    /// `name` is the last part of the walk's path.
    pub(crate) fn missing(&mut self, name: &str, span: &Range<usize>, help: Option<&str>) {
        let inside =
            self.path.split_last().map_or_else(String::new, |(_, tables)| tables.join("."));
        let mut problem = if inside.is_empty() {
            Problem::new(codes::MISSING_SETTING, format!("`{name}` is missing")).help(match name {
                "version" => "write `version = 1` at the top of the file",
                "destination" => "say where copies go: a table [destination.NAME]",
                _ => "say which folder is backed up: a table [library] with `path`",
            })
        } else {
            Problem::new(codes::MISSING_SETTING, format!("[{inside}] has no `{name}`"))
                .at(span.clone())
        };
        problem.help = help.map(str::to_owned).or(problem.help);
        self.problems.push(problem);
    }

    pub(crate) fn later(&mut self, what: &str, span: &Range<usize>) {
        if !self.in_later {
            let message = format!("{what} is not available yet");
            let help = "remove it: this version would not act on it";
            self.problems
                .push(Problem::new(codes::NOT_AVAILABLE_YET, message).at(span.clone()).help(help));
        }
    }

    /// Of a table whose kind is unknown nothing else is known either.
    pub(crate) fn hide_all_but_tag(&mut self, written: &DeTable<'_>, tag: &str) {
        for (key, node) in in_file_order(Some(written)) {
            if key.get_ref().as_ref() != tag {
                self.hide_inside(key.get_ref(), node);
            }
        }
    }
}

/// How to write a value of this form.
pub(crate) fn example(words: &Words) -> String {
    let examples: Vec<String> =
        words.examples.iter().map(|example| format!("\"{example}\"")).collect();
    format!("for example {}", examples.join(", "))
}
