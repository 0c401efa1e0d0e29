//! Amazon Photos as a user meets it: cookies are brought, seen, used, worn out and replaced, against a service on this
//! machine that the tests start; and the stand-in inside the program with its plans.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Stdio};
use std::sync::Arc;

use safelight_core::time::SystemClock;
use safelight_sandbox::AmazonSandbox;
use safelight_sandbox::amazon::{Behaviour, Expiry};
use tokio::runtime::Runtime;

use crate::home::{Home, Ran, tree};

const LOGIN: [&str; 4] = ["auth", "login", "amazon", "--token-stdin"];

/// A home with a disk and an Amazon Photos destination, and the service it leads to.
struct World {
    home: Home,
    sandbox: AmazonSandbox,
    runtime: Runtime,
    /// Every value of a cookie that there ever was.
    secrets: Vec<String>,
}

impl World {
    /// `account` is where the config says that the cookies are kept.
    fn new(account: &str) -> Self {
        let home = Home::bare();
        std::fs::create_dir(home.path("library")).unwrap();
        let runtime = Runtime::new().unwrap();
        let folder = home.path("service");
        let sandbox = runtime.block_on(async {
            let clock = Arc::new(SystemClock::start());
            AmazonSandbox::start(&folder, clock, Behaviour::default()).await.unwrap()
        });
        let mut world = Self { home, sandbox, runtime, secrets: Vec::new() };
        world.note_cookies();
        world.configure(account);
        world
    }

    fn configure(&self, account: &str) {
        let sandbox = &self.sandbox;
        let (metadata, content) = (sandbox.metadata_url(), sandbox.content_url());
        let thumbnail = sandbox.thumbnails_url();
        self.home.configure(&format!(
            "[destination.amazon]\ntype = \"amazon-photos\"\naccount = \"{account}\"\n\
             endpoint = {{ metadata = \"{metadata}\", content = \"{content}\", thumbnail = \"{thumbnail}\" }}\n\
             [destination.disk]\ntype = \"disk\"\npath = \"disk\"\n"
        ));
    }

    /// The cookies of the browser, as `cookies.txt`.
    fn cookies(&self) -> String {
        self.sandbox.cookies().expose().to_owned()
    }

    fn note_cookies(&mut self) {
        let cookies = self.cookies();
        let values = cookies.lines().filter_map(|line| line.split('\t').nth(6));
        self.secrets.extend(values.map(str::to_owned));
        assert!(self.secrets.len() >= 3, "{cookies}");
    }

    /// The browser signs in anew.
    fn renew(&mut self) {
        self.runtime.block_on(self.sandbox.renew()).unwrap();
        self.note_cookies();
    }

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

    /// No cookie is in what was said, however much it was asked to say, nor in what is remembered.
    fn seen(&self, ran: Ran) -> Ran {
        let mut texts = vec![ran.out.clone().into_bytes(), ran.err.clone().into_bytes()];
        let mut state = tree(&self.home.path("state"));
        state.retain(|path, _| !path.starts_with("sign-in"));
        texts.extend(state.into_values().map(|(bytes, _)| bytes));
        for secret in &self.secrets {
            let holds =
                |text: &Vec<u8>| text.windows(secret.len()).any(|at| at == secret.as_bytes());
            assert!(!texts.iter().any(holds), "{ran:?}");
        }
        ran
    }

    fn sign_in(&self) {
        let ran = self.run(&LOGIN, &self.cookies());
        assert_eq!(ran.exit, 0, "{ran:?}");
    }
}

