//! What a setting is: the one description from which the reader, the suggestions, `config show`, the redacted
//! copy and the JSON Schema are all made.

use crate::words::Words;

/// One setting of one table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Setting {
    pub(crate) name: &'static str,
    /// One sentence for the schema.
    pub(crate) help: &'static str,
    pub(crate) form: Form,
    /// The default as it would be written in the file.
    pub(crate) default: Option<&'static str>,
    pub(crate) required: bool,
    /// Known, but answered with "not available yet".
    pub(crate) later: bool,
    /// Tells about an account or a host; masked in the copy for strangers.
    pub(crate) private: bool,
}

impl Setting {
    pub(crate) const fn new(name: &'static str, form: Form, help: &'static str) -> Self {
        Self { name, help, form, default: None, required: false, later: false, private: false }
    }

    pub(crate) const fn default(mut self, text: &'static str) -> Self {
        self.default = Some(text);
        self
    }

    pub(crate) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(crate) const fn later(mut self) -> Self {
        self.later = true;
        self
    }

    pub(crate) const fn private(mut self) -> Self {
        self.private = true;
        self
    }
}

/// What may stand as a setting's value.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Form {
    Flag,
    /// A whole number from the first to the second.
    Count(u64, u64),
    /// Any text.
    Text,
    /// Text that is read further.
    Words(&'static Words),
    /// A path on this machine, resolved against the config file.
    Path,
    /// One of a few words.
    Choice(&'static [Word]),
    /// One of a few words, or a table.
    ChoiceOrTable(&'static [Word], &'static [Setting]),
    /// A reference to a secret.
    Secret,
    /// Text, or a reference to a secret; text only under a name that does not sound secret.
    TextOrSecret,
    List(&'static Form),
    /// A list, or its only entry by itself.
    OneOrMore(&'static Form),
    Table(&'static [Setting]),
    /// A table whose keys are names chosen by the user.
    Named(&'static Form),
    /// A table whose settings depend on one of them.
    Variants(&'static Variants),
}

/// A word of a [`Form::Choice`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word {
    pub(crate) text: &'static str,
    pub(crate) later: bool,
}

impl Word {
    pub(crate) const fn now(text: &'static str) -> Self {
        Self { text, later: false }
    }

    pub(crate) const fn later(text: &'static str) -> Self {
        Self { text, later: true }
    }
}

/// A table whose settings depend on the setting `tag`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Variants {
    /// The setting that decides.
    pub(crate) tag: &'static str,
    /// What a table without the tag is; None: the tag is required.
    pub(crate) default: Option<&'static str>,
    /// Settings that all kinds have.
    pub(crate) common: &'static [Setting],
    pub(crate) kinds: &'static [Kind],
}

impl Variants {
    /// The settings of one kind; its own come before common ones of the same name.
    pub(crate) fn settings<'a>(&self, kind: &Kind) -> impl Iterator<Item = &'a Setting> + use<'a> {
        let (common, own) = (self.common, kind.settings);
        let common = common.iter().filter(|common| own.iter().all(|own| own.name != common.name));
        common.chain(own)
    }
}

/// One value of the tag.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) word: &'static str,
    pub(crate) help: &'static str,
    pub(crate) later: bool,
    pub(crate) settings: &'static [Setting],
}
