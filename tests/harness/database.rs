//! One test for each kind of database.

/// Runs a function as one test for each kind of database: `name::sqlite` and `name::mysql`.
///
/// The function stands outside the macro, where rustfmt and editors see it; the compiler reports one that has no such
/// line as dead code.
///
/// ```ignore
/// each_database!(sent_message_is_read_back);
/// async fn sent_message_is_read_back(database: TestDatabase) {
///     assert!(!database.url().is_empty());
/// }
/// ```
#[macro_export]
macro_rules! each_database {
    ($name:ident) => {
        mod $name {
            use $crate::{TestDatabase, tokio};

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                super::$name(TestDatabase::sqlite()).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn mysql() {
                if let Some(database) = TestDatabase::mysql(module_path!()).await {
                    super::$name(database).await;
                }
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use crate::{DatabaseKind, TestDatabase};

    each_database!(test_runs_on_the_database_that_its_name_says);
    async fn test_runs_on_the_database_that_its_name_says(database: TestDatabase) {
        let name = std::thread::current().name().map(str::to_owned).unwrap_or_default();
        let kind = if name.ends_with("::sqlite") { DatabaseKind::Sqlite } else { DatabaseKind::MySql };
        assert!(name.ends_with(&format!("::{kind}")), "{name}");
        assert_eq!(database.kind(), kind);
    }
}
