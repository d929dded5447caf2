//! What is served as a file: stylesheet, script, icon; in the binary, under an address that names its content.
//!
//! Not here: templates (`pages`).

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::{Path, Query};
use axum::http::{HeaderMap, HeaderName, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde::Deserialize;

use crate::guard::not_modified;

struct Asset {
    name: &'static str,
    media_type: &'static str,
    content: &'static str,
}

const STYLE: Asset = Asset {
    name: "app.css",
    media_type: "text/css; charset=utf-8",
    content: include_str!("../assets/app.css"),
};
const SCRIPT: Asset = Asset {
    name: "app.js",
    media_type: "text/javascript; charset=utf-8",
    content: concat!(include_str!("../assets/live.js"), "\n", include_str!("../assets/act.js")),
};
/// Only the page of notices has it.
const PUSH: Asset = Asset {
    name: "push.js",
    media_type: "text/javascript; charset=utf-8",
    content: include_str!("../assets/push.js"),
};
/// What a browser runs when a notice comes: at an address of its own, because it works for everything below it.
const WORKER: Asset = Asset {
    name: "sw.js",
    media_type: "text/javascript; charset=utf-8",
    content: include_str!("../assets/sw.js"),
};
const ICON: Asset =
    Asset { name: "icon.svg", media_type: "image/svg+xml", content: include_str!("../assets/icon.svg") };

/// What makes a web app of it on a home screen: iPhones and iPads take pushed notices for no other page.
const MANIFEST: Asset = Asset {
    name: "app.webmanifest",
    media_type: "application/manifest+json",
    content: include_str!("../assets/app.webmanifest"),
};

impl Asset {
    /// Names the content, so that a browser can keep it for ever and never shows an old one.
    fn version(&self) -> String {
        let mut hasher = DefaultHasher::new();
        self.content.hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    }

    fn address(&self) -> String {
        format!("/static/{}?v={}", self.name, self.version())
    }
}

/// The addresses a page links to.
#[derive(Debug)]
pub(crate) struct Addresses {
    pub(crate) style: String,
    pub(crate) script: String,
    pub(crate) push: String,
    pub(crate) icon: String,
    pub(crate) manifest: String,
}

/// The addresses of the files of this build.
pub(crate) static ADDRESSES: LazyLock<Addresses> = LazyLock::new(|| Addresses {
    style: STYLE.address(),
    script: SCRIPT.address(),
    push: PUSH.address(),
    icon: ICON.address(),
    manifest: MANIFEST.address(),
});

#[derive(Debug, Deserialize)]
pub(crate) struct Version {
    v: Option<String>,
}

/// `GET /static/{name}`.
pub(crate) async fn serve(
    Path(name): Path<String>,
    Query(version): Query<Version>,
    headers: HeaderMap,
) -> axum::response::Response {
    let Some(asset) = [STYLE, SCRIPT, PUSH, ICON, MANIFEST].into_iter().find(|asset| asset.name == name)
    else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let etag = format!("\"{}\"", asset.version());
    // An address with another version is an old page's: it gets the content of today, but must not keep it.
    let keep = if version.v.as_deref() == Some(&asset.version()) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let (status, body) = if not_modified(&headers, &etag) {
        (StatusCode::NOT_MODIFIED, Body::empty())
    } else {
        (StatusCode::OK, Body::from(asset.content))
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let head =
        [(header::CONTENT_TYPE, asset.media_type), (header::CACHE_CONTROL, keep), (header::ETAG, &*etag)];
    (head, response).into_response()
}

/// `GET /sw.js`.
pub(crate) async fn worker() -> axum::response::Response {
    let head = [
        (header::CONTENT_TYPE, WORKER.media_type),
        (header::CACHE_CONTROL, "no-cache"),
        (HeaderName::from_static("service-worker-allowed"), "/"),
    ];
    (head, WORKER.content).into_response()
}
