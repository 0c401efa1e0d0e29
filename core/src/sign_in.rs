//! Signing in to a service, as far as it differs from service to service.
//!
//! The conversation with the person (opening a browser, waiting on loopback, asking for a code, keeping the secret)
//! is the program's; what the service wants to be asked is the provider's.

use async_trait::async_trait;

use crate::error::Result;
use crate::provider::PoolUsage;
use crate::registry::{Context, Settings};
use crate::secret::Secret;
use crate::time::Timestamp;

/// A page on which a person agrees.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its address.
    pub url: String,
    /// What the answer on loopback must carry as `state`.
    pub state: String,
    /// What proves to the service that who asked is who comes back with the answer.
    pub verifier: Secret,
    /// Where the answer is sent; without it the service shows a code to copy.
    pub redirect: Option<String>,
}

/// Who is signed in.
#[derive(Debug, Clone)]
pub struct Account {
    /// For people: a name, an address.
    pub name: String,
    /// Until when the sign-in holds, where that is known.
    pub until: Option<Timestamp>,
    /// The room in it.
    pub pools: Vec<PoolUsage>,
}

/// How to sign in to one kind of service.
#[async_trait]
pub trait SignIn: Send + Sync {
    /// The setting that refers to the secret.
    fn setting(&self) -> &'static str;

    /// The service's name for people.
    fn service(&self) -> &'static str;

    /// What is asked for and what the person has to do, in a few lines.
    fn guidance(&self) -> &'static str;

    /// The ports of 127.0.0.1 to which the service may send the answer, in the order to try them. The address is
    /// `http://localhost:PORT/`.
    fn ports(&self) -> &'static [u16];

    /// A page to open, new each time; `None` where the person brings the secret as it is.
    ///
    /// # Errors
    /// If a setting is missing.
    fn page(&self, settings: &Settings, redirect: Option<&str>) -> Result<Option<Page>>;

    /// Turns the code that came back into the secret that lasts. Without a page, checks what was brought.
    ///
    /// # Errors
    /// [`Kind::SignIn`](crate::error::Kind::SignIn) if the service does not take it.
    async fn exchange(
        &self,
        settings: &Settings,
        context: &Context,
        page: Option<&Page>,
        answer: &str,
    ) -> Result<Secret>;

    /// Who is signed in with these settings.
    ///
    /// # Errors
    /// [`Kind::SignIn`](crate::error::Kind::SignIn) if nobody is.
    async fn account(&self, settings: &Settings, context: &Context) -> Result<Account>;

    /// Ends the sign-in at the service.
    ///
    /// # Errors
    /// As every call; a sign-in that has ended already is none.
    async fn revoke(&self, settings: &Settings, context: &Context) -> Result<()>;
}
