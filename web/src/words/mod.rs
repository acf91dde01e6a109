//! Every word the console shows, in English and Indonesian.
//!
//! A phrase is a method with both languages in one place: leaving one out does not compile.

mod access;
mod account;
mod activity;
mod api_tokens;
mod audit;
mod devices;
mod errors;
mod inbox;
mod people;
mod platform;
mod reasons;
mod sandbox;
mod second_factor;
mod sessions;
mod settings;
mod shell;
mod tenancy;
mod usage;

use std::cell::Cell;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    En,
    Id,
}

thread_local! {
    static CHOSEN: Cell<Language> = const { Cell::new(Language::En) };
}

/// The words of one language.
#[derive(Clone, Copy)]
pub struct Words(Language);

/// The words of the chosen language. Pages are drawn anew when it changes.
pub fn words() -> Words {
    Words(language())
}

pub fn language() -> Language {
    CHOSEN.get()
}

pub fn choose(language: Language) {
    CHOSEN.set(language);
}

impl Language {
    pub const ALL: [Self; 2] = [Self::En, Self::Id];

    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Id => "id",
        }
    }

    /// Its own name.
    pub fn name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::Id => "Bahasa Indonesia",
        }
    }

    pub fn locale(self) -> &'static str {
        match self {
            Self::En => "en-GB",
            Self::Id => "id-ID",
        }
    }

    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }
}

/// Phrases: `name: "English", "Indonesian";` or, with values, `name(n: i32): format!(…), format!(…);`.
macro_rules! phrases {
    ($($name:ident $(($($argument:ident: $type:ty),+))?: $english:expr, $indonesian:expr;)*) => {
        impl $crate::words::Words {
            $($crate::words::phrase!($name $(($($argument: $type),+))?, $english, $indonesian);)*
        }
    };
}

macro_rules! phrase {
    ($name:ident, $english:expr, $indonesian:expr) => {
        pub fn $name(self) -> &'static str {
            match self.0 {
                $crate::words::Language::En => $english,
                $crate::words::Language::Id => $indonesian,
            }
        }
    };
    ($name:ident($($argument:ident: $type:ty),+), $english:expr, $indonesian:expr) => {
        pub fn $name(self, $($argument: $type),+) -> String {
            match self.0 {
                $crate::words::Language::En => $english,
                $crate::words::Language::Id => $indonesian,
            }
        }
    };
}

use phrase;
use phrases;

/// One or many, in English. Indonesian has one form.
fn count(number: i32, one: &str, many: &str) -> String {
    let shown = crate::state::format::number(number);
    if number == 1 {
        format!("{shown} {one}")
    } else {
        format!("{shown} {many}")
    }
}

pub use errors::{explain, refusal};
