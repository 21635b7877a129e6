use super::*;

fn survey(tables: &[&str], done: &[i64]) -> Survey {
    let of = |version: i64| MIGRATIONS.iter().find(|step| step.version == version.abs()).unwrap();
    Survey {
        tables: tables.iter().map(|table| (*table).to_owned()).collect(),
        columns: RECORD_COLUMNS.map(str::to_owned).into(),
        recorded: done.iter().map(|version| (*version, digest(of(*version), Dialect::Sqlite))).collect(),
    }
}

fn judged(tables: &[&str], done: &[i64]) -> Result<usize, MigrateError> {
    survey(tables, done).judge(Dialect::Sqlite).map(|missing| missing.len())
}

fn whole(steps: usize) -> Vec<&'static str> {
    let mut tables: Vec<_> = after(MIGRATIONS.iter().take(steps), Dialect::Sqlite).into_iter().collect();
    tables.push(RECORD);
    tables
}

fn done(steps: usize) -> Vec<i64> {
    MIGRATIONS.iter().take(steps).map(|step| step.version).collect()
}

#[test]
fn both_variants_of_a_step_make_and_remove_the_same_tables() {
    for step in MIGRATIONS {
        let [mysql, sqlite] = [Dialect::Mysql, Dialect::Sqlite].map(|dialect| Effect::of(step, dialect));
        assert_eq!((mysql.created, mysql.dropped), (sqlite.created, sqlite.dropped), "{}", step.name);
        for dialect in [Dialect::Mysql, Dialect::Sqlite] {
            let sql = step.sql(dialect).to_uppercase();
            let count = |words: &str| sql.matches(words).count();
            assert_eq!(count("CREATE TABLE"), count("\nCREATE TABLE IF NOT EXISTS "), "{}", step.name);
            assert_eq!(count("DROP TABLE"), count("\nDROP TABLE IF EXISTS "), "{}", step.name);
            assert_eq!(count("RENAME TO") + count("CREATE VIEW") + count("CREATE TRIGGER"), 0, "{}", step.name);
        }
    }
    assert!(whole(9).len() > 25);
}

#[test]
fn empty_database_and_whole_stores_of_every_version_are_fine() {
    assert_eq!(judged(&[], &[]).unwrap(), MIGRATIONS.len());
    assert_eq!(judged(&[RECORD], &[]).unwrap(), MIGRATIONS.len());
    for steps in 1..=MIGRATIONS.len() {
        assert_eq!(judged(&whole(steps), &done(steps)).unwrap(), MIGRATIONS.len() - steps);
    }
}

#[test]
fn any_table_in_a_database_without_a_record_is_foreign() {
    for tables in [&["conversations"][..], &["invoices"], &["events", "log_head"], &[RECORD, "users"]] {
        let refused = judged(tables, &[]).unwrap_err();
        assert!(matches!(&refused, MigrateError::Foreign { .. }), "{refused:?}");
        assert!(refused.to_string().contains(tables.last().unwrap()), "{refused}");
    }
}

#[test]
fn record_of_another_program_is_foreign() {
    for columns in [&["version"][..], &["version", "dirty"], &["applied_us", "digest", "name", "version", "x"]] {
        let columns = columns.iter().map(|column| (*column).to_owned()).collect();
        let survey = Survey { columns, ..survey(&[RECORD], &[]) };
        assert!(matches!(survey.has_own_record(), Err(MigrateError::Foreign { .. })), "{:?}", survey.columns);
    }
}

#[test]
fn store_that_lacks_a_table_is_no_store() {
    for lost in whole(9).into_iter().filter(|table| *table != RECORD) {
        let tables: Vec<_> = whole(9).into_iter().filter(|table| *table != lost).collect();
        let refused = judged(&tables, &done(9)).unwrap_err();
        assert!(matches!(&refused, MigrateError::Incomplete { tables } if tables == &[lost]), "{refused:?}");
    }
}

#[test]
fn next_step_meets_no_foreign_table_and_leaves_others_in_peace() {
    let mut tables = whole(5);
    tables.push("invoices");
    assert_eq!(judged(&tables, &done(5)).unwrap(), MIGRATIONS.len() - 5);
    tables.push("search_words");
    let refused = judged(&tables, &done(5)).unwrap_err();
    assert!(matches!(&refused, MigrateError::Foreign { tables } if tables == &["search_words"]), "{refused:?}");
}

#[test]
fn step_that_broke_off_goes_on() {
    let (mut begun, mut tables) = (done(5), whole(5));
    begun.push(-6);
    tables.retain(|table| *table != "conversations" && *table != "conversation_tags");
    tables.push("conversation_counts");
    assert_eq!(judged(&tables, &begun).unwrap(), MIGRATIONS.len() - 5);
    assert_eq!(judged(&[RECORD, "log_head", "events"], &[-1]).unwrap(), MIGRATIONS.len());
    assert!(judged(&[RECORD, "log_head", "invoices"], &[-1]).is_err());
}
