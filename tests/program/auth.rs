//! Signing in, seeing it, and signing out, against a service on this machine that the tests start. The tests play
//! the browser: they open the address that is printed and go where it sends them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, ChildStderr, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use safelight_core::time::SystemClock;
use safelight_sandbox::DropboxSandbox;
use safelight_sandbox::dropbox::Behaviour;
use tokio::runtime::Runtime;

use crate::home::{Home, Ran};

/// The ports of the answer are fixed, so one sign-in at a time waits for a browser.
static PORTS: Mutex<()> = Mutex::new(());

/// A home with one Dropbox destination, and the Dropbox it leads to.
struct World {
    home: Home,
    sandbox: DropboxSandbox,
    runtime: Runtime,
}

impl World {
    /// `token` is where the config says that the sign-in is kept.
    fn new(token: &str, behaviour: Behaviour) -> Self {
        let home = Home::bare();
        std::fs::create_dir(home.path("library")).unwrap();
        let runtime = Runtime::new().unwrap();
        let folder = home.path("service");
        let sandbox = runtime.block_on(async {
            let clock = Arc::new(SystemClock::start());
            DropboxSandbox::start(&folder, clock, behaviour).await.unwrap()
        });
        let world = Self { home, sandbox, runtime };
        world.configure(&format!("token = \"{token}\""));
        world
    }

    fn configure(&self, sign_in: &str) {
        let (url, key) = (self.sandbox.url(), self.sandbox.app_key());
        self.home.configure(&format!(
            "[destination.dropbox]\ntype = \"dropbox\"\napp_key = \"{key}\"\n{sign_in}\noffsite = true\n\
             endpoint = {{ api = \"{url}\", content = \"{url}\", notify = \"{url}\", www = \"{url}\" }}\n"
        ));
    }

    /// Runs a command and sees that no token is in what it says, however much it is asked to say.
    fn run(&self, args: &[&str], stdin: &str) -> Ran {
        let mut child = self.start(args);
        child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
        self.seen(Ran::of(child.wait_with_output().unwrap()))
    }

    fn start(&self, args: &[&str]) -> Child {
        let mut command = self.home.command(args);
        command.env("SAFELIGHT_LOG", "trace").stdin(Stdio::piped());
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn seen(&self, ran: Ran) -> Ran {
        let mut secrets = vec![self.sandbox.refresh_token().expose().to_owned()];
        secrets.extend(self.kept("token"));
        secrets.extend(self.kept("state/sign-in/dropbox"));
        for secret in secrets {
            assert!(!ran.out.contains(&secret) && !ran.err.contains(&secret), "{ran:?}");
        }
        ran
    }

    fn kept(&self, path: &str) -> Option<String> {
        let text = std::fs::read_to_string(self.home.path(path)).ok()?;
        Some(text.trim().to_owned())
    }

    /// Puts the sign-in that the service begins with where the config expects it.
    fn sign_in(&self) {
        let ran = self.run(&["auth", "login", "dropbox", "--token-stdin"], &self.token());
        assert_eq!(ran.exit, 0, "{ran:?}");
    }

    fn token(&self) -> String {
        format!("{}\n", self.sandbox.refresh_token().expose())
    }
}

/// `auth login dropbox --no-browser`, waiting for its browser.
struct Waiting {
    child: Child,
    stderr: BufReader<ChildStderr>,
    said: String,
    /// The page to open.
    page: String,
    /// Where the answer is awaited.
    back: String,
}

impl Waiting {
    /// `None` if something else on this machine has all the ports.
    fn start(world: &World) -> Option<Self> {
        let mut waiting = Self::ask(world, &["auth", "login", "dropbox", "--no-browser"]);
        if waiting.said.contains("No port is free") {
            println!("skipped: no port is free for a browser's answer");
            waiting.child.kill().unwrap();
            waiting.child.wait().unwrap();
            return None;
        }
        waiting.back = waiting.word_with("http://localhost:");
        Some(waiting)
    }

    /// Starts a command and reads on until it names the page to open.
    fn ask(world: &World, args: &[&str]) -> Self {
        let mut child = world.start(args);
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (page, back, said) = (String::new(), String::new(), String::new());
        let mut waiting = Self { child, stderr, said, page, back };
        waiting.page = waiting.word_with("/oauth2/authorize?");
        waiting
    }

    fn type_in(&mut self, text: &str) {
        self.child.stdin.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
    }

