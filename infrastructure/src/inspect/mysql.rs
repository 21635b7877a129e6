//! MySQL or MariaDB.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, unknown};
use crate::database::{Database, DatabaseError, RELIED_ON};

/// The connections of a node: the pool, and one to append with.
const OF_A_NODE: u64 = 17;

/// What the program does with tables, also while it rebuilds some.
const PRIVILEGES: [&str; 8] = ["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "ALTER", "INDEX"];

/// Those that only changes of the schema need.
const DEFINING: [&str; 4] = ["CREATE", "DROP", "ALTER", "INDEX"];

const GLOBAL: &str = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('innodb_flush_log_at_trx_commit', 'sync_binlog', \
                      'log_bin', 'binlog_format', 'max_allowed_packet', 'max_connections', 'read_only', \
                      'character_set_server', 'innodb_doublewrite', 'version', 'version_comment')";

type Variables = BTreeMap<String, String>;

pub(super) async fn inspect(database: &Database, findings: &mut Vec<Finding>) {
    match variables(database, GLOBAL).await {
        Ok(global) => {
            findings.push(version(&global));
            findings.push(durability(&global));
            findings.push(room(&global));
            findings.extend(replication(&global));
        }
        Err(error) => findings.push(unknown("database", &error)),
    }
    match variables(database, "SHOW SESSION VARIABLES").await {
        Ok(session) => findings.push(sessions(&session)),
        Err(error) => findings.push(unknown("database sessions", &error)),
    }
    match missing_privileges(database).await {
        Ok(missing) => findings.push(privileges(&missing)),
        Err(error) => findings.push(unknown("database privileges", &error)),
    }
}

async fn variables(database: &Database, sql: &str) -> Result<Variables, DatabaseError> {
    let rows = database.fetch_all(sql, vec![]).await?;
    let pair = |row: &crate::database::Row| Ok((row.text("Variable_name")?, row.text("Value")?));
    rows.iter().map(pair).collect()
}

fn text<'a>(variables: &'a Variables, name: &str) -> &'a str {
    variables.get(name).map_or("", String::as_str)
}

fn number(variables: &Variables, name: &str) -> u64 {
    text(variables, name).parse().unwrap_or_default()
}

fn is_on(variables: &Variables, name: &str) -> bool {
    matches!(text(variables, name), "ON" | "1")
}

/// The releases that the tests run on, and later ones.
fn version(global: &Variables) -> Finding {
    let full = text(global, "version");
    let is_mariadb = full.contains("MariaDB") || text(global, "version_comment").to_lowercase().contains("mariadb");
    let mut numbers = full.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    let (name, oldest) = if is_mariadb { ("MariaDB", (10, 11)) } else { ("MySQL", (8, 0)) };
    let said = format!("{name} {full}");
    if found >= oldest {
        Finding::ok("database", said)
    } else {
        Finding::failed("database", said, format!("use {name} {}.{} or newer", oldest.0, oldest.1))
    }
}

/// An answer to a client means that the event is on the disk.
fn durability(global: &Variables) -> Finding {
    const SUBJECT: &str = "database durability";
    let mut wrong = vec![];
    if text(global, "innodb_flush_log_at_trx_commit") != "1" {
        wrong.push("innodb_flush_log_at_trx_commit = 1");
    }
    if is_on(global, "log_bin") && text(global, "sync_binlog") != "1" {
        wrong.push("sync_binlog = 1");
    }
    if text(global, "innodb_doublewrite") == "OFF" {
        wrong.push("innodb_doublewrite = ON");
    }
    if wrong.is_empty() {
        return Finding::ok(SUBJECT, "a commit is on the disk when it is answered");
    }
    let advice = format!("set {} in the server's configuration", wrong.join(" and "));
    Finding::failed(SUBJECT, "a loss of power may take back events that were acknowledged", advice)
}

fn room(global: &Variables) -> Finding {
    const SUBJECT: &str = "database limits";
    let (packet, connections) = (number(global, "max_allowed_packet"), number(global, "max_connections"));
    let found = format!("max_allowed_packet {} MiB, max_connections {connections}", packet >> 20);
    if packet < 4 << 20 {
        return Finding::failed(
            SUBJECT,
            found,
            "set max_allowed_packet to 16M or more: a batch of messages is one statement",
        );
    }
    if packet < 16 << 20 {
        return Finding::warning(SUBJECT, found, "set max_allowed_packet to 16M or more");
    }
    let nodes = connections / OF_A_NODE;
    if nodes < 2 {
        let advice = format!("set max_connections to {} or more: a node uses {OF_A_NODE}", 3 * OF_A_NODE);
        return Finding::warning(SUBJECT, found, advice);
    }
    Finding::ok(SUBJECT, format!("{found}: enough for {nodes} nodes"))
}

