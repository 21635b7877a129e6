//! How an export is written, line by line.

use std::io;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::record::{AuditRecord, HexHash, Salt};

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A JSON object a line.
    Ndjson,
    /// Comma-separated values (RFC 4180), lines ended by a line feed, with the names of the columns in the first line.
    Csv,
}

/// The columns of CSV, in their order; named like the fields of [`AuditRecord`].
const COLUMNS: [&str; 18] = [
    "position",
    "recordedAt",
    "actor",
    "aggregateType",
    "aggregateId",
    "sequence",
    "type",
    "version",
    "payload",
    "metadata",
    "eventId",
    "commandId",
    "causationId",
    "correlationId",
    "salt",
    "digest",
    "hash",
    "previousHash",
];

/// What stands in the first column of CSV lines that are no events; the JSON is in the second.
const OPENING: &str = "#opening";
const HEAD: &str = "#head";

/// A line of an export.
pub(super) enum Line {
    /// The names of the columns.
    Columns,
    /// What the export is.
    Opening(Box<RawValue>),
    /// A record of the log.
    Event(Box<AuditRecord>),
    /// Where it ends.
    Head(SignedHead),
}

/// The end of an export.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SignedHead {
    pub(super) head: Box<RawValue>,
    pub(super) public_key: String,
    pub(super) signature: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Opened {
    livechatlog: Box<RawValue>,
}

/// A line that belongs to no export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

impl Format {
    /// The lines before the first event.
    pub(super) fn opening(self, opening: Box<RawValue>) -> io::Result<Vec<u8>> {
        match self {
            Self::Ndjson => json_line(&Opened { livechatlog: opening }),
            Self::Csv => {
                let mut lines = csv_line(&COLUMNS)?;
                lines.extend(marked(OPENING, opening.get())?);
                Ok(lines)
            }
        }
    }

    /// The line of an event.
    pub(super) fn event(self, record: &AuditRecord) -> io::Result<Vec<u8>> {
        match self {
            Self::Ndjson => json_line(record),
            Self::Csv => csv_line(&cells(record)),
        }
    }

    /// The last line.
    pub(super) fn head(self, head: &SignedHead) -> io::Result<Vec<u8>> {
        match self {
            Self::Ndjson => json_line(head),
            Self::Csv => marked(HEAD, &serde_json::to_string(head)?),
        }
    }

    /// Which form a file has that begins so.
    pub(super) fn of(first_line: &[u8]) -> Option<Self> {
        match first_line {
            [b'{', ..] => Some(Self::Ndjson),
            line if line.starts_with(b"position,") => Some(Self::Csv),
            _ => None,
        }
    }

    /// What a line says.
    pub(super) fn read(self, line: &[u8]) -> Result<Line, Unreadable> {
        match self {
            Self::Ndjson => read_json(line),
            Self::Csv => read_csv(line),
        }
    }
}

fn json_line(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    Ok(line)
}

fn read_json(line: &[u8]) -> Result<Line, Unreadable> {
    // The opening and the head are the shortest to rule out: their first key decides.
    if line.starts_with(br#"{"livechatlog":"#) {
        return Ok(Line::Opening(parse::<Opened>(line)?.livechatlog));
    }
    if line.starts_with(br#"{"head":"#) {
        return parse(line).map(Line::Head);
    }
    parse(line).map(|record| Line::Event(Box::new(record)))
}

fn csv_line<T: AsRef<[u8]>>(cells: &[T]) -> io::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(vec![]);
    writer.write_record(cells)?;
    writer.into_inner().map_err(csv::IntoInnerError::into_error)
}

fn marked(mark: &str, json: &str) -> io::Result<Vec<u8>> {
    let mut cells = [""; COLUMNS.len()];
    cells[0] = mark;
    cells[1] = json;
    csv_line(&cells)
}

fn cells(record: &AuditRecord) -> [String; COLUMNS.len()] {
    let hash = |hash: Option<HexHash>| hash.map(|hash| hex::encode(hash.0)).unwrap_or_default();
    [
        record.position.to_string(),
        record.recorded_at.to_string(),
        record.actor.clone(),
        record.aggregate_type.clone(),
        record.aggregate_id.to_string(),
        record.sequence.to_string(),
        record.event_type.clone(),
        record.version.clone(),
        record.payload.get().to_owned(),
        record.metadata.get().to_owned(),
        record.event_id.to_string(),
        record.command_id.to_string(),
        record.causation_id.map(|id| id.to_string()).unwrap_or_default(),
        record.correlation_id.to_string(),
        record.salt.as_ref().map(|salt| hex::encode(&salt.0)).unwrap_or_default(),
        hex::encode(record.digest),
        hex::encode(record.hash),
        hash(record.previous_hash),
    ]
}

fn read_csv(line: &[u8]) -> Result<Line, Unreadable> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).buffer_capacity(line.len() + 1).from_reader(line);
    let mut record = csv::StringRecord::new();
    let one = reader.read_record(&mut record).is_ok_and(|one| one) && record.len() == COLUMNS.len();
    if !one {
        return Err(Unreadable);
    }
    match &record[0] {
        "position" if record.iter().eq(COLUMNS) => Ok(Line::Columns),
        OPENING => parse(record[1].as_bytes()).map(Line::Opening),
        HEAD => parse(record[1].as_bytes()).map(Line::Head),
        _ => event(&record).map(|event| Line::Event(Box::new(event))),
    }
}

fn event(cells: &csv::StringRecord) -> Result<AuditRecord, Unreadable> {
    let hash = |cell: usize| {
        let mut hash = [0; 32];
        hex::decode_to_slice(&cells[cell], &mut hash).map(|()| hash).map_err(|_| Unreadable)
    };
    let optional = |cell: usize| Some(&cells[cell]).filter(|text| !text.is_empty());
    Ok(AuditRecord {
        position: text(&cells[0])?,
        recorded_at: text(&cells[1])?,
        actor: cells[2].to_owned(),
        aggregate_type: cells[3].to_owned(),
        aggregate_id: text(&cells[4])?,
        sequence: text(&cells[5])?,
        event_type: cells[6].to_owned(),
        version: cells[7].to_owned(),
        payload: parse(cells[8].as_bytes())?,
        metadata: parse(cells[9].as_bytes())?,
        event_id: text(&cells[10])?,
        command_id: text(&cells[11])?,
        causation_id: optional(12).map(text).transpose()?,
        correlation_id: text(&cells[13])?,
        salt: optional(14).map(hex::decode).transpose().map_err(|_| Unreadable)?.map(Salt),
        digest: hash(15)?,
        hash: hash(16)?,
        previous_hash: optional(17).map(|_| hash(17)).transpose()?.map(HexHash),
    })
}

fn text<T: std::str::FromStr>(text: &str) -> Result<T, Unreadable> {
    text.parse().map_err(|_| Unreadable)
}

fn parse<T: for<'a> Deserialize<'a>>(json: &[u8]) -> Result<T, Unreadable> {
    serde_json::from_slice(json).map_err(|_| Unreadable)
}
