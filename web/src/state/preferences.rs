//! What a person chose for this browser: language and theme.

use leptos::prelude::*;

use crate::words::{self, Language};

const LANGUAGE: &str = "kabar-language";
const THEME: &str = "kabar-theme";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    System,
    Light,
    Dark,
}

#[derive(Clone, Copy)]
pub struct Preferences {
    pub language: RwSignal<Language>,
    pub theme: RwSignal<Theme>,
}

impl Preferences {
    /// Reads them and keeps the document up to date with them.
    pub fn provide() -> Self {
        let language = read(LANGUAGE)
            .and_then(|code| Language::from_code(&code))
            .unwrap_or_else(of_browser);
        let theme = match read(THEME).as_deref() {
            Some("light") => Theme::Light,
            Some("dark") => Theme::Dark,
            _ => Theme::System,
        };
        words::choose(language);
        let this = Self {
            language: RwSignal::new(language),
            theme: RwSignal::new(theme),
        };
        provide_context(this);
        this.show();
        this
    }

    pub fn set_language(self, language: Language) {
        words::choose(language);
        write(LANGUAGE, language.code());
        self.language.set(language);
        self.show();
    }

    pub fn set_theme(self, theme: Theme) {
        write(THEME, theme.code());
        self.theme.set(theme);
        self.show();
    }

    fn show(self) {
        if let Some(root) = document().document_element() {
            // Setting an attribute with a valid name cannot fail.
            let _ = root.set_attribute("lang", self.language.get_untracked().code());
            let _ = root.set_attribute("data-theme", self.theme.get_untracked().code());
        }
    }
}

impl Theme {
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    pub fn code(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

fn of_browser() -> Language {
    let preferred = window().navigator().language().unwrap_or_default();
    if preferred.starts_with("id") {
        Language::Id
    } else {
        Language::En
    }
}

pub fn read(key: &str) -> Option<String> {
    window().local_storage().ok().flatten()?.get_item(key).ok().flatten()
}

/// Keeps it where the browser allows; one that refuses storage forgets it with the page.
pub fn write(key: &str, value: &str) {
    if let Some(storage) = window().local_storage().ok().flatten() {
        let _ = storage.set_item(key, value);
    }
}
