//! `safelight config`: check, show, schema, redacted, path.

use safelight_config::{Paths, schema};
use serde_json::json;

use crate::args::ConfigCommand;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::render::text::plural;
use crate::session::Session;
use crate::wiring;

/// Shows what was asked for.
pub async fn run(session: &Session, what: ConfigCommand) -> Result<Exit, Failure> {
    match what {
        ConfigCommand::Check => return check(session).await,
        ConfigCommand::Show { origin } => session.out.text(&session.config()?.show(origin)),
        ConfigCommand::Redacted => session.out.text(&session.config()?.redacted()),
        ConfigCommand::Schema => {
            session.out.line(format_args!("{:#}", schema()));
        }
        ConfigCommand::Path => path(session),
    }
    Ok(Exit::OK)
}

async fn check(session: &Session) -> Result<Exit, Failure> {
    let checked = session.config();
    if let (true, Err(Failure::Config(report))) = (session.flags.json, &checked) {
        session.out.line(json!({ "v": 1, "good": false, "errors": report.to_json() }));
        return Ok(Exit::CONFIG);
    }
    let config = checked?;
    let asked = config.clone();
    let looking = tokio::task::spawn_blocking(move || {
        wiring::check_nesting(&asked).map(|()| wiring::neighbours(&asked))
    });
    let neighbours =
        looking.await.map_err(|error| Failure::other("looking at the folders", &error))??;
    if session.flags.json {
        let pairs: Vec<_> = neighbours.iter().map(|(one, other)| json!([one, other])).collect();
        session.out.line(json!({ "v": 1, "good": true, "errors": [], "same_file_system": pairs }));
        return Ok(Exit::OK);
    }
    session.out.line(format_args!(
        "{} is correct: {}, {}.",
        config.file().display(),
        plural(config.destinations.len() as u64, "destination"),
        plural(config.jobs.len() as u64, "mirror job"),
    ));
    for (one, other) in neighbours {
        session.out.talk(format_args!(
            "warning: {one} and {other} are on one file system; if that disk breaks, both are gone"
        ));
    }
    Ok(Exit::OK)
}

fn path(session: &Session) {
    let paths = Paths::of(&session.env);
    let file = session.config_file();
    let state = session.config().map_or(paths.state, |config| config.state);
    let all = [
        ("config", file),
        ("state", state),
        ("cache", paths.cache),
        ("runtime", paths.runtime),
        ("logs", paths.logs),
    ];
    if session.flags.json {
        let all = all.map(|(name, path)| (name.to_owned(), json!(path.display().to_string())));
        let mut object = serde_json::Map::from_iter(all);
        object.insert("v".to_owned(), json!(1));
        session.out.line(serde_json::Value::Object(object));
        return;
    }
    for (name, path) in all {
        session.out.line(format_args!("{name:<8} {}", path.display()));
    }
}
