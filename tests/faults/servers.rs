//! Servers of a test's own, which can be killed, held and started again.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use harness::{eventually, free_port, left_out, left_out_without};
use sqlx::{Connection as _, MySqlConnection};
use tempfile::TempDir;

/// A server on a busy machine is ready within this time.
const STARTED: Duration = Duration::from_secs(60);

/// A MariaDB with a data folder of its own.
pub struct Mariadb {
    daemon: Daemon,
    url: String,
}

/// A Redis that keeps nothing on the disk.
pub struct Redis {
    daemon: Daemon,
    url: String,
}

/// A Redis that is reached by TLS alone, with a certificate of an authority of its own.
pub struct RedisOverTls {
    _daemon: Daemon,
    /// Its address.
    pub url: String,
    /// The file with the authority's certificate.
    pub authority: PathBuf,
}

impl RedisOverTls {
    /// Starts one. None: the machine has none, and it is said which test is left out.
    pub async fn start(test: &str) -> Option<Self> {
        let (Some(server), Some(openssl)) = (find("redis-server"), find("openssl")) else {
            left_out_without(test, "redis-server and openssl");
            return None;
        };
        let (folder, port) = (temporary_folder(), free_port().to_string());
        let place = |name: &str| folder.path().join(name).display().to_string();
        let (key, certificate, authority) = (place("key.pem"), place("certificate.pem"), place("authority.pem"));
        let make = |words: &[&str]| {
            let common =
                ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
            let made = Command::new(&openssl).args(common).args(words).output().expect("it can be started");
            assert!(made.status.success(), "{made:?}");
        };
        let authority_key = place("authority.key");
        make(&["-subj", "/CN=Authority", "-keyout", &authority_key, "-out", &authority]);
        let names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
        let signed = ["-addext", "basicConstraints=critical,CA:FALSE", "-CA", &authority, "-CAkey", &authority_key];
        make(&[&names[..], &signed[..], &["-keyout", &key, "-out", &certificate]].concat());
        let words =
            [server.as_str(), "--bind", "127.0.0.1", "--port", "0", "--tls-port", &port, "--tls-auth-clients", "no"];
        let files = ["--tls-cert-file", &certificate, "--tls-key-file", &key, "--tls-ca-cert-file", &authority];
        let rest = ["--dir", &place(""), "--save", "", "--appendonly", "no"];
        let words: Vec<_> = words.into_iter().chain(files).chain(rest).map(str::to_owned).collect();
        let (authority, daemon) = (PathBuf::from(authority), Daemon::start(words, folder));
        eventually(STARTED, "Redis listens", async || {
            let connection = tokio::net::TcpStream::connect(format!("127.0.0.1:{port}")).await;
            connection.map(drop).map_err(|error| format!("{error}\n{}", daemon.end_of_log()))
        })
        .await;
        Some(Self { _daemon: daemon, url: format!("rediss://localhost:{port}"), authority })
    }
}

/// A proxy in front of the program.
pub struct Proxy {
    _daemon: Daemon,
    /// Its port.
    pub port: u16,
}

impl Proxy {
    /// Starts nginx with this content of `http { … }`, in which `@port@` is the port to listen on.
    pub async fn nginx(test: &str, http: &str) -> Option<Self> {
        let Some(program) = find("nginx") else {
            left_out_without(test, "nginx");
            return None;
        };
        let (folder, port) = (temporary_folder(), free_port());
        let user = if folder.path().metadata().is_ok_and(|folder| folder.uid() == 0) { "user root;" } else { "" };
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {};", folder.path().join(name).display()));
        let config = format!(
            "{user} daemon off; pid {}; error_log stderr; events {{ }} http {{ access_log off; {} {} }}",
            folder.path().join("pid").display(),
            temporary.concat(),
            http.replace("@port@", &port.to_string()),
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, config).expect("the folder takes a file");
        let words = vec![
            program,
            "-p".to_owned(),
            folder.path().display().to_string(),
            "-c".to_owned(),
            file.display().to_string(),
        ];
        Some(Self::listening(Daemon::start(words, folder), port).await)
    }

    /// Starts HAProxy with these sections, in which `@port@` is the port to listen on.
    pub async fn haproxy(test: &str, sections: &str) -> Option<Self> {
        let Some(program) = find("haproxy") else {
            left_out_without(test, "haproxy");
            return None;
        };
        let (folder, port) = (temporary_folder(), free_port());
        let times = "defaults\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n";
        let file = folder.path().join("haproxy.cfg");
        std::fs::write(&file, format!("{times}{}\n", sections.replace("@port@", &port.to_string()))).expect("a file");
        let words = vec![program, "-db".to_owned(), "-f".to_owned(), file.display().to_string()];
        Some(Self::listening(Daemon::start(words, folder), port).await)
    }

