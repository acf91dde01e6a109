//! What people are written, and the links that they follow.

use super::one_time::OneTimeSecret;
use crate::mail::Letter;

/// Makes links into the console.
#[derive(Clone, Debug, Default)]
pub struct Links {
    host: String,
}

impl Links {
    /// With how browsers reach the server, without a slash at its end. Without it, links begin with `/`.
    pub fn new(public_url: Option<&str>) -> Self {
        Self {
            host: public_url.unwrap_or_default().to_owned(),
        }
    }

    /// Where an invitation is accepted.
    pub fn invitation(&self, secret: &OneTimeSecret) -> String {
        self.to("invitation", secret)
    }

    /// Where a new password is chosen.
    pub fn password_reset(&self, secret: &OneTimeSecret) -> String {
        self.to("password-reset", secret)
    }

    fn to(&self, page: &str, secret: &OneTimeSecret) -> String {
        // Behind the mark, so that no server's log ever holds it.
        format!("{}/{page}#{}", self.host, secret.expose())
    }
}

/// Invites somebody into a tenant, in the tenant's language.
pub fn invitation(to: &str, language: &str, tenant: &str, link: &str) -> Letter {
    let (subject, text) = match language {
        "id" => (
            format!("Undangan ke {tenant} di Kabar"),
            format!(
                "Anda diundang ke {tenant} di Kabar.\n\nBuka tautan ini dalam tujuh hari:\n\n{link}\n\nJika Anda tidak \
                 mengenal {tenant}, abaikan surat ini.\n"
            ),
        ),
        _ => (
            format!("Invitation to {tenant} on Kabar"),
            format!(
                "You are invited to {tenant} on Kabar.\n\nOpen this link within seven days:\n\n{link}\n\nIf you don't \
                 know {tenant}, ignore this mail.\n"
            ),
        ),
    };
    Letter {
        to: to.to_owned(),
        subject,
        text,
    }
}

/// Tells how to choose a new password.
pub fn password_reset(to: &str, language: &str, link: &str) -> Letter {
    let (subject, text) = match language {
        "id" => (
            "Kata sandi baru untuk Kabar".to_owned(),
            format!(
                "Seseorang meminta kata sandi baru untuk alamat ini di Kabar.\n\nBuka tautan ini dalam satu jam untuk \
                 memilihnya:\n\n{link}\n\nJika bukan Anda, abaikan surat ini: kata sandi Anda tetap berlaku.\n"
            ),
        ),
        _ => (
            "A new password for Kabar".to_owned(),
            format!(
                "Somebody asked for a new password for this address on Kabar.\n\nOpen this link within one hour to \
                 choose it:\n\n{link}\n\nIf it was not you, ignore this mail: your password stays as it is.\n"
            ),
        ),
    };
    Letter {
        to: to.to_owned(),
        subject,
        text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_in_the_language_of_the_tenant_and_hold_the_link() {
        let secret = OneTimeSecret::random();
        let link = Links::new(Some("https://kabar.test")).password_reset(&secret);
        assert_eq!(link, format!("https://kabar.test/password-reset#{}", secret.expose()));
        for language in ["en", "id", "xx"] {
            let letter = password_reset("a@b", language, &link);
            assert!(letter.text.contains(&link) && !letter.subject.contains('\n'));
        }
        assert!(
            invitation("a@b", "id", "Toko", "/x")
                .subject
                .starts_with("Undangan ke Toko")
        );
    }
}
