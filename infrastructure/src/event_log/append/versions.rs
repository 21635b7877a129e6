//! The versions of streams that the appender knows, and the conditions that it has to ask the database about.

use std::collections::{HashMap, HashSet};

use application::ports::{Sequence, StreamId, StreamVersion};

use super::request::Prepared;

/// The highest number of remembered streams; beyond it, all are forgotten.
const MAX_REMEMBERED: usize = 20_000;

/// The versions that streams have certainly reached.
#[derive(Default)]
pub(crate) struct KnownVersions {
    streams: HashMap<StreamId, Known>,
    /// Grows with each append of another node.
    generation: u64,
}

#[derive(Clone, Copy)]
struct Known {
    version: Sequence,
    generation: u64,
}

/// A condition on the log without which a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Demand {
    /// The stream has reached this version, so that the next event leaves no hole.
    Reached(StreamVersion),
    /// The stream is exactly at this version.
    Stands(StreamVersion),
}

impl KnownVersions {
    /// Remembers what a request has appended and observed.
    pub(crate) fn remember(&mut self, request: &Prepared) {
        if self.streams.len() > MAX_REMEMBERED {
            self.streams.clear();
        }
        let generation = self.generation;
        let observed = request.observed.iter().map(|observed| (observed.stream, observed.version));
        let appended = request.streams.iter().map(|stream| (stream.stream, stream.after));
        for (stream, version) in observed.chain(appended) {
            let known = self.streams.entry(stream).or_insert(Known { version, generation });
            *known = Known { version: version.max(known.version), generation };
        }
    }

    /// Forgets everything: another history may have begun.
    pub(crate) fn forget(&mut self) {
        self.streams.clear();
    }

    /// Notes that another node has appended: any stream may have grown.
    pub(crate) const fn others_appended(&mut self) {
        self.generation += 1;
    }

    /// Whether a stream is already past the version that a request expects. Streams only grow.
    pub(crate) fn outdate(&self, request: &Prepared) -> bool {
        let is_behind = |stream, version| self.streams.get(&stream).is_some_and(|known| version < known.version);
        request.streams.iter().any(|stream| is_behind(stream.stream, stream.expected))
            || request.observed.iter().any(|observed| is_behind(observed.stream, observed.version))
    }

    /// The conditions of a batch that are not known to be met.
    pub(crate) fn demands<'a>(&self, requests: impl Iterator<Item = &'a Prepared>) -> Vec<Demand> {
        // The batch was put together so that its own changes contradict none of its requests.
        let mut changed = HashSet::new();
        let mut asked = HashSet::new();
        let mut demands = vec![];
        for request in requests {
            let observed = request.observed.iter().filter(|observed| !changed.contains(&observed.stream));
            let unknown = observed.filter(|observed| !self.stands(observed));
            demands
                .extend(unknown.filter(|observed| asked.insert(**observed)).map(|observed| Demand::Stands(*observed)));
            for stream in &request.streams {
                let expected = StreamVersion { stream: stream.stream, version: stream.expected };
                if changed.insert(stream.stream) && !self.has_reached(&expected) {
                    demands.push(Demand::Reached(expected));
                }
            }
        }
        demands
    }

    fn has_reached(&self, expected: &StreamVersion) -> bool {
        expected.version == 0
            || self.streams.get(&expected.stream).is_some_and(|known| known.version >= expected.version)
    }

    fn stands(&self, observed: &StreamVersion) -> bool {
        self.streams
            .get(&observed.stream)
            .is_some_and(|known| (known.version, known.generation) == (observed.version, self.generation))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::Dialect;
    use crate::event_log::testing::{append, observing, stream};

    fn prepared(streams: &[(StreamId, Sequence, usize)], observed: &[(StreamId, Sequence)]) -> Prepared {
        Prepared::new(observing(append(streams), observed), Dialect::Sqlite).unwrap()
    }

    fn demands(known: &KnownVersions, requests: &[Prepared]) -> Vec<Demand> {
        known.demands(requests.iter())
    }

    const fn reached(stream: StreamId, version: Sequence) -> Demand {
        Demand::Reached(StreamVersion { stream, version })
    }

    const fn stands(stream: StreamId, version: Sequence) -> Demand {
        Demand::Stands(StreamVersion { stream, version })
    }

    #[test]
    fn left_behind_versions_are_known() {
        let mut known = KnownVersions::default();
        known.remember(&prepared(&[(stream(1), 3, 2)], &[(stream(3), 7)]));
        assert!(known.outdate(&prepared(&[(stream(1), 4, 1)], &[])));
        assert!(!known.outdate(&prepared(&[(stream(1), 5, 1)], &[])));
        assert!(!known.outdate(&prepared(&[(stream(2), 0, 1)], &[])));
        assert!(known.outdate(&prepared(&[(stream(2), 0, 1)], &[(stream(1), 4)])));
        assert!(known.outdate(&prepared(&[(stream(2), 0, 1)], &[(stream(3), 6)])));
    }

    #[test]
    fn unknown_streams_are_asked_about() {
        let known = KnownVersions::default();
        let request = prepared(&[(stream(1), 3, 2), (stream(2), 0, 1)], &[(stream(3), 0), (stream(4), 2)]);
        assert_eq!(demands(&known, &[request]), [stands(stream(3), 0), stands(stream(4), 2), reached(stream(1), 3)]);
    }

    #[test]
    fn what_was_just_appended_or_looked_at_needs_no_question() {
        let mut known = KnownVersions::default();
        known.remember(&prepared(&[(stream(1), 3, 2)], &[(stream(2), 4)]));
        let request = || prepared(&[(stream(1), 5, 1)], &[(stream(2), 4)]);
        assert_eq!(demands(&known, &[request()]), []);
        known.others_appended();
        assert_eq!(demands(&known, &[request()]), [stands(stream(2), 4)]);
        known.remember(&request());
        assert_eq!(demands(&known, &[prepared(&[(stream(9), 0, 1)], &[(stream(1), 6), (stream(2), 4)])]), []);
        known.forget();
        assert_eq!(demands(&known, &[request()]), [stands(stream(2), 4), reached(stream(1), 5)]);
    }

    #[test]
    fn unknown_version_ahead_of_a_known_one_is_asked_about() {
        let mut known = KnownVersions::default();
        known.remember(&prepared(&[(stream(1), 1, 1)], &[]));
        assert_eq!(demands(&known, &[prepared(&[(stream(1), 3, 1)], &[])]), [reached(stream(1), 3)]);
        let observer = prepared(&[(stream(2), 0, 1)], &[(stream(1), 3)]);
        assert_eq!(demands(&known, &[observer]), [stands(stream(1), 3)]);
    }

    #[test]
    fn what_the_batch_brings_about_needs_no_question() {
        let known = KnownVersions::default();
        let follows = prepared(&[(stream(1), 5, 1)], &[]);
        let looks = prepared(&[(stream(2), 0, 1)], &[(stream(1), 6)]);
        assert_eq!(demands(&known, &[prepared(&[(stream(1), 4, 1)], &[]), follows, looks]), [reached(stream(1), 4)]);
    }
}