    /// Starts Caddy with this content of a site, if further proxies are asked for.
    pub async fn caddy(test: &str, site: &str) -> Option<Self> {
        let program = find_further(test, "caddy")?;
        let (folder, port) = (temporary_folder(), free_port());
        let file = folder.path().join("Caddyfile");
        let config = format!("{{\n admin off\n auto_https off\n}}\nhttp://:{port} {{\n bind 127.0.0.1\n {site}\n}}\n");
        std::fs::write(&file, config).expect("the folder takes a file");
        let file = file.display().to_string();
        let words =
            [program.as_str(), "run", "--adapter", "caddyfile", "--config", file.as_str()].map(str::to_owned).to_vec();
        Some(Self::listening(Daemon::start(words, folder), port).await)
    }

    /// Starts Apache with these further directives, if further proxies are asked for.
    pub async fn apache(test: &str, directives: &str) -> Option<Self> {
        let program = find_further(test, "apache2")?;
        let (folder, port) = (temporary_folder(), free_port());
        let modules = ["mpm_event", "authz_core", "proxy", "proxy_http"]
            .map(|name| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n"));
        let place = folder.path().display();
        let config = format!(
            "ServerRoot {place}\nDefaultRuntimeDir {place}\nPidFile {place}/pid\nServerName localhost\nErrorLog /dev/stderr\n\
             Listen 127.0.0.1:{port}\n{}User nobody\nGroup nogroup\n{directives}\n",
            modules.concat()
        );
        let file = folder.path().join("apache.conf");
        std::fs::write(&file, config).expect("the folder takes a file");
        let words = vec![program, "-DFOREGROUND".to_owned(), "-f".to_owned(), file.display().to_string()];
        Some(Self::listening(Daemon::start(words, folder), port).await)
    }

    async fn listening(daemon: Daemon, port: u16) -> Self {
        eventually(STARTED, "the proxy listens", async || {
            let connection = tokio::net::TcpStream::connect(("127.0.0.1", port)).await;
            connection.map(drop).map_err(|error| format!("{error}\n{}", daemon.end_of_log()))
        })
        .await;
        Self { _daemon: daemon, port }
    }
}

/// A process that can be started again as it was. It is killed when this is dropped.
struct Daemon {
    words: Vec<String>,
    child: Child,
    log: PathBuf,
    _folder: TempDir,
}

impl Mariadb {
    /// Starts one. None: the machine has none, and it is said which test is left out.
    pub async fn start(test: &str) -> Option<Self> {
        let (Some(server), Some(install)) = (find("mariadbd"), find("mariadb-install-db")) else {
            left_out_without(test, "mariadbd and mariadb-install-db");
            return None;
        };
        let folder = temporary_folder();
        let data = format!("--datadir={}", folder.path().join("data").display());
        // The server runs as root only on demand.
        let user = std::fs::metadata(folder.path()).is_ok_and(|folder| folder.uid() == 0).then_some("--user=root");
        let mut installing = Command::new(install);
        installing.args(["--no-defaults", "--force", &data, "--skip-test-db", "--skip-name-resolve"]).args(user);
        // A server that starts removes temporary tables where another one has its own.
        installing.env("TMPDIR", folder.path());
        let installed = installing.arg("--auth-root-authentication-method=normal").output().expect("it can be started");
        assert!(installed.status.success(), "{installed:?}");
        let port = free_port();
        let in_folder = |option: &str, name: &str| format!("--{option}={}", folder.path().join(name).display());
        // Durable as it comes: the log of InnoDB is flushed at every commit.
        let mut words =
            vec![server, "--no-defaults".to_owned(), data, in_folder("socket", "s"), in_folder("pid-file", "p")];
        words.push(in_folder("tmpdir", ""));
        words.extend(user.map(str::to_owned));
        let rest = ["--bind-address=127.0.0.1", "--skip-name-resolve", "--max-connections=500"];
        words.extend(rest.map(str::to_owned));
        words.push(format!("--port={port}"));
        let url = format!("mysql://root@127.0.0.1:{port}/");
        let server = Self { daemon: Daemon::start(words, folder), url };
        server.wait_until_ready().await;
        Some(server)
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// As a loss of power would, but for what the system still writes.
    pub fn kill9(&mut self) {
        self.daemon.kill9();
    }

    /// Starts it again on the same data and port.
    pub async fn restart(&mut self) {
        self.daemon.spawn_again();
        self.wait_until_ready().await;
    }

    /// `STOP`: it says nothing any more, and its connections stay open. `CONT` ends that.
    pub fn signal(&self, name: &str) {
        self.daemon.signal(name);
    }

    async fn wait_until_ready(&self) {
        eventually(STARTED, "MariaDB answers", async || {
            let connection = MySqlConnection::connect(&self.url).await;
            connection.map(drop).map_err(|error| format!("{error}\n{}", self.daemon.end_of_log()))
        })
        .await;
    }
}

impl Redis {
    /// Starts one. None: the machine has none, and it is said which test is left out.
    pub async fn start(test: &str) -> Option<Self> {
        let Some(server) = find("redis-server") else {
            left_out_without(test, "redis-server");
            return None;
        };
        let folder = temporary_folder();
        let (port, place) = (free_port().to_string(), folder.path().display().to_string());
        let words = [
            server.as_str(),
            "--bind",
            "127.0.0.1",
            "--port",
            &port,
            "--dir",
            &place,
            "--save",
            "",
            "--appendonly",
            "no",
        ];
        let words = words.map(str::to_owned).to_vec();
        let server = Self { daemon: Daemon::start(words, folder), url: format!("redis://127.0.0.1:{port}") };
        server.wait_until_ready().await;
        Some(server)
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends it at once.
    pub fn kill9(&mut self) {
        self.daemon.kill9();
    }

    /// Starts it again, empty, on the same port.
    pub async fn restart(&mut self) {
        self.daemon.spawn_again();
        self.wait_until_ready().await;
    }

    /// `STOP`: it says nothing any more, and its connections stay open. `CONT` ends that.
    pub fn signal(&self, name: &str) {
        self.daemon.signal(name);
    }

    /// Forgets everything.
    pub async fn flush_all(&self) {
        self.command("FLUSHALL").await.expect("Redis can be emptied");
    }

    async fn wait_until_ready(&self) {
        eventually(STARTED, "Redis answers", async || {
            self.command("PING").await.map_err(|error| format!("{error}\n{}", self.daemon.end_of_log()))
        })
        .await;
    }

    async fn command(&self, word: &str) -> redis::RedisResult<()> {
        let mut connection = redis::Client::open(self.url.as_str())?.get_multiplexed_async_connection().await?;
        redis::cmd(word).exec_async(&mut connection).await
    }
}

impl Daemon {
    fn start(words: Vec<String>, folder: TempDir) -> Self {
        let log = folder.path().join("output.log");
        let child = spawn(&words, &log);
        Self { words, child, log, _folder: folder }
    }

