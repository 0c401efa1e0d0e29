//! `safelight auth login`: from nothing to a kept sign-in.

use std::sync::Arc;

use safelight_config::secrets;
use safelight_core::codes;
use safelight_core::error::{Error, Kind};
use safelight_core::registry::{Settings, Value};
use safelight_core::secret::Secret;
use safelight_core::sign_in::{Account, Page, SignIn};
use safelight_core::time::Clock;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::callback::{Answer, Callback};
use super::place::Place;
use super::{Party, blocking, browser, room, shown};
use crate::args::LoginArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::input::Lines;
use crate::machine;
use crate::render::moment;
use crate::session::Session;
use crate::stop::Signals;
use crate::wiring::{Opener, without_secrets};

/// Signs in, checks it by asking for the account, and keeps it.
pub async fn run(session: &Session, args: &LoginArgs) -> Result<Exit, Failure> {
    session.online("signing in has to contact the service", "")?;
    machine::no_core_dumps();
    let config = session.config()?;
    let (clock, cancel, mut signals) =
        (session.clock(), CancellationToken::new(), Signals::listen()?);
    let opener = Opener::new(&config, &session.env, &clock, cancel.clone(), None)?;
    let party = Party::named(&opener, &config, &args.destination)?;
    let sign_in = party.sign_in()?;
    let signing = async {
        let place =
            Place::choose(&config, party.destination, sign_in.setting(), args.store).await?;
        let settings = without_secrets(party.destination);
        let asking = Asking { session, args, sign_in, party: &party, settings: &settings };
        let secret = asking.secret(&clock).await?;
        let settings = settings.clone().with(sign_in.setting(), Value::Secret(secret.clone()));
        let account = sign_in.account(&settings, &party.context).await?;
        let reference = place.reference.clone();
        blocking(move || secrets::keep(&reference, &secret)).await?;
        Ok((place, account))
    };
    let done: Result<_, Failure> = tokio::select! {
        done = signing => done.map(Some),
        () = signals.next() => Ok(None),
    };
    cancel.cancel();
    opener.close().await;
    let Some((place, account)) = done? else {
        session.out.problem("stopped\n");
        return Ok(Exit::INTERRUPTED);
    };
    tell(session, &config.file().display().to_string(), &args.destination, &place, &account);
    Ok(Exit::OK)
}

fn tell(session: &Session, file: &str, name: &str, place: &Place, account: &Account) {
    let out = &session.out;
    if session.flags.json {
        out.line(json!({
            "v": 1, "name": name, "signed_in": true, "account": shown(&account.name),
            "until": account.until.map(moment::stamp),
            "kept": place.reference.to_string(), "config_line": place.line,
        }));
        return;
    }
    let room = room(&account.pools).map(|room| format!(" {room}.")).unwrap_or_default();
    out.line(format_args!("Signed in as {}.{room}", shown(&account.name)));
    if let Some(until) = account.until {
        out.line(format_args!("It seems to last until {}.", moment::short(until)));
    }
    out.line(format_args!("Kept {}.", place.shown()));
    if let Some(line) = &place.line {
        out.line(format_args!(
            "The config looks elsewhere. Put this into [destination.{name}] of {file}:\n  {line}"
        ));
    }
}

/// The conversation that ends with a secret.
struct Asking<'a> {
    session: &'a Session,
    args: &'a LoginArgs,
    sign_in: &'a dyn SignIn,
    party: &'a Party<'a>,
    settings: &'a Settings,
}

