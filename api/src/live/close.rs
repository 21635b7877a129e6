//! The reasons for which streams end, as WebSocket close codes.

use crate::service::stream::End;

/// The close code of a reason. 1012 and 1013 are registered (IANA, WebSocket Close Code Number Registry); 4000 and above
/// are ours.
pub(super) const fn code_of(end: End) -> u16 {
    match end {
        End::Draining => 1012,
        End::Overloaded => 1013,
        End::BadFrame => 4400,
        End::TokenExpired => 4401,
        End::Revoked | End::ForeignOrigin | End::OtherSubject => 4403,
        End::NoHello => 4408,
        End::UnknownPosition | End::RightsChanged => 4409,
        End::TooSlow => 4410,
        End::FrameTooLarge => 4413,
        End::TooManyStreams | End::TooManyStrangers | End::TooManyFrames => 4429,
    }
}
