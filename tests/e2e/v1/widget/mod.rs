//! `/v1/widget`

mod session;
