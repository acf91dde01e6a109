//! The settings' frame.

use super::phrases;

phrases! {
    settings: "Settings", "Pengaturan";
}
