//! What the system answered that LiveChatLog takes the place of, measured on a like machine.

use super::operations::{CONVERSATION, HISTORY, LIST, LOG_IN, SEND, SEND_AGENT, START};

/// How many times its rate is to be reached.
pub const TIMES: f64 = 10.0;

/// Requests a second at 1, 16 and 64 connections, on 2 cores with MariaDB; at 64 with its queue limit lifted, without
/// which most of its answers are errors. Its lists had 20 rows out of 2,000, ours have 25.
const RATES: [(&str, [f64; 3]); 7] = [
    (START, [145.0, 393.0, 394.0]),
    (SEND, [311.0, 731.0, 673.0]),
    (SEND_AGENT, [311.0, 731.0, 673.0]),
    (HISTORY, [327.0, 511.0, 574.0]),
    (CONVERSATION, [167.0, 284.0, 336.0]),
    (LIST, [12.0, 23.0, 19.0]),
    (LOG_IN, [17.0, 33.0, 29.0]),
];

/// Its rate, where there is one.
pub fn rate(operation: &str, connections: usize) -> Option<f64> {
    let place = [1, 16, 64].iter().position(|level| *level == connections)?;
    RATES.iter().find(|(name, _)| *name == operation).map(|(_, rates)| rates[place])
}
