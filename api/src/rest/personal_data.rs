//! All that is known of a visitor: handed out, and erased.

use application::UseCaseError;
use application::ports::Position;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use domain::conversation::Participant;
use domain::ids::VisitorId;
use domain::visitor::Visitor;
use futures::StreamExt as _;
use futures::channel::mpsc;
use serde::Serialize;

use crate::app::App;
use crate::personal_data::{Export, Reader};
use crate::rest::extract::{Agent, Nothing, OneId, Write};
use crate::rest::problem::Problem;
use crate::rest::respond::{Answer, await_position, settle_at};
use crate::views::View;

/// The read models in which there is something of visitors.
pub const VIEWS: [View; 3] = [View::Conversations, View::ThreadEvents, View::Search];

/// How many parts of an export wait for a slow client.
const PARTS_AHEAD: usize = 8;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Done {
    visitor_id: VisitorId,
    payloads: u64,
    messages: u64,
    closed_chat: bool,
    answers: u64,
    off_the_disk: bool,
    read_models: bool,
}

/// Erases a visitor.
pub async fn erase(
    State(app): State<App>,
    agent: Agent,
    OneId(visitor_id): OneId<VisitorId>,
    write: Write<Nothing>,
) -> Result<Response, Problem> {
    let info = write.info;
    // Done again it does what is left: it is carried out each time, whatever its key.
    let context = app.bus.context(agent.principal().actor(), info.request_id.uuid());
    let erased = app.eraser.erase(context, visitor_id, Participant::Agent(agent.id)).await?;
    // Whoever does not wait is told that it is not over.
    let read_models = settle_at(&app, &info, erased.position, &VIEWS).await;
    let (answers, wiped) = app.eraser.clear(&erased).await?;
    let off_the_disk = wiped && read_models;
    let done = Done {
        visitor_id,
        payloads: erased.payloads,
        messages: erased.messages,
        closed_chat: erased.closed_chat,
        answers,
        off_the_disk,
        read_models,
    };
    Ok(Answer::ok(&done)?.at(erased.position, &info).into_response())
}

/// Everything of a visitor, as it is read: there may be more than fits into memory.
pub async fn export(
    State(app): State<App>,
    OneId(visitor_id): OneId<VisitorId>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    await_position(&app, &headers, &[]).await?;
    if !app.bus.read::<Visitor>(visitor_id).await?.registered {
        return Err(Problem::not_found("visitor"));
    }
    let head = app.log.head().await.map_err(UseCaseError::from)?.position;
    let mut response = Response::new(stream(app, visitor_id, head));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// It ends in the middle when the log cannot be read on: who gets it sees that it is no JSON.
fn stream(app: App, visitor_id: VisitorId, head: Position) -> Body {
    let (parts, stream) = mpsc::channel(PARTS_AHEAD);
    tokio::spawn(async move {
        let exported_at = app.clock.now();
        let mut export = Export::new(parts, (visitor_id, head, exported_at));
        let outcome = export.write(&Reader { texts: &app.personal_data, bus: &app.bus }).await;
        if let Err(error) = outcome {
            tracing::warn!(error = &error as &dyn std::error::Error, "export of personal data ended early");
            export.fail().await;
        }
    });
    Body::from_stream(stream.map(|part: Result<String, std::io::Error>| part))
}
