//! What happens when processes and servers die, fall silent, are full, work side by side, or have much waiting.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers as in itself")]

mod assignment;
mod backup;
mod cluster;
mod disk;
mod journal;
mod kill9;
mod load;
mod nodes;
mod outages;
mod people;
mod proxies;
mod recovery;
mod redis;
mod replay;
mod rights;
mod servers;
mod soak;
mod stream;
mod trap;
mod waiting;
