//! Asks both stores in turn, so that whatever else the machine does weighs on both.

use std::time::Instant;

use hdrhistogram::Histogram;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use super::cases::{Case, Names};
use crate::connection::{Connection, request};
use crate::driver::{Latency, histogram, micros};

/// How far lists are followed.
pub const PAGES: usize = 100;

/// Requests before the first that counts.
const WARM_UP: usize = 5;

/// What may come of a store with more in it: this many times the p99 of the other one.
pub const TOLERATED: f64 = 2.0;

/// How often a page is measured when it is beyond that: something else may have needed the machine.
const TRIES: usize = 3;

/// A running program with a filled store.
pub struct Side {
    pub address: String,
    pub names: Names,
}

/// A page of a list.
#[derive(Clone)]
struct Place {
    path: String,
    page: usize,
    rows: usize,
}

/// Times of one page in one store.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Times {
    pub page: usize,
    pub rows: usize,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub max_ms: f64,
}

/// A line of the table.
#[derive(Debug, serde::Serialize)]
pub struct Line {
    pub case: &'static str,
    pub path: String,
    /// The store with many conversations, then the one with few.
    pub times: [Times; 2],
    /// The same with as many rows on both pages; none where the store with few has nothing to show.
    pub alike: Option<[Times; 2]>,
    /// How often it was measured; the best of these is kept.
    pub tries: usize,
}

impl Line {
    /// Of the p99 of pages with as many rows: an empty page is no measure for a full one.
    pub fn ratio(&self) -> Option<f64> {
        self.alike.as_ref().map(|[many, few]| many.p99_ms / few.p99_ms)
    }

    fn is_tolerated(&self) -> bool {
        self.ratio().is_none_or(|ratio| ratio <= TOLERATED)
    }
}

/// The first page, and the farthest full page up to the hundredth.
pub async fn measure(sides: &[Side; 2], cases: [&Case; 2], requests: usize) -> Vec<Line> {
    let mut far = vec![];
    for (side, case) in sides.iter().zip(cases) {
        far.push(follow(side, case).await);
    }
    let first = |place: usize, far: &(Place, Place)| [&far.0, &far.1][place].clone();
    let mut lines = vec![pair(sides, cases, [first(0, &far[0]), first(0, &far[1])], requests).await];
    if far[0].1.page > 1 {
        lines.push(pair(sides, cases, [first(1, &far[0]), first(1, &far[1])], requests).await);
    }
    lines
}

/// Measures once more where the ratio is not good.
async fn pair(sides: &[Side; 2], cases: [&Case; 2], places: [Place; 2], requests: usize) -> Line {
    let mut best = line(sides, cases, &places, requests).await;
    for tries in 2..=TRIES {
        if best.is_tolerated() {
            break;
        }
        let line = line(sides, cases, &places, requests).await;
        best = if line.ratio() < best.ratio() { line } else { best };
        best.tries = tries;
    }
    best
}

async fn line(sides: &[Side; 2], cases: [&Case; 2], places: &[Place; 2], requests: usize) -> Line {
    let times = once(sides, cases, places, requests).await;
    let [many, few] = places;
    let alike = match many.rows.min(few.rows) {
        _ if many.rows == few.rows => Some(times.clone()),
        0 => None,
        rows => Some(once(sides, cases, &[many.with_rows(rows), few.with_rows(rows)], requests).await),
    };
    Line { case: cases[0].name, path: many.path.clone(), times, alike, tries: 1 }
}

impl Place {
    /// The same place with this number of rows, of which there are more.
    fn with_rows(&self, rows: usize) -> Self {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let others = query.split('&').filter(|parameter| !parameter.is_empty() && !parameter.starts_with("limit="));
        let limit = format!("limit={rows}");
        let query: Vec<_> = others.chain([limit.as_str()]).collect();
        Self { path: format!("{path}?{}", query.join("&")), page: self.page, rows }
    }
}

async fn once(sides: &[Side; 2], cases: [&Case; 2], places: &[Place; 2], requests: usize) -> [Times; 2] {
    let mut times = [histogram(), histogram()];
    let mut connections = vec![];
    for side in sides {
        connections.push(Connection::open(&side.address).await.expect("the program listens"));
    }
    let asked = |number: usize| {
        let token = &sides[number].names.tokens[cases[number].who as usize];
        request("GET", &places[number].path, Some(token), "")
    };
    let asked = [asked(0), asked(1)];
    for turn in 0..requests + WARM_UP {
        for (number, connection) in connections.iter_mut().enumerate() {
            let sent = Instant::now();
            let answer = connection.send(&asked[number]).await.expect("the program answers");
            let took = sent.elapsed();
            assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
            if turn == 0 {
                let body = serde_json::from_slice(&answer.body).unwrap_or_default();
                assert_eq!(rows(&body), places[number].rows, "{}: {body}", places[number].path);
            }
            if turn >= WARM_UP {
                times[number].saturating_record(micros(took));
            }
        }
    }
    [in_figures(&times[0], &places[0]), in_figures(&times[1], &places[1])]
}

fn in_figures(times: &Histogram<u64>, place: &Place) -> Times {
    let Latency { p50_ms, p99_ms, max_ms, .. } = Latency::of(times);
    Times { page: place.page, rows: place.rows, p50_ms, p99_ms, max_ms }
}

fn rows(body: &Value) -> usize {
    body["data"].as_array().map_or(1, Vec::len)
}

/// Follows the cursors; gives the first page and the farthest full one.
async fn follow(side: &Side, case: &Case) -> (Place, Place) {
    let mut connection = Connection::open(&side.address).await.expect("the program listens");
    let token = &side.names.tokens[case.who as usize];
    let mut place = Place { path: case.path.clone(), page: 1, rows: 0 };
    let mut first = None;
    let mut far = place.clone();
    loop {
        let answer = connection.send(&request("GET", &place.path, Some(token), "")).await.expect("an answer");
        let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        assert_eq!(answer.status, 200, "{}: {body}", place.path);
        place.rows = rows(&body);
        first.get_or_insert_with(|| place.clone());
        if place.page == 1 || place.rows >= far.rows {
            far = place.clone();
        }
        match body["nextCursor"].as_str() {
            Some(cursor) if place.page < PAGES => place = next(case, &place, cursor),
            _ => return (first.unwrap_or_else(|| far.clone()), far),
        }
    }
}

fn next(case: &Case, place: &Place, cursor: &str) -> Place {
    let parameter = if case.path.starts_with("/v1/threads") { "after" } else { "cursor" };
    let join = if case.path.contains('?') { '&' } else { '?' };
    let cursor = utf8_percent_encode(cursor, NON_ALPHANUMERIC);
    Place { path: format!("{}{join}{parameter}={cursor}", case.path), page: place.page + 1, rows: 0 }
}
