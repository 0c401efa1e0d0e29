//! From parsed TOML to the typed tree, by the definitions of `settings`.
//!
//! Every mistake is noted and the walk goes on, so that one report names them all. What could not be read is
//! absent from the tree; the caller uses the tree for a [`crate::Config`] only when nothing was noted.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::codes;
use crate::complaints::example;
use crate::definition::{Form, Setting, Variants, Word};
use crate::place::Base;
use crate::references;
use crate::report::{Problem, position};
use crate::suggest::{choices, nearest};
use crate::tree::{Entry, Origin, Table, Value};
use crate::words::{Words, holds_password, is_name, sounds_secret};

/// What a walk over one file found.
pub(crate) struct Walk<'a> {
    text: &'a str,
    base: &'a Base,
    /// Names of the tables around the place where the walk is.
    pub(crate) path: Vec<String>,
    /// Reading a definition's default rather than the file.
    in_default: bool,
    /// Inside something that was already called "not available yet".
    pub(crate) in_later: bool,
    pub(crate) problems: Vec<Problem>,
    /// Values that must not be shown.
    pub(crate) hidden: Vec<Range<usize>>,
}

/// A value with its position.
pub(crate) type Node<'a, 'i> = &'a Spanned<DeValue<'i>>;

impl<'a> Walk<'a> {
    pub(crate) fn new(text: &'a str, base: &'a Base) -> Self {
        Self {
            text,
            base,
            path: Vec::new(),
            in_default: false,
            in_later: false,
            problems: Vec::new(),
            hidden: Vec::new(),
        }
    }

    /// Reads a table that has exactly these settings. `written` is None for a table that the file leaves out:
    /// then it consists of defaults. `span` is its header.
    pub(crate) fn table(
        &mut self,
        written: Option<&DeTable<'_>>,
        span: &Range<usize>,
        settings: &[&Setting],
    ) -> Table {
        let mut table = Table::default();
        for setting in settings {
            let node = written.and_then(|written| written.get(setting.name));
            self.path.push(setting.name.to_owned());
            let entry = match node {
                Some(node) => {
                    let key = written.and_then(|written| written.get_key_value(setting.name));
                    let key = key.map_or(node.span(), |(key, _)| key.span());
                    self.written(setting, node, &key)
                }
                None => self.left_out(setting, span),
            };
            self.path.pop();
            match entry {
                Some(entry) => table.entries.push((setting.name.to_owned(), entry)),
                None if node.is_some() => table.unreadable.push(setting.name.to_owned()),
                None => {}
            }
        }
        for (key, node) in in_file_order(written) {
            if !settings.iter().any(|setting| setting.name == key.get_ref().as_ref()) {
                self.unknown(key, node, settings);
            }
        }
        table
    }

    fn written(
        &mut self,
        setting: &Setting,
        node: Node<'_, '_>,
        key: &Range<usize>,
    ) -> Option<Entry> {
        let was_later = self.in_later;
        if setting.later {
            self.later(&format!("the setting `{}`", self.here()), key);
            self.in_later = true;
        }
        let value = self.value(&setting.form, node);
        self.in_later = was_later;
        Some(Entry { value: value?, origin: self.origin(node.span()), private: setting.private })
    }

    /// The default of a setting that is not written.
    fn left_out(&mut self, setting: &Setting, span: &Range<usize>) -> Option<Entry> {
        if self.in_later || setting.later {
            return None;
        }
        if setting.required {
            self.missing(setting.name, span, None);
            return None;
        }
        let value = match (setting.default, &setting.form) {
            (Some(text), form) => self.default_value(form, text)?,
            (None, Form::Table(settings)) => {
                let settings: Vec<&Setting> = settings.iter().collect();
                let table = self.table(None, span, &settings);
                // Without defaults inside, a table that is left out is not there at all.
                if table.entries.is_empty() {
                    return None;
                }
                Value::Table(table)
            }
            (None, _) => return None,
        };
        Some(Entry { private: setting.private, ..Entry::default(value) })
    }

    /// A value that this program writes, not the user.
    pub(crate) fn default_value(&mut self, form: &Form, text: &'static str) -> Option<Value> {
        let node = DeValue::parse(text).ok()?;
        let was_default = std::mem::replace(&mut self.in_default, true);
        let value = self.value(form, &node);
        self.in_default = was_default;
        value
    }

