//! The document that the program prints.

use harness::program;
use serde_json::Value;

#[test]
fn program_prints_what_it_serves() {
    let print = |arguments: &[&str]| -> Value {
        let output = std::process::Command::new(program()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    assert_eq!(&print(&["openapi"]), api::rest::document());
    assert_eq!(print(&["openapi", "--postman"]), api::rest::openapi::postman(api::rest::document()));
}
