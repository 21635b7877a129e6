//! How the databases read the lists: from an index, in its order.

use domain::conversation::ConversationStatus;
use domain::ids::{AgentId, EntityId, GroupId, TagId};
use domain::time::Timestamp;
use infrastructure::database::{Database, Dialect, Row, SqlValue};
use infrastructure::sql_args;
use uuid::Uuid;

use crate::conversations::counts::scope_of_group;
use crate::conversations::{ConversationFilter, ConversationOrder, ConversationRow, TAGS_TABLE, Visibility, list};
use crate::queue_positions::{AROUND, Queues};
use crate::rows::ViewRow;
use crate::search::{SearchText, WORDS_TABLE};
use crate::testing::explain;
use infrastructure::testing::fresh_databases;

const ROWS: usize = 4_000;

fn id(number: usize) -> Uuid {
    Uuid::from_u128(number as u128 + 1)
}

/// Enough rows, mostly closed, for an optimizer to have a choice.
async fn fill(database: &Database) {
    let mut tx = database.begin_view().await.unwrap();
    let rows = (0..ROWS).map(row).collect();
    tx.insert_many(ConversationRow::TABLE.name, ConversationRow::TABLE.columns, rows).await.unwrap();
    let tags = (0..ROWS).step_by(10).map(|row| {
        let (status, agent) = (status(row), Some(id(row % 20)).filter(|_| status(row) != "pending"));
        sql_args![id(1), row as i64 + 1, status, id(row % 8), agent, row as i64]
    });
    tx.insert_many(TAGS_TABLE.name, TAGS_TABLE.columns, tags.collect()).await.unwrap();
    let words = ["often", "seldom"].into_iter().zip([2, 70]);
    let words = words.flat_map(|(word, step)| (0..ROWS).step_by(step).map(move |row| sql_args![word, row as i64 + 1]));
    tx.insert_many(WORDS_TABLE.name, WORDS_TABLE.columns, words.collect()).await.unwrap();
    tx.commit().await.unwrap();
    if database.dialect() == Dialect::Mysql {
        let analyze = "ANALYZE TABLE conversations, conversation_tags, search_words";
        database.fetch_all(analyze, vec![]).await.unwrap();
    }
}

const fn status(row: usize) -> &'static str {
    match row % 40 {
        0 => "pending",
        1 | 2 => "active",
        _ => "closed",
    }
}

fn row(row: usize) -> Vec<SqlValue> {
    let status = status(row);
    let waits = status == "pending";
    let agent = Some(id(row % 20));
    let listed = agent.filter(|_| !waits);
    let position = row as i64 + 1;
    let (null, no_text, no_id) = (None::<i64>, None::<&str>, None::<Uuid>);
    sql_args![
        position,
        id(row),
        status,
        id(row),
        "Vera",
        no_text,
        no_text,
        id(row % 8),
        listed.filter(|_| status == "active"),
        listed,
        agent,
        no_id,
        "[]",
        "[]",
        waits.then_some(position),
        position,
        waits.then_some(position),
        null,
        null,
        position,
        null,
        no_text,
        no_id,
        0_i64,
        0_i64,
        "[]",
        1_i64,
        position,
    ]
}

/// The steps that read a whole table or sort what a range gave.
async fn bad_steps(database: &Database, sql: &str, args: Vec<SqlValue>) -> Vec<String> {
    // Few chats wait again, and few have a rare word; they may be sorted.
    let seldom = args.contains(&SqlValue::from("seldom")) && sql.contains("FROM search_words w ");
    let may_sort = seldom || sql.contains("x.last_agent_id = ? AND x.waiting_position > 0");
    let rows = explain(database, sql, args).await;
    let step = |row: &Row| match database.dialect() {
        Dialect::Sqlite => {
            let step = row.text("detail").unwrap();
            let sorts = step.contains("TEMP B-TREE FOR ORDER BY") && !may_sort;
            (step.starts_with("SCAN") || sorts).then_some(step)
        }
        Dialect::Mysql => {
            let table = row.opt_text("table").unwrap().unwrap_or_default();
            let key = row.opt_text("key").unwrap();
            let extra = row.opt_text("Extra").unwrap().unwrap_or_default();
            let sorts = extra.contains("filesort") && !may_sort;
            (key.is_none() || sorts).then(|| format!("{table} {key:?} {extra}"))
        }
    };
    rows.iter().filter_map(step).collect()
}

