//! The media types of the files that are served.

/// The media type of a file by its ending; none if it is not served.
pub(super) fn of(name: &str) -> Option<&'static str> {
    let (_, ending) = name.rsplit_once('.')?;
    match ending {
        "html" => Some("text/html; charset=utf-8"),
        "css" => Some("text/css; charset=utf-8"),
        "js" | "mjs" => Some("text/javascript; charset=utf-8"),
        "svg" => Some("image/svg+xml"),
        "txt" => Some("text/plain; charset=utf-8"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn only_what_pages_need_is_served() {
        assert_eq!(of("console/main.js"), Some("text/javascript; charset=utf-8"));
        assert_eq!(of("vendor/preact.mjs"), of("console/main.js"));
        assert_eq!(of("vendor/derive"), None);
        assert_eq!(of("vendor/SHA256SUMS"), None);
        assert_eq!(of("tsconfig.json"), None);
    }
}
