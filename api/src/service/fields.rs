use domain::text::{TextError, is_blank};

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

    /// Parses an optional text. An empty one is an absent one: forms send all of their fields.
    pub fn optional<T>(
        &mut self,
        field: &str,
        value: Option<&str>,
        parse: fn(&str) -> Result<T, TextError>,
    ) -> Option<T> {
        self.text(field, value.filter(|text| !is_blank(text))?, parse)
    }

    /// Parses another text for something that must have one.
    pub fn changed<T>(
        &mut self,
        field: &str,
        value: Option<&str>,
        parse: fn(&str) -> Result<T, TextError>,
    ) -> Option<T> {
        self.text(field, value?, parse)
    }

    /// Parses one of the given words, if there is any.
    pub fn optional_word<T>(
        &mut self,
        field: &str,
        value: Option<&str>,
        parse: fn(&str) -> Option<T>,
        words: &str,
    ) -> Option<T> {
        self.word(field, value?, parse, words)
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
    pub fn optional_id<T: std::str::FromStr>(&mut self, field: &str, value: Option<&str>) -> Option<T> {
        self.id(field, value)
    }

    /// Parses an id.
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
