//! Traces, as a collector gets them.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use application::ports::Clock as _;
use harness::{DEADLINE, Process, eventually, free_port};
use infrastructure::system::SystemClock;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Takes whatever is sent to it by HTTP and keeps it.
struct Collector {
    address: String,
    received: Arc<Mutex<Vec<u8>>>,
}

impl Collector {
    async fn start() -> Self {
        Self::start_on(0).await
    }

    /// Port 0 takes any free one.
    async fn start_on(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let received = Arc::new(Mutex::new(vec![]));
        let kept = Arc::clone(&received);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(take(stream, Arc::clone(&kept)));
            }
        });
        Self { address, received }
    }

    /// Protocol Buffers keep texts as they are.
    fn has(&self, text: &str) -> bool {
        self.received.lock().expect("no panic").windows(text.len()).any(|window| window == text.as_bytes())
    }
}

async fn take(mut stream: TcpStream, kept: Arc<Mutex<Vec<u8>>>) {
    let mut request = vec![];
    while let Ok(1..) = stream.read_buf(&mut request).await {
        let Some(head) = request.windows(4).position(|end| end == b"\r\n\r\n") else { continue };
        let text = String::from_utf8_lossy(&request[..head]).to_ascii_lowercase();
        let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        if request.len() >= head + 4 + length.expect("a length") {
            kept.lock().expect("no panic").append(&mut request);
            let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\ncontent-type: application/x-protobuf\r\n\r\n";
            stream.write_all(answer.as_bytes()).await.expect("the program takes the answer");
        }
    }
}

#[tokio::test]
async fn requests_commands_and_appends_are_traced_without_what_people_wrote() {
    let collector = Collector::start().await;
    let settings = Process::builder().setting("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.address);
    let mut process = settings.start().await;
    let chat = json!({ "name": "Zacharias", "initialMessage": "a confidential matter" });
    process.client().post("/v1/widget/session", &chat).await.expect(201);
    // What is under way is sent at the end.
    assert!(process.terminate().await.success());
    for text in ["POST /v1/traces", "livechatlog", "POST /v1/widget/session", "StartChat", "append", "correlation_id"] {
        assert!(collector.has(text), "{text}");
    }
    for text in ["Zacharias", "confidential"] {
        assert!(!collector.has(text), "{text}");
    }
}

/// <https://opentelemetry.io/docs/specs/semconv/http/http-spans/> and <https://opentelemetry.io/docs/specs/semconv/resource/>
#[tokio::test]
async fn spans_and_resource_have_the_attributes_of_the_conventions() {
    let collector = Collector::start().await;
    let mut process = Process::builder().setting("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.address).start().await;
    process.client().get("/v1/agents/018f0000-0000-7000-8000-000000000000?includeDeleted=true").await.expect(401);
    assert!(process.terminate().await.success());
    for text in [
        "http.request.method",
        "http.route",
        "/v1/agents/{id}",
        "http.response.status_code",
        "url.path",
        "url.scheme",
        "service.name",
        "service.version",
        env!("CARGO_PKG_VERSION"),
        "service.instance.id",
    ] {
        assert!(collector.has(text), "{text}");
    }
    // What people search for stands in queries.
    for text in ["url.query", "includeDeleted"] {
        assert!(!collector.has(text), "{text}");
    }
}

#[tokio::test]
async fn environment_of_every_opentelemetry_sdk_is_heeded() {
    let (collector, other) = (Collector::start().await, Collector::start().await);
    let chat = json!({ "initialMessage": "Hello" });
    let traced = async |settings: &[(&str, &str)]| {
        let builder = Process::builder().setting("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.address);
        let builder = settings.iter().fold(builder, |builder, (name, value)| builder.setting(name, *value));
        let mut process = builder.start().await;
        process.client().post("/v1/widget/session", &chat).await.expect(201);
        assert!(process.terminate().await.success());
    };
    traced(&[("OTEL_SDK_DISABLED", "TRUE")]).await;
    assert!(collector.received.lock().expect("no panic").is_empty(), "nothing is sent");
    let traces = format!("{}/its/own/path", other.address);
    traced(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &traces), ("OTEL_SERVICE_NAME", "chat of the shop")]).await;
    assert!(collector.received.lock().expect("no panic").is_empty(), "the address of traces counts more");
    assert!(other.has("POST /its/own/path HTTP"), "the address is used as it is");
    assert!(other.has("chat of the shop"));
}

#[tokio::test]
async fn collector_that_does_not_answer_disturbs_nobody() {
    let nowhere = format!("http://127.0.0.1:{}", free_port());
    let mut process = Process::builder().setting("OTEL_EXPORTER_OTLP_ENDPOINT", nowhere).start().await;
    process.client().post("/v1/widget/session", &json!({ "initialMessage": "Hello" })).await.expect(201);
    let begun = Instant::now();
    assert!(process.terminate().await.success());
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn collector_that_does_not_answer_is_told_once_and_once_more_when_it_does() {
    const FAILS: &str = "traces do not reach the collector";
    const WORKS: &str = "traces reach the collector again";
    let port = free_port();
    let settings = Process::builder().setting("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://127.0.0.1:{port}"));
    // Traces are sent that often, in milliseconds.
    let mut process = settings.setting("OTEL_BSP_SCHEDULE_DELAY", "50").start().await;
    let count = |process: &Process, words: &str| process.log().matches(words).count();
    ask_until_it_says(&process, FAILS).await;
    for _ in 0..20 {
        process.client().get("/v1/agents").await.expect(401);
        SystemClock.sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(count(&process, FAILS), 1, "{}", process.log());
    let _collector = Collector::start_on(port).await;
    ask_until_it_says(&process, WORKS).await;
    assert!(process.terminate().await.success());
    assert_eq!((count(&process, FAILS), count(&process, WORKS)), (1, 1), "{}", process.log());
}

async fn ask_until_it_says(process: &Process, words: &str) {
    eventually(DEADLINE, words, async || {
        process.client().get("/v1/agents").await.expect(401);
        let log = process.log();
        if log.contains(words) { Ok(()) } else { Err(log) }
    })
    .await;
}

#[tokio::test]
async fn address_that_is_none_stops_the_start() {
    let mut process = Process::builder().setting("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost").spawn();
    assert_eq!(process.wait_for_end(DEADLINE).await.code(), Some(2));
    assert!(process.log().contains("OTEL_EXPORTER_OTLP_ENDPOINT must begin with http://"), "{}", process.log());
}
