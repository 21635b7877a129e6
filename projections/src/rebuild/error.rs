use application::ports::ReadError;
use infrastructure::database::DatabaseError;
use infrastructure::subscription::{HandleError, mending_command};

/// Why tables could not be filled from the log.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The log could not be read.
    #[error("event log could not be read")]
    Read(#[from] ReadError),
    /// An event could not be applied.
    #[error(transparent)]
    Project(#[from] HandleError),
    /// The database did not take the rows.
    #[error("target of the rebuild is unavailable")]
    Database(#[from] DatabaseError),
    /// There is no view of this name.
    #[error("there is no projection {name}; there are: {}", known.join(", "))]
    Unknown {
        /// The name that was asked for.
        name: String,
        /// The names that there are.
        known: Vec<&'static str>,
    },
    /// The name is the router's, whose state is no view.
    #[error(
        "{name} is no projection: it is the state of the router, which `livechatlog replay --subscriber router` folds again"
    )]
    NoView {
        /// The name that was asked for.
        name: &'static str,
    },
    /// A transaction's outcome is not known.
    #[error("the database did not say whether a part of the rebuild is kept")]
    Unsure(#[source] DatabaseError),
    /// The live tables change too fast to be compared.
    #[error("the live tables do not stand still for long enough to be compared")]
    Restless,
    /// Another process rebuilds.
    #[error("another rebuild is under way")]
    Busy,
    /// The router does not pause.
    #[error("a running server does not let go of the router: try again, or stop it first")]
    NotPaused,
    /// The live tables were never filled.
    #[error("the projection {subscriber} has not begun: the service fills its tables when it is started")]
    NotBegun {
        /// The name of the subscriber.
        subscriber: &'static str,
    },
    /// The live tables cannot be compared: where they stand is not a place in this log.
    #[error("the checkpoint of {subscriber} is not in the log: `{}` mends it", mending_command(subscriber))]
    ForeignCheckpoint {
        /// The name of the subscriber.
        subscriber: &'static str,
    },
    /// The live tables belong to another version of the program.
    #[error(
        "the tables of {subscriber} are of version {stored}, this program's are of version {known}: the service of \
             the newer version rebuilds them when it is started"
    )]
    OtherVersion {
        /// The name of the subscriber.
        subscriber: &'static str,
        /// The version of the tables.
        stored: i64,
        /// The version of this program.
        known: i64,
    },
}

impl RebuildError {
    /// Whether a statement failed that may work when it is run again.
    pub(super) const fn is_of_database(&self) -> bool {
        !matches!(self, Self::Busy | Self::Read(_)) && self.is_transient()
    }

    /// Whether a rebuild from the beginning may work: what is not known to be written stands in copies only, which it throws
    /// away.
    pub(super) const fn may_pass_from_the_beginning(&self) -> bool {
        matches!(self, Self::Unsure(_)) || self.is_transient()
    }

    /// Whether a later attempt may work.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Read(ReadError::Unavailable { .. }) | Self::Busy | Self::NotPaused => true,
            Self::Project(HandleError::Database(error)) | Self::Database(error) => error.is_transient(),
            Self::Read(_) | Self::Project(_) | Self::Unknown { .. } | Self::NoView { .. } | Self::NotBegun { .. } => {
                false
            }
            Self::ForeignCheckpoint { .. } | Self::OtherVersion { .. } | Self::Unsure(_) | Self::Restless => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lost_answer_to_a_commit_is_mended_by_a_rebuild_from_the_beginning_alone() {
        let unsure = RebuildError::Unsure(DatabaseError::NoAnswer);
        assert!(unsure.may_pass_from_the_beginning() && !unsure.is_transient());
        assert!(RebuildError::Busy.may_pass_from_the_beginning());
        let poison = HandleError::Poison { position: 1, source: "bad".into() };
        assert!(!RebuildError::Project(poison).may_pass_from_the_beginning());
    }
}