fn filters() -> Vec<ConversationFilter> {
    let statuses = [None, Some(ConversationStatus::Pending), Some(ConversationStatus::Closed)];
    let agent = AgentId::from_uuid(id(3));
    let groups = [None, Some(GroupId::from_uuid(id(2))), Some(GroupId::from_uuid(id(5)))];
    let visible = Visibility { agent_id: agent, group_ids: vec![GroupId::from_uuid(id(2)), GroupId::from_uuid(id(4))] };
    let search = SearchText::parse("often seldom ").unwrap();
    let mut all = vec![];
    for status in statuses {
        for group_id in groups {
            for agent_id in [None, Some(agent), Some(AgentId::from_uuid(id(6)))] {
                for tag_id in [None, Some(TagId::from_uuid(id(1)))] {
                    for visible_to in [None, Some(visible.clone())] {
                        for search in [None, search.clone()] {
                            let (from, to, visible_to) = (None, None, visible_to.clone());
                            let filter =
                                ConversationFilter { status, agent_id, group_id, tag_id, from, to, search, visible_to };
                            let to = Some(Timestamp::from_micros(3_000));
                            all.extend([ConversationFilter { to, ..filter.clone() }, filter.clone()]);
                        }
                    }
                }
            }
        }
    }
    all
}

#[tokio::test]
async fn lists_are_read_in_the_order_of_an_index() {
    for fresh in fresh_databases().await {
        fill(&fresh.database).await;
        let mut seen = std::collections::BTreeSet::new();
        for filter in filters() {
            for order in ConversationOrder::ALL {
                for (sql, args) in list::ranges_of(&filter, order, fresh.database.dialect()) {
                    if seen.insert(format!("{sql} {args:?}")) {
                        let bad = bad_steps(&fresh.database, &sql, args).await;
                        assert_eq!(bad, Vec::<String>::new(), "{filter:?} {sql}");
                    }
                }
            }
        }
        assert!(seen.len() > 100);
    }
}

/// Otherwise the hundredth page takes a hundred times as long as the first.
#[tokio::test]
async fn pages_are_begun_where_they_begin() {
    for fresh in fresh_databases().await {
        fill(&fresh.database).await;
        for filter in filters().into_iter().filter(|filter| filter.tag_id.is_none()) {
            for order in [ConversationOrder::Newest, ConversationOrder::Oldest] {
                for (sql, args) in list::ranges_of(&filter, order, fresh.database.dialect()) {
                    // Few chats wait again.
                    if !sql.contains("x.last_agent_id = ? AND x.waiting_position > 0") {
                        let first = &explain(&fresh.database, &sql, args).await[0];
                        assert!(begins_at_a_position(&fresh.database, first), "{filter:?} {sql}");
                    }
                }
            }
        }
    }
}

fn begins_at_a_position(database: &Database, step: &Row) -> bool {
    match database.dialect() {
        Dialect::Sqlite => {
            let step = step.text("detail").unwrap();
            ["created_position<?", "created_position>?", "rowid<?", "rowid>?"].iter().any(|range| step.contains(range))
        }
        Dialect::Mysql => step.text("type").unwrap() == "range",
    }
}

#[tokio::test]
async fn places_in_a_queue_are_counted_in_a_range_of_an_index() {
    for fresh in fresh_databases().await {
        fill(&fresh.database).await;
        let args = sql_args![0_i64, id(0), 0_i64, 3_000_i64];
        let limited = sql_args![id(0), 0_i64, 3_000_i64, 257_i64];
        let column = match fresh.database.dialect() {
            Dialect::Sqlite => "detail",
            Dialect::Mysql => "key",
        };
        let queues = Queues::Conversations(scope_of_group);
        for (sql, args) in [(queues.between(), args), (queues.arrivals(), limited)] {
            let rows = explain(&fresh.database, sql, args).await;
            assert!(rows[0].text(column).unwrap().contains("conversations_in_queue"), "{sql}");
        }
        let (group, at) = (id(0), 3_000_i64);
        let around = sql_args![0_i64, group, at, 257_i64, group, at, 257_i64, "group"];
        let rows = explain(&fresh.database, AROUND, around).await;
        let used = rows.iter().filter_map(|row| row.opt_text(column).unwrap());
        assert_eq!(used.filter(|step| step.contains("conversations_in_queue")).count(), 2);
    }
}
