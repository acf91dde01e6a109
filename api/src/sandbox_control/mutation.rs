//! Playing with the sandbox network.

use async_graphql::{Context, Object, SimpleObject};
use sandbox::{Behavior, BehaviorPatch, Network, SandboxError, Target, Text};

use super::{
    inputs::{
        SandboxCreateGroupInput, SandboxCreatePhoneInput, SandboxDisruptInput, SandboxEnterPairingCodeInput,
        SandboxScanQrInput, SandboxSendInput, SandboxSetBehaviorInput, SandboxTargetInput,
    },
    views::{SandboxGroup, SandboxPhone},
};
use crate::{
    devices::Devices,
    graphql::{ErrorCode, GqlError, Payload, Refusal, UserError, answer, ids::parse, scalars::Jid},
    tenants::{Permission, principal},
};

/// What became of a phone.
#[derive(SimpleObject)]
pub struct SandboxPhonePayload {
    /// The phone as it is now; null when it was refused.
    phone: Option<SandboxPhone>,
    /// The id of the message that it wrote.
    whatsapp_id: Option<String>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

/// A phone, and what it wrote.
type Done = (sandbox::Phone, Option<String>);

impl Payload<Done> for SandboxPhonePayload {
    fn accepted((phone, whatsapp_id): Done) -> Self {
        Self {
            phone: Some(phone.into()),
            whatsapp_id,
            user_errors: Vec::new(),
        }
    }

    fn refused(user_errors: Vec<UserError>) -> Self {
        Self {
            phone: None,
            whatsapp_id: None,
            user_errors,
        }
    }
}

/// What became of a group.
#[derive(SimpleObject)]
pub struct SandboxGroupPayload {
    /// The group; null when it was refused.
    group: Option<SandboxGroup>,
    /// Why it was refused; empty when it was done.
    user_errors: Vec<UserError>,
}

impl Payload<sandbox::Group> for SandboxGroupPayload {
    fn accepted(group: sandbox::Group) -> Self {
        Self {
            group: Some(group.into()),
            user_errors: Vec::new(),
        }
    }

    fn refused(user_errors: Vec<UserError>) -> Self {
        Self {
            group: None,
            user_errors,
        }
    }
}

/// Mutations of the sandbox network. They need the right to send.
#[derive(Default)]
pub struct SandboxMutation;

#[Object]
impl SandboxMutation {
    /// Makes a phone.
    async fn sandbox_create_phone(
        &self,
        ctx: &Context<'_>,
        input: SandboxCreatePhoneInput,
    ) -> Result<SandboxPhonePayload, GqlError> {
        answer(create_phone(ctx, input))
    }

    /// A phone scans a device's current code, or the code that another client shows; answers when that has logged in.
    async fn sandbox_scan_qr(
        &self,
        ctx: &Context<'_>,
        input: SandboxScanQrInput,
    ) -> Result<SandboxPhonePayload, GqlError> {
        answer(scan_qr(ctx, input).await)
    }

    /// A phone's owner types a pairing code; answers when the device has logged in.
    async fn sandbox_enter_pairing_code(
        &self,
        ctx: &Context<'_>,
        input: SandboxEnterPairingCodeInput,
    ) -> Result<SandboxPhonePayload, GqlError> {
        answer(enter_pairing_code(ctx, input).await)
    }

    /// A phone writes to a number or a group.
    async fn sandbox_send(&self, ctx: &Context<'_>, input: SandboxSendInput) -> Result<SandboxPhonePayload, GqlError> {
        answer(send(ctx, input).await)
    }

    /// Changes how a phone acts.
    async fn sandbox_set_behavior(
        &self,
        ctx: &Context<'_>,
        input: SandboxSetBehaviorInput,
    ) -> Result<SandboxPhonePayload, GqlError> {
        answer(set_behavior(ctx, input))
    }

    /// Makes something go wrong for the devices that are linked to a phone, or for messages to it.
    async fn sandbox_disrupt(
        &self,
        ctx: &Context<'_>,
        input: SandboxDisruptInput,
    ) -> Result<SandboxPhonePayload, GqlError> {
        answer(disrupt(ctx, input).await)
    }

