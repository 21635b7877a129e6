//! `/v1/visitors`

mod personal_data;
