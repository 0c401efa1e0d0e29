//! How destinations of the kinds `s3` and `opendal` are opened.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use async_trait::async_trait;
use http::Uri;
use safelight_core::capability::{Capabilities, NameRules};
use safelight_core::codes;
use safelight_core::digest::{Algorithm, Algorithms};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::provider::{Identity, Provider};
use safelight_core::registry::{Context, Factory, SettingHelp, Settings, Value};
use tokio::sync::Semaphore;

use crate::gate::Gate;
use crate::keys::Names;
use crate::leftovers::Leftovers;
use crate::provider::ObjectProvider;
use crate::services::{self, Service, Ways};
use crate::signed::Signed;
use crate::store::ObjectStore;
use crate::upload::MEMORY;

const fn setting(
    name: &'static str,
    default: Option<&'static str>,
    help: &'static str,
) -> SettingHelp {
    SettingHelp { name, help, default }
}

const ROOT: SettingHelp = setting("root", Some(""), "the folder below which everything is kept");
const CONDITIONS: SettingHelp = setting(
    "conditional_writes",
    Some("true"),
    "false for a service that ignores or refuses If-Match and If-None-Match: then it is looked first",
);

const S3: &[SettingHelp] = &[
    setting("bucket", None, "the bucket; it must exist"),
    setting("region", Some("us-east-1"), "the region of the bucket"),
    setting("endpoint", None, "the address of the service; without it, Amazon's own"),
    setting("access_key_id", None, "the name of the key"),
    setting("secret_access_key", None, "the secret that belongs to the key"),
    setting("session_token", None, "the secret that comes with keys that expire"),
    ROOT,
    setting("virtual_host", Some("false"), "true to put the bucket in front of the host name"),
    setting("storage_class", None, "such as STANDARD_IA; without it, the default of the bucket"),
    setting(
        "checksum",
        Some("crc32c"),
        "none for a service that refuses x-amz-checksum-crc32c: then only its MD5 etags prove what arrived",
    ),
    setting("max_key_bytes", Some("1024"), "longest name of an object, where a service takes less"),
    CONDITIONS,
];

const OPENDAL: &[SettingHelp] = &[
    setting("service", None, "which service; everything not named here goes to it as it is"),
    ROOT,
    setting("max_item", Some("256 MiB"), "largest item where a service takes it only in one piece"),
    CONDITIONS,
];

/// What [`S3Factory`] and [`OpenDalFactory`] keep for themselves of the settings of the latter.
const OWN: &[&str] = &["service", "root", "max_item", "conditional_writes"];

/// `type = "s3"`: Amazon S3 and everything that speaks its protocol.
#[derive(Debug, Clone, Copy, Default)]
pub struct S3Factory;

/// `type = "opendal"`: the other services, with OpenDAL's own names for their options.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenDalFactory;

#[async_trait]
impl Factory for S3Factory {
    fn kind(&self) -> &'static str {
        "s3"
    }

    fn about(&self) -> &'static str {
        "an S3 bucket, at Amazon or any compatible service"
    }

    fn settings(&self) -> &'static [SettingHelp] {
        S3
    }

    async fn open(&self, settings: Settings, context: Context) -> Result<Arc<dyn Provider>> {
        let bucket = settings.require("bucket")?.to_owned();
        let mut options = s3_defaults();
        let mut pass = |name: &str, value: String| options.push((name.to_owned(), value));
        pass("bucket", bucket.clone());
        pass("region", settings.text("region").unwrap_or("us-east-1").to_owned());
        for name in ["access_key_id", "secret_access_key"] {
            let missing = || {
                let context = format!("{}: `{name}` is not set", settings.name);
                Error::new(Kind::SignIn, context).code(codes::SECRET_MISSING)
            };
            pass(name, settings.secret(name).ok_or_else(missing)?.expose().to_owned());
        }
        if let Some(token) = settings.secret("session_token") {
            pass("session_token", token.expose().to_owned());
        }
        if let Some(endpoint) = settings.text("endpoint") {
            pass("endpoint", endpoint.to_owned());
        }
        if let Some(class) = settings.text("storage_class") {
            pass("default_storage_class", class.to_owned());
        }
        if flag(&settings, "virtual_host", false)? {
            pass("enable_virtual_host_style", "true".to_owned());
        }
        match settings.text("checksum") {
            None | Some("crc32c") => pass("checksum_algorithm", "crc32c".to_owned()),
            Some("none") => {}
            Some(_) => return Err(wrong(&settings, "checksum")),
        }
        let place = format!("s3://{bucket}");
        let mut service = services::known("s3")?;
        if let Some(limit) = settings.text("max_key_bytes") {
            let limit = limit.parse().map_err(|_| wrong(&settings, "max_key_bytes"))?;
            service.max_path = service.max_path.map(|most| most.min(limit));
        }
        open("s3", service, &place, options, &settings, context)
    }
}

