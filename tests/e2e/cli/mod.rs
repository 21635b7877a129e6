//! The commands of the program, its settings, and how it starts.

pub mod audit;
mod check;
mod deployment;
mod help;
mod invariants;
mod openapi;
mod operator;
mod settings;
mod signals;
mod starts;
mod stores;
