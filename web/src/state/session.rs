//! Who is signed in, in which tenant.

use leptos::{prelude::*, task::spawn_local};

use super::{format, live};
use crate::api::{
    account::{self, Permission, Viewer},
    error::ApiError,
    sandbox, token,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    Starting,
    /// The server cannot be reached, so nobody knows.
    Unreachable,
    SignedOut,
    SignedIn,
}

#[derive(Clone, Copy)]
pub struct Session {
    pub stage: RwSignal<Stage>,
    pub viewer: RwSignal<Option<Viewer>>,
    /// Whether this server has a sandbox; unknown at first.
    pub sandbox: RwSignal<bool>,
}

impl Session {
    pub fn provide() -> Self {
        let this = Self {
            stage: RwSignal::new(Stage::Starting),
            viewer: RwSignal::new(None),
            sandbox: RwSignal::new(false),
        };
        provide_context(this);
        this.resume();
        this
    }

    /// Continues the session of the cookie, when there is one.
    pub fn resume(self) {
        self.stage.set(Stage::Starting);
        spawn_local(async move {
            match token::renew().await {
                Ok(viewer) => self.enter(viewer),
                Err(ApiError::Offline) => self.stage.set(Stage::Unreachable),
                Err(_) => self.stage.set(Stage::SignedOut),
            }
        });
    }

    pub fn enter(self, viewer: Viewer) {
        format::use_time_zone(&viewer.tenant.time_zone);
        self.viewer.set(Some(viewer));
        self.stage.set(Stage::SignedIn);
        live::start(self);
        spawn_local(async move {
            // Without an answer the sandbox's pages stay hidden.
            self.sandbox.set(sandbox::is_on().await.unwrap_or(false));
        });
    }

    pub fn leave(self) {
        live::stop();
        token::forget();
        self.stage.set(Stage::SignedOut);
        self.viewer.set(None);
    }

    pub async fn sign_out(self) {
        // Offline, the cookie stays until it expires, but this tab forgets everything.
        let _ = account::logout().await;
        self.leave();
    }

    pub async fn switch_tenant(self, id: String) -> Result<(), ApiError> {
        let viewer = token::switch(id).await?;
        live::stop();
        self.enter(viewer);
        Ok(())
    }

    /// Whether the role may change things.
    pub fn may_write(self) -> bool {
        self.may(Permission::Send)
    }

    /// Whether the role may create, remove and configure devices.
    pub fn may_manage(self) -> bool {
        self.may(Permission::ManageDevices)
    }

    /// Whether the role or scopes allow it.
    pub fn may(self, permission: Permission) -> bool {
        self.viewer.with_untracked(|viewer| {
            viewer
                .as_ref()
                .is_some_and(|viewer| viewer.permissions.contains(&permission))
        })
    }

    /// The address of who is signed in.
    pub fn email(self) -> Option<String> {
        self.viewer
            .with_untracked(|viewer| Some(viewer.as_ref()?.user.as_ref()?.email.clone()))
    }

    /// Whether the person runs the platform.
    pub fn is_operator(self) -> bool {
        self.viewer.with_untracked(|viewer| {
            viewer
                .as_ref()
                .and_then(|viewer| viewer.user.as_ref())
                .is_some_and(|user| user.operator)
        })
    }

    pub fn user_id(self) -> Option<String> {
        self.viewer
            .with_untracked(|viewer| Some(viewer.as_ref()?.user.as_ref()?.id.inner().to_owned()))
    }

    pub fn tenant_id(self) -> Option<String> {
        self.viewer
            .with(|viewer| viewer.as_ref().map(|viewer| viewer.tenant.id.inner().to_owned()))
    }
}

pub fn use_session() -> Session {
    expect_context()
}