fn replication(global: &Variables) -> Vec<Finding> {
    let mut findings = vec![];
    if is_on(global, "log_bin") && text(global, "binlog_format") == "STATEMENT" {
        let found = "binlog_format is STATEMENT, which refuses writes of this program";
        findings.push(Finding::failed("database replication", found, "set binlog_format to ROW"));
    }
    if is_on(global, "read_only") {
        let advice = "name the primary in DATABASE_URL, not a replica";
        findings.push(Finding::failed("database replication", "the server is read-only", advice));
    }
    findings
}

/// What this program asks of each connection must last: a proxy in between may share connections.
fn sessions(session: &Variables) -> Finding {
    const SUBJECT: &str = "database sessions";
    let isolation = match text(session, "transaction_isolation") {
        "" => text(session, "tx_isolation"),
        isolation => isolation,
    };
    let is_strict = text(session, "sql_mode").contains("STRICT_TRANS_TABLES");
    let is_wrong = |(name, value): &&(&str, &str)| session.get(*name).is_some_and(|found| found != value);
    let wrong: Vec<_> =
        RELIED_ON.iter().filter(is_wrong).map(|(name, _)| format!("{name} {}", text(session, name))).collect();
    let is_right = isolation == "READ-COMMITTED" && is_strict && text(session, "character_set_client") == "utf8mb4";
    if is_right && wrong.is_empty() {
        return Finding::ok(SUBJECT, "read committed, strict, utf8mb4, and all else that statements rely on");
    }
    let mut found = vec![format!("isolation {isolation}"), format!("sql_mode {}", text(session, "sql_mode"))];
    found.extend(wrong);
    let found = found.join(", ");
    let advice = "connections do not keep their settings: let no proxy share them between sessions";
    Finding::failed(SUBJECT, found, advice)
}

fn privileges(missing: &[&str]) -> Finding {
    const SUBJECT: &str = "database privileges";
    if missing.is_empty() {
        return Finding::ok(SUBJECT, "enough to migrate, serve, rebuild and restore");
    }
    if missing.iter().all(|privilege| DEFINING.contains(privilege)) {
        let found =
            format!("enough to serve, not to migrate, rebuild and restore: {} may be missing", missing.join(", "));
        let advice = "run `livechatlog migrate`, `replay` and `restore` as a user who has ALL ON the database";
        return Finding::warning(SUBJECT, found, advice);
    }
    let found = format!("this user may not be allowed to {}", missing.join(", "));
    // A role may grant it, which cannot be seen here.
    Finding::warning(SUBJECT, found, "GRANT ALL ON the database TO this user")
}

async fn missing_privileges(database: &Database) -> Result<Vec<&'static str>, DatabaseError> {
    let name = database.fetch_optional("SELECT DATABASE() AS name", vec![]).await?;
    let name = name.map(|row| row.text("name")).transpose()?.unwrap_or_default();
    let mut granted = BTreeSet::new();
    for row in database.fetch_all("SHOW GRANTS", vec![]).await? {
        granted.extend(granted_by(&row.first_text()?, &name));
    }
    let has = |privilege: &&&str| granted.contains(**privilege) || granted.contains("ALL PRIVILEGES");
    Ok(PRIVILEGES.iter().filter(|privilege| !has(privilege)).copied().collect())
}

