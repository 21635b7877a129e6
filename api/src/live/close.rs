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
        // Sockets have no tickets.
        End::Revoked | End::ForeignOrigin | End::OtherSubject | End::Superseded => 4403,
        End::NoHello => 4408,
        End::UnknownPosition | End::RightsChanged => 4409,
        End::TooSlow => 4410,
        End::FrameTooLarge => 4413,
        End::TooManyStreams | End::TooManyStrangers | End::TooManyFrames => 4429,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const API: &str = include_str!("../../../docs/api.md");

    #[test]
    fn every_reason_of_a_socket_is_in_the_table_of_close_codes() {
        let rows: Vec<_> = API.lines().filter(|line| line.starts_with("| 1") || line.starts_with("| 44")).collect();
        for end in End::ALL {
            // Pages of other origins get no socket, and sockets have no tickets.
            if matches!(end, End::ForeignOrigin | End::Superseded) {
                continue;
            }
            let (number, word) = (code_of(end).to_string(), format!("`{}`", end.code()));
            let is_there = rows.iter().any(|row| row.contains(&number) && row.contains(&word));
            assert!(is_there, "docs/api.md has no row with {number} and {word}");
        }
    }
}
