//! The cookies of a signed-in browser, in whatever form a person can get hold of them.
//!
//! Invariant: no value of a cookie leaves this type but in the header that is meant for it.

use std::fmt;

use http::HeaderValue;
use safelight_core::codes;
use safelight_core::digest::{Algorithms, Hasher};
use safelight_core::error::{Error, Kind, Result};
use safelight_core::secret::Secret;
use safelight_core::time::Timestamp;
use serde_json::{Value, json};

use crate::country::Country;

/// What is sent with every call to a host of the service.
#[derive(Clone)]
pub(crate) struct Cookies {
    /// The header `cookie`.
    pub(crate) header: HeaderValue,
    /// The header `x-amzn-sessionid`.
    pub(crate) session: HeaderValue,
    /// When the sign-in cookie ends, where its file says so.
    pub(crate) expires: Option<Timestamp>,
    /// Tells one sign-in from the next, and nothing else about it.
    pub(crate) fingerprint: String,
}

/// The values are secret.
impl fmt::Debug for Cookies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cookies(hidden)")
    }
}

/// One cookie as it was found.
struct Cookie {
    name: String,
    value: String,
    /// The host it is for, where that is said.
    domain: Option<String>,
    expires: Option<Timestamp>,
}

impl Cookies {
    /// Reads `cookies.txt`, JSON, or a line `Cookie: ...`.
    ///
    /// # Errors
    /// [`Kind::SignIn`], naming the cookies that are missing; never a value.
    pub(crate) fn read(text: &str, country: Country) -> Result<Self> {
        let found = found_in(text);
        if found.is_empty() {
            let context = "there are no cookies in what was given; it has to be a cookies.txt, \
                           a JSON object or a line `Cookie: ...`";
            return Err(Error::new(Kind::SignIn, context).code(codes::SECRET_MISSING));
        }
        let (sign_in, browser) =
            (format!("at-{}", country.suffix), format!("ubid-{}", country.suffix));
        let extra = format!("x-{}", country.suffix);
        let get = |name: &str| pick(&found, name, country);
        let needed = ["session-id", browser.as_str(), sign_in.as_str()];
        let missing: Vec<_> = needed.iter().copied().filter(|name| get(name).is_none()).collect();
        if !missing.is_empty() {
            return Err(lacking(&missing, &found, country));
        }
        let mut line = String::new();
        for name in needed.into_iter().chain([extra.as_str()]) {
            let Some(cookie) = get(name) else { continue };
            if !line.is_empty() {
                line.push_str("; ");
            }
            line.push_str(name);
            line.push('=');
            line.push_str(&cookie.value);
        }
        let at = get(&sign_in);
        let value = |name: &str| get(name).map_or("", |cookie| cookie.value.as_str());
        let digest = Hasher::of(value(&sign_in).as_bytes(), Algorithms::default()).sha256;
        Ok(Self {
            header: secret(&line)?,
            session: secret(value("session-id"))?,
            expires: at.and_then(|cookie| cookie.expires),
            fingerprint: hex::encode(&digest.unwrap_or_default()[..6]),
        })
    }
}

/// Of everything that was brought, the cookies that are sent, in a form that [`Cookies::read`] takes. Whoever exports a
/// browser's cookies brings those of other sites too; they are nothing to keep.
///
/// # Errors
/// As [`Cookies::read`].
pub(crate) fn worth_keeping(text: &str, country: Country) -> Result<Secret> {
    Cookies::read(text, country)?;
    let found = found_in(text);
    let suffix = country.suffix;
    let names = ["session-id".to_owned()]
        .into_iter()
        .chain(["ubid", "at", "x"].map(|kind| format!("{kind}-{suffix}")));
    let told = |name: String| {
        let cookie = pick(&found, &name, country)?;
        let mut told = json!({ "name": name, "value": cookie.value });
        if let Some(expires) = cookie.expires {
            told["expirationDate"] = (expires.as_nanos() as f64 / 1e9).into();
        }
        Some(told)
    };
    Ok(Secret::new(Value::Array(names.filter_map(told).collect()).to_string()))
}

fn secret(text: &str) -> Result<HeaderValue> {
    let wrong = |_| Error::new(Kind::SignIn, "a cookie has letters that no cookie has");
    let mut value = HeaderValue::from_str(text).map_err(wrong)?;
    value.set_sensitive(true);
    Ok(value)
}

