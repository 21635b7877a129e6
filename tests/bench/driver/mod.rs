//! What asks the program: as fast as it answers for rates, at fixed times for latencies.

pub mod closed_loop;
mod latency;
pub mod open_loop;

use std::rc::Rc;

pub use latency::{Latency, histogram, micros};

/// What is sent, by the number of the connection and the number of the request, and the status of a good answer.
#[derive(Clone)]
pub struct Requests {
    pub make: Rc<dyn Fn(usize, u64) -> Vec<u8>>,
    pub expected: u16,
}

impl Requests {
    /// The same, always.
    pub fn alike(request: Vec<u8>, expected: u16) -> Self {
        Self { make: Rc::new(move |_, _| request.clone()), expected }
    }

    /// Each connection has its own.
    pub fn each(requests: Vec<Vec<u8>>, expected: u16) -> Self {
        Self { make: Rc::new(move |lane, _| requests[lane % requests.len()].clone()), expected }
    }
}

/// The one in the middle.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
