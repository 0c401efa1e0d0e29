//! Real photos and films of many makers, if a folder with them stands beside the workspace.

use std::path::Path;

use crate::home::{CLOUD, Home, TWO_DISKS, tree};

#[test]
fn every_byte_of_real_media_arrives_everywhere() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/samples");
    let Ok(samples) = samples.canonicalize() else {
        println!("skipped: no sample media at ../shared/samples");
        return;
    };
    let home = Home::bare();
    std::os::unix::fs::symlink(&samples, home.path("samples")).unwrap();
    home.write(
        "safelight.toml",
        format!(
            "version = 1\nstate = \"state\"\n[library]\npath = {:?}\n[library.filter]\nhidden = true\n\
             [safety]\ncopies = 3\noffsite = 1\n{TWO_DISKS}{CLOUD}",
            samples.to_str().unwrap()
        ),
    );
    let before = tree(&samples);
    home.mirror(0);
    assert!(tree(&samples) == before, "the library is never written to");
    for disk in ["disk", "nas"] {
        let copied = home.photos_in(disk);
        let expected = before.iter().map(|(path, (bytes, _))| (path, bytes));
        let arrived = copied.iter().map(|(path, (bytes, _))| (path, bytes));
        assert!(arrived.eq(expected), "{disk}: {} of {}", copied.len(), before.len());
    }
    let cloud: std::collections::HashSet<_> =
        tree(&home.path("cloud")).into_values().map(|(bytes, _)| bytes).collect();
    for (path, (bytes, _)) in &before {
        assert!(cloud.contains(bytes), "{} is not in the cloud", path.display());
    }
    home.mirror(0).says(&["nothing new"]);
    assert!(home.good(["status"]).starts_with("Yes"));
}