/// The cookie for this country; of several, the one whose host is that of the country.
fn pick<'a>(found: &'a [Cookie], name: &str, country: Country) -> Option<&'a Cookie> {
    let host = format!("amazon.{}", country.tld);
    let here = |cookie: &&Cookie| {
        cookie.domain.as_deref().is_none_or(|domain| {
            domain == host || domain.strip_suffix(&host).is_some_and(|sub| sub.ends_with('.'))
        })
    };
    let named = || found.iter().filter(|cookie| cookie.name == name);
    // A name with the country in it speaks for itself.
    let any = name.ends_with(country.suffix);
    named().find(here).or_else(|| named().find(|_| any))
}

fn lacking(missing: &[&str], found: &[Cookie], country: Country) -> Error {
    let elsewhere = found.iter().find_map(|cookie| {
        let other = Country::of_suffix(cookie.name.strip_prefix("at-")?)?;
        (other != country).then_some(other.tld)
    });
    let names = missing.join(", ");
    let context = match elsewhere {
        Some(tld) => format!("these cookies are of amazon.{tld}; `country` says {}", country.tld),
        None => format!("cookies are missing: {names}"),
    };
    Error::new(Kind::SignIn, context)
}

fn found_in(text: &str) -> Vec<Cookie> {
    let text = text.trim().trim_start_matches('\u{feff}');
    let all = if text.starts_with(['{', '[']) {
        serde_json::from_str(text).map(|json| from_json(&json)).unwrap_or_default()
    } else if text.lines().any(|line| line.split('\t').count() >= 7) {
        text.lines().filter_map(from_line).collect()
    } else {
        from_header(text)
    };
    all.into_iter().filter(|cookie| is_value(&cookie.value)).collect()
}

fn is_value(value: &str) -> bool {
    let plain = |byte: u8| (0x21..0x7f).contains(&byte) && byte != b';' && byte != b',';
    !value.is_empty() && value.bytes().all(plain)
}

/// Hyphens, as browsers have them; other clients ask for underscores.
fn spelled(name: &str) -> String {
    let name = name.trim();
    let ours = ["session_", "ubid_", "at_", "x_"].iter().any(|start| name.starts_with(start));
    if ours { name.replace('_', "-") } else { name.to_owned() }
}

/// `domain, subdomains, path, secure, expiry, name, value`, tabs between them.
fn from_line(line: &str) -> Option<Cookie> {
    let line = line.trim_end_matches(['\r', '\n']);
    let line = line.strip_prefix("#HttpOnly_").unwrap_or(line);
    let parts: Vec<_> = line.split('\t').collect();
    let &[domain, _, _, _, expires, name, value] = parts.get(..7)? else { return None };
    if line.starts_with('#') {
        return None;
    }
    Some(Cookie {
        name: spelled(name),
        value: value.trim().to_owned(),
        domain: Some(domain.trim_start_matches('.').to_ascii_lowercase()),
        expires: expires.parse::<f64>().ok().and_then(moment),
    })
}

/// `{"at-main": "..."}`, or a list of `{"name": ..., "value": ...}` as some extensions write it.
fn from_json(json: &Value) -> Vec<Cookie> {
    let text = |value: &Value, field: &str| Some(value.get(field)?.as_str()?.to_owned());
    let of_list = |cookie: &Value| {
        let expires = cookie.get("expirationDate").or_else(|| cookie.get("expires"));
        Some(Cookie {
            name: spelled(&text(cookie, "name")?),
            value: text(cookie, "value")?,
            domain: text(cookie, "domain")
                .map(|domain| domain.trim_start_matches('.').to_ascii_lowercase()),
            expires: expires.and_then(Value::as_f64).and_then(moment),
        })
    };
    match json {
        Value::Array(list) => list.iter().filter_map(of_list).collect(),
        Value::Object(members) => {
            if let Some(list @ Value::Array(_)) = members.get("cookies") {
                return from_json(list);
            }
            let plain = |(name, value): (&String, &Value)| bare(name, value.as_str()?);
            members.iter().filter_map(plain).collect()
        }
        _ => Vec::new(),
    }
}

