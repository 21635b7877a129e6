//! Takes personal data out of the log: the payload is replaced and its salt goes, in the transaction that appends the event
//! which vouches for what is left. The appender does it like any other append, so that it is ordered among those of all
//! nodes, and that it happens as a whole, once, or not at all.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use application::ports::{
    AppendError, AppendRequest, ErasedText, PersonalDataLog, ReadError, Receipt, Sequence, StoredText, StreamId,
};
use async_trait::async_trait;
use uuid::Uuid;

use super::append::{MoreStatements, Prepared};
use super::log::SqlEventLog;
use super::stored::{COLUMNS, StoredEvent, decode};
use super::tail::unavailable;
use crate::database::{Dialect, Statement, push_text};
use crate::responses::forget_answers;
use crate::sql_args;

#[async_trait]
impl PersonalDataLog for SqlEventLog {
    async fn read_texts(&self, stream: StreamId, after: Sequence, limit: usize) -> Result<Vec<StoredText>, ReadError> {
        let select = format!(
            "SELECT {COLUMNS}, CASE WHEN salt IS NULL THEN 1 ELSE 0 END AS erased FROM events \
             WHERE aggregate_type = ? AND aggregate_id = ? AND sequence > ? ORDER BY sequence LIMIT ?"
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let args = sql_args![stream.kind.as_str(), stream.id, after, limit];
        let rows = self.database.fetch_all(&select, args).await.map_err(unavailable)?;
        let read = |row| {
            let stored = StoredEvent::from_row(row).map_err(|error| error.at(0))?;
            let erased = row.int("erased").map_err(|error| unavailable(error.into()))? == 1;
            let payload = stored.payload.clone();
            Ok(StoredText { event: stored.decode(self.reader.upcasters())?, payload, erased })
        };
        rows.iter().map(read).collect()
    }

    async fn append_erasure(&self, request: AppendRequest, texts: Vec<ErasedText>) -> Result<Receipt, AppendError> {
        let upcasters = self.reader.upcasters();
        // It could not be read again by anybody.
        if texts.iter().any(|text| decode(&text.header, &text.payload, upcasters).is_err()) {
            return Err(AppendError::Invalid { reason: "an erased payload that is no event" });
        }
        let more = statements(&request, &texts, self.dialect());
        let mut request = Prepared::new(request, self.dialect())?;
        request.payload_bytes += texts.iter().map(|text| text.payload.len()).sum::<usize>();
        request.more = more;
        self.answer(request).await
    }

    async fn forget_answers(&self, ids: &BTreeSet<Uuid>) -> Result<u64, ReadError> {
        forget_answers(&self.database, ids).await.map_err(unavailable)
    }

    async fn wipe(&self) -> Result<bool, ReadError> {
        self.database.wipe().await.map_err(unavailable)
    }
}

/// The digest of a forgotten request, which no request has.
const NO_DIGEST: [u8; 32] = [0; 32];

fn statements(request: &AppendRequest, texts: &[ErasedText], dialect: Dialect) -> MoreStatements {
    match dialect {
        Dialect::Mysql => MoreStatements { text: script(request, texts), ..MoreStatements::default() },
        Dialect::Sqlite => MoreStatements { statements: bound(request, texts), ..MoreStatements::default() },
    }
}

/// Ids need no escaping, and texts are written in hexadecimal.
fn script(request: &AppendRequest, texts: &[ErasedText]) -> String {
    let mut sql = String::new();
    for text in texts {
        sql.push_str("UPDATE events SET payload = ");
        push_text(&mut sql, &text.payload);
        let _ = write!(sql, ", salt = NULL WHERE position = {}; ", text.header.position);
    }
    let commands: BTreeSet<_> = texts.iter().map(|text| format!("'{}'", text.header.command_id)).collect();
    if !commands.is_empty() {
        // The command stays known, so that it is not carried out again; a request that fits it is not.
        let commands = commands.into_iter().collect::<Vec<_>>().join(",");
        let nothing = hex::encode(NO_DIGEST);
        let _ = write!(sql, "UPDATE command_log SET request_digest = X'{nothing}' WHERE command_id IN ({commands}); ");
        // With it the digest of the request.
        let _ = write!(sql, "DELETE FROM idempotent_responses WHERE command_id IN ({commands}); ");
    }
    for StreamId { kind, id } in request.streams.iter().map(|append| append.stream) {
        let _ = write!(sql, "DELETE FROM snapshots WHERE aggregate_type = '{kind}' AND aggregate_id = '{id}'; ");
    }
    sql
}

/// The same statements for SQLite.
fn bound(request: &AppendRequest, texts: &[ErasedText]) -> Vec<Statement> {
    const ERASE: &str = "UPDATE events SET payload = ?, salt = NULL WHERE position = ?";
    const FORGET_REQUEST: &str = "UPDATE command_log SET request_digest = ? WHERE command_id = ?";
    const FORGET_ANSWER: &str = "DELETE FROM idempotent_responses WHERE command_id = ?";
    const FORGET_STATE: &str = "DELETE FROM snapshots WHERE aggregate_type = ? AND aggregate_id = ?";
    let mut all = vec![];
    for text in texts {
        all.push(Statement::constant(ERASE, sql_args![text.payload.as_str(), text.header.position]));
    }
    let commands: BTreeSet<_> = texts.iter().map(|text| text.header.command_id.to_string()).collect();
    for command in commands {
        all.push(Statement::constant(FORGET_REQUEST, sql_args![NO_DIGEST, command.as_str()]));
        all.push(Statement::constant(FORGET_ANSWER, sql_args![command]));
    }
    for StreamId { kind, id } in request.streams.iter().map(|append| append.stream) {
        all.push(Statement::constant(FORGET_STATE, sql_args![kind.as_str(), id]));
    }
    all
}

#[cfg(test)]
mod tests;
