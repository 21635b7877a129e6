//! The shape of the sources: which modules use which, how files are laid out, and what doc comments say.

mod circles;
mod comments;
mod docs;
mod files;
mod graph;
mod paths;
mod sources;