#[async_trait]
impl Factory for OpenDalFactory {
    fn kind(&self) -> &'static str {
        "opendal"
    }

    fn about(&self) -> &'static str {
        services::ABOUT
    }

    fn settings(&self) -> &'static [SettingHelp] {
        OPENDAL
    }

    async fn open(&self, settings: Settings, context: Context) -> Result<Arc<dyn Provider>> {
        let service = services::known(settings.require("service")?)?;
        let mut options = if service.name == "s3" { s3_defaults() } else { Vec::new() };
        for (name, value) in settings.iter().filter(|(name, _)| !OWN.contains(name)) {
            let value = match value {
                Value::Text(text) => text.clone(),
                Value::Secret(secret) => secret.expose().to_owned(),
                Value::Path(path) => path.to_string_lossy().into_owned(),
            };
            options.push((name.to_owned(), value));
        }
        open("opendal", service, &format!("{}:", service.name), options, &settings, context)
    }
}

/// Only what the config says counts: neither the environment nor the metadata service of a cloud machine.
fn s3_defaults() -> Vec<(String, String)> {
    let on = |name: &str| (name.to_owned(), "true".to_owned());
    vec![on("disable_config_load"), on("disable_ec2_metadata")]
}

fn open(
    kind: &'static str,
    service: Service,
    place: &str,
    options: Vec<(String, String)>,
    settings: &Settings,
    context: Context,
) -> Result<Arc<dyn Provider>> {
    let location = location(place, &options, settings.text("root").unwrap_or_default());
    let signed = if service.name == "s3" { Signed::new(&options) } else { None };
    let operator = services::operator(service, options)?;
    let can = operator.info().capability();
    let ways = Ways::of(service, can, flag(settings, "conditional_writes", true)?);
    let names = Names::new(settings.text("root").unwrap_or_default(), service.max_path)?;
    let piece = match settings.text("max_item") {
        Some(text) => bytes(text).ok_or_else(|| wrong(settings, "max_item"))?,
        None => 256 << 20,
    };
    let declared = can.write_total_max_size.map(|most| most as u64);
    let in_piece = (!ways.parts).then_some(piece);
    let max_item_bytes = [service.max_object, declared, in_piece].into_iter().flatten().min();
    let digests = Algorithms::default();
    let capabilities = Capabilities {
        writes: can.write,
        digests: if service.crc32c { digests.with(Algorithm::Crc32c) } else { digests },
        // A server may remove the old object before it moves the new one to its place.
        atomic_replace: !ways.staged,
        moves: ways.copies || ways.renames,
        copies: ways.copies,
        copies_untouched: ways.copies,
        max_item_bytes,
        names: NameRules { max_key_bytes: names.max_key_bytes(), ..NameRules::default() },
        concurrency: service.concurrency,
        reads: service.reads,
        most_reads: service.most_reads,
        ..Capabilities::default()
    };
    let store = ObjectStore {
        identity: Identity { name: settings.name.clone(), kind, location },
        capabilities,
        operator,
        service,
        ways,
        names,
        gate: Arc::new(Gate::new(context.clock.clone(), context.cancel.clone())),
        executor: ObjectStore::executor(),
        leftovers: Leftovers::default(),
        signed,
        swept: AtomicBool::default(),
        turns: ObjectStore::turns(),
        memory: Semaphore::new(MEMORY as usize),
        context,
    };
    Ok(Arc::new(ObjectProvider(Arc::new(store))))
}

/// Where it is, for people: the host of the endpoint, but neither user nor query of its address.
fn location(place: &str, options: &[(String, String)], root: &str) -> String {
    let endpoint = options.iter().find(|(name, _)| name == "endpoint");
    let host = endpoint.and_then(|(_, endpoint)| {
        let uri: Uri = endpoint.parse().ok()?;
        let port = uri.port_u16().map_or(String::new(), |port| format!(":{port}"));
        Some(format!("{}{port}", uri.host()?))
    });
    let root = root.trim_matches('/');
    let slash = if root.is_empty() { "" } else { "/" };
    match host {
        Some(host) if place.ends_with(':') => format!("{place}//{host}{slash}{root}"),
        Some(host) => format!("{place}{slash}{root} at {host}"),
        None => format!("{place}{slash}{root}"),
    }
}

fn flag(settings: &Settings, name: &str, default: bool) -> Result<bool> {
    match settings.text(name) {
        None => Ok(default),
        Some("true" | "yes" | "on") => Ok(true),
        Some("false" | "no" | "off") => Ok(false),
        Some(_) => Err(wrong(settings, name)),
    }
}

fn wrong(settings: &Settings, name: &str) -> Error {
    Error::new(Kind::Unsupported, format!("{}: `{name}` has no such value", settings.name))
}

/// A size such as `256 MiB` or `268435456`.
fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let unit = match text[digits..].trim() {
        "" | "B" => 1,
        "KB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    text[..digits].parse::<u64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_and_without_units() {
        for (text, size) in [
            ("7", Some(7)),
            ("256 MiB", Some(256 << 20)),
            ("5GB", Some(5_000_000_000)),
            ("1 furlong", None),
            ("MB", None),
        ] {
            assert_eq!(bytes(text), size, "{text}");
        }
    }

    #[test]
    fn the_location_holds_no_secret() {
        let options = [("endpoint".to_owned(), "https://u:canary@h.example:8/p?canary".to_owned())];
        assert_eq!(location("webdav:", &options, "/a/"), "webdav://h.example:8/a");
        assert_eq!(location("s3://b", &[], ""), "s3://b");
    }
}
