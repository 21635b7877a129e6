use application::agents::{Accounts, LogIn};
use infrastructure::database::Database;

use super::core::{Core, system_clock};
use super::{FolderLock, StartError, accounts, build_log_in, ensure_file, open_as_it_is};
use crate::config::Settings;

/// An operator's tools to manage agents without a server.
pub struct AdminTools {
    /// Changes passwords.
    pub log_in: LogIn,
    /// Registers agents.
    pub accounts: Accounts,
    database: Database,
    _folder: FolderLock,
}

impl AdminTools {
    /// Opens an existing log. No server may be using an embedded database.
    ///
    /// # Errors
    /// See [`StartError`].
    pub async fn open(settings: Settings) -> Result<Self, StartError> {
        ensure_file(&settings)?;
        let folder = FolderLock::take(&settings)?;
        let database = open_as_it_is(&settings).await?;
        let core = Core::build(settings, database, system_clock()).await?;
        // Only the operator can start this program on the database, so guesses need no brake.
        let log_in = build_log_in(&core, None)?;
        Ok(Self { accounts: accounts(&log_in), log_in, database: core.database, _folder: folder })
    }

    /// Closes the database.
    pub async fn close(self) {
        self.database.close().await;
    }
}
