//! Stories over HTTP, on each database.

#[cfg(test)]
mod assignment;
#[cfg(test)]
mod story;
