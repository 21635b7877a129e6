/// The reason why a stream ends. Each has a stable code, which every door shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// The node ends; the reader continues on another one, or on this one after its restart.
    Draining,
    /// The node cannot serve the stream now.
    Overloaded,
    /// A frame of the reader cannot be read, or comes at the wrong time.
    BadFrame,
    /// The reader sent no newer token in time.
    TokenExpired,
    /// There is no valid token: it is missing or forged, its session has ended, or its agent or visitor is gone.
    Revoked,
    /// Pages of this origin may not read the stream.
    ForeignOrigin,
    /// The token of a renewal names somebody else.
    OtherSubject,
    /// No greeting came in time.
    NoHello,
    /// A newer connection reads with the ticket.
    Superseded,
    /// The position belongs to another history of the log, or is above its end.
    UnknownPosition,
    /// The role or the groups of the agent have changed, and with them what the agent may see.
    RightsChanged,
    /// The reader has taken nothing for too long.
    TooSlow,
    /// A frame of the reader is too large.
    FrameTooLarge,
    /// The visitor or agent has too many streams open on this node.
    TooManyStreams,
    /// The address has too many streams open that have not shown a valid token.
    TooManyStrangers,
    /// The reader sends too many frames.
    TooManyFrames,
}

impl End {
    /// Every reason.
    pub const ALL: [Self; 16] = [
        Self::Draining,
        Self::Overloaded,
        Self::BadFrame,
        Self::TokenExpired,
        Self::Revoked,
        Self::ForeignOrigin,
        Self::OtherSubject,
        Self::NoHello,
        Self::Superseded,
        Self::UnknownPosition,
        Self::RightsChanged,
        Self::TooSlow,
        Self::FrameTooLarge,
        Self::TooManyStreams,
        Self::TooManyStrangers,
        Self::TooManyFrames,
    ];

    /// The code as clients see it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Draining => "draining",
            Self::Overloaded => "overloaded",
            Self::BadFrame => "bad_frame",
            Self::TokenExpired => "token_expired",
            Self::Revoked => "revoked",
            Self::ForeignOrigin => "foreign_origin",
            Self::OtherSubject => "other_subject",
            Self::NoHello => "no_hello",
            Self::Superseded => "superseded",
            Self::UnknownPosition => "unknown_position",
            Self::RightsChanged => "rights_changed",
            Self::TooSlow => "too_slow",
            Self::FrameTooLarge => "frame_too_large",
            Self::TooManyStreams => "too_many_streams",
            Self::TooManyStrangers => "too_many_strangers",
            Self::TooManyFrames => "too_many_frames",
        }
    }

    /// The reason as a sentence for people.
    #[must_use]
    pub const fn detail(self) -> &'static str {
        match self {
            Self::Draining => "This node is shutting down; continue from the last position.",
            Self::Overloaded => "The stream cannot be served now; continue from the last position.",
            Self::BadFrame => "The frame is not valid.",
            Self::TokenExpired => "The token has expired; renew it and continue from the last position.",
            Self::Revoked => "A valid token is required.",
            Self::ForeignOrigin => "Pages of this origin may not read the stream.",
            Self::OtherSubject => "The token names another visitor or agent than the one that the stream began with.",
            Self::NoHello => "The first frame did not come in time.",
            Self::Superseded => "Another connection reads with the ticket.",
            Self::UnknownPosition => "The position is not in this history of the log; load everything again.",
            Self::RightsChanged => "The agent's role or groups have changed; load everything again.",
            Self::TooSlow => "Nothing was read for too long; continue from the last position.",
            Self::FrameTooLarge => "The frame is too large.",
            Self::TooManyStreams => "Too many streams of this visitor or agent are open.",
            Self::TooManyStrangers => "Too many streams of this address have not shown a valid token.",
            Self::TooManyFrames => "Too many frames were sent.",
        }
    }

    /// Whether the same client may come back with the same token and its last position.
    #[must_use]
    pub const fn is_passing(self) -> bool {
        match self {
            Self::Draining
            | Self::Overloaded
            | Self::NoHello
            | Self::TooSlow
            | Self::TooManyStreams
            | Self::TooManyStrangers
            | Self::TooManyFrames => true,
            Self::BadFrame
            | Self::TokenExpired
            | Self::Revoked
            | Self::ForeignOrigin
            | Self::OtherSubject
            | Self::Superseded
            | Self::UnknownPosition
            | Self::RightsChanged
            | Self::FrameTooLarge => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_reason_has_a_code_of_its_own_and_a_sentence() {
        let codes: BTreeSet<_> = End::ALL.into_iter().map(End::code).collect();
        assert_eq!(codes.len(), End::ALL.len());
        assert!(End::ALL.into_iter().all(|end| end.detail().ends_with('.')));
    }
}
