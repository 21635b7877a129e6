//! A test that a machine cannot run is reported, even if all others pass.

use std::io::Write as _;
use std::path::Path;
use std::sync::Once;

/// Reports that a test was left out because a setting is missing. The first report of a process bypasses the capturing
/// of output, so that a run in which everything passes shows it, too.
pub fn left_out(test: &str, setting: &str) {
    static REPORTED: Once = Once::new();
    REPORTED.call_once(|| {
        let program = std::env::args().next().unwrap_or_default();
        let name = Path::new(&program).file_name().unwrap_or_default().display().to_string();
        let _ = writeln!(std::io::stderr(), "left out in {name}: all that needs {setting}, which is not set");
    });
    println!("left out: {test}: {setting} is not set");
}

/// Reports that a test was left out because the machine cannot do what it needs; bypasses the capturing of output.
pub fn left_out_without(test: &str, what: &str) {
    let _ = writeln!(std::io::stderr(), "left out: {test}: it needs {what}");
}
