//! Which part gets which: the one place that knows all of them.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::{App, StartError, data_dir};
use crate::{
    chats::GroupNames,
    clock::Clock,
    config::{self, Config},
    devices::{Devices, Leases, pairing::Linking, status::StatusKeeper},
    dispatch::Dispatch,
    engine::{self, Endpoint, EngineConfig, ReconnectPolicy},
    events::{Bus, EventLog},
    fetch::Fetcher,
    http::{ExportSlots, Persisted, Probes, Services},
    keys::Keyring,
    mail::Mailer,
    messages::{
        Inbox, Joining, LinkPreviews, Messages, Originals, Outbox, Receipts, Recent, Senders, SendingOptions,
        pacing::Pacing, waiting::Waiting,
    },
    platform::Platform,
    rates::{RateSettings, Windows},
    schema,
    store::{DatabaseOptions, Store},
    tenants::{self, AccountParts, Accounts, ApiTokens, Members, Passwords, Profiles, Tenancy, Tokens},
};

/// Opens, wires and starts everything but the HTTP server.
pub async fn start(config: Config, clock: Clock) -> Result<App, StartError> {
    let lock = data_dir::take(&config.data_dir)?;
    let node = data_dir::node_name(&config.data_dir)?;
    let store = open_store(&config.database).await?;
    store.migrate().await?;

    let passwords = Passwords::new(config.passwords)?;
    let first_operator = tenants::prepare(&store, &clock, &passwords, &config.first_run).await?;
    let keyring = Keyring::open(store.clone(), clock.clone(), &config.secrets()).await?;
    let tokens = Tokens::new(
        keyring.signing().clone(),
        &config.master_key,
        config.sessions.access_token,
    );
    let cipher = keyring.cipher().clone();
    let profiles = Profiles::new(store.clone());
    let rates = RateSettings::new(store.clone(), &config);
    rates.reload().await?;
    let windows = Windows::new(store.clone(), clock.clone());
    let events = EventLog::new(clock.clone(), Bus::default());
    let mailer = Mailer::start(&config.mail)?;
    let parts = AccountParts {
        store: store.clone(),
        clock: clock.clone(),
        passwords,
        tokens,
        profiles: profiles.clone(),
        rates: rates.clone(),
        cipher: cipher.clone(),
        mailer: mailer.clone(),
        events: events.clone(),
    };
    let accounts = Accounts::new(parts, &config);
    let platform = Platform::new(
        store.clone(),
        clock.clone(),
        accounts.clone(),
        profiles.clone(),
        rates.clone(),
        events.clone(),
    );
    let tenancy = Tenancy::new(
        store.clone(),
        clock.clone(),
        profiles.clone(),
        rates.clone(),
        windows.clone(),
    );
    let members = Members::new(
        store.clone(),
        clock.clone(),
        events.clone(),
        accounts.clone(),
        profiles.clone(),
    );
    let api_tokens = ApiTokens::new(store.clone(), clock.clone(), accounts.authenticator().clone());

    #[cfg(feature = "sandbox")]
    let network = start_network(&config).await?;
    #[cfg(feature = "sandbox")]
    let endpoint = sandbox_endpoint(&config, network.as_ref());
    #[cfg(not(feature = "sandbox"))]
    let endpoint = Endpoint::Live;

    let leases = Leases::new(store.clone(), clock.clone(), node);
    let originals = Arc::new(Originals::new(store.clone(), leases.clone()));
    let (engine, engine_events) = engine::start(
        engine_config(endpoint, &config.engine),
        cipher,
        clock.clone(),
        originals,
    )?;
    let linking = Linking::default();
    let waiting = Waiting::default();
    let recent = Recent::default();
    let pacing = Pacing {
        gap: config.sending.gap,
        jitter: config.sending.jitter,
    };
    let sending = SendingOptions {
        window: config.sending.window,
        pacing,
    };
    let senders = Senders::new(
        store.clone(),
        clock.clone(),
        events.clone(),
        engine.clone(),
        waiting.clone(),
        recent.clone(),
        profiles.clone(),
        sending,
    );
    let receipts = Receipts::start(store.clone(), clock.clone(), events.clone(), waiting.clone(), recent);
    let dispatch = Dispatch {
        leases: leases.clone(),
        status: StatusKeeper::start(store.clone(), events.clone(), leases.clone(), linking.clone()),
        senders: senders.clone(),
        receipts,
        inbox: Inbox::start(&store, &clock, &events, &profiles),
        joining: Joining::start(store.clone(), events.clone()),
        group_names: GroupNames::start(store.clone(), events.clone()),
    };
    let dispatch = tokio::spawn(dispatch.run(engine_events));
    let devices = Devices::new(
        store.clone(),
        clock.clone(),
        events.clone(),
        engine.clone(),
        leases.clone(),
        linking,
    );
    let erasure = platform.erasure(devices.clone());
    let outbox = Outbox::start(clock.clone(), events.clone(), profiles);
    let previews = LinkPreviews::new(Fetcher::new(&config.fetching)?, config.fetching.timeout);
    let messages = Messages::new(
        store.clone(),
        clock.clone(),
        events.clone(),
        engine.clone(),
        outbox,
        senders.clone(),
        waiting,
        previews,
    );

    let builder = schema::builder()
        .data(store.clone())
        .data(clock.clone())
        .data(accounts.clone())
        .data(tenancy)
        .data(platform.clone())
        .data(api_tokens)
        .data(members)
        .data(devices.clone())
        .data(messages)
        .data(events);
    #[cfg(feature = "sandbox")]
    let builder = match &network {
        Some(network) => builder.data(network.clone()),
        None => builder,
    };
    let services = Services {
        probes: probes(&store, &engine),
        exports: ExportSlots::new(config.exports),
        config: Arc::new(config),
        clock,
        store: store.clone(),
        accounts,
        platform,
        rates,
        windows,
        devices: devices.clone(),
        persisted: Persisted::default(),
        executor: Arc::new(builder.finish()),
        stopping: CancellationToken::new(),
    };
    let app = App {
        services: Arc::new(services),
        devices,
        leases,
        store,
        engine,
        senders,
        mailer,
        keyring,
        dispatch,
        first_operator,
        #[cfg(feature = "sandbox")]
        network,
        erasure,
        _data_dir: lock,
    };
    app.start_background();
    Ok(app)
}