    /// A phone creates a group.
    async fn sandbox_create_group(
        &self,
        ctx: &Context<'_>,
        input: SandboxCreateGroupInput,
    ) -> Result<SandboxGroupPayload, GqlError> {
        answer(create_group(ctx, input).await)
    }
}

fn create_phone(ctx: &Context<'_>, input: SandboxCreatePhoneInput) -> Result<Done, Refusal> {
    let behavior = BehaviorPatch::from(input.behavior.unwrap_or_default()).applied_to(Behavior::default());
    let phone = network(ctx)?.create_phone(&input.number, input.name.as_deref(), behavior);
    Ok((phone.map_err(|error| refusal(&error))?, None))
}

async fn scan_qr(ctx: &Context<'_>, input: SandboxScanQrInput) -> Result<Done, Refusal> {
    let network = network(ctx)?;
    let qr = match (input.device_id, input.qr) {
        (Some(id), None) => {
            let devices = ctx.data_unchecked::<Devices>();
            let device = devices.get(principal(ctx)?, parse(&id, "device", "deviceId")?).await?;
            let qr = devices.qr(device.id).ok_or_else(|| {
                let message = "The device shows no code now. Connect it first.";
                UserError::new(ErrorCode::Conflict, message).at("deviceId")
            })?;
            qr.text
        }
        (None, Some(qr)) => qr,
        _ => return Err(UserError::invalid("deviceId", "Give either deviceId or qr.").into()),
    };
    network
        .scan_qr(&input.phone, &qr)
        .await
        .map_err(|error| refusal(&error))?;
    phone(network, &input.phone)
}

async fn enter_pairing_code(ctx: &Context<'_>, input: SandboxEnterPairingCodeInput) -> Result<Done, Refusal> {
    let network = network(ctx)?;
    let entered = network.enter_pairing_code(&input.phone, &input.code).await;
    entered.map_err(|error| refusal(&error))?;
    phone(network, &input.phone)
}

async fn send(ctx: &Context<'_>, input: SandboxSendInput) -> Result<Done, Refusal> {
    let network = network(ctx)?;
    let target = match input.to {
        SandboxTargetInput::Phone(number) => Target::Phone(number),
        SandboxTargetInput::Group(Jid(jid)) => Target::Group(jid),
    };
    let text = Text {
        body: input.text,
        mentions: input.mentions.unwrap_or_default(),
        mentions_everyone: input.mention_everyone.unwrap_or_default(),
    };
    let sent = network.send_text(&input.from, target, text).await;
    let whatsapp_id = sent.map_err(|error| refusal(&error))?;
    phone(network, &input.from).map(|(phone, _)| (phone, Some(whatsapp_id)))
}

fn set_behavior(ctx: &Context<'_>, input: SandboxSetBehaviorInput) -> Result<Done, Refusal> {
    let phone = network(ctx)?.set_behavior(&input.phone, input.behavior.into());
    Ok((phone.map_err(|error| refusal(&error))?, None))
}

async fn disrupt(ctx: &Context<'_>, input: SandboxDisruptInput) -> Result<Done, Refusal> {
    let phone = network(ctx)?.disrupt(&input.phone, input.disruption.into()).await;
    Ok((phone.map_err(|error| refusal(&error))?, None))
}

async fn create_group(ctx: &Context<'_>, input: SandboxCreateGroupInput) -> Result<sandbox::Group, Refusal> {
    let network = network(ctx)?;
    let group = network
        .create_group(&input.owner, &input.subject, &input.participants)
        .await;
    group.map_err(|error| refusal(&error))
}

fn network<'a>(ctx: &Context<'a>) -> Result<&'a Network, Refusal> {
    principal(ctx)?.require(Permission::Send)?;
    let network = ctx.data_opt::<Network>();
    network.ok_or_else(|| UserError::new(ErrorCode::Sandbox, "This server runs no sandbox network.").into())
}

fn phone(network: &Network, number: &str) -> Result<Done, Refusal> {
    let phone = network.phone(number);
    phone
        .map(|phone| (phone, None))
        .ok_or_else(|| UserError::not_found("phone").at("phone").into())
}

fn refusal(error: &SandboxError) -> Refusal {
    let code = match error {
        SandboxError::InvalidNumber(_) => ErrorCode::InvalidPhoneNumber,
        SandboxError::NoSuchPhone(_) | SandboxError::NoSuchGroup(_) | SandboxError::NoSuchMessage(_) => {
            ErrorCode::NotFound
        }
        SandboxError::AlreadyExists(_) => ErrorCode::AlreadyExists,
        SandboxError::PairingTimedOut => ErrorCode::TimedOut,
        SandboxError::NotLinked(_) => ErrorCode::NotLinked,
        _ => ErrorCode::Sandbox,
    };
    let mut text = error.to_string();
    if let Some(first) = text.get(..1).map(str::to_uppercase) {
        text.replace_range(..1, &first);
    }
    UserError::new(code, format!("{text}.")).into()
}
