//! What must not change without somebody deciding it.

#[cfg(test)]
mod append;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod connection;
#[cfg(test)]
mod interop;
#[cfg(test)]
mod layout;
#[cfg(test)]
mod order;
#[cfg(test)]
mod setbacks;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
mod subscription;
#[cfg(test)]
mod support;
#[cfg(test)]
mod texts;
#[cfg(test)]
mod upcasting;
#[cfg(test)]
mod use_cases;
