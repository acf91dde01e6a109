//! The settings' frame.

use super::phrases;

phrases! {
    settings: "Settings", "Pengaturan";
    your_account: "Your account", "Akun Anda";
    signing_in: "Sign-in and security", "Masuk dan keamanan";
}
