//! Whole requests, compared with the bare appends of mysql-es on the same server: in turn, in one run.

use std::time::Duration;

use harness::{Process, TestDatabase};

use super::operations::sends;
use crate::append::contenders::{MysqlEs, PUBLISHED_POOL};
use crate::append::round;
use crate::driver::closed_loop;
use crate::driver::median;
use crate::team::Team;

/// Of connections, and of writers.
const AT_ONCE: usize = 64;

/// How often each has its turn; the median counts.
const ROUNDS: usize = 5;

/// A second, round by round.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Yardstick {
    pub sends: Vec<f64>,
    /// With a connection for each writer.
    pub mysql_es: Vec<f64>,
    /// With as many connections as it opens itself.
    pub mysql_es_pool: Vec<f64>,
    pub errors: u64,
}

impl Yardstick {
    pub async fn measure(process: &Process, team: &Team, duration: Duration) -> Self {
        let address = process.base().trim_start_matches("http://");
        let database = TestDatabase::mysql("mysql-es").await.expect("the server is there");
        let mut found = Self { sends: vec![], mysql_es: vec![], mysql_es_pool: vec![], errors: 0 };
        for _ in 0..ROUNDS {
            let sends = closed_loop::measure(address, AT_ONCE, duration, &sends(&team.chats)).await;
            found.sends.push(sends.per_second);
            found.errors += sends.errors;
            found.mysql_es.push(mysql_es(database.url(), AT_ONCE, duration).await);
            found.mysql_es_pool.push(mysql_es(database.url(), PUBLISHED_POOL, duration).await);
        }
        found
    }

    /// Sends over HTTP, in multiples of what mysql-es appends in the faster of the two ways.
    pub fn ratio(&self) -> f64 {
        let mysql_es = median(self.mysql_es.clone()).max(median(self.mysql_es_pool.clone()));
        median(self.sends.clone()) / mysql_es
    }
}

/// On a runtime with all cores, as a program that uses it would have.
async fn mysql_es(url: &str, connections: usize, duration: Duration) -> f64 {
    let url = url.to_owned();
    let measure = move || {
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let mysql_es = MysqlEs::at(&url, connections).await;
            let rate = round(&mysql_es, AT_ONCE, duration).await;
            mysql_es.close().await;
            rate
        })
    };
    tokio::task::spawn_blocking(measure).await.expect("a rate")
}
