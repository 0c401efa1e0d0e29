//! What filters and groups see of a node.

use std::collections::BTreeMap;

use super::status::Status;
use super::{Kind, Node, Request, Store};
use crate::amazon::dates;
use crate::amazon::names;
use crate::amazon::sniff::Class;

/// By what a listing is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::amazon) enum Unit {
    Year,
    Month,
    Day,
}

impl Node {
    /// What search calls it; none for what search does not know.
    pub(super) fn media_type(&self) -> Option<&'static str> {
        let class = self.content.as_ref().map(|content| content.class);
        match (self.kind, class) {
            (Kind::Album, _) => Some("ALBUMS"),
            (Kind::File, Some(Class::Photo)) => Some("PHOTOS"),
            (Kind::File, Some(Class::Video)) => Some("VIDEOS"),
            _ => None,
        }
    }

    pub(super) fn values(&self, status: Status, field: &str) -> Vec<String> {
        let content = self.content.as_ref().filter(|_| status != Status::Pending);
        let date = content.and_then(|content| content.date);
        let parts = date.map(dates::parts);
        let one = |value: Option<String>| value.into_iter().collect();
        match field {
            "isRoot" => vec![(self.kind == Kind::Root).to_string()],
            "name" => vec![self.name.clone()],
            "kind" => vec![self.kind.word().to_owned()],
            "status" => vec![status.word().to_owned()],
            "parents" | "parentIds" => self.parents().into_iter().map(str::to_owned).collect(),
            "description" => one(self.description.clone()),
            "createdDate" => vec![dates::text(self.created)],
            "modifiedDate" => vec![dates::text(self.modified)],
            "favorite" => vec![self.favorite.to_string()],
            "hidden" => vec![self.hidden.to_string()],
            "type" => one(self.media_type().map(str::to_owned)),
            "timeYear" => one(parts.map(|(year, ..)| year.to_string())),
            "timeMonth" => one(parts.map(|(_, month, _)| month.to_string())),
            "timeDay" => one(parts.map(|(.., day)| day.to_string())),
            "contentProperties.size" => one(content.map(|content| content.size.to_string())),
            "contentProperties.contentType" => one(content.map(|content| content.mime.clone())),
            "contentProperties.md5" => one(content.map(|content| content.md5.clone())),
            "contentProperties.contentDate" => one(date.map(dates::text)),
            "contentProperties.extension" => {
                one(content.map(|_| names::extension(&self.name).to_lowercase()))
            }
            _ => Vec::new(),
        }
    }
}

impl Store {
    /// How many of a listing's nodes were taken in each year, month or day, in order.
    pub(in crate::amazon) fn by_time(
        &mut self,
        request: &Request,
        unit: Unit,
    ) -> Vec<(String, u64)> {
        let all = self.all(request);
        let mut counts = BTreeMap::<(i16, i8, i8), u64>::new();
        for node in all.iter().filter_map(|id| self.nodes.get(id)) {
            if let Some(date) = node.content.as_ref().and_then(|content| content.date) {
                let (year, month, day) = dates::parts(date);
                let key = match unit {
                    Unit::Year => (year, 0, 0),
                    Unit::Month => (year, month, 0),
                    Unit::Day => (year, month, day),
                };
                *counts.entry(key).or_default() += 1;
            }
        }
        let name = |(year, month, day): (i16, i8, i8)| match unit {
            Unit::Year => year.to_string(),
            Unit::Month => format!("{year}-{month:02}"),
            Unit::Day => format!("{year}-{month:02}-{day:02}"),
        };
        counts.into_iter().map(|(key, count)| (name(key), count)).collect()
    }
}
