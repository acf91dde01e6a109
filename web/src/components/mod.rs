//! The console's own components: few, accessible, used by every page. They know no domain but its statuses.

pub mod access_banner;
pub mod badge;
pub mod button;
pub mod combobox;
pub mod device_picker;
pub mod dialog;
pub mod facts;
pub mod field;
pub mod form;
pub mod icon;
pub mod limits;
pub mod menu;
pub mod palette;
pub mod password_field;
pub mod region;
pub mod secret;
pub mod sections;
pub mod shell;
pub mod shortcuts;
pub mod states;
pub mod tenant_switcher;
pub mod toast;
pub mod usage_bars;
pub mod windowed;