    /// Reads on until a word with this in it, and answers the word.
    fn word_with(&mut self, part: &str) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.stderr.read_line(&mut line).unwrap(), 0, "no {part} in {}", self.said);
            self.said += &line;
            // What the service says about itself may name addresses too.
            let talk = ["Open", "Waiting"].iter().any(|begin| line.starts_with(begin));
            let word = line.split_whitespace().find(|word| word.contains(part));
            if let (true, Some(word)) = (talk, word) {
                return word.to_owned();
            }
        }
    }

    fn end(mut self, world: &World) -> Ran {
        let mut rest = String::new();
        self.stderr.read_to_string(&mut rest).unwrap();
        let mut ran = Ran::of(self.child.wait_with_output().unwrap());
        ran.err = self.said + &rest;
        world.seen(ran)
    }
}

/// Opens an address: status, where it sends on to, and the page.
fn get(url: &str) -> (u16, Option<String>, String) {
    let (host, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut socket = TcpStream::connect(host.replace("localhost", "127.0.0.1")).unwrap();
    write!(socket, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let location = answer.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("location").then(|| value.to_owned())
    });
    (status, location, answer)
}

fn code_on(page: &str) -> String {
    let (_, _, page) = get(page);
    page.split_once("<b>").unwrap().1.split_once("</b>").unwrap().0.to_owned()
}

#[test]
fn a_browser_on_this_machine_signs_in_and_only_its_own_answer_counts() {
    let _ports = PORTS.lock().unwrap_or_else(PoisonError::into_inner);
    let world = World::new("file:token", Behaviour::default());
    let Some(waiting) = Waiting::start(&world) else { return };
    assert_eq!(get(&format!("{}favicon.ico", waiting.back)).0, 404);
    assert_eq!(get(&format!("{}?code=stolen&state=guessed", waiting.back)).0, 400);
    // A connection that says nothing does not keep the answer out.
    let _idle = TcpStream::connect(
        waiting.back[7..].trim_end_matches('/').replace("localhost", "127.0.0.1"),
    );
    let (status, location, _) = get(&waiting.page);
    assert_eq!(status, 302);
    let (status, _, page) = get(&location.unwrap());
    assert_eq!(status, 200);
    assert!(page.contains("You can close this window"), "{page}");
    let ran = waiting.end(&world);
    assert_eq!(ran.exit, 0, "{ran:?}");
    ran.says(&["Signed in as ", " free.", "Kept in the file ", "which only you can read"]);
    let mode = world.home.path("token").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_ne!(world.kept("token").unwrap(), world.sandbox.refresh_token().expose());

    let status = world.run(&["auth", "status", "--json"], "");
    let one = &status.json()["destinations"][0];
    assert_eq!(
        (status.exit, &one["signed_in"], &one["type"]),
        (0, &true.into(), &"dropbox".into())
    );
    assert!(one["account"].is_string() && one["kept"].as_str().unwrap().starts_with("file:"));
    world.home.photos(2);
    let mirrored = world.run(&["mirror"], "");
    assert_eq!(mirrored.exit, 0, "{mirrored:?}");
    mirrored.says(&["2 copied"]);
}

#[test]
fn who_says_no_is_not_signed_in_and_nothing_is_kept() {
    let _ports = PORTS.lock().unwrap_or_else(PoisonError::into_inner);
    let behaviour = Behaviour { deny_access: true, ..Behaviour::default() };
    let world = World::new("file:token", behaviour);
    let Some(waiting) = Waiting::start(&world) else { return };
    let (_, location, _) = get(&waiting.page);
    let (status, _, page) = get(&location.unwrap());
    assert!(status == 200 && page.contains("was not let in"), "{page}");
    let ran = waiting.end(&world);
    assert_eq!(ran.exit, 7, "{ran:?}");
    ran.says(&["[auth/declined]", "access_denied"]);
    assert_eq!(world.kept("token"), None);
}

