//! The ties between the items of a folder, from the strongest to the weakest.

use std::collections::{BTreeMap, BTreeSet};

use crate::class::MediaClass::{Other, Photo, Raw, Sidecar, Video};
use jiff::SignedDuration;

use super::folder::{Folder, Links};
use super::{Evidence, Kind, takeout};
use crate::taken::{Source, Taken};

/// Two items that belong together.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link {
    pub a: usize,
    pub b: usize,
    pub kind: Kind,
    pub by: Evidence,
}

/// How far apart a still and its movie may be dated: the film begins before the picture.
const LIVE: SignedDuration = SignedDuration::from_secs(5);
/// Raw and JPEG of one shot; a camera without fractions may round either way.
const SHOT: SignedDuration = SignedDuration::from_secs(1);

/// All ties.
pub(super) fn all(folder: &Folder<'_>) -> Links {
    let mut links = Links::default();
    live(folder, &mut links);
    raw(folder, &mut links);
    edited(folder, &mut links);
    recipes(folder, &mut links);
    sidecars(folder, &mut links);
    links
}

/// What the dates of two items with matching names make of it; `None` if they contradict.
fn evidence(folder: &Folder<'_>, a: usize, b: usize, most: SignedDuration) -> Option<Evidence> {
    let taken = |at: usize| {
        let known = |taken: &Taken| taken.source() != Source::Modified;
        folder.subjects[at].taken.filter(known)
    };
    match (taken(a), taken(b)) {
        (Some(one), Some(other)) if one.apart(&other) > most => None,
        (Some(_), Some(_)) => Some(Evidence::NameAndTime),
        _ => Some(Evidence::Name),
    }
}

fn live(folder: &Folder<'_>, links: &mut Links) {
    let mut joined = BTreeSet::new();
    let mut join = |links: &mut Links, a: usize, b: usize, by| {
        joined.extend([a, b]);
        links.ties.push(Link { a, b, kind: Kind::LivePhoto, by });
    };
    let mut ids: BTreeMap<&str, (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for at in folder.of(&[Photo, Raw, Video]) {
        let Some(id) = folder.subjects[at].content_id else { continue };
        let halves = ids.entry(id).or_default();
        if folder.subjects[at].class == Video { halves.1.push(at) } else { halves.0.push(at) }
    }
    for (mut stills, mut movies) in ids.into_values() {
        if let ([lonely, ..], []) | ([], [lonely, ..]) = (stills.as_slice(), movies.as_slice()) {
            links.lacking.push((*lonely, Kind::LivePhoto, Evidence::ContentId));
        }
        stills.retain(|still| {
            let stem = folder.names[*still].stem.as_slice();
            let same = movies.iter().position(|movie| folder.names[*movie].of_movie() == stem);
            if let Some(movie) = same {
                join(links, *still, movies.remove(movie), Evidence::ContentId);
            }
            same.is_none()
        });
        for (still, movie) in stills.into_iter().zip(movies) {
            join(links, still, movie, Evidence::ContentId);
        }
    }
    for movie in folder.of(&[Video]) {
        if joined.contains(&movie) {
            continue;
        }
        let stills = folder.with_stem(folder.names[movie].of_movie(), &[Photo, Raw]);
        let fits = |still: &usize| {
            let ids = [*still, movie].map(|at| folder.subjects[at].content_id);
            let contradict = matches!(ids, [Some(one), Some(other)] if one != other);
            if contradict || joined.contains(still) {
                return None;
            }
            Some((evidence(folder, *still, movie, LIVE)?, *still))
        };
        if let Some((by, still)) = stills.iter().filter_map(fits).min() {
            joined.extend([still, movie]);
            links.ties.push(Link { a: still, b: movie, kind: Kind::LivePhoto, by });
        }
    }
    // By name a half that was missing may have been found.
    links.lacking.retain(|(at, ..)| !joined.contains(at));
}

fn raw(folder: &Folder<'_>, links: &mut Links) {
    let mut raws: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
    for at in folder.of(&[Raw]) {
        raws.entry(folder.names[at].of_raw()).or_default().push(at);
    }
    for photo in folder.of(&[Photo]) {
        for raw in raws.get(folder.names[photo].of_raw()).into_iter().flatten() {
            if let Some(by) = evidence(folder, photo, *raw, SHOT) {
                links.ties.push(Link { a: photo, b: *raw, kind: Kind::RawJpeg, by });
            }
        }
    }
}

fn edited(folder: &Folder<'_>, links: &mut Links) {
    for at in folder.of(&[Photo, Raw, Video]) {
        let Some(stem) = folder.names[at].of_edit() else { continue };
        let classes = if folder.subjects[at].class == Video {
            [Video, Photo, Raw]
        } else {
            [Photo, Raw, Video]
        };
        let originals = folder.with_stem(&stem, &classes);
        let same_ending = |one: &&usize| folder.names[**one].ending == folder.names[at].ending;
        let original = originals.iter().find(same_ending).or_else(|| originals.first());
        if let Some(original) = original {
            links.edits.insert(at);
            let by = Evidence::Name;
            links.ties.push(Link { a: at, b: *original, kind: Kind::Edited, by });
        }
    }
}

fn recipes(folder: &Folder<'_>, links: &mut Links) {
    for at in folder.of(&[Sidecar]) {
        let name = &folder.names[at];
        if !name.ends(&["aae"]) {
            continue;
        }
        let stems = name.of_recipe();
        let pictures =
            |stem: &Vec<u8>| folder.with_stem(stem, &[Photo, Raw, Video]).first().copied();
        match stems.iter().find_map(pictures) {
            Some(b) => {
                links.ties.push(Link { a: at, b, kind: Kind::Edited, by: Evidence::Name });
            }
            None => links.lacking.push((at, Kind::Edited, Evidence::Name)),
        }
    }
}

fn sidecars(folder: &Folder<'_>, links: &mut Links) {
    let mut tie = |a, b| {
        links.ties.push(Link { a, b, kind: Kind::Sidecar, by: Evidence::Name });
    };
    for at in folder.of(&[Sidecar, Video]) {
        let name = &folder.names[at];
        let preview = name.ends(&["thm", "lrv"]);
        let film = folder.subjects[at].class == Video;
        if name.ends(&["aae", "json"]) || (film && !preview) {
            continue;
        }
        let classes = if preview { [Video, Raw, Photo] } else { [Raw, Photo, Video] };
        let stems = if preview { name.of_preview() } else { vec![name.stem.clone()] };
        let by_stem = |stem: &Vec<u8>| {
            folder.with_stem(stem, &classes).into_iter().find(|target| *target != at)
        };
        let target = folder.called(&name.stem).or_else(|| stems.iter().find_map(by_stem));
        if let Some(target) = target.filter(|target| *target != at) {
            tie(at, target);
        }
    }
    let mut claimed = BTreeSet::new();
    for at in folder.of(&[Photo, Raw, Video, Other]) {
        let json = takeout::json_names(&folder.names[at]);
        let json = json.iter().find_map(|name| folder.sidecar_called(name));
        if let Some(json) = json.filter(|json| claimed.insert(*json)) {
            tie(at, json);
        }
    }
}
