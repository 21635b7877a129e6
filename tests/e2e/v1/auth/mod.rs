//! `/v1/auth`

mod login;
mod logout;
mod password;
mod refresh;