fn from_header(text: &str) -> Vec<Cookie> {
    let text = match text.split_once(':') {
        Some((name, rest)) if name.trim().eq_ignore_ascii_case("cookie") => rest,
        _ => text,
    };
    let pairs = text.split([';', '\n', '\r']).filter_map(|pair| pair.split_once('='));
    pairs.filter_map(|(name, value)| bare(name, value)).collect()
}

fn bare(name: &str, value: &str) -> Option<Cookie> {
    let value = value.trim().to_owned();
    Some(Cookie { name: spelled(name), value, domain: None, expires: None })
        .filter(|cookie| !cookie.name.is_empty())
}

/// Seconds since 1970; 0 stands for "until the browser is closed".
fn moment(seconds: f64) -> Option<Timestamp> {
    #[allow(clippy::cast_possible_truncation)]
    let whole = seconds as i64;
    (whole > 0).then(|| Timestamp::from_parts(whole, 0))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const LINE: &str = "session-id=1-2; ubid-acbde=3; at-acbde=Atza|x==";

    fn de() -> Country {
        Country::of("de").unwrap()
    }

    #[test]
    fn every_form_gives_the_same_header() {
        let file = "# Netscape HTTP Cookie File\n\n\
            .amazon.de\tTRUE\t/\tTRUE\t1893456000\tsession-id\t1-2\r\n\
            .amazon.com\tTRUE\t/\tTRUE\t1893456000\tsession-id\t9-9\n\
            #HttpOnly_.amazon.de\tTRUE\t/\tTRUE\t1893456000\tat-acbde\tAtza|x==\n\
            .amazon.de\tTRUE\t/\tTRUE\t0\tubid-acbde\t3\n\
            .amazon.de\tTRUE\t/\tTRUE\t0\tlc-acbde\tde_DE\n";
        let forms = [
            file,
            r#"{"session_id": "1-2", "ubid_acbde": "3", "at_acbde": "Atza|x==", "i18n": 3}"#,
            r#"[{"name":"at-acbde","value":"Atza|x==","domain":".amazon.de","expirationDate":1893456000.5},
                {"name":"session-id","value":"1-2"}, {"name":"ubid-acbde","value":"3"}, 7]"#,
            "Cookie: at-acbde=Atza|x==; session-id=1-2; other=1; ubid-acbde=3\r\n",
            "session-id=1-2\nubid_acbde=3\nat_acbde=Atza|x==",
        ];
        for form in forms {
            let cookies = Cookies::read(form, de()).unwrap();
            assert_eq!(cookies.header.to_str().unwrap(), LINE, "{form}");
            assert_eq!(cookies.session, "1-2");
            let kept = worth_keeping(form, de()).unwrap();
            let again = Cookies::read(kept.expose(), de()).unwrap();
            assert_eq!((again.header, again.expires), (cookies.header, cookies.expires));
            for foreign in ["9-9", "de_DE", "i18n", "other"] {
                assert!(!kept.expose().contains(foreign), "{foreign}");
            }
        }
        let expires = Cookies::read(file, de()).unwrap().expires;
        assert_eq!(expires, Some(Timestamp::from_parts(1_893_456_000, 0)));
    }

    #[test]
    fn what_is_missing_is_named_and_nothing_is_shown() {
        let told = |text: &str, country: &str| {
            let error = Cookies::read(text, Country::of(country).unwrap()).unwrap_err();
            assert_eq!(error.kind(), Kind::SignIn);
            let told = format!("{error} {error:?}");
            assert!(!told.contains("canary"), "{told}");
            told
        };
        assert!(told("at-main=canary", "com").contains("session-id, ubid-main"));
        assert!(told("at-acbuk=canary", "com").contains("of amazon.co.uk"));
        assert!(told("", "com").contains("no cookies"));
        assert!(told("{\"canary\"", "com").contains("no cookies"));
        let all = "session-id=1; ubid-main=canary; at-main=canary";
        let cookies = Cookies::read(all, Country::of("com").unwrap()).unwrap();
        assert!(!format!("{cookies:?}").contains("canary"));
        assert_eq!(cookies.fingerprint.len(), 12);
    }

    #[test]
    fn the_fifth_cookie_is_sent_where_there_is_one() {
        let cookies = Cookies::read(&format!("{LINE}; x_acbde=7"), de()).unwrap();
        assert_eq!(cookies.header.to_str().unwrap(), format!("{LINE}; x-acbde=7"));
    }
}
