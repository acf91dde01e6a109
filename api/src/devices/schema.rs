//! Devices in the API.

use async_graphql::{Context, Enum, ID, InputObject, Object, SimpleObject};
use entity::{DeviceId, device};

use super::{
    Devices,
    queries::{self, DeviceSearch, Sort},
    service::{DeviceChange, NewDevice},
    views::{Device, DeviceStatus},
};
use crate::{
    graphql::{
        GqlError, Payload, UserError, answer,
        ids::parse,
        pagination::{CountedConnection, PageArguments, TotalCount, counted},
    },
    store::Store,
    tenants::{Permission, principal},
};

/// Which devices. Everything given must hold.
#[derive(Default, InputObject)]
pub struct DeviceFilter {
    /// One of these states.
    pub status: Option<Vec<DeviceStatus>>,
    /// Only those that are connected, or only those that are not.
    pub connected: Option<bool>,
    /// Part of the name, key, phone number or push name, whatever its case.
    pub text: Option<String>,
    /// Has this tag.
    pub tag: Option<String>,
}

impl From<DeviceFilter> for DeviceSearch {
    fn from(filter: DeviceFilter) -> Self {
        let status = filter.status.unwrap_or_default().into_iter().map(Into::into).collect();
        Self {
            status,
            connected: filter.connected,
            text: filter.text,
            tag: filter.tag,
        }
    }
}

/// How devices are sorted.
#[derive(Clone, Copy, PartialEq, Eq, Enum)]
pub enum DeviceOrder {
    /// Oldest first.
    CreatedAsc,
    /// Newest first.
    CreatedDesc,
    /// By name, A to Z.
    NameAsc,
    /// By name, Z to A.
    NameDesc,
}

impl From<DeviceOrder> for Sort {
    fn from(order: DeviceOrder) -> Self {
        match order {
            DeviceOrder::CreatedAsc => Self::Created { ascending: true },
            DeviceOrder::CreatedDesc => Self::Created { ascending: false },
            DeviceOrder::NameAsc => Self::Name { ascending: true },
            DeviceOrder::NameDesc => Self::Name { ascending: false },
        }
    }
}

/// Queries of devices.
#[derive(Default)]
pub struct DeviceQuery;

#[Object]
impl DeviceQuery {
    /// The tenant's devices, newest first unless sorted otherwise.
    async fn devices(
        &self,
        ctx: &Context<'_>,
        #[graphql(name = "where")] filter: Option<DeviceFilter>,
        order_by: Option<DeviceOrder>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<CountedConnection<Device>, GqlError> {
        let search = DeviceSearch::from(filter.unwrap_or_default());
        let sort = Sort::from(order_by.unwrap_or(DeviceOrder::CreatedDesc));
        list(ctx, search, sort, PageArguments::new(first, after, last, before)).await
    }

    /// One device, by its id or by your own key. Null when there is none.
    async fn device(&self, ctx: &Context<'_>, id: Option<ID>, key: Option<String>) -> Result<Option<Device>, GqlError> {
        let caller = principal(ctx)?;
        caller.require(Permission::Read)?;
        let scope = ctx.data_unchecked::<Store>().scope(caller);
        let row = match (id, key) {
            (Some(id), None) => match id.parse() {
                Ok(id) => queries::find(&scope, id).await?,
                Err(_) => None,
            },
            (None, Some(key)) => queries::find_by_key(&scope, &key).await?,
            _ => return Err(GqlError::bad_request("Give either id or key.")),
        };
        Ok(row.map(Device::from))
    }
}

async fn list(
    ctx: &Context<'_>,
    search: DeviceSearch,
    sort: Sort,
    page: PageArguments,
) -> Result<CountedConnection<Device>, GqlError> {
    let caller = principal(ctx)?;
    caller.require(Permission::Read)?;
    let scope = ctx.data_unchecked::<Store>().scope(caller);
    let counting = (scope.clone(), search.clone());
    let total = TotalCount::by(move || {
        let (scope, search) = counting.clone();
        async move { Ok(queries::count(&scope, &search).await?) }
    });
    match sort {
        Sort::Created { ascending } => {
            let rows = queries::list_by_creation(&scope, &search, ascending, &page.parse()?).await?;
            Ok(counted(rows, total, |row| (row.id, Device::from(row))))
        }
        Sort::Name { ascending } => {
            let rows = queries::list_by_name(&scope, &search, ascending, &page.parse()?).await?;
            Ok(counted(rows, total, |row| {
                ((row.name.clone(), row.id), Device::from(row))
            }))
        }
    }
}

/// A new device.
#[derive(InputObject)]
pub struct CreateDeviceInput {
    /// 1–120 characters.
    pub name: String,
    /// Your own key: 3–50 of `A-Za-z0-9_-`, unique in the tenant.
    pub key: Option<String>,
    /// At most 1,000 characters.
    pub remark: Option<String>,
    /// At most 20 tags of 1–40 characters.
    pub tags: Option<Vec<String>>,
}

/// Changes of a device: what is left out stays as it is, empty text removes it.
#[derive(InputObject)]
pub struct UpdateDeviceInput {
    /// Which device.
    pub id: ID,
    /// 1–120 characters.
    pub name: Option<String>,
    /// 3–50 of `A-Za-z0-9_-`, unique in the tenant; empty removes it.
    pub key: Option<String>,
    /// At most 1,000 characters; empty removes it.
    pub remark: Option<String>,
    /// At most 20 tags of 1–40 characters; they replace the old ones.
    pub tags: Option<Vec<String>>,
}

/// Links by a code that is typed instead of scanned.
#[derive(InputObject)]
pub struct RequestPairingCodeInput {
    /// Which device.
    pub device_id: ID,
    /// The account's number: international (`+62 812…`, `62812…`), or local (`0812…`) in the tenant's default country.
    pub phone_number: String,
}

/// What became of a device.
#[derive(SimpleObject)]
pub struct DevicePayload {
    /// The device as it is now; null when it was refused.
    pub device: Option<Device>,
    /// Why it was refused; empty when it was done.
    pub user_errors: Vec<UserError>,
}

impl Payload<device::Model> for DevicePayload {
    fn accepted(row: device::Model) -> Self {
        Self {
            device: Some(row.into()),
            user_errors: Vec::new(),
        }
    }

