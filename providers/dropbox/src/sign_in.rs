//! Signing in: the code flow with PKCE, so that no secret of the program is needed.

use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use safelight_core::error::{Error, Kind, Result};
use safelight_core::registry::{Context, Settings};
use safelight_core::secret::Secret;
use safelight_core::sign_in::{Account, Page, SignIn};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::factory::api;
use crate::hosts::Hosts;
use crate::pace::Pace;
use crate::tokens::{ask, encode_form};

/// What is asked for: room, names, reading, writing.
const SCOPES: &str = "account_info.read files.metadata.read files.metadata.write \
                      files.content.read files.content.write";
/// Dropbox compares the whole address with those of the app, so the ports are fixed.
const PORTS: &[u16] = &[47171, 47172, 47173];
const DOING: &str = "signing in";

pub(crate) struct DropboxSignIn;

/// What `users/get_current_account` answers.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Person {
    name: Name,
    email: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Name {
    display_name: String,
}

#[async_trait]
impl SignIn for DropboxSignIn {
    fn setting(&self) -> &'static str {
        "token"
    }

    fn service(&self) -> &'static str {
        "Dropbox"
    }

    fn guidance(&self) -> &'static str {
        "Safelight asks Dropbox to see, read and write files, and for the room in the account.\n\
         An app of the type \"App folder\" reaches its own folder below Apps and nothing else.\n\
         `app_key` is the key of that app; its redirect addresses are http://localhost:47171/, \
         http://localhost:47172/ and http://localhost:47173/."
    }

    fn ports(&self) -> &'static [u16] {
        PORTS
    }

    fn page(&self, settings: &Settings, redirect: Option<&str>) -> Result<Option<Page>> {
        let hosts = Hosts::of(settings)?;
        let (verifier, state) = (random(32)?, random(16)?);
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        let mut query = vec![
            ("client_id", settings.require("app_key")?),
            ("response_type", "code"),
            ("token_access_type", "offline"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("scope", SCOPES),
        ];
        if let Some(redirect) = redirect {
            query.extend([("redirect_uri", redirect), ("state", state.as_str())]);
        }
        Ok(Some(Page {
            url: format!("{}/oauth2/authorize?{}", hosts.www, encode_form(&query)),
            state,
            verifier: Secret::new(verifier),
            redirect: redirect.map(ToOwned::to_owned),
        }))
    }

    async fn exchange(
        &self,
        settings: &Settings,
        context: &Context,
        page: Option<&Page>,
        answer: &str,
    ) -> Result<Secret> {
        let Some(page) = page else {
            // A refresh token that was brought: it is good if an access token can be had for it.
            let brought = Secret::new(answer.trim());
            let settings = settings
                .clone()
                .with("token", safelight_core::registry::Value::Secret(brought.clone()));
            let api = api(&settings, context)?;
            api.tokens.get(&*api.http, &api.pace).await?;
            return Ok(brought);
        };
        let hosts = Hosts::of(settings)?;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", answer.trim()),
            ("client_id", settings.require("app_key")?),
            ("code_verifier", page.verifier.expose()),
        ];
        if let Some(redirect) = &page.redirect {
            form.push(("redirect_uri", redirect));
        }
        let gate = Pace::new(context.clock.clone(), context.cancel.clone());
        let address = format!("{}/oauth2/token", hosts.api);
        let granted = ask(&*context.http, &gate, &address, &form, DOING).await?;
        let missing = || Error::new(Kind::SignIn, "Dropbox gave no token that lasts");
        granted.refresh_token.map(Secret::new).ok_or_else(missing)
    }

    async fn account(&self, settings: &Settings, context: &Context) -> Result<Account> {
        let api = api(settings, context)?;
        let route = "users/get_current_account";
        let person: Person = api.rpc(route, &Value::Null, "asking who is signed in").await?;
        let name = match (person.name.display_name.as_str(), person.email.as_str()) {
            ("", email) => email.to_owned(),
            (name, "") => name.to_owned(),
            (name, email) => format!("{name} <{email}>"),
        };
        Ok(Account { name, until: None, pools: api.space().await? })
    }

    async fn revoke(&self, settings: &Settings, context: &Context) -> Result<()> {
        let api = api(settings, context)?;
        match api.rpc::<Value>("auth/token/revoke", &Value::Null, "signing out").await {
            Ok(_) => Ok(()),
            // It has ended already.
            Err(trouble) if trouble.error.kind() == Kind::SignIn => Ok(()),
            Err(trouble) => Err(trouble.error),
        }
    }
}

/// So many random bytes as text of 4 letters for 3 bytes.
fn random(bytes: usize) -> Result<String> {
    let mut random = vec![0; bytes];
    getrandom::fill(&mut random).map_err(|error| {
        Error::new(Kind::Internal, "no random numbers").source(error.to_string())
    })?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(random))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_page_asks_for_a_lasting_sign_in_with_a_challenge_of_its_own() {
        let settings = Settings::new("dropbox").with_text("app_key", "KEY");
        let page = DropboxSignIn.page(&settings, Some("http://localhost:47171/")).unwrap().unwrap();
        let verifier = page.verifier.expose();
        assert!((43..=128).contains(&verifier.len()));
        let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        let start = "https://www.dropbox.com/oauth2/authorize?client_id=KEY&response_type=code\
                     &token_access_type=offline&code_challenge=";
        assert!(page.url.starts_with(start), "{}", page.url);
        assert!(page.url.contains(&format!("={challenge}&code_challenge_method=S256&")));
        assert!(page.url.contains("scope=account_info.read%20files.metadata.read%20"));
        assert!(page.url.contains("redirect_uri=http%3A%2F%2Flocalhost%3A47171%2F&state="));
        assert!(!page.url.contains(verifier));
        let other = DropboxSignIn.page(&settings, None).unwrap().unwrap();
        assert!(!other.url.contains("redirect_uri") && other.verifier != page.verifier);
        assert!(DropboxSignIn.page(&Settings::new("x"), None).is_err());
    }
}
