//! What was found.

use serde::Serialize;

/// Whether it is as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Nothing needs to be done.
    Ok,
    /// It works, but something should be done.
    Warning,
    /// Something must be done.
    Failed,
}

/// What was found about one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The thing.
    pub subject: &'static str,
    /// Whether it is as it should be.
    pub status: Status,
    /// The observation, as a sentence for the operator.
    pub found: String,
    /// The operator's next step; absent where nothing needs to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Finding {
    /// It is as it should be.
    #[must_use]
    pub fn ok(subject: &'static str, found: impl Into<String>) -> Self {
        Self { subject, status: Status::Ok, found: found.into(), advice: None }
    }

    /// It works, but something should be done.
    #[must_use]
    pub fn warning(subject: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { subject, status: Status::Warning, found: found.into(), advice: Some(advice.into()) }
    }

    /// Something must be done.
    #[must_use]
    pub fn failed(subject: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { subject, status: Status::Failed, found: found.into(), advice: Some(advice.into()) }
    }
}
