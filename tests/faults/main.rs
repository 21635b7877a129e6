//! What happens when processes and servers die, fall silent, are full, work side by side, or have much waiting.

#[cfg(test)]
mod assignment;
#[cfg(test)]
mod backup;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod journal;
#[cfg(test)]
mod kill9;
#[cfg(test)]
mod load;
#[cfg(test)]
mod nodes;
#[cfg(test)]
mod outages;
#[cfg(test)]
mod people;
#[cfg(test)]
mod recovery;
#[cfg(test)]
mod redis;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod servers;
#[cfg(test)]
mod trap;
#[cfg(test)]
mod waiting;
