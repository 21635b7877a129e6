use serde::de::DeserializeOwned;

use crate::service::{FieldError, Refusal};

/// Reads a JSON body; unknown and missing fields and wrong types are refused by name.
///
/// # Errors
/// A refusal with the field, or with the place where the text ceases to be JSON.
pub fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Refusal> {
    // Serde would read an array as well, and take its items for the fields in their order.
    if bytes.iter().find(|byte| !b" \t\r\n".contains(byte)) != Some(&b'{') {
        return Err(Refusal::malformed("The body must be a JSON object."));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| describe(&error))?;
    reader.end().map_err(|_| Refusal::malformed("The body has text after its JSON value."))?;
    Ok(value)
}

fn describe(error: &serde_path_to_error::Error<serde_json::Error>) -> Refusal {
    let inner = error.inner();
    if inner.is_syntax() || inner.is_eof() || inner.is_io() {
        let (line, column) = (inner.line(), inner.column());
        return Refusal::malformed(format!("The body is not valid JSON at line {line}, column {column}."));
    }
    let text = inner.to_string();
    let path = error.path().to_string();
    let (field, message) = match named_field(&text) {
        Some((name, "unknown")) => (join(&path, name), "is not known".to_owned()),
        Some((name, "missing")) => (join(&path, name), "is required".to_owned()),
        Some((name, _)) => (join(&path, name), "is given twice".to_owned()),
        None => (path, expectation(&text)),
    };
    Refusal::invalid(vec![FieldError { field, message }])
}

/// The field in serde's "unknown field `x`", "missing field `x`" and "duplicate field `x`".
fn named_field(text: &str) -> Option<(&str, &str)> {
    let (kind, rest) = text.split_once(" field `")?;
    let known = matches!(kind, "unknown" | "missing" | "duplicate");
    known.then(|| (rest.split('`').next().unwrap_or(rest), kind))
}

/// Only what is expected: serde also quotes the value, and values can be passwords.
fn expectation(text: &str) -> String {
    let expected = text.rsplit_once("expected ").map(|(_, rest)| rest.split(" at line").next().unwrap_or(rest));
    match expected {
        Some("i64" | "u64" | "i32" | "u32") => "must be a whole number".to_owned(),
        Some(expected) => format!("must be {expected}"),
        None => "has the wrong type".to_owned(),
    }
}

fn join(path: &str, name: &str) -> String {
    match path {
        "." | "" => name.to_owned(),
        path if path == name || path.ends_with(&format!(".{name}")) => path.to_owned(),
        path => format!("{path}.{name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    struct Body {
        #[expect(dead_code, reason = "only the reading is tested")]
        name: String,
        #[expect(dead_code, reason = "only the reading is tested")]
        count: Option<u8>,
    }

    fn refusal(body: &[u8]) -> String {
        format!("{:?}", parse_json::<Body>(body).unwrap_err())
    }

    #[test]
    fn wrong_fields_are_named() {
        assert!(refusal(br#"{"name": "a", "nmae": "b"}"#).contains(r#"field: "nmae", message: "is not known""#));
        assert!(refusal(br#"{}"#).contains(r#"field: "name", message: "is required""#));
        assert!(refusal(br#"{"name": 5}"#).contains(r#"field: "name", message: "must be a string""#));
        assert!(refusal(br#"{"name": "a", "name": "b"}"#).contains(r#"message: "is given twice""#));
        assert!(refusal(br#"{"name": "a", "count": 300}"#).contains(r#"field: "count""#));
    }

    #[test]
    fn what_is_no_json_is_refused_with_its_place() {
        assert!(refusal(b"{\"name\": \"\xff\"}").contains("line 1"));
        assert!(refusal(b"{").contains("line 1"));
        assert!(refusal(br#"{"name": "a"} x"#).contains("after its JSON value"));
    }

    #[test]
    fn only_objects_are_taken() {
        for body in [r#"["a", 1]"#, "5", "null", r#""name""#, "", "\u{feff}{}"] {
            assert!(refusal(body.as_bytes()).contains("must be a JSON object"), "{body}");
        }
        assert!(parse_json::<Body>(b" \r\n\t{\"name\": \"a\"} ").is_ok());
    }

    #[test]
    fn values_are_not_repeated_in_the_refusal() {
        assert!(!refusal(br#"{"name": ["hunter2"]}"#).contains("hunter2"));
        assert!(!refusal(br#"{"name": "a", "count": "hunter2"}"#).contains("hunter2"));
    }
}
