//! The program: the REST API and GraphQL over use cases and read models, the pages, settings, commands, and the wiring of all
//! adapters.

pub mod cli;
pub mod config;
pub mod demo;
pub mod edge;
pub mod graphql;
pub mod live;
pub mod metrics;
pub mod rest;
pub mod server;
pub mod service;
pub mod telemetry;
pub mod web;
pub mod wiring;
