use serde::{Deserialize, Serialize};

use crate::text::{EmailAddress, Name, PhoneNumber};

/// What a visitor says about themselves; all of it is personal data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct VisitorDetails {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<EmailAddress>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