    fn refused(user_errors: Vec<UserError>) -> Self {
        Self {
            device: None,
            user_errors,
        }
    }
}

/// What became of a deletion.
#[derive(SimpleObject)]
pub struct DeleteDevicePayload {
    /// The id of what is gone; null when it was refused.
    pub deleted_id: Option<ID>,
    /// Why it was refused; empty when it was done.
    pub user_errors: Vec<UserError>,
}

impl Payload<DeviceId> for DeleteDevicePayload {
    fn accepted(id: DeviceId) -> Self {
        Self {
            deleted_id: Some(ID(id.to_string())),
            user_errors: Vec::new(),
        }
    }

    fn refused(user_errors: Vec<UserError>) -> Self {
        Self {
            deleted_id: None,
            user_errors,
        }
    }
}

/// Mutations of devices.
#[derive(Default)]
pub struct DeviceMutation;

#[Object]
impl DeviceMutation {
    /// Makes a device; `connectDevice` links it. Needs the right to manage devices.
    async fn create_device(&self, ctx: &Context<'_>, input: CreateDeviceInput) -> Result<DevicePayload, GqlError> {
        let CreateDeviceInput {
            name,
            key,
            remark,
            tags,
        } = input;
        let new = NewDevice {
            name,
            key,
            remark,
            tags: tags.unwrap_or_default(),
        };
        answer(devices(ctx).create(principal(ctx)?, new).await)
    }

    /// Renames, remarks, tags. Needs the right to manage devices.
    async fn update_device(&self, ctx: &Context<'_>, input: UpdateDeviceInput) -> Result<DevicePayload, GqlError> {
        let UpdateDeviceInput {
            id,
            name,
            key,
            remark,
            tags,
        } = input;
        let change = DeviceChange {
            name,
            key,
            remark,
            tags,
        };
        let caller = principal(ctx)?;
        answer(async { devices(ctx).update(caller, parse(&id, "device", "id")?, change).await }.await)
    }

    /// Connects: a linked device logs in, another one shows codes to link it (`Device.qr`, live by `deviceUpdated`).
    async fn connect_device(&self, ctx: &Context<'_>, id: ID) -> Result<DevicePayload, GqlError> {
        let caller = principal(ctx)?;
        answer(async { devices(ctx).connect(caller, parse(&id, "device", "id")?).await }.await)
    }

    /// Asks WhatsApp for a code to type on the phone, instead of a QR code to scan (`Device.pairingCode`).
    async fn request_pairing_code(
        &self,
        ctx: &Context<'_>,
        input: RequestPairingCodeInput,
    ) -> Result<DevicePayload, GqlError> {
        let caller = principal(ctx)?;
        let RequestPairingCodeInput {
            device_id,
            phone_number,
        } = input;
        let service = devices(ctx);
        answer(
            async {
                service
                    .request_pairing_code(caller, parse(&device_id, "device", "deviceId")?, &phone_number)
                    .await
            }
            .await,
        )
    }

    /// Closes the connection and keeps the link. Messages wait in the queue.
    async fn disconnect_device(&self, ctx: &Context<'_>, id: ID) -> Result<DevicePayload, GqlError> {
        let caller = principal(ctx)?;
        answer(async { devices(ctx).disconnect(caller, parse(&id, "device", "id")?).await }.await)
    }

    /// Removes the link at WhatsApp. The device must be connected. Chats and messages stay.
    async fn logout_device(&self, ctx: &Context<'_>, id: ID) -> Result<DevicePayload, GqlError> {
        let caller = principal(ctx)?;
        answer(async { devices(ctx).logout(caller, parse(&id, "device", "id")?).await }.await)
    }

    /// Closes the connection and opens it again.
    async fn restart_device(&self, ctx: &Context<'_>, id: ID) -> Result<DevicePayload, GqlError> {
        let caller = principal(ctx)?;
        answer(async { devices(ctx).restart(caller, parse(&id, "device", "id")?).await }.await)
    }

    /// Stops whatever runs and deletes the device's credentials, without telling WhatsApp. Chats and messages stay.
    async fn wipe_device(&self, ctx: &Context<'_>, id: ID) -> Result<DevicePayload, GqlError> {
        let caller = principal(ctx)?;
        answer(async { devices(ctx).wipe(caller, parse(&id, "device", "id")?).await }.await)
    }

    /// Deletes the device with its chats and messages. It is unlinked at WhatsApp when it is connected.
    async fn delete_device(&self, ctx: &Context<'_>, id: ID) -> Result<DeleteDevicePayload, GqlError> {
        let caller = principal(ctx)?;
        answer(async { devices(ctx).delete(caller, parse(&id, "device", "id")?).await }.await)
    }
}

fn devices<'a>(ctx: &Context<'a>) -> &'a Devices {
    ctx.data_unchecked::<Devices>()
}
