//! The settings that the help of each command shows.

use clap::builder::Resettable;
use clap::{Arg, Command};

/// The settings that every command with settings uses.
const COMMON: [&str; 4] = ["database_url", "data_dir", "log_format", "rust_log"];

/// Hides the settings that a command ignores from its help. Passing them is no error: the environment holds them for all
/// commands.
pub fn fit(program: Command) -> Command {
    let settings: Vec<Arg> = program.get_arguments().filter(|argument| argument.is_global_set()).cloned().collect();
    program.mut_subcommands(|command| {
        let name = command.get_name().to_owned();
        let ignored = settings.iter().filter(|setting| !uses(&name, setting.get_id().as_str()));
        command.args(ignored.map(|setting| setting.clone().hide(true)))
    })
}

/// Takes variables of the environment that are empty for unset: that is how Compose files and unit files leave one out.
pub fn without_empty_variables(program: Command) -> Command {
    program.mut_args(|argument| {
        let is_empty = argument.get_env().and_then(std::env::var_os).is_some_and(|value| value.is_empty());
        if is_empty { argument.env(Resettable::Reset) } else { argument }
    })
}

fn uses(command: &str, setting: &str) -> bool {
    match command {
        "serve" | "check" => true,
        "asyncapi" | "graphql-schema" | "openapi" | "completions" => false,
        _ if COMMON.contains(&setting) => true,
        "demo" => matches!(setting, "admin_email" | "admin_password"),
        "admin" => matches!(setting, "admin_password" | "redis_url"),
        "erase-visitor" => setting == "redis_url",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::Cli;

    fn shown(words: &[&str]) -> Vec<String> {
        let mut program = fit(Cli::command());
        program.build();
        let command = words.iter().fold(&program, |command, word| command.find_subcommand(word).unwrap());
        let settings = command.get_arguments().filter(|setting| setting.is_global_set() && !setting.is_hide_set());
        settings.map(|setting| setting.get_id().to_string()).collect()
    }

    #[test]
    fn server_shows_every_setting() {
        assert_eq!(shown(&["serve"]).len(), 34);
        assert_eq!(shown(&["serve"]), shown(&[]));
    }

    #[test]
    fn commands_show_the_settings_that_they_use() {
        assert_eq!(shown(&["audit", "verify"]), ["database_url", "data_dir", "log_format", "rust_log"]);
        assert!(shown(&["admin", "create"]).contains(&"admin_password".to_owned()));
        assert!(shown(&["openapi"]).is_empty());
    }

    #[test]
    fn hidden_settings_are_accepted_before_and_after_a_command() {
        for words in [
            "livechatlog --port 7 audit verify",
            "livechatlog audit verify --port 7",
            "livechatlog audit --port 7 verify",
        ] {
            let matches = fit(Cli::command()).get_matches_from(words.split(' '));
            assert_eq!(matches.get_one::<u16>("port"), Some(&7), "{words}");
        }
    }
}
