use std::process::ExitCode;

use clap::{Args, Command};
use clap_complete::Shell;

/// For which shell.
#[derive(Args)]
pub struct Options {
    /// The shell; for bash, `source <(livechatlog completions bash)` tries it out
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the script that completes the program's words in a shell.
pub fn run(options: &Options, mut command: Command) -> ExitCode {
    clap_complete::generate(options.shell, &mut command, "livechatlog", &mut std::io::stdout());
    ExitCode::SUCCESS
}
