//! The traits through which use cases reach databases, clocks, tokens and other nodes.

mod auth;
mod event_log;
mod limits;
mod personal_data;
mod presence;
mod system;

pub use auth::{
    CredentialStore, HashError, PasswordHasher, PasswordMatch, Principal, Session, SessionStore, StreamTicket,
    TicketHolder, TicketStore, TokenError, TokenIssuer, Verified,
};
pub use event_log::{
    AppendError, AppendRequest, AsOf, CommandRecord, Epoch, EventHeader, EventLog, Freshness, Growth, Hash, LogEvent,
    LogHead, NewEvent, Position, ReadError, Receipt, Repeatable, SeenStream, Sequence, StreamAppend, StreamEvent,
    StreamId, StreamVersion, VersionedState,
};
pub use limits::{PlaceLimit, Places, Rate, RateLimit, RateLimiter};
pub use personal_data::{ErasedText, PersonalDataLog, StoredText};
pub use presence::{EndedLease, PresenceStore};
pub use system::{Clock, Fanout, Ids, StoreError, WakeUps};