#[test]
fn ctrl_c_ends_the_waiting() {
    let _ports = PORTS.lock().unwrap_or_else(PoisonError::into_inner);
    let world = World::new("file:token", Behaviour::default());
    let Some(waiting) = Waiting::start(&world) else { return };
    let pid = rustix::process::Pid::from_child(&waiting.child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let ran = waiting.end(&world);
    assert_eq!(ran.exit, 130, "{ran:?}");
    assert_eq!(world.kept("token"), None);
}

#[test]
fn p_leads_from_waiting_to_pasting() {
    let _ports = PORTS.lock().unwrap_or_else(PoisonError::into_inner);
    let world = World::new("file:token", Behaviour::default());
    let Some(mut waiting) = Waiting::start(&world) else { return };
    waiting.type_in("p\n");
    let page = waiting.word_with("/oauth2/authorize?");
    assert!(!page.contains("redirect_uri"), "{page}");
    waiting.type_in(&format!("{}\n", code_on(&page)));
    let ran = waiting.end(&world);
    assert_eq!(ran.exit, 0, "{ran:?}");
    assert!(world.kept("token").is_some());
}

#[test]
fn a_code_can_be_pasted_where_there_is_no_browser() {
    let world = World::new("file:token", Behaviour::default());
    let mut waiting = Waiting::ask(&world, &["auth", "login", "dropbox", "--paste", "-q"]);
    let code = code_on(&waiting.page);
    waiting.type_in(&format!("  {code}  \n"));
    let ran = waiting.end(&world);
    assert_eq!(ran.exit, 0, "{ran:?}");
    ran.says(&["Signed in as "]);
    assert!(world.kept("token").is_some());
    let wrong = world.run(&["auth", "login", "dropbox", "--paste"], "not-a-code\n");
    assert_eq!(wrong.exit, 7, "{wrong:?}");
    wrong.says(&["[auth/declined]"]);
    assert!(world.kept("token").is_some(), "the sign-in that was there stays");
    let nothing = world.run(&["auth", "login", "dropbox", "--paste"], "");
    assert_eq!(nothing.exit, 2, "{nothing:?}");
}

#[test]
fn a_token_on_stdin_is_checked_and_kept() {
    let world = World::new("file:deep/er/token", Behaviour::default());
    let wrong = world.run(&["auth", "login", "dropbox", "--token-stdin"], "no-such-token\n");
    assert_eq!(wrong.exit, 7, "{wrong:?}");
    assert!(!world.home.path("deep").exists(), "nothing is kept");
    let ran = world.run(&["auth", "login", "dropbox", "--token-stdin", "--json"], &world.token());
    assert_eq!((ran.exit, &ran.json()["signed_in"]), (0, &true.into()), "{ran:?}");
    assert!(ran.json()["config_line"].is_null());
    assert_eq!(world.kept("deep/er/token").unwrap(), world.sandbox.refresh_token().expose());
}

#[test]
fn where_nothing_can_be_put_another_place_is_offered() {
    let world = World::new("env:DROPBOX_TOKEN", Behaviour::default());
    let login = ["auth", "login", "dropbox", "--token-stdin"];
    let ran = world.run(&login, &world.token());
    assert_eq!(ran.exit, 2, "{ran:?}");
    ran.says(&["env:DROPBOX_TOKEN", "--store file"]);
    let to_file = [&login[..], &["--store", "file"]].concat();
    let ran = world.run(&to_file, &world.token());
    assert_eq!(ran.exit, 0, "{ran:?}");
    let line = ran.out.lines().last().unwrap().trim().to_owned();
    assert!(line.starts_with("token = \"file:/"), "{}", ran.out);
    let place = world.home.path("state/sign-in/dropbox");
    assert_eq!(place.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(world.run(&["auth", "status"], "").exit, 7, "the config still looks elsewhere");
    world.configure(&line);
    assert_eq!(world.run(&["auth", "status"], "").exit, 0);
    let again = world.run(&to_file, &world.token());
    assert!(!again.out.contains("token ="), "the config is right already: {}", again.out);
}

#[test]
fn without_a_keyring_nothing_is_kept_silently() {
    let world = World::new("keyring:dropbox", Behaviour::default());
    for args in [
        &["auth", "login", "dropbox", "--token-stdin"][..],
        &["auth", "login", "dropbox", "--paste"],
        &["auth", "status"],
    ] {
        let ran = world.run(args, &world.token());
        assert_eq!(ran.exit, 7, "{args:?}: {ran:?}");
        assert!(!ran.err.contains("authorize"), "nobody is asked for nothing: {ran:?}");
    }
    let ran = world.run(&["auth", "login", "dropbox", "--paste"], "");
    ran.says(&["[auth/no-keyring]", "--store file"]);
    assert!(!world.home.path("state").exists());
}

#[test]
fn signing_out_revokes_and_forgets_and_asks_before() {
    let world = World::new("file:token", Behaviour::default());
    world.sign_in();
    let unasked = world.run(&["auth", "logout", "dropbox"], "y\n");
    assert_eq!(unasked.exit, 8, "{unasked:?}");
    unasked.says(&["--yes"]);
    assert!(world.kept("token").is_some());
    let ran = world.run(&["auth", "logout", "dropbox", "--yes"], "");
    assert_eq!(ran.exit, 0, "{ran:?}");
    ran.says(&["Signed out of Dropbox and forgotten here."]);
    assert_eq!(world.kept("token"), None);
    let old = world.run(&["auth", "login", "dropbox", "--token-stdin"], &world.token());
    assert_eq!(old.exit, 7, "it was revoked: {old:?}");
    let again = world.run(&["auth", "logout", "dropbox", "--yes"], "");
    again.says(&["`dropbox` was not signed in."]);
    let status = world.run(&["auth", "status", "--json"], "");
    let one = &status.json()["destinations"][0];
    assert_eq!((status.exit, &one["signed_in"]), (7, &false.into()));
    assert_eq!(one["error"]["code"], "config/secret-missing");
}

#[test]
fn a_sign_in_that_cannot_be_ended_is_not_forgotten_unless_the_service_shall_not_be_asked() {
    let world = World::new("file:token", Behaviour::default());
    world.sign_in();
    let World { home, sandbox, runtime } = world;
    runtime.block_on(sandbox.stop());
    let ran = home.run(["auth", "logout", "dropbox", "--yes"]);
    assert_eq!(ran.exit, 5, "{ran:?}");
    ran.says(&["is still kept", "--offline"]);
    assert!(home.path("token").exists());
    assert_eq!(home.run(["auth", "status"]).exit, 5);
    assert_eq!(home.run(["auth", "status", "--offline"]).exit, 0);
    let ran = home.run(["auth", "logout", "dropbox", "--yes", "--offline"]);
    assert_eq!(ran.exit, 0, "{ran:?}");
    ran.says(&["Dropbox still accepts it"]);
    assert!(!home.path("token").exists());
}

#[test]
fn a_run_that_is_not_let_in_names_the_command_that_helps() {
    let world = World::new("file:token", Behaviour::default());
    world.home.photos(1);
    let ran = world.run(&["mirror"], "");
    assert_eq!(ran.exit, 7, "{ran:?}");
    ran.says(&["fix: safelight auth login dropbox"]);
    world.sign_in();
    assert_eq!(world.run(&["mirror"], "").exit, 0);
    world.sandbox.unlink();
    world.home.write("library/new.jpg", "new");
    let ran = world.run(&["mirror"], "");
    assert_eq!(ran.exit, 7, "{ran:?}");
    ran.says(&["[auth/expired]", "fix: safelight auth login dropbox"]);
    let status = world.run(&["status"], "");
    assert_eq!(status.exit, 3, "{status:?}");
    status.says(&["[auth/expired]   safelight auth login dropbox"]);
}

#[test]
fn only_services_are_signed_in_to() {
    let home = Home::new(&format!(
        "{}{}[destination.box]\ntype = \"dropbox\"\nendpoint = \"sandbox\"\n",
        crate::home::TWO_DISKS,
        "[destination.far]\ntype = \"s3\"\nbucket = \"b\"\nregion = \"r\"\n\
         access_key_id = \"env:ID\"\nsecret_access_key = \"systemd:key\"\n",
    ));
    for (name, why) in [("disk", "\"disk\""), ("far", "\"s3\""), ("box", "a sandbox")] {
        for verb in ["login", "logout"] {
            let ran = home.run(["auth", verb, name]);
            assert_eq!(ran.exit, 2, "{ran:?}");
            ran.says(&["nobody signs in", why]);
        }
    }
    assert_eq!(home.run(["auth", "login", "bx"]).exit, 2);
    let listed = home.good(["auth", "status"]);
    for words in ["none needed", "keys of its own", "env:ID, systemd:key", "sandbox, none needed"] {
        assert!(listed.contains(words), "{words}: {listed}");
    }
    let json = home.run(["auth", "status", "--json"]).json();
    assert_eq!(json["destinations"].as_array().unwrap().len(), 4);
    assert!(json["destinations"][0]["signed_in"].is_null());
}
