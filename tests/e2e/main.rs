//! Stories over HTTP, on each database.

#[cfg(test)]
mod afterwards;
#[cfg(test)]
mod agent_stats;
#[cfg(test)]
mod assignment;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod bulk;
#[cfg(test)]
mod check;
#[cfg(test)]
mod conventions;
#[cfg(test)]
mod defects;
#[cfg(test)]
mod deployment;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod distribution;
#[cfg(test)]
mod erasure;
#[cfg(test)]
mod handover;
#[cfg(test)]
mod health;
#[cfg(test)]
mod help;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod invariants;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod management;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod nodes;
#[cfg(test)]
mod openapi;
#[cfg(test)]
mod operator;
#[cfg(test)]
mod presence;
#[cfg(test)]
mod races;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod starts;
#[cfg(test)]
mod stores;
#[cfg(test)]
mod story;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod traces;
