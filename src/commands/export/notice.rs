//! What is gone from the targets of an export since it was stored: noticed before anything is planned, and told.

use safelight_core::catalog::Catalog;
use safelight_core::error::Result;
use safelight_core::job::Destination;
use safelight_core::key::printable;
use safelight_export::gone::{self, Gone};

use crate::output::Output;
use crate::render::text::count;

/// Forgets what is gone, one sentence for each target. Of those called `lost` all is gone. Answers whether anything is.
///
/// # Errors
/// The catalog's.
pub async fn notice_gone(
    catalog: &dyn Catalog,
    targets: &[Destination],
    lost: &[String],
    out: &Output,
) -> Result<bool> {
    let mut any = false;
    for target in targets {
        let words = if lost.contains(&target.name) {
            let all = gone::forget_all(catalog, &target.name).await?;
            all.then(|| "the export is not there any more; it begins anew".to_owned())
        } else {
            words(gone::notice(catalog, target).await?)
        };
        if let Some(words) = words {
            out.problem(&format!("{}: {words}\n", printable(target.name.as_bytes())));
            any = true;
        }
    }
    Ok(any)
}

fn words(gone: Gone) -> Option<String> {
    let (gone, beside) = (gone.files(), gone.replaced);
    let all = match gone {
        0 => return None,
        1 => "1 file of the export is not there any more; it is taken out again".to_owned(),
        _ => {
            let gone = count(gone);
            format!("{gone} files of the export are not there any more; they are taken out again")
        }
    };
    Some(match beside {
        0 => all,
        1 if gone == 1 => format!("{all}, beside a file of another size"),
        1 => format!("{all}, 1 of them beside a file of another size"),
        _ => format!("{all}, {} of them beside files of another size", count(beside)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_gone_is_said_in_one_sentence() {
        let said = |items, papers, replaced| words(Gone { items, papers, replaced });
        assert_eq!(said(0, 0, 0), None);
        for (gone, end) in [
            (said(1, 0, 0), "1 file of the export is not there any more; it is taken out again"),
            (said(0, 1, 1), "it is taken out again, beside a file of another size"),
            (
                said(2, 1, 0),
                "3 files of the export are not there any more; they are taken out again",
            ),
            (said(2, 1, 1), "they are taken out again, 1 of them beside a file of another size"),
            (said(2000, 0, 2), "they are taken out again, 2 of them beside files of another size"),
        ] {
            assert!(gone.is_some_and(|gone| gone.ends_with(end)), "{end}");
        }
    }
}