impl Asking<'_> {
    async fn secret(&self, clock: &Arc<dyn Clock>) -> Result<Secret, Failure> {
        let mut lines = Lines::listen();
        if self.party.is_brought()? {
            return self.by_bringing(&mut lines).await;
        }
        if self.args.token_stdin {
            let token = self.typed(&mut lines, "a token").await?;
            return self.exchange(None, &token).await;
        }
        let ports = if self.args.paste { &[] } else { self.sign_in.ports() };
        let callback = Callback::listen(ports, clock).await;
        if let Some(callback) = callback {
            let page = self.sign_in.page(self.settings, Some(&callback.address()))?;
            if let Some(page) = page
                && let Some(code) = self.by_redirect(&callback, &page, &mut lines).await?
            {
                return self.exchange(Some(&page), &code).await;
            }
        } else if !self.args.paste {
            self.say("No port is free for the browser's answer, so a code has to be pasted.");
        }
        self.by_pasting(&mut lines).await
    }

    /// What a person carries over from a browser, usually of many lines: all of stdin, or what is pasted until an
    /// empty line.
    async fn by_bringing(&self, lines: &mut Lines) -> Result<Secret, Failure> {
        let pasted = !self.args.token_stdin;
        if pasted {
            self.say(self.sign_in.guidance());
            self.say("Paste them here, then press Enter on an empty line:");
        }
        let (mut text, mut begun) = (String::new(), false);
        while let Some(line) = lines.next().await {
            if pasted && begun && line.is_empty() {
                break;
            }
            // An exported file begins with remarks and empty lines.
            begun |= !line.is_empty() && (!line.starts_with('#') || line.starts_with("#HttpOnly_"));
            text.push_str(&line);
            text.push('\n');
            if text.len() as u64 >= secrets::LONGEST {
                return Err(Failure::Usage {
                    message: "that is far too long for a sign-in".to_owned(),
                    help: Some(format!("export only what belongs to {}", self.sign_in.service())),
                });
            }
        }
        if begun {
            return self.exchange(None, &text).await;
        }
        Err(Failure::Usage {
            message: format!(
                "a sign-in to {} was expected on stdin, and nothing came",
                self.sign_in.service()
            ),
            help: None,
        })
    }

    /// The code that the browser brings; `None` if the person would rather paste one.
    async fn by_redirect(
        &self,
        callback: &Callback,
        page: &Page,
        lines: &mut Lines,
    ) -> Result<Option<String>, Failure> {
        let guidance = self.sign_in.guidance();
        let url = shown(&page.url);
        if !self.args.no_browser && browser::open(&page.url, &self.session.env) {
            self.say(&format!("{guidance}\nOpening your browser. If no window opens:  {url}"));
        } else {
            self.say(&format!("{guidance}\nOpen in a browser on this machine:  {url}"));
        }
        self.say(&format!(
            "Waiting on {} ...   (no browser on this machine? type p to paste a code)",
            callback.address()
        ));
        let mut answer = std::pin::pin!(callback.answer(&page.state));
        let mut typing = true;
        loop {
            tokio::select! {
                answer = &mut answer => return match answer {
                    Answer::Code(code) => Ok(Some(code)),
                    Answer::Refused(why) => Err(self.refused(&why)),
                },
                line = lines.next(), if typing => match line.as_deref() {
                    Some("p" | "P") => return Ok(None),
                    Some(_) => {}
                    None => typing = false,
                },
            }
        }
    }

    async fn by_pasting(&self, lines: &mut Lines) -> Result<Secret, Failure> {
        let page = self.sign_in.page(self.settings, None)?;
        self.say(self.sign_in.guidance());
        if let Some(page) = &page {
            let url = shown(&page.url);
            self.say(&format!("Open in any browser:  {url}\nPaste the code that is shown there:"));
        }
        let code = self.typed(lines, "a code").await?;
        self.exchange(page.as_ref(), &code).await
    }

    async fn exchange(&self, page: Option<&Page>, answer: &str) -> Result<Secret, Failure> {
        let context = &self.party.context;
        let exchanged = self.sign_in.exchange(self.settings, context, page, answer).await;
        Ok(exchanged.map_err(|error| match error.id() {
            // Nobody was signed in that could have been signed out.
            codes::SIGN_IN => error.code(codes::SIGN_IN_DECLINED),
            _ => error,
        })?)
    }

    async fn typed(&self, lines: &mut Lines, what: &str) -> Result<String, Failure> {
        match lines.next().await.filter(|line| !line.is_empty()) {
            Some(line) => Ok(line),
            None => Err(Failure::Usage {
                message: format!("{what} was expected on stdin, and nothing came"),
                help: None,
            }),
        }
    }

    fn refused(&self, why: &str) -> Failure {
        let context = format!("{} answered `{}`", self.sign_in.service(), shown(why));
        Error::new(Kind::SignIn, context).code(codes::SIGN_IN_DECLINED).into()
    }

    /// Said even with `--quiet`: without it nobody knows what to do.
    fn say(&self, text: &str) {
        self.session.out.problem(&format!("{text}\n"));
    }
}