#[test]
fn cookies_on_stdin_are_checked_and_kept() {
    let world = World::new("file:deep/cookies");
    let wrong = "session-id=1-2; ubid-main=3; at-main=Atza|4";
    let refused = world.run(&LOGIN, wrong);
    assert_eq!(refused.exit, 7, "{refused:?}");
    refused.says(&["[auth/declined]"]);
    let other = world.run(&LOGIN, "session-id=1; ubid-acbde=2; at-acbde=3");
    assert_eq!(other.exit, 7, "{other:?}");
    other.says(&["these cookies are of amazon.de; `country` says com"]);
    assert!(!world.home.path("deep").exists(), "nothing is kept");
    assert_eq!(world.run(&LOGIN, "").exit, 2);
    assert_eq!(world.run(&LOGIN, "# Netscape HTTP Cookie File\n\n").exit, 2);
    let long = world.run(&LOGIN, &"a=b\n".repeat(20_000));
    assert_eq!(long.exit, 2, "{long:?}");
    long.says(&["far too long", "export only what belongs to Amazon Photos"]);

    let ran = world.run(&LOGIN, &world.cookies());
    assert_eq!(ran.exit, 0, "{ran:?}");
    ran.says(&[
        "Signed in as amazon.com, customer ",
        "It seems to last until ",
        "only you can read",
    ]);
    let mode = world.home.path("deep/cookies").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let json = world.run(&[&LOGIN[..], &["--json"]].concat(), &world.cookies()).json();
    assert!(json["until"].is_string() && json["config_line"].is_null(), "{json}");

    world.home.photos(2);
    let mirrored = world.run(&["mirror"], "");
    assert_eq!(mirrored.exit, 0, "{mirrored:?}");
    mirrored.says(&["amazon   2 copied", "disk     2 copied"]);
    let status = world.run(&["auth", "status", "--json"], "");
    let one = &status.json()["destinations"][0];
    assert_eq!((status.exit, &one["signed_in"]), (0, &true.into()), "{one}");
    assert!(one["until"].is_string() && one["kept"].as_str().unwrap().starts_with("file:"));
    // What a run saw first is remembered, so looking later does not make the cookies any younger.
    let again = world.run(&["auth", "status", "--json"], "").json();
    assert_eq!(again["destinations"][0]["until"], one["until"]);
}

#[test]
fn a_whole_file_can_be_pasted_and_an_empty_line_ends_it() {
    let world = World::new("file:cookies");
    for how in [&["auth", "login", "amazon"][..], &["auth", "login", "amazon", "--paste", "-q"]] {
        let mut child = world.start(how);
        let mut stdin = child.stdin.take().unwrap();
        let text = world.cookies().replacen('\n', "\n# remarks\n\n", 1);
        stdin.write_all(format!("\n{text}\n").as_bytes()).unwrap();
        // The terminal stays open.
        let ran = world.seen(Ran::of(child.wait_with_output().unwrap()));
        drop(stdin);
        assert_eq!(ran.exit, 0, "{ran:?}");
        ran.says(&["unofficial", "at-main", "press Enter on an empty line", "Signed in as "]);
    }
    assert_eq!(world.run(&["auth", "login", "amazon"], "\n").exit, 2);
    assert!(world.home.path("cookies").exists(), "what was there stays");
    let line = world.cookies();
    let pairs = line.lines().filter_map(|line| {
        let parts: Vec<_> = line.split('\t').collect();
        Some(format!("{}={}", parts.get(5)?, parts.get(6)?))
    });
    let header = format!("Cookie: {}\n", pairs.collect::<Vec<_>>().join("; "));
    let ran = world.run(&["auth", "login", "amazon", "--store", "file"], &header);
    assert_eq!(ran.exit, 0, "{ran:?}");
}

#[test]
fn signing_out_forgets_and_says_where_it_really_ends() {
    let world = World::new("file:cookies");
    world.sign_in();
    let unasked = world.run(&["auth", "logout", "amazon"], "y\n");
    assert_eq!(unasked.exit, 8, "{unasked:?}");
    unasked.says(&["Forget the sign-in of `amazon`?"]);
    assert!(world.home.path("cookies").exists());
    let ran = world.run(&["auth", "logout", "amazon", "--yes"], "");
    assert_eq!(ran.exit, 0, "{ran:?}");
    ran.says(&["Forgotten here. Amazon Photos still accepts it: sign out in the browser"]);
    assert!(!world.home.path("cookies").exists());
    world.run(&["auth", "logout", "amazon", "--yes"], "").says(&["was not signed in"]);
    assert_eq!(world.run(&["auth", "status"], "").exit, 7);
}

