//! The sections of the console that are downloaded when somebody first goes there.
//!
//! What everybody meets first stays in the main module. Each section here is a part of its own: `xtask` cuts the module
//! where `lazy` stands. A section is one function over all of its pages, because what two sections share becomes
//! another part, and many small parts cost more than they save.

use leptos::prelude::*;
use leptos_router::LazyRoute;

use super::{
    devices::DevicesPage,
    devices::detail::DevicePage,
    devices::sheet::QrSheetPage,
    entrance::{
        invitation::InvitationPage,
        password::{ForgottenPasswordPage, ResetPasswordPage},
    },
    inbox::InboxPage,
    platform::{
        audit::PlatformAuditPage,
        plans::PlansPage,
        settings::PlatformSettingsPage,
        tenants::{TenantsPage, detail::TenantPage},
    },
    sandbox::SandboxPage,
    sandbox::detail::SandboxPhonePage,
    settings::{
        account::AccountPage, audit::AuditPage, general::GeneralPage, members::MembersPage, tokens::TokensPage,
        usage::UsagePage,
    },
};

macro_rules! parts {
    ($($part:ident { $($(#[$doc:meta])* $route:ident = $page:ident),* $(,)? })*) => {$(
        mod $part {
            pub enum Pages {
                $($route),*
            }
        }

        #[lazy]
        fn $part(page: $part::Pages) -> AnyView {
            match page {
                $($part::Pages::$route => view! { <$page /> }.into_any()),*
            }
        }

        $(
            $(#[$doc])*
            pub struct $route;

            impl LazyRoute for $route {
                fn data() -> Self {
                    Self
                }

                async fn view(_route: Self) -> AnyView {
                    $part($part::Pages::$route).await
                }
            }
        )*
    )*};
}

parts! {
    inbox {
        Inbox = InboxPage,
    }
    devices {
        Devices = DevicesPage,
        Device = DevicePage,
        QrSheet = QrSheetPage,
    }
    entrance {
        Invitation = InvitationPage,
        ForgottenPassword = ForgottenPasswordPage,
        ResetPassword = ResetPasswordPage,
    }
    settings {
        General = GeneralPage,
        Members = MembersPage,
        Tokens = TokensPage,
        Usage = UsagePage,
    }
    audit_log {
        Audit = AuditPage,
        PlatformAudit = PlatformAuditPage,
    }
    account {
        Account = AccountPage,
    }
    platform {
        Tenants = TenantsPage,
        Tenant = TenantPage,
        Plans = PlansPage,
        PlatformSettings = PlatformSettingsPage,
    }
    sandbox {
        Sandbox = SandboxPage,
        SandboxPhone = SandboxPhonePage,
    }
}
