use std::collections::BTreeMap;

/// What a page of events makes of pairs that are either there or not, such as an agent in a group.
#[derive(Debug)]
pub(crate) struct Pairs<P> {
    changes: BTreeMap<P, Change>,
}

#[derive(Debug)]
struct Change {
    /// Whether the pair was there before the page: its first event implies that.
    before: bool,
    after: bool,
}

impl<P: Ord> Pairs<P> {
    pub(crate) const fn new() -> Self {
        Self { changes: BTreeMap::new() }
    }

    /// The pair came.
    pub(crate) fn add(&mut self, pair: P) {
        self.changes.entry(pair).or_insert(Change { before: false, after: true }).after = true;
    }

    /// The pair went.
    pub(crate) fn remove(&mut self, pair: P) {
        self.changes.entry(pair).or_insert(Change { before: true, after: false }).after = false;
    }

    /// The pairs to insert, and those to delete.
    pub(crate) fn into_added_and_removed(self) -> (Vec<P>, Vec<P>) {
        let changed = self.changes.into_iter().filter(|(_, change)| change.before != change.after);
        let (added, removed): (Vec<_>, Vec<_>) = changed.partition(|(_, change)| change.after);
        let pairs = |changes: Vec<(P, Change)>| changes.into_iter().map(|(pair, _)| pair).collect();
        (pairs(added), pairs(removed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_and_goes_in_one_page_changes_nothing() {
        let mut pairs = Pairs::new();
        pairs.add("came");
        pairs.remove("went");
        pairs.add("came and went");
        pairs.remove("came and went");
        pairs.remove("went and came");
        pairs.add("went and came");
        assert_eq!(pairs.into_added_and_removed(), (vec!["came"], vec!["went"]));
    }
}
