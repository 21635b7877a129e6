use std::io::Write as _;
use std::process::ExitCode;

use clap::{Args, Command};
use clap_complete::Shell;

/// The shell to complete for.
#[derive(Args)]
pub struct Options {
    /// Shell; to try it in bash: `source <(livechatlog completions bash)`
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the completion script of a shell.
pub fn run(options: &Options, mut command: Command) -> ExitCode {
    let mut script = vec![];
    clap_complete::generate(options.shell, &mut command, "livechatlog", &mut script);
    // A reader that has closed its end does not need the rest.
    drop(std::io::stdout().write_all(&script));
    ExitCode::SUCCESS
}