#[test]
fn a_session_that_dies_stops_this_destination_only_and_new_cookies_go_on() {
    for how in [Expiry::Unauthorized, Expiry::Forbidden, Expiry::SignInPage] {
        let mut world = World::new("file:cookies");
        world.sign_in();
        world.home.photos(8);
        world.sandbox.expire_after(10, how);
        let ran = world.run(&["mirror", "-vv"], "");
        assert_eq!(ran.exit, 7, "{how:?}: {ran:?}");
        ran.says(&["disk     8 copied", "[auth/expired]", "fix: safelight auth login amazon"]);
        world.home.assert_same("library", "disk");
        let status = world.run(&["status"], "");
        assert_eq!(status.exit, 3, "{status:?}");
        status.says(&["[auth/expired]   safelight auth login amazon"]);
        assert_eq!(world.run(&["auth", "status"], "").exit, 7);

        world.renew();
        world.sign_in();
        let ran = world.run(&["mirror"], "");
        assert_eq!(ran.exit, 0, "{how:?}: {ran:?}");
        assert_eq!(world.home.photos_in("service/files/Safelight").len(), 8);
        let stored = world.sandbox.counters().stored;
        assert!(stored <= 8 + 1 + 8, "{stored} uploads of 8 photos and a marker");
        world.run(&["mirror"], "").says(&["nothing new"]);
    }
}

#[test]
fn films_that_do_not_fit_are_named_and_photos_go_on() {
    let home = Home::new(
        "[destination.amazon]\ntype = \"amazon-photos\"\nendpoint = \"sandbox\"\n\
         [[destination.amazon.pool]]\ncounts = [\"photo\", \"raw\"]\nlimit = \"unlimited\"\n\
         [[destination.amazon.pool]]\ncounts = [\"video\", \"sidecar\", \"other\"]\nlimit = \"10 kB\"\n\
         [destination.disk]\ntype = \"disk\"\npath = \"disk\"\n",
    );
    home.photos(3);
    for (name, length) in [("old", 9_000), ("new", 6_000)] {
        home.write(format!("library/{name}.avi"), "film ".repeat(length / 5));
    }
    let rehearsed = home.run(["mirror", "-n"]);
    rehearsed.says(&["Would leave out", "amazon"]);
    let ran = home.run(["mirror"]);
    ran.says(&["amazon   4 copied   1 does not fit", "disk     5 copied"]);
    let about = home.run(["about", "--json"]).json();
    let pools = about["destinations"][0]["pools"].as_array().unwrap();
    assert_eq!((&pools[0]["limit"], &pools[0]["left"]), (&"unlimited".into(), &().into()));
    let number = |field: &str| pools[1][field].as_u64().unwrap();
    assert_eq!(number("total"), 10_000);
    assert_eq!(number("left"), number("total") - number("used") - number("keep_free"));
    assert_eq!(pools[1]["ours"]["files"], 1);
    // The same without asking anybody.
    let offline = home.run(["about", "--json", "--offline"]).json();
    let alone = &offline["destinations"][0]["pools"][1];
    assert_eq!((&alone["left"], &alone["known_by"]), (&4_000.into(), &"catalog".into()));
    assert_eq!(pools[1]["known_by"], "service");
    assert!(number("left") < 4_000, "the service counts the marker, too: {pools:?}");
}

#[test]
fn the_account_inside_the_program_has_the_plan_of_the_config() {
    let home = Home::bare();
    std::fs::create_dir(home.path("library")).unwrap();
    let destination = |plan: &str| {
        format!(
            "[destination.amazon]\ntype = \"amazon-photos\"\nendpoint = \"sandbox\"\nsandbox = \"amazon\"\nplan = \"{plan}\"\n"
        )
    };
    home.configure(&destination("prime"));
    home.photos(3);
    home.mirror(0).says(&["3 copied"]);
    assert_eq!(home.photos_in("amazon/files/Safelight").len(), 3);
    home.mirror(0).says(&["nothing new"]);
    let about = home.good(["about"]);
    assert!(about.contains("photo, raw") && about.contains("unlimited"), "{about}");
    assert!(about.contains("video, sidecar, other") && about.contains(" of 5.0 GB"), "{about}");
    let shown = home.good(["config", "show", "--origin"]);
    assert!(shown.contains("limit = \"unlimited\"   # default"), "{shown}");
    home.configure(&destination("none"));
    let about = home.good(["about"]);
    assert!(about.contains("everything") && about.contains("4.7 GB of 5.0 GB"), "{about}");
}

#[test]
fn it_is_refused_as_the_only_destination() {
    let home = Home::new("[destination.amazon]\ntype = \"amazon-photos\"\naccount = \"file:c\"\n");
    let ran = home.run(["config", "check"]);
    assert_eq!(ran.exit, 6, "{ran:?}");
    ran.says(&["config/only-copy", "add a destination of another kind"]);
    assert!(home.good(["explain", "config/only-copy"]).contains("may stop"));
}
