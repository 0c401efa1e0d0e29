//! S3 requests that OpenDAL does not make.
//!
//! They are signed by the library that OpenDAL signs with, and sent to addresses that OpenDAL makes, so that
//! neither the styles of endpoints nor the escaping of paths are known in two places.

use std::time::Duration;

use http::request::Parts;
use http::{HeaderMap, Method, Request, Uri};
use opendal::Operator;
use opendal::raw::percent_encode_path;
use reqsign_aws_v4::{Credential, RequestSigner, StaticCredentialProvider};
use reqsign_core::{Context, Signer};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::http::HttpBody;

/// Signs requests with the keys of one destination.
#[derive(Debug)]
pub(crate) struct Signed(Signer<Credential>);

impl Signed {
    /// From OpenDAL's options for S3. `None` if the keys are not plainly there (a role, no keys at all): then
    /// nobody can sign but OpenDAL.
    pub(crate) fn new(options: &[(String, String)]) -> Option<Self> {
        let option = |wanted: &str| {
            options.iter().find_map(|(name, value)| (name == wanted).then_some(value.as_str()))
        };
        if option("role_arn").is_some() {
            return None;
        }
        let mut keys =
            StaticCredentialProvider::new(option("access_key_id")?, option("secret_access_key")?);
        if let Some(token) = option("session_token") {
            keys = keys.with_session_token(token);
        }
        let signer = RequestSigner::new("s3", option("region")?);
        Some(Self(Signer::new(Context::new(), keys, signer)))
    }

    /// A request to `uri` without a body.
    ///
    /// # Errors
    /// [`Kind::Internal`] if it cannot be made.
    pub(crate) async fn request(
        &self,
        method: Method,
        uri: &str,
        headers: HeaderMap,
        doing: &str,
    ) -> Result<Request<HttpBody>> {
        let request = Request::builder().method(method).uri(uri).body(());
        let (mut head, ()) = request.map_err(|_| no_address(doing))?.into_parts();
        head.headers = headers;
        self.sign(&mut head, doing).await?;
        Ok(Request::from_parts(head, HttpBody::empty()))
    }

    /// A request for the object that the service itself calls `path`, and not for what is left of that name once it
    /// is tidied up.
    ///
    /// # Errors
    /// [`Kind::Unsupported`] if there is no address for it; as [`Signed::request`].
    pub(crate) async fn exactly(
        &self,
        operator: &Operator,
        method: Method,
        path: &str,
        headers: HeaderMap,
        doing: &str,
    ) -> Result<Request<HttpBody>> {
        let sent = on_the_wire(path).ok_or_else(|| {
            Error::new(Kind::Unsupported, format!("{doing}: no address leads to it"))
        })?;
        let bucket = bucket(operator, doing).await?;
        // What is signed is the name, whatever form it has on its way.
        let name = format!("{bucket}/{}", percent_encode_path(path));
        let (mut head, body) = self.request(method, &name, headers, doing).await?.into_parts();
        head.uri = format!("{bucket}/{sent}").parse().map_err(|_| no_address(doing))?;
        Ok(Request::from_parts(head, body))
    }

    async fn sign(&self, head: &mut Parts, doing: &str) -> Result<()> {
        let unsigned = |_| Error::new(Kind::Internal, format!("{doing}: it could not be signed"));
        self.0.sign(head, None).await.map_err(unsigned)
    }
}

/// The address of an object, as OpenDAL makes it: from a signed one, without the signature.
///
/// # Errors
/// [`Kind::Internal`] if it makes none.
pub(crate) async fn address(operator: &Operator, path: &str, doing: &str) -> Result<String> {
    let signed = operator.presign_stat(path, Duration::from_mins(1)).await;
    let signed = signed.map_err(|_| no_address(doing))?;
    let uri: &Uri = signed.uri();
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return Err(no_address(doing));
    };
    Ok(format!("{scheme}://{authority}{}", uri.path()))
}

/// The address of the bucket, without a slash at its end: that of any object in it, without the object.
///
/// # Errors
/// As [`address`].
pub(crate) async fn bucket(operator: &Operator, doing: &str) -> Result<String> {
    let object = address(operator, "x", doing).await?;
    Ok(object.strip_suffix("/x").unwrap_or(&object).to_owned())
}

/// The address of a question to the bucket itself.
///
/// # Errors
/// As [`address`].
pub(crate) async fn question(operator: &Operator, query: &str, doing: &str) -> Result<String> {
    let bucket = bucket(operator, doing).await?;
    let slash = if bucket.matches('/').count() < 3 { "/" } else { "" };
    Ok(format!("{bucket}{slash}?{query}"))
}

/// Whether an address can name what is called `path`.
pub(crate) fn has_address(path: &str) -> bool {
    on_the_wire(path).is_some()
}

/// A name as a part of an address. HTTP clients take `.` and `..` between slashes for steps through folders, in every
/// spelling; an escaped slash is none to them, and the same to the service. `None` for `.` and `..` alone.
fn on_the_wire(path: &str) -> Option<String> {
    let mut sent = String::new();
    let mut is_step = false;
    for (at, name) in path.split('/').enumerate() {
        let dots = matches!(name, "." | "..");
        if at > 0 {
            sent.push_str(if dots || is_step { "%2F" } else { "/" });
        }
        is_step = dots && at == 0;
        sent.push_str(&percent_encode_path(name));
    }
    (!is_step).then_some(sent)
}

fn no_address(doing: &str) -> Error {
    Error::new(Kind::Internal, format!("{doing}: there is no address for it"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_keys_sign() {
        let option = |name: &str| (name.to_owned(), "x".to_owned());
        let plain = ["region", "access_key_id", "secret_access_key"].map(option);
        assert!(Signed::new(&plain).is_some());
        assert!(Signed::new(&plain[..2]).is_none());
        let role = [&plain[..], &[option("role_arn")]].concat();
        assert!(Signed::new(&role).is_none());
    }

    #[test]
    fn no_name_is_a_step_through_folders() {
        for (path, sent) in [
            ("a/b c%41", Some("a/b%20c%2541")),
            ("/a//b/", Some("/a//b/")),
            ("../b", Some("..%2Fb")),
            ("../../b", Some("..%2F../b")),
            ("a/../b", Some("a%2F../b")),
            ("a/./.", Some("a%2F.%2F.")),
            ("a//..", Some("a/%2F..")),
            ("a/...", Some("a/...")),
            ("..", None),
            (".", None),
        ] {
            assert_eq!(on_the_wire(path).as_deref(), sent, "{path}");
        }
    }
}
