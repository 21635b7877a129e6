//! What spans the URLs.

mod conventions;
mod hostile;
mod limits;
mod nodes;
mod races;
mod rights;
mod routing;
mod story;
mod traces;
