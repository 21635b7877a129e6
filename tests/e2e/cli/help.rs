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

#[test]
fn shells_complete_the_names_of_projections() {
    for shell in ["bash", "zsh", "fish"] {
        let output = std::process::Command::new(harness::program()).args(["completions", shell]).output().unwrap();
        let script = String::from_utf8(output.stdout).unwrap();
        let missing: Vec<_> = projections::all_views()
            .iter()
            .map(|view| view.name())
            .filter(|name| !script.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == *name))
            .collect();
        assert!(missing.is_empty(), "{shell}: {missing:?}");
    }
}
