//! How destinations of the kind `dropbox` are opened.

use std::sync::Arc;

use async_trait::async_trait;
use http::HeaderValue;
use safelight_core::capability::{Capabilities, Length, NameRules};
use safelight_core::codes;
use safelight_core::digest::{Algorithm, Algorithms};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::provider::{Identity, Provider};
use safelight_core::registry::{Context, Factory, SettingHelp, Settings};
use safelight_core::sign_in::SignIn;
use serde_json::json;
use tokio::sync::Semaphore;

use crate::api::Api;
use crate::desk::Desk;
use crate::hosts::Hosts;
use crate::intake::Intake;
use crate::names::{LONGEST, Names};
use crate::pace::Pace;
use crate::provider::DropboxProvider;
use crate::put::MOST;
use crate::sign_in::DropboxSignIn;
use crate::store::{NAMES_PAGE, PLANES_REFUSED, Store};
use crate::tokens::{Source, Tokens};
use crate::wire::header_safe;

/// KiB that blocks of large items may take in memory: five on their way, and one that is being read.
const MEMORY: usize = 72 * 1024;

const fn setting(
    name: &'static str,
    default: Option<&'static str>,
    help: &'static str,
) -> SettingHelp {
    SettingHelp { name, help, default }
}

const SETTINGS: &[SettingHelp] = &[
    setting("app_key", None, "the key of your app in the Dropbox App Console; needed with `token`"),
    setting("token", None, "the refresh token that `safelight auth login` brings"),
    setting(
        "access_token",
        None,
        "instead of `token`: a token that is used as it is until it ends",
    ),
    setting(
        "root",
        Some(""),
        "the folder below which everything is kept; empty: the app's own folder",
    ),
    setting("path_root", None, "the id of the namespace that holds the folder, for a team's space"),
    setting("api_url", Some("https://api.dropboxapi.com"), "where the API is"),
    setting(
        "content_url",
        Some("https://content.dropboxapi.com"),
        "where bytes go to and come from",
    ),
    setting("notify_url", Some("https://notify.dropboxapi.com"), "where changes are waited for"),
    setting("www_url", Some("https://www.dropbox.com"), "where a person signs in"),
];

/// `type = "dropbox"`.
#[derive(Debug, Clone, Copy, Default)]
pub struct DropboxFactory;

#[async_trait]
impl Factory for DropboxFactory {
    fn kind(&self) -> &'static str {
        "dropbox"
    }

    fn about(&self) -> &'static str {
        "Dropbox: its own folder for this app, or any folder of the account"
    }

    fn settings(&self) -> &'static [SettingHelp] {
        SETTINGS
    }

    fn sign_in(&self) -> Option<&dyn SignIn> {
        Some(&DropboxSignIn)
    }

    async fn open(&self, settings: Settings, context: Context) -> Result<Arc<dyn Provider>> {
        let root = settings.text("root").unwrap_or_default();
        let noted = context.notebook.read(NAMES_PAGE).await?;
        let names = Names::new(root, noted.as_deref() == Some(PLANES_REFUSED))?;
        let api = api(&settings, &context)?;
        let identity = Identity {
            name: settings.name.clone(),
            kind: "dropbox",
            location: location(&api, names.root()),
        };
        let clock = &context.clock;
        let store = Store {
            identity,
            capabilities: capabilities(),
            names,
            notebook: context.notebook,
            desk: Desk::new(Arc::clone(clock)),
            intake: Intake::new(Arc::clone(clock)),
            memory: Semaphore::new(MEMORY),
            api,
        };
        Ok(Arc::new(DropboxProvider::new(store)))
    }
}

/// What speaks to the account, with the sign-in of the settings.
pub(crate) fn api(settings: &Settings, context: &Context) -> Result<Api> {
    let hosts = Hosts::of(settings)?;
    let source = match (settings.secret("token"), settings.secret("access_token")) {
        (Some(token), _) => {
            Source::Refresh { app_key: settings.require("app_key")?.to_owned(), token }
        }
        (None, Some(token)) => Source::Fixed(token),
        (None, None) => {
            let context = format!("{}: `token` is not set", settings.name);
            return Err(Error::new(Kind::SignIn, context).code(codes::SECRET_MISSING));
        }
    };
    Ok(Api {
        http: Arc::clone(&context.http),
        tokens: Tokens::new(source, &hosts.api),
        pace: Pace::new(Arc::clone(&context.clock), context.cancel.clone()),
        path_root: settings.text("path_root").map(|id| path_root(settings, id)).transpose()?,
        hosts,
    })
}

fn path_root(settings: &Settings, id: &str) -> Result<HeaderValue> {
    let wrong = || {
        let context = format!("{}: `path_root` is no id of a namespace", settings.name);
        Error::new(Kind::Unsupported, context)
    };
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b':') {
        return Err(wrong());
    }
    let header = header_safe(&json!({".tag": "namespace_id", "namespace_id": id}));
    header.ok().and_then(|header| header.parse().ok()).ok_or_else(wrong)
}

fn capabilities() -> Capabilities {
    Capabilities {
        digests: Algorithms::default().with(Algorithm::DropboxHash),
        moves: true,
        copies: true,
        copies_untouched: true,
        keeps_modified: true,
        time_granularity_ns: 1_000_000_000,
        max_item_bytes: Some(MOST),
        names: NameRules {
            case_blind: true,
            normalises: true,
            max_segment: Some(Length::Utf16(LONGEST)),
            max_key_bytes: None,
        },
        concurrency: 8,
        reads: 24,
        batch: 1000,
        ..Capabilities::default()
    }
}

/// Where it is, for people; a stand-in is named.
fn location(api: &Api, root: &str) -> String {
    let folder = if root.is_empty() { "/" } else { root };
    match api.hosts.api.as_str() {
        "https://api.dropboxapi.com" => format!("dropbox:{folder}"),
        other => format!("dropbox:{folder} at {other}"),
    }
}
