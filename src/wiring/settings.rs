//! The settings of a destination in the words of its provider, secrets fetched.

use safelight_config::{
    AmazonEndpoint, AmazonPhotos, Destination, Disk, DiskPlace, Dropbox, DropboxEndpoint, Endpoint,
    Env, OpenDal, OptionValue, S3, Storage, secrets,
};
use safelight_core::error::Result;
use safelight_core::registry::{Settings, Value};

/// Settings for the provider of `destination`. Blocks: files are read, programs and the keyring waited for.
///
/// # Errors
/// A secret that cannot be fetched.
pub fn of(destination: &Destination, env: &Env) -> Result<Settings> {
    let mut settings = without_secrets(destination);
    for (name, reference) in destination.storage.secrets() {
        settings = settings.with(name, Value::Secret(secrets::resolve(reference, env)?));
    }
    Ok(settings)
}

/// The same, as far as no secret is needed: for signing in.
pub fn without_secrets(destination: &Destination) -> Settings {
    let settings = Settings::new(&destination.name);
    match &destination.storage {
        Storage::Disk(disk) => of_disk(disk, destination.removable, settings),
        Storage::S3(s3) => of_s3(s3, settings),
        Storage::OpenDal(service) => of_opendal(service, settings),
        Storage::Dropbox(dropbox) => of_dropbox(dropbox, settings),
        Storage::AmazonPhotos(amazon) => of_amazon(amazon, settings),
    }
}

fn of_disk(disk: &Disk, removable: bool, mut settings: Settings) -> Settings {
    settings = match &disk.place {
        DiskPlace::Folder(path) => settings.with("path", Value::Path(path.clone())),
        DiskPlace::Volume { label, id, path } => {
            let mut settings = settings.with_text("path", path);
            for (name, value) in [("volume_label", label), ("volume_id", id)] {
                if let Some(value) = value {
                    settings = settings.with_text(name, value);
                }
            }
            settings
        }
    };
    settings
        .with_text("removable", removable.to_string())
        .with_text("reserve", disk.reserve.to_string())
        .with_text("read_back", disk.read_back.to_string())
}

fn of_s3(s3: &S3, settings: Settings) -> Settings {
    let has_name = match &s3.endpoint {
        Endpoint::Aws => true,
        Endpoint::Url(url) => has_host_name(url),
        Endpoint::Sandbox { .. } => false,
    };
    let virtual_host = has_name && !s3.path_style;
    let mut settings = settings
        .with_text("bucket", &s3.bucket)
        .with_text("region", &s3.region)
        .with_text("root", &s3.root)
        .with_text("virtual_host", virtual_host.to_string())
        .with_text("checksum", &s3.checksum)
        .with_text("conditional_writes", s3.conditional_writes.to_string());
    if let Some(class) = &s3.storage_class {
        settings = settings.with_text("storage_class", class);
    }
    if let Endpoint::Url(url) = &s3.endpoint {
        settings = settings.with_text("endpoint", url);
    }
    settings
}

/// Whether a bucket can be put in front of the host: an address or `localhost` has no names below it.
fn has_host_name(url: &str) -> bool {
    let host = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = host.split(['/', ':']).next().unwrap_or_default();
    host != "localhost" && !host.starts_with('[') && host.parse::<std::net::Ipv4Addr>().is_err()
}

fn of_opendal(service: &OpenDal, settings: Settings) -> Settings {
    let mut settings =
        settings.with_text("service", &service.service).with_text("root", &service.root);
    for (name, value) in &service.options {
        if let OptionValue::Text(text) = value {
            settings = settings.with_text(name, text);
        }
    }
    settings
}

fn of_dropbox(dropbox: &Dropbox, settings: Settings) -> Settings {
    let mut settings = settings.with_text("root", &dropbox.root);
    let mut add = |name: &str, value: &Option<String>| {
        if let Some(value) = value {
            settings = settings.clone().with_text(name, value);
        }
    };
    add("app_key", &dropbox.app_key);
    add("path_root", &dropbox.path_root);
    if let DropboxEndpoint::Service { api, content, notify, www } = &dropbox.endpoint {
        add("api_url", api);
        add("content_url", content);
        add("notify_url", notify);
        add("www_url", www);
    }
    settings
}

fn of_amazon(amazon: &AmazonPhotos, settings: Settings) -> Settings {
    let settings = settings.with_text("country", &amazon.country).with_text("root", &amazon.root);
    let AmazonEndpoint::Service { metadata, content, thumbnail } = &amazon.endpoint else {
        return settings;
    };
    let hosts =
        [("metadata_url", metadata), ("content_url", content), ("thumbnail_url", thumbnail)];
    let given = hosts.into_iter().filter_map(|(name, url)| Some((name, url.as_ref()?)));
    given.fold(settings, |settings, (name, url)| settings.with_text(name, url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_host_name_takes_a_bucket_in_front() {
        assert!(has_host_name("https://s3.example.org/"));
        for address in ["http://192.168.1.5:9000", "http://[::1]:9000", "http://localhost:9000/"] {
            assert!(!has_host_name(address), "{address}");
        }
    }
}
