//! How many copies there are, in sentences. The numbers come from the catalog's proofs, never from what a run
//! believes it did.

use std::collections::BTreeMap;

use safelight_core::catalog::Survey;
use safelight_core::codes;

use super::text::{count, files, size};

/// `All 31 files have 4 copies, the library being one.`, or what is missing.
pub fn sentences(survey: &Survey, copies: u32, offsite: u32) -> Vec<String> {
    let total = survey.files.files;
    let rule = match offsite {
        0 => format!("{copies} copies"),
        _ => format!("{copies} copies, {offsite} off-site"),
    };
    if total == 0 {
        return vec!["There are no files in the library.".to_owned()];
    }
    if survey.safe == total {
        let same: Vec<_> = survey.by_copies.iter().filter(|(_, number)| **number > 0).collect();
        let all = if total == 1 {
            "The one file has".to_owned()
        } else {
            format!("All {} have", files(total))
        };
        let sentence = match same.as_slice() {
            [(number, _)] => format!("{all} {number} copies, the library being one."),
            _ => format!("{all} what counts as safe: {rule}."),
        };
        return std::iter::once(sentence).chain(misfits(survey)).collect();
    }
    let mut lines = vec![format!(
        "{} of {} have what counts as safe: {rule}.",
        count(survey.safe),
        files(total)
    )];
    lines.extend(fewer(&survey.by_copies, copies));
    lines.extend(misfits(survey));
    let enough: u64 = survey.by_copies.range(copies..).map(|(_, number)| number).sum();
    let at_home = enough.saturating_sub(survey.safe + survey.suspect);
    if at_home > 0 {
        let have = if at_home == 1 { "has" } else { "have" };
        lines.push(format!("{} {have} enough copies, but too few off-site.", files(at_home)));
    }
    if survey.suspect > 0 {
        let verb = if survey.suspect == 1 { "looks" } else { "look" };
        lines.push(format!("{} {verb} damaged in the library.", files(survey.suspect)));
    }
    lines
}

/// A line for each destination whose quotas have not room for everything.
pub fn misfits(survey: &Survey) -> impl Iterator<Item = String> {
    let elsewhere = survey.safe == survey.files.files;
    survey.destinations.iter().filter_map(move |one| {
        let held = one.held.get(&codes::POOL_FULL).filter(|held| held.files > 0)?;
        let verb = if held.files == 1 { "does" } else { "do" };
        let what =
            format!("{} ({}) {verb} not fit at {}", files(held.files), size(held.bytes), one.name);
        Some(match (elsewhere, held.files) {
            (false, _) => format!("{what}."),
            (true, 1) => format!("{what}; it has its copies elsewhere."),
            (true, _) => format!("{what}; they have their copies elsewhere."),
        })
    })
}

/// A line for each number of copies that is too small.
pub fn fewer(by_copies: &BTreeMap<u32, u64>, wanted: u32) -> impl Iterator<Item = String> {
    by_copies.range(..wanted).filter(|(_, number)| **number > 0).map(|(copies, number)| {
        let have = if *number == 1 { "has" } else { "have" };
        match copies {
            0 => format!("{} {have} no copy.", files(*number)),
            1 => format!("{} {have} 1 copy.", files(*number)),
            _ => format!("{} {have} {copies} copies.", files(*number)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use safelight_core::catalog::{Amount, DestinationSurvey};

    fn survey(safe: u64, by_copies: &[(u32, u64)]) -> Survey {
        let files = by_copies.iter().map(|(_, number)| number).sum();
        Survey {
            files: Amount { files, bytes: 1 },
            safe,
            by_copies: by_copies.iter().copied().collect(),
            ..Survey::default()
        }
    }

    #[test]
    fn the_sentence_says_what_the_proofs_say() {
        let said = |survey: &Survey| sentences(survey, 3, 1).join("\n");
        assert_eq!(
            said(&survey(31, &[(4, 31)])),
            "All 31 files have 4 copies, the library being one."
        );
        assert_eq!(
            said(&survey(31, &[(3, 2), (4, 29)])),
            "All 31 files have what counts as safe: 3 copies, 1 off-site."
        );
        assert_eq!(
            said(&survey(1_000, &[(2, 65), (1, 1), (4, 1_000)])),
            "1,000 of 1,066 files have what counts as safe: 3 copies, 1 off-site.\n1 file has 1 copy.\n65 files have 2 copies."
        );
        assert_eq!(
            said(&survey(0, &[(3, 31)])),
            "0 of 31 files have what counts as safe: 3 copies, 1 off-site.\n31 files have enough copies, but too few off-site."
        );
        assert_eq!(said(&survey(0, &[])), "There are no files in the library.");
    }

    #[test]
    fn what_does_not_fit_has_its_copies_elsewhere_only_if_everything_is_safe() {
        let mut one =
            DestinationSurvey { name: "amazon".to_owned(), ..DestinationSurvey::default() };
        one.held.insert(codes::POOL_FULL, Amount { files: 2, bytes: 41_000_000_000 });
        let mut all = survey(31, &[(3, 2), (4, 29)]);
        all.destinations.push(one.clone());
        assert_eq!(
            sentences(&all, 3, 0)[1],
            "2 files (41 GB) do not fit at amazon; they have their copies elsewhere."
        );
        let mut some = survey(29, &[(2, 2), (4, 29)]);
        some.destinations.push(one);
        assert_eq!(sentences(&some, 3, 0)[2], "2 files (41 GB) do not fit at amazon.");
    }
}
