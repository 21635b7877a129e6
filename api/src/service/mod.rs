//! The program without a door: REST and every other door call it. Nothing in here knows HTTP.

pub mod reading;
