//! How the databases read the lists: from an index, in its order.

use domain::conversation::ConversationStatus;
use domain::ids::{AgentId, EntityId, GroupId, TagId};
use infrastructure::database::{Database, Dialect, Row, SqlValue};
use infrastructure::sql_args;
use uuid::Uuid;

use crate::conversations::queue_position::AHEAD;
use crate::conversations::{ConversationFilter, ConversationOrder, ConversationRow, Visibility, list};
use crate::rows::ViewRow;
use crate::testing::fresh_databases;

fn id(number: usize) -> Uuid {
    Uuid::from_u128(number as u128 + 1)
}

/// Enough rows, mostly closed, for an optimizer to have a choice.
async fn fill(database: &Database) {
    let rows = (0..4_000_usize).map(|row| {
        let (status, waits) = match row % 40 {
            0 => ("pending", true),
            1 | 2 => ("active", false),
            _ => ("closed", false),
        };
        let agent = (!waits).then(|| id(row % 20));
        let assigned = agent.filter(|_| status == "active");
        let position = row as i64 + 1;
        let null = None::<i64>;
        sql_args![
            id(row),
            status,
            id(row),
            "Vera",
            None::<&str>,
            None::<&str>,
            id(row % 8),
            assigned,
            agent,
            None::<Uuid>,
            "[]",
            "[]",
            waits.then_some(position),
            position,
            null,
            null,
            position,
            null,
            None::<&str>,
            None::<Uuid>,
            1_i64,
            position,
            position,
        ]
    });
    let mut tx = database.begin_view().await.unwrap();
    tx.insert_many(ConversationRow::TABLE.name, ConversationRow::TABLE.columns, rows.collect()).await.unwrap();
    let tags = (0..4_000_i64).step_by(50).map(|row| sql_args![id(1), row + 1]).collect();
    tx.insert_many("conversation_tags", &["tag_id", "created_position"], tags).await.unwrap();
    tx.commit().await.unwrap();
    if database.dialect() == Dialect::Mysql {
        database.fetch_all("ANALYZE TABLE conversations, conversation_tags", vec![]).await.unwrap();
    }
}

/// How the database would run a statement. MySQL tells it only of statements whose values are in their text.
async fn explain(database: &Database, sql: &str, args: Vec<SqlValue>) -> Vec<Row> {
    let explain = match database.dialect() {
        Dialect::Sqlite => "EXPLAIN QUERY PLAN",
        Dialect::Mysql => "EXPLAIN FORMAT=TRADITIONAL",
    };
    let literal = |value| match value {
        SqlValue::Int(number) => number.to_string(),
        SqlValue::Text(text) => format!("'{text}'"),
        SqlValue::Null | SqlValue::Bytes(_) => panic!("no list filters by it"),
    };
    let sql = args.into_iter().map(literal).fold(sql.to_owned(), |sql, value| sql.replacen('?', &value, 1));
    let mut session = database.log_session().await.unwrap();
    let rows = session.query(&format!("{explain} {sql}")).await.unwrap();
    session.close().await;
    rows
}

/// The steps in which a statement's rows are read, as the database tells them; `true` for those that read a whole
/// table or sort what a range gave.
async fn bad_steps(database: &Database, sql: &str, args: Vec<SqlValue>) -> Vec<String> {
    match database.dialect() {
        Dialect::Sqlite => {
            let rows = explain(database, sql, args).await;
            let steps: Vec<_> = rows.iter().map(|row| row.text("detail").unwrap()).collect();
            let is_union = steps.iter().any(|step| step.contains("UNION"));
            let scans = |step: &String| step.starts_with("SCAN conversations") && !step.contains("USING");
            let sorts = |step: &String| step.contains("TEMP B-TREE FOR ORDER BY") && !is_union;
            steps.into_iter().filter(|step| scans(step) || sorts(step)).collect()
        }
        Dialect::Mysql => {
            let rows = explain(database, sql, args).await;
            let mut bad = vec![];
            for row in rows {
                let table = row.opt_text("table").unwrap().unwrap_or_default();
                let key = row.opt_text("key").unwrap();
                let extra = row.opt_text("Extra").unwrap().unwrap_or_default();
                if table == "conversations" && (key.is_none() || extra.contains("filesort")) {
                    bad.push(format!("{table} {key:?} {extra}"));
                }
            }
            bad
        }
    }
}

#[tokio::test]
async fn lists_are_read_in_the_order_of_an_index() {
    let pending = Some(ConversationStatus::Pending);
    let closed = Some(ConversationStatus::Closed);
    let agent_id = Some(AgentId::from_uuid(id(3)));
    let group_id = Some(GroupId::from_uuid(id(2)));
    let visible_to =
        Some(Visibility { agent_id: AgentId::from_uuid(id(3)), group_ids: vec![GroupId::from_uuid(id(2))] });
    let none = ConversationFilter::default();
    let filters = [
        none.clone(),
        ConversationFilter { status: pending, ..none.clone() },
        ConversationFilter { status: closed, ..none.clone() },
        ConversationFilter { agent_id, ..none.clone() },
        ConversationFilter { group_id, ..none.clone() },
        ConversationFilter { group_id, status: pending, ..none.clone() },
        ConversationFilter { group_id, status: closed, visible_to: visible_to.clone(), ..none.clone() },
        ConversationFilter { visible_to: visible_to.clone(), ..none.clone() },
        ConversationFilter { visible_to, status: pending, ..none.clone() },
        ConversationFilter { tag_id: Some(TagId::from_uuid(id(1))), ..none },
    ];
    for fresh in fresh_databases().await {
        fill(&fresh.database).await;
        for filter in &filters {
            for order in [ConversationOrder::Newest, ConversationOrder::Oldest] {
                let (sql, args) = list::statement(filter, order, Some(2_000), 25);
                assert_eq!(bad_steps(&fresh.database, &sql, args).await, Vec::<String>::new(), "{filter:?} {sql}");
            }
        }
    }
}

#[tokio::test]
async fn places_in_a_queue_are_counted_in_a_range_of_an_index() {
    for fresh in fresh_databases().await {
        fill(&fresh.database).await;
        let args = sql_args![0_i64, id(0), 3_000_i64];
        let column = match fresh.database.dialect() {
            Dialect::Sqlite => "detail",
            Dialect::Mysql => "key",
        };
        let rows = explain(&fresh.database, AHEAD, args).await;
        assert!(rows[0].text(column).unwrap().contains("conversations_in_queue"));
    }
}