/// Opens the configured database.
pub async fn open_store(config: &config::Database) -> Result<Store, StartError> {
    let options = DatabaseOptions {
        url: config.url.expose().to_owned(),
        max_connections: config.max_connections,
        acquire_timeout: config.acquire_timeout,
    };
    Ok(Store::open(&options).await?)
}

fn engine_config(endpoint: Endpoint, config: &config::Engine) -> EngineConfig {
    EngineConfig {
        reconnect: ReconnectPolicy {
            first: config.reconnect_min,
            longest: config.reconnect_max,
            ..ReconnectPolicy::default()
        },
        ack_timeout: config.ack_timeout,
        probe_timeout: config.probe_timeout,
        connect_timeout: config.connect_timeout,
        ..EngineConfig::new(endpoint)
    }
}

fn probes(store: &Store, engine: &engine::Handle) -> Probes {
    let (store, engine) = (store.clone(), engine.clone());
    vec![
        (
            "database",
            Arc::new(move || {
                let store = store.clone();
                Box::pin(async move { store.ping().await.map_err(|error| error.to_string()) })
            }),
        ),
        (
            "engine",
            Arc::new(move || {
                let runs = engine.is_running();
                Box::pin(async move {
                    if runs {
                        Ok(())
                    } else {
                        Err("the engine has stopped".to_owned())
                    }
                })
            }),
        ),
    ]
}

/// The embedded network, unless devices are to use one that runs elsewhere.
#[cfg(feature = "sandbox")]
async fn start_network(config: &Config) -> Result<Option<sandbox::Network>, StartError> {
    if config.sandbox.url.is_some() {
        return Ok(None);
    }
    let data_dir = config.sandbox.persist.then(|| config.data_dir.join("sandbox"));
    let network = sandbox::Network::start(sandbox::NetworkConfig {
        listen: config.sandbox.listen,
        data_dir,
    })
    .await;
    network
        .map(Some)
        .map_err(|error| StartError::Sandbox(error.to_string()))
}

#[cfg(feature = "sandbox")]
fn sandbox_endpoint(config: &Config, network: Option<&sandbox::Network>) -> Endpoint {
    let url = match (network, &config.sandbox.url) {
        (Some(network), _) => network.url(),
        (None, Some(url)) => url.clone(),
        (None, None) => String::new(),
    };
    // Media is served on the same address.
    let host = url
        .split("://")
        .nth(1)
        .and_then(|rest| rest.split('/').next())
        .unwrap_or_default();
    Endpoint::Sandbox {
        media_base: format!("http://{host}"),
        url: url.clone(),
    }
}
