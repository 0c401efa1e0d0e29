//! One word for each value, both ways.

/// Gives an enum its words: `ALL`, `word`, `Display` and `FromStr`.
macro_rules! words {
    ($type:ident { $($variant:ident $word:literal)* }) => {
        impl $type {
            /// All of them, in order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word for it in the catalog and in JSON.
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }

        impl std::str::FromStr for $type {
            type Err = ();

            fn from_str(word: &str) -> Result<Self, ()> {
                Self::ALL.iter().copied().find(|one| one.word() == word).ok_or(())
            }
        }
    };
}

pub(crate) use words;
