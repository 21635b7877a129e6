//! What spans the URLs.

mod abandoned;
mod conventions;
mod hostile;
mod limits;
mod nodes;
mod races;
mod rights;
mod routing;
mod story;
mod traces;
