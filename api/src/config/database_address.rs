//! The address of the database: what is wrong with it is reported by name, before anything connects.

use std::path::PathBuf;
use std::{fs, io};

use infrastructure::database::Database;

use super::ConfigError;

const SETTING: &str = "DATABASE_URL";

/// The parameters of `mysql://…`, as the driver knows them. It ignores others, and with them what they should ensure.
const PARAMETERS: [&str; 13] = [
    "ssl-mode",
    "sslmode",
    "ssl-ca",
    "sslca",
    "ssl-cert",
    "sslcert",
    "ssl-key",
    "sslkey",
    "charset",
    "collation",
    "statement-cache-capacity",
    "socket",
    "timezone",
];

const TLS_MODES: [&str; 5] = ["DISABLED", "PREFERRED", "REQUIRED", "VERIFY_CA", "VERIFY_IDENTITY"];

/// Refuses an address that cannot be connected to, whatever is there.
pub(super) fn check(url: &str) -> Result<(), ConfigError> {
    match url.split_once(':') {
        Some(("mysql", _)) => check_mysql(url),
        Some(("sqlite", _)) if Database::is_address(url) => Ok(()),
        Some(("sqlite", _)) => {
            malformed("must be sqlite:PATH with the path of a file, and no parameter but mode=ro, mode=rw or mode=rwc")
        }
        _ => malformed("must begin with mysql:// or sqlite:"),
    }
}

const fn malformed(expected: &'static str) -> Result<(), ConfigError> {
    Err(ConfigError::Malformed { setting: SETTING, expected })
}

fn check_mysql(url: &str) -> Result<(), ConfigError> {
    const FORM: &str = "must be mysql://USER:PASSWORD@HOST/NAME; in the user and the password, @ / : # ? % [ ] are written as \
        %40 %2F %3A %23 %3F %25 %5B %5D";
    let (address, parameters) = url.split_once('?').unwrap_or((url, ""));
    // What stands after the host and a slash is the name of a database, which holds none of these. They are the rest of a
    // password that is not encoded: its part before them would be looked up as the name of a host.
    let name = address.splitn(4, '/').nth(3).unwrap_or_default();
    if !url.starts_with("mysql://") || name.is_empty() || name.contains(['@', '/', ':', '#']) {
        return malformed(FORM);
    }
    parameters.split('&').filter(|parameter| !parameter.is_empty()).try_for_each(check_parameter)?;
    if Database::is_address(url) { Ok(()) } else { malformed(FORM) }
}

fn check_parameter(parameter: &str) -> Result<(), ConfigError> {
    let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
    let refused = |expected| Err(ConfigError::Parameter { setting: SETTING, parameter: name.to_owned(), expected });
    match name {
        name if !PARAMETERS.contains(&name) => {
            refused("is not known; there are ssl-mode, ssl-ca, ssl-cert and ssl-key")
        }
        "ssl-mode" | "sslmode" if !TLS_MODES.contains(&value.to_ascii_uppercase().as_str()) => {
            refused("must be DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY")
        }
        "ssl-ca" | "sslca" | "ssl-cert" | "sslcert" | "ssl-key" | "sslkey" => ensure_readable(value),
        _ => Ok(()),
    }
}

/// The driver reports a missing file without its name.
fn ensure_readable(path: &str) -> Result<(), ConfigError> {
    let path = PathBuf::from(path.replace("%2F", "/").replace("%20", " "));
    let found: io::Result<_> = fs::File::open(&path);
    found.map(|_| ()).map_err(|source| ConfigError::File { setting: SETTING, path, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str) -> String {
        check(url).unwrap_err().to_string()
    }

    #[test]
    fn addresses_that_can_be_connected_to_are_accepted() {
        for url in [
            "mysql://lc:secret@127.0.0.1/lc",
            "mysql://lc:p%40ss%2Fw%23rd@db.example:3307/lc",
            "mysql://lc@[::1]:3306/lc?ssl-mode=verify_identity&ssl-ca=/dev/null",
            "mysql://lc:secret@db/lc?sslmode=REQUIRED",
            "sqlite:data/x.db",
            "sqlite:///var/x.db?mode=ro",
        ] {
            check(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        }
    }

    #[test]
    fn passwords_that_are_not_encoded_are_explained() {
        for password in ["p@ss/w#rd", "a/b", "a#b", "a@b/c", "a/b@c", "50%/@"] {
            let refused = refusal(&format!("mysql://lc:{password}@127.0.0.1/lc"));
            assert!(refused.contains("%40 %2F"), "{password}: {refused}");
            assert!(!refused.contains(password), "{refused}");
        }
        for url in ["mysql://lc:secret@127.0.0.1", "mysql://lc:secret@127.0.0.1/", "mysql:lc", "mysql://"] {
            assert!(refusal(url).contains("mysql://USER:PASSWORD@HOST/NAME"), "{url}");
        }
    }

    #[test]
    fn wrong_parameters_are_named() {
        let with = |parameters: &str| refusal(&format!("mysql://lc:secret@127.0.0.1/lc?{parameters}"));
        assert!(with("ssl_mode=REQUIRED").contains("the parameter ssl_mode is not known"));
        assert!(with("ssl-mode=REQUIRED&tls=1").contains("the parameter tls is not known"));
        assert!(with("sslmode=require").contains("the parameter sslmode must be DISABLED"));
        assert!(with("ssl-mode=").contains("the parameter ssl-mode must be"));
        assert!(with("ssl-mode=VERIFY_CA&ssl-ca=/no/such.pem").contains("cannot use /no/such.pem"));
        assert!(with("ssl-key=/no/such.key").contains("cannot use /no/such.key"));
    }
}
