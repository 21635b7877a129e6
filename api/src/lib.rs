//! The program: REST over the use cases and the read models, settings, commands, and the wiring of all adapters.

pub mod app;
pub mod cli;
pub mod client_address;
pub mod config;
pub mod cors;
pub mod demo;
pub mod limits;
pub mod metrics;
pub mod openapi;
mod personal_data;
pub mod rest;
pub mod server;
pub mod service;
pub mod tasks;
pub mod telemetry;
pub mod views;
pub mod wiring;
