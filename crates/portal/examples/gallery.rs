//! Pictures of every page of a node that runs: `cargo run -p portal --example gallery -- URL FOLDER`. People sign in with the
//! password of the environment (`GALLERY_PASSWORD`) as loket, zuster, centrum and toezicht; `tests/gallery` prepares such a node.
//!
//! Not here: what has to be on a page (the tests).

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a tool for developers")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::path::Path;

use serde_json::json;
use tests::browser::Browser;

/// A page may be long: a picture of it ends here.
const HEIGHT_MAX: u64 = 2_400;

/// One picture: of which page, how wide, dark or not.
async fn picture(browser: &mut Browser, file: &Path, width: u32, dark: bool) {
    browser.dark(dark).await;
    let metrics =
        |height: u64| json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
    browser.call("Emulation.setDeviceMetricsOverride", metrics(900)).await;
    let height = browser.evaluate("document.documentElement.scrollHeight").await.as_u64().unwrap();
    browser.call("Emulation.setDeviceMetricsOverride", metrics(height.clamp(600, HEIGHT_MAX))).await;
    let shot = browser.call("Page.captureScreenshot", json!({"format": "webp", "quality": 72})).await;
    let bytes = shot.get("data").unwrap().as_str().unwrap().to_owned();
    std::fs::write(file.with_extension("webp.base64"), bytes).unwrap();
    println!("{}", file.display());
}

/// Signs in with the password of the gallery.
async fn sign_in(browser: &mut Browser, at: &str, name: &str) {
    let password = std::env::var("GALLERY_PASSWORD").unwrap();
    browser.call("Network.clearBrowserCookies", json!({})).await;
    browser.go(&format!("{at}/inloggen")).await;
    browser
        .evaluate(&format!(
            "document.querySelector('[name=name]').value = {name:?}; document.querySelector('[name=password]').value = {password:?};
             document.querySelector('form.sheet button').click()"
        ))
        .await;
    browser.until("!location.pathname.startsWith('/inloggen') && document.readyState === 'complete'").await;
}

/// Who looks, and at which pages; `@` and the beginning of a path is the first such link of the page before.
type Who<'a> = (&'a str, Vec<(&'a str, String)>);

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let (at, folder) = (arguments.next().unwrap(), arguments.next().unwrap());
    let region = arguments.next().unwrap_or_else(|| "zk23".to_owned());
    let mut browser = Browser::open(&format!("{at}/")).await;
    browser.call("Network.enable", json!({})).await;
    let folder = Path::new(&folder);
    std::fs::create_dir_all(folder).unwrap();
    let own = |first: &str| {
        format!(
            "(Array.from(document.querySelectorAll('main a')).map(one => one.pathname).find(path => path.startsWith({first:?})) || '/')"
        )
    };
    let region = |path: &str| format!("/r/{region}{path}");
    let pages: [Who<'_>; 5] = [
        (
            "",
            vec![
                ("loketten", "/".into()),
                ("overzicht", "/overzicht".into()),
                ("inloggen", "/inloggen".into()),
            ],
        ),
        (
            "loket",
            vec![
                ("werklijst", region("/werklijst")),
                ("aanmelding", "@/aanmelding/".into()),
                ("nieuw", region("/aanmelding/nieuw")),
                ("aanmeldingen", region("/aanmeldingen")),
                ("beschikbaarheid", region("")),
                ("cijfers", "@/l/".into()),
                ("stroom", region("/stroom")),
            ],
        ),
        (
            "zuster",
            vec![
                ("locaties", "/locaties".into()),
                ("locatie", "@/l/".into()),
                ("verblijf", "@/verblijf/".into()),
                ("inrichting", "@/l/|/inrichting".into()),
            ],
        ),
        ("centrum", vec![("regiobeeld", "/c/midden?zorgsoort=ELV_LC&gebied=35&spoed=crisis".into())]),
        ("toezicht", vec![("terugkijken", region("").replace("/r/", "/audit?regio="))]),
    ];
    for (who, pages) in pages {
        if !who.is_empty() {
            sign_in(&mut browser, &at, who).await;
        }
        for (name, path) in pages {
            let path = match path.strip_prefix('@') {
                Some(first) => {
                    let (first, below) = first.split_once('|').unwrap_or((first, ""));
                    let found = browser.evaluate(&own(first)).await;
                    format!("{}{below}", found.as_str().unwrap_or("/"))
                }
                None => path,
            };
            browser.call("Page.navigate", json!({"url": format!("{at}{path}")})).await;
            browser
                .until("document.readyState === 'complete' && document.querySelector('main') !== null")
                .await;
            for width in [360, 768, 1280, 1920] {
                picture(&mut browser, &folder.join(format!("{name}-{width}.webp")), width, false).await;
            }
            picture(&mut browser, &folder.join(format!("{name}-donker.webp")), 1280, true).await;
        }
    }
    browser.close().await;
}
