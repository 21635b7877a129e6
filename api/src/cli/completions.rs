use std::io::Write as _;
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
    let mut script = vec![];
    clap_complete::generate(options.shell, &mut command, "livechatlog", &mut script);
    // Whoever has gone away does not need it.
    drop(std::io::stdout().write_all(&script));
    ExitCode::SUCCESS
}
