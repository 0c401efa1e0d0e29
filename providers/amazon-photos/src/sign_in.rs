//! Signing in: a person brings the cookies of a browser that is signed in. There is no other way.

use async_trait::async_trait;
use safelight_core::error::Result;
use safelight_core::registry::{Context, Settings, Value};
use safelight_core::secret::Secret;
use safelight_core::sign_in::{Account, Page, SignIn};

use crate::cookies::worth_keeping;
use crate::factory::api;
use crate::folders::Folders;
use crate::session;

pub(crate) struct AmazonSignIn;

#[async_trait]
impl SignIn for AmazonSignIn {
    fn setting(&self) -> &'static str {
        "account"
    }

    fn service(&self) -> &'static str {
        "Amazon Photos"
    }

    fn guidance(&self) -> &'static str {
        "Amazon Photos has no interface for programs; Safelight speaks as its web page does. This is unofficial, may \
         stop working at any time, and must never be your only copy.\n\
         Sign in to Amazon Photos in a browser (www.amazon.com/photos, or your country's), then bring its cookies: \
         the text of a cookies.txt as an extension of the browser exports it, a JSON object, or the line `Cookie:` \
         of a request from the developer tools.\n\
         Needed are `session-id`, `ubid-main` and `at-main`; outside of the US `ubid-acbXX` and `at-acbXX`, as in \
         `at-acbde`. They open your whole Amazon account, so keep them as you keep a password.\n\
         They last for two or three days; then bring new ones. Signing out in the browser ends them."
    }

    fn ports(&self) -> &'static [u16] {
        &[]
    }

    fn page(&self, _: &Settings, _: Option<&str>) -> Result<Option<Page>> {
        Ok(None)
    }

    async fn exchange(
        &self,
        settings: &Settings,
        context: &Context,
        _: Option<&Page>,
        answer: &str,
    ) -> Result<Secret> {
        let brought = Secret::new(answer.trim());
        let settings = settings.clone().with("account", Value::Secret(brought));
        let api = api(&settings, context)?;
        Folders::default().home(&api).await?;
        session::until(&api.cookies, &*context.notebook, &*context.clock).await;
        worth_keeping(answer, api.hosts.country)
    }

    async fn account(&self, settings: &Settings, context: &Context) -> Result<Account> {
        let api = api(settings, context)?;
        let folders = Folders::default();
        let owner = &folders.home(&api).await?.owner;
        let owner: String = owner.chars().filter(char::is_ascii_alphanumeric).take(32).collect();
        Ok(Account {
            name: format!("amazon.{}, customer {owner}", api.hosts.country.tld),
            until: session::until(&api.cookies, &*context.notebook, &*context.clock).await,
            pools: api.room().await?,
        })
    }

    /// Nothing: cookies end when their browser signs out, and no call does that.
    async fn revoke(&self, _: &Settings, _: &Context) -> Result<()> {
        Ok(())
    }
}
