//! How the config opens a disk.

use std::sync::Arc;

use async_trait::async_trait;
use safelight_core::error::{Error, Kind, Result};
use safelight_core::provider::{Identity, Provider};
use safelight_core::registry::{Context, Factory, SettingHelp, Settings};

use crate::disk::Disk;
use crate::feed::blocking;
use crate::options::{Options, Reserve};
use crate::place::Place;
use crate::tree::Use;

/// Opens folders and external disks as destinations.
#[derive(Debug, Clone, Copy, Default)]
pub struct DiskFactory;

const SETTINGS: &[SettingHelp] = &[
    SettingHelp {
        name: "path",
        help: "the folder; inside the volume if one is named",
        default: None,
    },
    SettingHelp {
        name: "volume_label",
        help: "the label of the volume, which is then found wherever it is mounted",
        default: None,
    },
    SettingHelp {
        name: "volume_id",
        help: "the id (UUID) of the volume's file system",
        default: None,
    },
    SettingHelp {
        name: "removable",
        help: "a disk that is not always attached; an empty mount point is never used",
        default: Some("false"),
    },
    SettingHelp {
        name: "reserve",
        help: "room that stays free, as a size or a share",
        default: Some("1%"),
    },
    SettingHelp {
        name: "read_back",
        help: "read every file back from the disk before it counts as stored",
        default: Some("true"),
    },
];

#[async_trait]
impl Factory for DiskFactory {
    fn kind(&self) -> &'static str {
        "disk"
    }

    fn about(&self) -> &'static str {
        "A folder on this machine, or an external disk"
    }

    fn settings(&self) -> &'static [SettingHelp] {
        SETTINGS
    }

    async fn open(&self, settings: Settings, context: Context) -> Result<Arc<dyn Provider>> {
        let missing =
            || Error::new(Kind::Internal, format!("{}: `path` is not set", settings.name));
        let path = settings.path("path").ok_or_else(missing)?;
        let text = |name| settings.text(name).map(str::to_owned);
        let (label, id) = (text("volume_label"), text("volume_id"));
        let defaults = Options::default();
        let options = Options {
            reserve: settings.text("reserve").map_or(Ok(defaults.reserve), Reserve::parse)?,
            read_back: switch(&settings, "read_back", defaults.read_back)?,
            removable: switch(&settings, "removable", defaults.removable)?,
        };
        let location = match label.as_ref().or(id.as_ref()) {
            Some(volume) => format!("{volume}: {}", path.display()),
            None => path.display().to_string(),
        };
        let location = safelight_core::key::printable(location.as_bytes());
        let place = match (&label, &id) {
            (None, None) => Place::Path(path),
            _ => Place::Volume { label, id, path },
        };
        let identity = Identity { name: settings.name, kind: "disk", location };
        blocking(move || {
            let disk = Disk::new(identity, Use::Destination, place, options, context.clock);
            Ok(Arc::new(disk) as Arc<dyn Provider>)
        })
        .await
    }
}

fn switch(settings: &Settings, name: &str, default: bool) -> Result<bool> {
    let Some(text) = settings.text(name) else {
        return Ok(default);
    };
    let wrong = |_| {
        let context = format!("{}: `{name}` is true or false, not `{text}`", settings.name);
        Error::new(Kind::Unsupported, context)
    };
    text.parse().map_err(wrong)
}
