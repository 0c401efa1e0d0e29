//! How destinations of the kind `amazon-photos` are opened.

use std::sync::Arc;

use async_trait::async_trait;
use safelight_core::capability::{Capabilities, Length, NameRules};
use safelight_core::codes;
use safelight_core::digest::{Algorithm, Algorithms};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::provider::{Identity, Provider};
use safelight_core::registry::{Context, Factory, SettingHelp, Settings};
use safelight_core::sign_in::SignIn;

use crate::api::Api;
use crate::cookies::Cookies;
use crate::folders::Folders;
use crate::fresh::Fresh;
use crate::hosts::Hosts;
use crate::ledger::Ledger;
use crate::names::{LONGEST, Names};
use crate::pace::{Pace, RATE};
use crate::provider::AmazonPhotosProvider;
use crate::put::MOST;
use crate::sign_in::AmazonSignIn;
use crate::store::Store;
use crate::trash::Bin;

/// Calls at once, at most, where nothing is set.
const CONCURRENCY: usize = 8;
/// Where everything is kept, where nothing is set.
const ROOT: &str = "Safelight";
/// Nobody gets more.
const LIMIT: usize = 32;

const fn setting(
    name: &'static str,
    default: Option<&'static str>,
    help: &'static str,
) -> SettingHelp {
    SettingHelp { name, help, default }
}

const SETTINGS: &[SettingHelp] = &[
    setting(
        "account",
        None,
        "the cookies of a browser that is signed in: cookies.txt, JSON, or a line `Cookie: ...`",
    ),
    setting("country", Some("com"), "where the account is: com, ca, co.uk, de, fr, it, es, co.jp"),
    setting(
        "root",
        Some(ROOT),
        "the folder below which everything is kept; empty: the account's root",
    ),
    setting("concurrency", Some("8"), "calls under way at once, at most"),
    setting("calls_per_second", Some("8"), "calls of the metadata host in a second, at most"),
    setting("metadata_url", None, "where the metadata host is, if not where the country says"),
    setting("content_url", None, "where bytes go to, if not where the country says"),
    setting("thumbnail_url", None, "where thumbnails are, if not where the country says"),
];

/// `type = "amazon-photos"`.
#[derive(Debug, Clone, Copy, Default)]
pub struct AmazonPhotosFactory;

#[async_trait]
impl Factory for AmazonPhotosFactory {
    fn kind(&self) -> &'static str {
        "amazon-photos"
    }

    fn about(&self) -> &'static str {
        "Amazon Photos, by the calls of its web page: unofficial, best effort, never the only copy"
    }

    fn settings(&self) -> &'static [SettingHelp] {
        SETTINGS
    }

    fn sign_in(&self) -> Option<&dyn SignIn> {
        Some(&AmazonSignIn)
    }

    async fn open(&self, settings: Settings, context: Context) -> Result<Arc<dyn Provider>> {
        let root = settings.text("root").unwrap_or(ROOT);
        let names = Names::new(root)?;
        let api = api(&settings, &context)?;
        let identity = Identity {
            name: settings.name.clone(),
            kind: "amazon-photos",
            location: location(&api, names.root()),
        };
        let store = Store {
            identity,
            capabilities: capabilities(concurrency(&settings)?),
            folders: Folders::new(names.root().len()),
            names,
            fresh: Fresh::default(),
            ledger: Ledger::new(Arc::clone(&context.notebook)),
            bin: Bin::default(),
            notebook: context.notebook,
            older_route: false.into(),
            api,
        };
        Ok(Arc::new(AmazonPhotosProvider::new(store)))
    }
}

/// What speaks to the account, with the cookies of the settings.
pub(crate) fn api(settings: &Settings, context: &Context) -> Result<Api> {
    let hosts = Hosts::of(settings)?;
    let missing = || {
        let context = format!("{}: `account` is not set", settings.name);
        Error::new(Kind::SignIn, context).code(codes::SECRET_MISSING)
    };
    let account = settings.secret("account").ok_or_else(missing)?;
    let most = concurrency(settings)?;
    let rate = settings.text("calls_per_second").and_then(|rate| rate.parse().ok());
    let rate = rate.filter(|rate| *rate > 0).unwrap_or(RATE);
    Ok(Api {
        http: Arc::clone(&context.http),
        cookies: Cookies::read(account.expose(), hosts.country)?,
        pace: Pace::new(Arc::clone(&context.clock), context.cancel.clone(), most, rate),
        hosts,
    })
}

fn concurrency(settings: &Settings) -> Result<usize> {
    let Some(written) = settings.text("concurrency") else { return Ok(CONCURRENCY) };
    written.parse().ok().filter(|calls| (1..=LIMIT).contains(calls)).ok_or_else(|| {
        let context = format!("{}: `concurrency` must be from 1 to {LIMIT}", settings.name);
        Error::new(Kind::Unsupported, context)
    })
}

fn capabilities(concurrency: usize) -> Capabilities {
    Capabilities {
        digests: Algorithms::default().with(Algorithm::Md5),
        // The new version stands before the old one goes, but under another name for a moment.
        atomic_replace: false,
        replaced_to_trash: true,
        listing_is_current: false,
        keeps_modified: false,
        max_item_bytes: Some(MOST),
        names: NameRules {
            case_blind: true,
            normalises: true,
            max_segment: Some(Length::Bytes(LONGEST)),
            max_key_bytes: None,
        },
        concurrency,
        ..Capabilities::default()
    }
}

/// Where it is, for people; a stand-in is named.
fn location(api: &Api, root: &[String]) -> String {
    let (hosts, folder) = (&api.hosts, root.join("/"));
    let usual = hosts.metadata == hosts.country.metadata();
    let at = if usual { String::new() } else { format!(" at {}", hosts.metadata) };
    format!("amazon.{}:/{folder}{at}", hosts.country.tld)
}
