//! What the program says of itself.

use std::process::Command;

use harness::program;

fn help(words: &str) -> String {
    let words = words.split(' ').filter(|word| !word.is_empty());
    let output = Command::new(program()).args(words).arg("--help").env_clear().output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn help_has_a_commands_own_options_first_and_the_settings_that_it_heeds() {
    for words in ["", "replay", "audit export", "audit verify", "backup", "restore", "check", "admin create"] {
        let name = format!("help {words}").trim_end().replace(' ', "_");
        insta::assert_snapshot!(name, help(words));
    }
}
