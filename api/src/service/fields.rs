use domain::text::TextError;

use super::{FieldError, Refusal};

/// Checks the fields of a request and gathers everything that is wrong, so that a client learns it at once.
#[derive(Debug, Default)]
pub struct Fields {
    errors: Vec<FieldError>,
}
impl Fields {
    /// Parses a required text.
    pub fn text<T>(&mut self, field: &str, value: &str, parse: fn(&str) -> Result<T, TextError>) -> Option<T> {
        match parse(value) {
            Ok(parsed) => Some(parsed),
            Err(error) => self.refuse(field, error.to_string()),
        }
    }

    /// Parses an optional text.
    pub fn optional<T>(
        &mut self,
        field: &str,
        value: Option<&str>,
        parse: fn(&str) -> Result<T, TextError>,
    ) -> Option<T> {
        self.text(field, value?, parse)
    }

    /// Parses one of the given words.
    pub fn word<T>(&mut self, field: &str, value: &str, parse: fn(&str) -> Option<T>, words: &str) -> Option<T> {
        let parsed = parse(value);
        if parsed.is_none() {
            self.refuse::<T>(field, format!("must be one of {words}"));
        }
        parsed
    }

    /// Parses an optional id.
    pub fn id<T: std::str::FromStr>(&mut self, field: &str, value: Option<&str>) -> Option<T> {
        let parsed = value?.parse().ok();
        if parsed.is_none() {
            self.refuse::<T>(field, "must be a UUID");
        }
        parsed
    }

    /// Records that a field is wrong.
    pub fn refuse<T>(&mut self, field: &str, message: impl Into<String>) -> Option<T> {
        self.errors.push(FieldError { field: field.to_owned(), message: message.into() });
        None
    }

    /// Ends the checks.
    ///
    /// # Errors
    /// A refusal with all that is wrong.
    pub fn finish(self) -> Result<(), Refusal> {
        if self.errors.is_empty() { Ok(()) } else { Err(Refusal::invalid(self.errors)) }
    }

    /// Ends the checks that led to one value.
    ///
    /// # Errors
    /// A refusal with all that is wrong.
    pub fn finish_with<T>(self, value: Option<T>) -> Result<T, Refusal> {
        self.finish()?;
        // A check without a value has recorded the reason.
        value.ok_or_else(|| Refusal::malformed("The request is incomplete."))
    }
}
