use serde::{Deserialize, Serialize};

use crate::text::{EmailAddress, Name, PhoneNumber};

/// What a visitor says about themselves; all of it is personal data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "Profile"))]
pub struct VisitorDetails {
    /// The name that the visitor gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Name"))]
    pub name: Option<Name>,
    /// The e-mail address that the visitor gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "EmailAddress"))]
    pub email: Option<EmailAddress>,
    /// The telephone number that the visitor gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "PhoneNumber"))]
    pub phone: Option<PhoneNumber>,
}

impl VisitorDetails {
    /// Fills what these details leave out from `known`.
    #[must_use]
    pub fn or(self, known: &Self) -> Self {
        Self {
            name: self.name.or_else(|| known.name.clone()),
            email: self.email.or_else(|| known.email.clone()),
            phone: self.phone.or_else(|| known.phone.clone()),
        }
    }
}
