//! The program: REST over the use cases and the read models, settings, commands, and the wiring of all adapters.

pub mod app;
pub mod cli;
pub mod config;
pub mod extract;
pub mod problem;
pub mod rest;
mod respond;
pub mod views;
pub mod wiring;
