//! How many inspections a core manages. Measured on demand:
//! `cargo test --release -p safelight-media --test media -- --ignored --nocapture`

use std::time::{Duration, Instant};

use safelight_media::Inspection;

use crate::samples::{name, samples};

#[test]
#[ignore = "a measurement"]
#[allow(clippy::print_stdout)]
fn inspections_per_second() {
    let Some(samples) = samples() else { return };
    let began = Instant::now();
    let (mut files, mut looked_at) = (0_u32, 0_u64);
    while began.elapsed() < Duration::from_secs(3) {
        for (path, bytes) in samples {
            let mut inspection = Inspection::new(name(path), bytes.len() as u64);
            while let Some(range) = inspection.wants() {
                let place = |at| usize::try_from(at).unwrap();
                inspection.give(range.start, &bytes[place(range.start)..place(range.end)]);
                looked_at += range.end - range.start;
            }
            std::hint::black_box(inspection.finish());
            files += 1;
        }
    }
    let rate = f64::from(files) / began.elapsed().as_secs_f64();
    println!("{rate:.0} inspections/s, {} bytes each", looked_at / u64::from(files));
}
