//! The table, in the form in which it goes into the docs, and the same as JSON.

use std::fs;

use sqlx::{Connection as _, MySqlConnection, Row as _};

use super::measure::Line;
use super::store::target;
use crate::machine;

pub async fn publish(mysql: Option<&str>, conversations: [usize; 2], lines: &[Line]) {
    let [many, few] = conversations;
    println!("\n{}; {}\n", settings(mysql).await, machine::busyness());
    println!("| list | page | rows | p50 | p99 | max | at {few}: page | p50 | p99 | ratio of p99 |");
    println!("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    for line in lines {
        let [a, b] = &line.times;
        println!(
            "| {} | {} | {} | {:.1} | {:.1} | {:.1} | {} | {:.1} | {:.1} | {:.1}{} |",
            line.case,
            a.page,
            a.rows,
            a.p50_ms,
            a.p99_ms,
            a.max_ms,
            b.page,
            b.p50_ms,
            b.p99_ms,
            line.ratio(),
            if line.tries > 1 { format!(" (best of {})", line.tries) } else { String::new() }
        );
    }
    let worst = |value: fn(&Line) -> f64| lines.iter().map(value).fold(0.0, f64::max);
    println!(
        "\nat {many} conversations: highest p99 {:.1} ms, highest ratio {:.1}",
        worst(|line| line.times[0].p99_ms),
        worst(Line::ratio)
    );
    let path = target().join("bench").join(format!("lists-{}.json", if mysql.is_some() { "mysql" } else { "sqlite" }));
    if let Err(error) = fs::write(&path, serde_json::to_vec_pretty(lines).unwrap_or_default()) {
        eprintln!("not kept: {error}");
    }
}

/// Which database, with what matters for lists and for what a commit means.
async fn settings(mysql: Option<&str>) -> String {
    const SETTINGS: &str = "SELECT CONCAT(VERSION(), ', innodb_flush_log_at_trx_commit=', \
        @@innodb_flush_log_at_trx_commit, ', buffer pool ', @@innodb_buffer_pool_size DIV 1048576, ' MiB')";
    let Some(address) = mysql else {
        return "SQLite, WAL, log synchronous=FULL, read models synchronous=NORMAL".to_owned();
    };
    let mut server = MySqlConnection::connect(address).await.expect("the server answers");
    let row = sqlx::query(SETTINGS).fetch_one(&mut server).await.expect("the server tells its settings");
    String::from_utf8_lossy(row.get::<&[u8], _>(0)).into_owned()
}