    fn value(&mut self, form: &Form, node: Node<'_, '_>) -> Option<Value> {
        let span = node.span();
        match (form, node.get_ref()) {
            (Form::Flag, DeValue::Boolean(flag)) => Some(Value::Flag(*flag)),
            (Form::Count(least, most), DeValue::Integer(number)) => {
                let count =
                    u64::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok();
                let count = count.filter(|count| (least..=most).contains(&count));
                if count.is_none() {
                    let range = if *most == u64::MAX {
                        format!("{least} or more")
                    } else {
                        format!("{least} to {most}")
                    };
                    self.wrong_value(
                        &format!("`{}` must be a whole number, {range}", self.here()),
                        span,
                        None,
                    );
                }
                count.map(Value::Count)
            }
            (Form::Text, DeValue::String(text)) => Some(Value::Text(text.to_string())),
            (Form::Path, DeValue::String(text)) => self.path(text, span),
            (Form::Words(words), DeValue::String(text)) => self.words(words, text, span),
            (Form::Choice(words), DeValue::String(text)) => self.choice(words, text, span),
            (Form::ChoiceOrTable(words, _), DeValue::String(text)) => {
                if holds_password(text) {
                    self.plain_secret(span);
                    return None;
                }
                self.choice(words, text, span)
            }
            (Form::Secret, _) => self.secret(node),
            (Form::TextOrSecret, DeValue::String(_) | DeValue::Table(_)) => {
                self.text_or_secret(node)
            }
            (Form::OneOrMore(form), DeValue::String(_)) => {
                let value = self.value(form, node)?;
                let entry = Entry { value, origin: self.origin(span), private: false };
                Some(Value::List(vec![entry]))
            }
            (Form::List(form) | Form::OneOrMore(form), DeValue::Array(nodes)) => {
                let entries: Vec<Option<Entry>> = nodes
                    .iter()
                    .map(|node| {
                        let value = self.value(form, node)?;
                        Some(Entry { value, origin: self.origin(node.span()), private: false })
                    })
                    .collect();
                entries.into_iter().collect::<Option<Vec<Entry>>>().map(Value::List)
            }
            (Form::Table(settings) | Form::ChoiceOrTable(_, settings), DeValue::Table(written)) => {
                let settings: Vec<&Setting> = settings.iter().collect();
                Some(Value::Table(self.table(Some(written), &span, &settings)))
            }
            (Form::Named(form), DeValue::Table(written)) => {
                Some(Value::Table(self.named(form, written)))
            }
            (Form::Variants(variants), DeValue::Table(written)) => {
                Some(Value::Table(self.variant(variants, written, &span)))
            }
            _ => {
                self.wrong_type(form, node);
                None
            }
        }
    }

    /// A table whose keys the user chose. A table with a mistake inside stays, so that its name is known.
    fn named(&mut self, form: &Form, written: &DeTable<'_>) -> Table {
        let mut table = Table::default();
        for (key, node) in in_file_order(Some(written)) {
            let name = key.get_ref().to_string();
            if !is_name(&name) {
                let message = format!("`{name}` cannot be a name");
                let help = "use letters, digits, `-` and `_`";
                self.problems
                    .push(Problem::new(codes::BAD_NAME, message).at(key.span()).help(help));
            }
            self.path.push(name.clone());
            if let Some(value) = self.value(form, node) {
                let entry = Entry { value, origin: self.origin(node.span()), private: false };
                table.entries.push((name, entry));
            }
            self.path.pop();
        }
        table
    }

