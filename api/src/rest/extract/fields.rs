use domain::text::TextError;

use crate::rest::problem::{FieldError, Problem};

/// Checks the fields of a request and gathers everything that is wrong, so that a client learns it at once.
#[derive(Debug, Default)]
pub struct Fields {
    errors: Vec<FieldError>,
}

impl Fields {
    /// A text that must be there.
    pub fn text<T>(&mut self, field: &str, value: &str, parse: fn(&str) -> Result<T, TextError>) -> Option<T> {
        match parse(value) {
            Ok(parsed) => Some(parsed),
            Err(error) => self.refuse(field, error.to_string()),
        }
    }

    /// A text that may be missing.
    pub fn optional<T>(
        &mut self,
        field: &str,
        value: Option<&str>,
        parse: fn(&str) -> Result<T, TextError>,
    ) -> Option<T> {
        self.text(field, value?, parse)
    }

    /// One of a few words.
    pub fn word<T>(&mut self, field: &str, value: &str, parse: fn(&str) -> Option<T>, words: &str) -> Option<T> {
        let parsed = parse(value);
        if parsed.is_none() {
            self.refuse::<T>(field, format!("must be one of {words}"));
        }
        parsed
    }

    /// An id that may be missing.
    pub fn id<T: std::str::FromStr>(&mut self, field: &str, value: Option<&str>) -> Option<T> {
        let parsed = value?.parse().ok();
        if parsed.is_none() {
            self.refuse::<T>(field, "must be a UUID");
        }
        parsed
    }

    /// Notes that a field is wrong.
    pub fn refuse<T>(&mut self, field: &str, message: impl Into<String>) -> Option<T> {
        self.errors.push(FieldError { field: field.to_owned(), message: message.into() });
        None
    }

    /// The end of the checks.
    ///
    /// # Errors
    /// 400 with all that is wrong.
    pub fn finish(self) -> Result<(), Problem> {
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::invalid(self.errors)) }
    }

    /// The end of the checks for one value that all of them served.
    ///
    /// # Errors
    /// 400 with all that is wrong.
    pub fn finish_with<T>(self, value: Option<T>) -> Result<T, Problem> {
        self.finish()?;
        // Whoever gives no value has noted why.
        value.ok_or_else(|| Problem::malformed("The request is incomplete."))
    }
}