    fn spawn_again(&mut self) {
        self.child = spawn(&self.words, &self.log);
    }

    fn kill9(&mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a child can be waited for");
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let status = Command::new("sh").args(["-c", "kill -s \"$0\" \"$1\"", name, &id]).status();
        assert!(status.is_ok_and(|status| status.success()), "SIG{name} could not be sent to {id}");
    }

    fn end_of_log(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where the system can do it, the server ends with the test that has started it, whatever ends that.
fn spawn(words: &[String], log: &Path) -> Child {
    let output = OpenOptions::new().create(true).append(true).open(log).expect("a file in a new folder can be made");
    let errors: File = output.try_clone().expect("an open file can be shared");
    let tether = find("setpriv").map(|tether| [tether, "--pdeathsig".to_owned(), "KILL".to_owned()]);
    let words: Vec<String> = tether.into_iter().flatten().chain(words.iter().cloned()).collect();
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).stdin(Stdio::null()).stdout(output).stderr(errors);
    command.spawn().unwrap_or_else(|error| panic!("{} does not start: {error}", words[0]))
}

/// A proxy that is tried only where it is asked for: it is more to install than it finds.
fn find_further(test: &str, program: &str) -> Option<String> {
    if std::env::var_os("TEST_PROXIES").is_none() {
        left_out(test, "TEST_PROXIES");
        return None;
    }
    let found = find(program);
    if found.is_none() {
        left_out_without(test, program);
    }
    found
}

/// Servers are in folders that users do not have in their `PATH`.
fn find(program: &str) -> Option<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from));
    let found = folders.map(|folder| folder.join(program)).find(|file| file.is_file())?;
    Some(found.display().to_string())
}

fn temporary_folder() -> TempDir {
    tempfile::Builder::new().prefix("livechatlog-").tempdir().expect("a temporary folder can be made")
}
