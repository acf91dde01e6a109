//! Which tables hold a tenant's rows: what is gone through when a tenant is deleted or exported.

use sea_orm::{ColumnTrait, ColumnType, EntityTrait, IdenStatic, Iterable, PrimaryKeyToColumn};

use crate::{
    AppendOnly, TenantOwned, access_grant, address_pair, api_token, audit_entry, chat, device, event, event_sequence,
    invitation, membership, message, message_queue, quota_usage, receipt, tenant,
};

/// A table whose rows belong to tenants, by the names of the database.
#[derive(Clone, Debug)]
pub struct TenantTable {
    /// How it is called.
    pub name: &'static str,
    /// The column that names the tenant.
    pub tenant: &'static str,
    /// What tells a tenant's rows apart; empty when it has one at most.
    pub key: Vec<TableColumn>,
    /// Every column.
    pub columns: Vec<TableColumn>,
}

/// A column of a table.
#[derive(Clone, Debug)]
pub struct TableColumn {
    /// How it is called.
    pub name: &'static str,
    /// What it holds.
    pub kind: ColumnType,
}

impl TenantTable {
    fn of<E: EntityTrait>(tenant: E::Column) -> Self {
        let column = |column: E::Column| TableColumn {
            name: column.as_str(),
            kind: column.def().get_column_type().clone(),
        };
        let key = E::PrimaryKey::iter().map(PrimaryKeyToColumn::into_column);
        Self {
            name: E::default().table_name(),
            tenant: tenant.as_str(),
            key: key
                .filter(|column: &E::Column| column.as_str() != tenant.as_str())
                .map(column)
                .collect(),
            columns: E::Column::iter().map(column).collect(),
        }
    }

    fn owned<E: TenantOwned>() -> Self {
        Self::of::<E>(E::TENANT)
    }

    fn logged<E: AppendOnly>() -> Self {
        Self::of::<E>(E::TENANT)
    }
}

/// `tenant` itself: one row.
pub fn tenant_row() -> TenantTable {
    TenantTable::owned::<tenant::Entity>()
}

/// Every table of tenants but `tenant` itself: what refers to others stands before them.
///
/// **Invariant:** no table that implements [`TenantOwned`] or [`AppendOnly`] is missing; a test compares.
pub fn tenant_tables() -> Vec<TenantTable> {
    vec![
        TenantTable::owned::<receipt::Entity>(),
        TenantTable::owned::<message_queue::Entity>(),
        TenantTable::owned::<message::Entity>(),
        TenantTable::owned::<chat::Entity>(),
        TenantTable::owned::<address_pair::Entity>(),
        TenantTable::owned::<event::Entity>(),
        TenantTable::owned::<event_sequence::Entity>(),
        TenantTable::owned::<device::Entity>(),
        TenantTable::owned::<quota_usage::Entity>(),
        TenantTable::owned::<invitation::Entity>(),
        TenantTable::owned::<api_token::Entity>(),
        TenantTable::owned::<access_grant::Entity>(),
        TenantTable::owned::<membership::Entity>(),
        TenantTable::logged::<audit_entry::Entity>(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_table_of_tenants_is_missing() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut marked = Vec::new();
        for file in std::fs::read_dir(folder).expect("the sources are there") {
            let path = file.expect("a file").path();
            let text = std::fs::read_to_string(&path).expect("a source");
            let is_marked = ["TenantOwned", "AppendOnly"]
                .iter()
                .any(|name| text.contains(&format!("impl {name} for Entity")));
            if is_marked {
                let stem = path.file_stem().and_then(|stem| stem.to_str());
                marked.push(stem.expect("a name").to_owned());
            }
        }
        marked.retain(|name| name != "tenant");
        marked.sort();
        let mut listed: Vec<String> = tenant_tables().iter().map(|table| table.name.to_owned()).collect();
        listed.sort();
        assert_eq!(
            listed, marked,
            "write a new table of tenants into `tenant_tables`: it is deleted and exported with its tenant"
        );
    }

    #[test]
    fn keys_leave_the_tenant_out() {
        let tables = tenant_tables();
        let key = |name: &str| -> Vec<&str> {
            let table = tables.iter().find(|table| table.name == name).expect("it is listed");
            table.key.iter().map(|column| column.name).collect()
        };
        assert_eq!(key("message"), ["id"]);
        assert_eq!(key("event"), ["sequence"]);
        assert_eq!(key("quota_usage"), ["subject", "meter", "window"]);
        assert!(key("event_sequence").is_empty());
    }
}
