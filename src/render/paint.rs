//! Colour: three of them, and only where asked for. Nothing is said by colour alone.

/// What a piece of text means.
#[derive(Debug, Clone, Copy)]
pub enum Paint {
    /// All is well.
    Good,
    /// Something waits.
    Waiting,
    /// Somebody has to act.
    Bad,
}

impl Paint {
    /// `text` in the colour of its meaning, if `colours` are wanted.
    pub fn on(self, text: &str, colours: bool) -> String {
        let code = match self {
            Self::Good => "32",
            Self::Waiting => "33",
            Self::Bad => "31",
        };
        if colours { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}