    fn variant(
        &mut self,
        variants: &Variants,
        written: &DeTable<'_>,
        span: &Range<usize>,
    ) -> Table {
        let words: Vec<Word> =
            variants.kinds.iter().map(|kind| Word { text: kind.word, later: kind.later }).collect();
        let chosen = match written.get(variants.tag).map(|node| (node, node.get_ref())) {
            Some((node, DeValue::String(text))) => {
                self.path.push(variants.tag.to_owned());
                let value = self.choice(&words, text, node.span());
                self.path.pop();
                value.map(|_| (text.to_string(), self.origin(node.span())))
            }
            Some((node, _)) => {
                self.wrong_type(&Form::Text, node);
                None
            }
            None => {
                if variants.default.is_none() {
                    let known = choices(variants.kinds.iter().map(|kind| kind.word));
                    self.path.push(variants.tag.to_owned());
                    self.missing(variants.tag, span, Some(&format!("it is one of {known}")));
                    self.path.pop();
                }
                variants.default.map(|word| (word.to_owned(), Origin::Default))
            }
        };
        let kind = |word: &str| variants.kinds.iter().find(|kind| kind.word == word);
        let Some((word, origin, kind)) = chosen.and_then(|(word, origin)| {
            let kind = kind(&word)?;
            Some((word, origin, kind))
        }) else {
            self.hide_all_but_tag(written, variants.tag);
            return Table::default();
        };
        let tag = Setting::new(variants.tag, Form::Text, "");
        let settings: Vec<&Setting> =
            std::iter::once(&tag).chain(variants.settings(kind)).collect();
        let was_later = self.in_later;
        self.in_later |= kind.later;
        let mut table = self.table(Some(written), span, &settings);
        self.in_later = was_later;
        table.entries.retain(|(name, _)| name != variants.tag);
        let entry = Entry { value: Value::Text(word), origin, private: false };
        table.entries.insert(0, (variants.tag.to_owned(), entry));
        table
    }

    fn path(&mut self, text: &str, span: Range<usize>) -> Option<Value> {
        let path = if text.is_empty() { None } else { self.base.resolve(text) };
        if path.is_none() {
            let message = format!("`{}` cannot be used as a path", self.here());
            self.wrong_value(
                &message,
                span,
                Some("write the whole path, or one that starts at the config file"),
            );
        }
        path.map(Value::Path)
    }

    fn words(&mut self, words: &Words, text: &str, span: Range<usize>) -> Option<Value> {
        if holds_password(text) {
            self.plain_secret(span);
            return None;
        }
        let value = (words.read)(text);
        if value.is_none() {
            self.wrong_value(
                &format!("`{text}` is not {}", words.what),
                span,
                Some(&example(words)),
            );
        }
        value
    }

    fn choice(&mut self, words: &[Word], text: &str, span: Range<usize>) -> Option<Value> {
        match words.iter().find(|word| word.text == text) {
            Some(word) if word.later => {
                self.later(&format!("`{} = \"{text}\"`", self.here()), &span);
            }
            Some(_) => {}
            None => {
                let known = choices(words.iter().map(|word| word.text));
                let message = format!("`{}` cannot be `{text}`, expected {known}", self.here());
                let meant = nearest(text, words.iter().map(|word| word.text));
                let help = meant.map(|word| format!("did you mean \"{word}\"?"));
                self.wrong_value(&message, span, help.as_deref());
                return None;
            }
        }
        Some(Value::Text(text.to_owned()))
    }

    fn secret(&mut self, node: Node<'_, '_>) -> Option<Value> {
        match references::read(node.get_ref(), self.base) {
            Ok(reference) => Some(Value::Secret(reference)),
            Err(references::Refused::Plain) => {
                self.plain_secret(node.span());
                None
            }
            Err(references::Refused::Broken(message)) => {
                self.hidden.push(node.span());
                self.wrong_value(message, node.span(), Some(references::HELP));
                None
            }
        }
    }

    fn text_or_secret(&mut self, node: Node<'_, '_>) -> Option<Value> {
        match node.get_ref() {
            DeValue::String(text) if !references::looks_like_one(text) => {
                let name = self.path.last().map_or("", String::as_str);
                if sounds_secret(name) || holds_password(text) {
                    self.plain_secret(node.span());
                    return None;
                }
                Some(Value::Text(text.to_string()))
            }
            _ => self.secret(node),
        }
    }

    pub(crate) fn here(&self) -> String {
        self.path.join(".")
    }

    fn origin(&self, span: Range<usize>) -> Origin {
        if self.in_default {
            return Origin::Default;
        }
        Origin::File { line: position(self.text, span.start).0, span }
    }
}

pub(crate) type Pair<'a, 'i> = (&'a Spanned<toml::de::DeString<'i>>, &'a Spanned<DeValue<'i>>);

/// The parser sorts tables by name; people expect their own order.
pub(crate) fn in_file_order<'a, 'i>(table: Option<&'a DeTable<'i>>) -> Vec<Pair<'a, 'i>> {
    let mut pairs: Vec<Pair<'a, 'i>> = table.into_iter().flat_map(|table| table.iter()).collect();
    pairs.sort_by_key(|(key, _)| key.span().start);
    pairs
}
