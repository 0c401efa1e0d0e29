//! What the service says about a node beyond its bytes, read as leniently as the rest of it.

use jiff::Timestamp as Instant;
use safelight_core::extras::Remark;
use safelight_core::taken::{Source, Taken, Zone};
use serde_json::Value;

/// Longest ending of a name that is believed to be one.
const LONGEST_ENDING: usize = 8;

/// The film of a live photo.
const FILM: &str = "LIVE_VIDEO";

/// What is said about one node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct About {
    pub(crate) favourite: bool,
    pub(crate) hidden: bool,
    pub(crate) description: Option<String>,
    pub(crate) keywords: Vec<String>,
    /// The date that it is filed under.
    pub(crate) taken: Option<Taken>,
    /// The ending that its name ought to have.
    pub(crate) ending: Option<String>,
    /// It is a live photo: its film is a node below it.
    pub(crate) has_film: bool,
    /// What kind of asset it is, if it is one and says so.
    pub(crate) asset: Option<String>,
}

impl About {
    pub(crate) fn read(told: &Value) -> Self {
        let setting = |name: &str| told.get("settings")?.get(name)?.as_bool();
        let text =
            |value: &Value| value.as_str().map(str::to_owned).filter(|text| !text.is_empty());
        let list = |name: &str| told.get(name).and_then(Value::as_array).into_iter().flatten();
        let content = told.get("contentProperties").unwrap_or(&Value::Null);
        let kind = |told: &Value| told.get("assetType").and_then(Value::as_str).map(str::to_owned);
        let asset = told.get("assetProperties").and_then(kind);
        let ending = content.get("extension").and_then(Value::as_str);
        let ending = ending.or_else(|| told.get("name")?.as_str()?.rsplit_once('.').map(|at| at.1));
        Self {
            favourite: setting("favorite").unwrap_or_default(),
            hidden: setting("hidden").unwrap_or_default(),
            description: told.get("description").and_then(text),
            keywords: list("keywords").filter_map(text).collect(),
            taken: content.get("contentDate").and_then(Value::as_str).and_then(filed_under),
            ending: ending.filter(|ending| is_ending(ending)).map(str::to_owned),
            has_film: list("childAssetTypeInfo")
                .any(|child| kind(child).is_none_or(|kind| kind == FILM)),
            asset,
        }
    }

    /// Whether what is an asset is the film of a live photo, as far as it says.
    pub(crate) fn may_be_film(&self) -> bool {
        self.asset.as_ref().is_none_or(|kind| kind == FILM)
    }

    /// What core is told of it; `None` if there is nothing to say.
    pub(crate) fn remark(&self, id: &str, film_of: Option<&str>) -> Option<Remark> {
        let bare = Remark::new(id.into());
        let remark = Remark {
            favourite: self.favourite,
            hidden: self.hidden,
            caption: self.description.clone(),
            keywords: self.keywords.clone(),
            taken: self.taken,
            film_of: film_of.map(Into::into),
            ..bare.clone()
        };
        (remark != bare).then_some(remark)
    }
}

/// The service reads the camera's clock as if it showed UTC.
fn filed_under(date: &str) -> Option<Taken> {
    let wall = i64::try_from(date.parse::<Instant>().ok()?.as_nanosecond()).ok()?;
    Taken::judged(wall, Zone::Local, Source::Service, None)
}

fn is_ending(text: &str) -> bool {
    (1..=LONGEST_ENDING).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_missing_or_odd_is_not_said() {
        for told in [
            json!({}),
            json!({"settings": 3, "keywords": "a", "description": "", "childAssetTypeInfo": {},
                "contentProperties": {"contentDate": "soon", "extension": "../x"}, "name": "a"}),
            json!({"settings": {"favorite": "true", "hidden": null}, "keywords": [3, ""],
                "contentProperties": {"contentDate": "1970-01-01T00:00:00.000Z"}}),
        ] {
            assert_eq!(About::read(&told), About::default());
            assert_eq!(About::read(&told).remark("x", None), None);
        }
    }

    #[test]
    fn the_date_is_the_camera_s_clock_and_no_point_in_time() {
        let told = json!({"settings": {"favorite": true}, "keywords": ["lake"],
            "childAssetTypeInfo": [{"assetType": "LIVE_VIDEO"}],
            "contentProperties": {"contentDate": "2019-09-06T16:30:09.089Z", "extension": "heic"}});
        let about = About::read(&told);
        assert!(about.has_film && about.ending.as_deref() == Some("heic"));
        let remark = about.remark("x", Some("y")).unwrap();
        assert!(remark.favourite && !remark.hidden && remark.keywords == ["lake"]);
        assert_eq!(remark.film_of.as_deref(), Some("y"));
        let taken = remark.taken.unwrap();
        assert_eq!((taken.local().as_str(), taken.instant()), ("2019-09-06T16:30:09", None));
    }
}