/// What a line such as ``GRANT SELECT, INSERT ON `chat`.* TO …`` gives on all tables of a database.
fn granted_by(grant: &str, database: &str) -> Vec<String> {
    let Some((privileges, rest)) = grant.strip_prefix("GRANT ").and_then(|rest| rest.split_once(" ON ")) else {
        return vec![];
    };
    let object = rest.split(" TO ").next().unwrap_or_default().replace(['`', '\\'], "");
    let applies = object.strip_suffix(".*").is_some_and(|name| name == "*" || name == database || name.contains('%'));
    if applies { privileges.split(", ").map(str::to_owned).collect() } else { vec![] }
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::*;

    fn with(pairs: &[(&str, &str)]) -> Variables {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn versions_that_the_tests_know_are_fine() {
        let status = |version: &str| self::version(&with(&[("version", version)])).status;
        for fine in ["8.0.36", "8.4.3", "9.7.1-commercial", "10.11.19-MariaDB-0+deb12u1", "11.8.2-MariaDB"] {
            assert_eq!(status(fine), Status::Ok, "{fine}");
        }
        for old in ["5.7.44", "10.6.22-MariaDB", "nothing"] {
            assert_eq!(status(old), Status::Failed, "{old}");
        }
    }

    #[test]
    fn settings_that_lose_acknowledged_events_fail() {
        let durable = [("innodb_flush_log_at_trx_commit", "1"), ("log_bin", "ON"), ("sync_binlog", "1")];
        assert_eq!(durability(&with(&durable)).status, Status::Ok);
        for (name, value) in
            [("innodb_flush_log_at_trx_commit", "2"), ("sync_binlog", "0"), ("innodb_doublewrite", "OFF")]
        {
            let mut settings = with(&durable);
            settings.insert(name.into(), value.into());
            let finding = durability(&settings);
            assert_eq!(finding.status, Status::Failed);
            assert!(finding.advice.unwrap().contains(name));
        }
        let mut without_binlog = with(&durable);
        without_binlog.extend(with(&[("log_bin", "OFF"), ("sync_binlog", "0")]));
        assert_eq!(durability(&without_binlog).status, Status::Ok);
    }

    #[test]
    fn small_servers_and_statement_replication_are_told() {
        let room = |packet: &str, connections: &str| {
            self::room(&with(&[("max_allowed_packet", packet), ("max_connections", connections)])).status
        };
        assert_eq!(room("67108864", "151"), Status::Ok);
        assert_eq!(room("67108864", "20"), Status::Warning);
        assert_eq!(room("8388608", "151"), Status::Warning);
        assert_eq!(room("1048576", "151"), Status::Failed);
        assert!(replication(&with(&[("log_bin", "OFF"), ("binlog_format", "STATEMENT")])).is_empty());
        assert_eq!(replication(&with(&[("log_bin", "ON"), ("binlog_format", "STATEMENT")])).len(), 1);
        assert_eq!(replication(&with(&[("read_only", "ON")])).len(), 1);
    }

    #[test]
    fn session_that_lost_what_was_set_is_told() {
        let usual = [
            ("transaction_isolation", "READ-COMMITTED"),
            ("sql_mode", "STRICT_TRANS_TABLES"),
            ("character_set_client", "utf8mb4"),
            ("autocommit", "ON"),
        ];
        assert_eq!(sessions(&with(&usual)).status, Status::Ok);
        for (name, value) in RELIED_ON {
            let mut session = with(&usual);
            session.insert(name.into(), "something else".into());
            let finding = sessions(&session);
            assert_eq!(finding.status, Status::Failed, "{name}");
            assert!(finding.found.contains(name), "{finding:?}");
            session.insert(name.into(), value.into());
            assert_eq!(sessions(&session).status, Status::Ok, "{name}");
        }
    }

    #[test]
    fn user_without_rights_to_define_can_serve() {
        let found = privileges(&["CREATE", "DROP"]).found;
        assert!(found.starts_with("enough to serve, not to migrate"), "{found}");
        assert!(privileges(&["UPDATE", "DROP"]).found.starts_with("this user may not be allowed to UPDATE, DROP"));
        assert_eq!(privileges(&[]).status, Status::Ok);
    }

    #[test]
    fn grants_are_read_as_the_servers_write_them() {
        assert_eq!(
            granted_by("GRANT ALL PRIVILEGES ON *.* TO `root`@`%` WITH GRANT OPTION", "chat"),
            ["ALL PRIVILEGES"]
        );
        assert_eq!(granted_by("GRANT SELECT, INSERT ON `my\\_chat`.* TO `a`@`%`", "my_chat"), ["SELECT", "INSERT"]);
        assert_eq!(granted_by("GRANT SELECT ON `other`.* TO `a`@`%`", "chat"), [""; 0]);
        assert_eq!(granted_by("GRANT SELECT ON `chat`.`events` TO `a`@`%`", "chat"), [""; 0]);
        assert_eq!(granted_by("GRANT `role`@`%` TO `a`@`%`", "chat"), [""; 0]);
    }
}
