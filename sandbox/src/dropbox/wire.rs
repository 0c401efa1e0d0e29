//! What a request has to look like: method, content type, argument.

use http::{HeaderMap, Method, header};
use serde_json::Value;

use super::errors::Failure;
use super::routes::Style;
use crate::form::Fields;

/// A 400 that names the route.
pub(super) fn bad(route: &str, why: &str) -> Failure {
    Failure::Bad(format!("Error in call to API function \"{route}\": {why}"))
}

/// Looks at the method and the content type.
pub(super) fn check_shape(
    route: &str,
    style: Style,
    method: &Method,
    headers: &HeaderMap,
) -> Result<(), Failure> {
    if *method != Method::POST && !(style == Style::Download && *method == Method::GET) {
        return Err(bad(route, "Unsupported HTTP method."));
    }
    let given = headers.get(header::CONTENT_TYPE).map(|value| value.to_str().unwrap_or("?"));
    let kind = given.map(|given| given.split(';').next().unwrap_or(given).trim());
    let fits = match style {
        Style::Rpc | Style::NoSignIn => kind == Some("application/json"),
        Style::Upload => kind == Some("application/octet-stream"),
        Style::Download => {
            matches!(kind, None | Some("application/octet-stream" | "text/plain"))
        }
    };
    if fits {
        return Ok(());
    }
    Err(bad(route, &format!("Bad HTTP \"Content-Type\" header: \"{}\".", given.unwrap_or(""))))
}

/// The argument of a route whose body is bytes.
pub(super) fn argument(
    route: &str,
    headers: &HeaderMap,
    query: &Fields,
    longest: usize,
) -> Result<Value, Failure> {
    let wrong = |why: &str| bad(route, &format!("HTTP header \"Dropbox-API-Arg\": {why}"));
    let json = match (headers.get("dropbox-api-arg"), query.get("arg")) {
        (Some(header), None) => {
            if header.len() > longest {
                return Err(wrong("too long"));
            }
            header.to_str().map_err(|_| wrong("could not decode input as JSON"))?
        }
        (None, Some(argument)) => argument,
        (Some(_), Some(_)) => return Err(wrong("given twice")),
        (None, None) => {
            let why = "Must provide HTTP header \"Dropbox-API-Arg\" or URL parameter \"arg\".";
            return Err(bad(route, why));
        }
    };
    serde_json::from_str(json).map_err(|_| wrong("could not decode input as JSON"))
}
