//! The files of the pages: embedded in a release, read from `api/web/` by a debug build, so that a change needs a new start
//! only. Either way they are read and compressed once.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::LazyLock;

use axum::body::Bytes;
use axum::http::HeaderValue;
use flate2::Compression;
use flate2::write::GzEncoder;
use rust_embed::RustEmbed;
use sha2::{Digest as _, Sha256};

use super::media_type;

#[derive(RustEmbed)]
#[folder = "web/"]
struct Files;

/// Stands in pages for the address of the files, relative to the page.
const PLACE: &str = "{assets}";

/// The digits of a digest that names a version.
const VERSION_DIGITS: usize = 16;

/// A file as it is sent.
pub(super) struct Asset {
    media_type: &'static str,
    plain: Bytes,
    /// Absent if it would not be smaller.
    zipped: Option<Bytes>,
    tag: HeaderValue,
}

impl Asset {
    fn new(media_type: &'static str, content: Vec<u8>) -> Self {
        // Weak: the plain and the compressed form have the same one.
        let tag = HeaderValue::try_from(format!("W/\"{}\"", digest(&content))).expect("digits are a header value");
        let zipped = zip(&content).filter(|zipped| zipped.len() < content.len());
        Self { media_type, plain: content.into(), zipped: zipped.map(Bytes::from), tag }
    }

    pub(super) const fn media_type(&self) -> &'static str {
        self.media_type
    }

    pub(super) const fn plain(&self) -> &Bytes {
        &self.plain
    }

    pub(super) const fn zipped(&self) -> Option<&Bytes> {
        self.zipped.as_ref()
    }

    pub(super) const fn tag(&self) -> &HeaderValue {
        &self.tag
    }

    /// Whether it has an address of its own.
    pub(super) fn is_page(&self) -> bool {
        self.media_type.starts_with("text/html")
    }
}

/// All files by their paths below `api/web/`.
pub(super) struct Assets {
    version: String,
    files: BTreeMap<String, Asset>,
}

impl Assets {
    /// The files of this program.
    pub(super) fn get() -> &'static Self {
        static ASSETS: LazyLock<Assets> = LazyLock::new(|| Assets::new(read()));
        &ASSETS
    }

    fn new(contents: BTreeMap<String, Vec<u8>>) -> Self {
        let version = version(&contents);
        let asset = |(name, content): (String, Vec<u8>)| {
            let media_type = media_type::of(&name)?;
            let content = if name.ends_with(".html") {
                place(&name, &content, &version)
            } else if name.ends_with(".js") && !name.starts_with("vendor/") {
                without_comments(&String::from_utf8_lossy(&content)).into_bytes()
            } else {
                content
            };
            Some((name, Asset::new(media_type, content)))
        };
        let files = contents.into_iter().filter_map(asset).collect();
        Self { version, files }
    }

    /// Names the contents of all files: the address of each holds it, so that imports between them need not be rewritten.
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    pub(super) fn find(&self, name: &str) -> Option<&Asset> {
        self.files.get(name)
    }
}

fn read() -> BTreeMap<String, Vec<u8>> {
    let content = |name: &str| Files::get(name).map(|file| file.data.into_owned());
    Files::iter().filter_map(|name| Some((name.to_string(), content(&name)?))).collect()
}

fn version(contents: &BTreeMap<String, Vec<u8>>) -> String {
    let mut all = Sha256::new();
    for (name, content) in contents {
        all.update(Sha256::digest(name));
        all.update(Sha256::digest(content));
    }
    hex::encode(all.finalize())[..VERSION_DIGITS].to_owned()
}

fn digest(content: &[u8]) -> String {
    hex::encode(Sha256::digest(content))[..VERSION_DIGITS].to_owned()
}

/// A page with the address of its files. Pages other than that at `/` are a folder further down.
fn place(name: &str, content: &[u8], version: &str) -> Vec<u8> {
    let up = if name.starts_with("home/") { "" } else { "../" };
    let text = String::from_utf8_lossy(content);
    text.replace(PLACE, &format!("{up}assets/{version}")).into_bytes()
}

fn zip(content: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(vec![], Compression::best());
    encoder.write_all(content).ok()?;
    encoder.finish().ok()
}

/// A script without the comments that have lines of their own, which are for readers of the sources: a sixth of what a widget
/// loads.
fn without_comments(script: &str) -> String {
    let mut kept = String::with_capacity(script.len());
    let mut is_comment = false;
    for line in script.lines() {
        let text = line.trim();
        // A type in front of an expression is a comment, too, and stays.
        let begins = text.starts_with("/*") && text.split_once("*/").is_none_or(|(_, code)| code.is_empty());
        let code = match (is_comment || begins, text.split_once("*/")) {
            (true, Some((_, code))) => code,
            (true, None) => "",
            (false, _) if text.starts_with("//") => "",
            (false, _) => line,
        };
        is_comment = (is_comment || begins) && !text.contains("*/");
        if !code.is_empty() {
            kept.extend([code, "\n"]);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assets(script: &str) -> Assets {
        let files = [
            ("home/index.html", "<script src=\"{assets}/main.js\"></script>"),
            ("console/index.html", "<script src=\"{assets}/main.js\"></script>"),
            ("main.js", script),
            ("vendor/lib.js", "`\n// text\n`"),
            ("vendor/derive", "echo"),
        ];
        Assets::new(files.map(|(name, content)| (name.to_owned(), content.into())).into())
    }

    #[test]
    fn scripts_lose_the_comments_that_have_their_own_lines() {
        let script = "// why\n/**\n * A * b.\n */\nlet a = 1; // kept\n\n  /** @type {B} */ (a).b();\n/* c */\nlet url = 'https://x';\n";
        let left = "let a = 1; // kept\n  /** @type {B} */ (a).b();\nlet url = 'https://x';\n";
        assert_eq!(without_comments(script), left);
    }

    #[test]
    fn libraries_are_served_as_their_authors_wrote_them() {
        let library = assets("1").find("vendor/lib.js").unwrap().plain().clone();
        assert_eq!(library, "`\n// text\n`");
    }

    #[test]
    fn version_follows_from_every_file() {
        let (first, second) = (assets("1"), assets("2"));
        assert_ne!(first.version(), second.version());
        assert_eq!(first.version(), assets("1").version());
    }

    #[test]
    fn pages_name_the_files_of_their_version() {
        let assets = assets("1");
        let text = |name| String::from_utf8(assets.find(name).unwrap().plain().to_vec()).unwrap();
        let address = format!("assets/{}/main.js", assets.version());
        assert_eq!(text("home/index.html"), format!("<script src=\"{address}\"></script>"));
        assert_eq!(text("console/index.html"), format!("<script src=\"../{address}\"></script>"));
    }

    #[test]
    fn files_are_compressed_where_it_helps_and_others_are_not_served() {
        let large = assets(&"calm ".repeat(100));
        assert!(large.find("main.js").unwrap().zipped().is_some_and(|zipped| zipped.len() < 100));
        assert!(assets("1").find("main.js").unwrap().zipped().is_none());
        assert!(large.find("vendor/derive").is_none());
    }

    #[test]
    fn every_page_is_there() {
        for page in ["home", "console", "widget", "demo", "graphiql"] {
            assert!(Assets::get().find(&format!("{page}/index.html")).is_some_and(Asset::is_page), "{page}");
        }
        assert!(Assets::get().find("widget/loader.js").is_some());
    }
}
