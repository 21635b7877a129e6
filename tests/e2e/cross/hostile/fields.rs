//! Every field of every body, with everything that must not be in it.

use domain::text::{AvatarUrl, ClientEventId, EmailAddress, MessageText, Name, Note, PhoneNumber};
use harness::desk::assert_field;
use harness::{Client, Desk};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::MARKER;

pub const SQL: &str = "'; DROP TABLE conversations; -- \" \\ %_ /*";

/// What a field takes.
enum Kind {
    Text { max: usize },
    Web,
    OwnId,
    Email,
    Id,
    Words(&'static str),
    Text8To128,
    Text1To1024,
    Flag,
    Count,
    Metadata,
    Token,
}

use Kind::*;

struct Field(&'static str, Kind, bool);

const REQUIRED: bool = true;

const OPTIONAL: bool = false;

/// An endpoint with a body that is right but for the one field that a case changes.
pub struct Endpoint {
    pub method: Method,
    pub path: String,
    pub client: Client,
    pub body: Value,
    fields: Vec<Field>,
}

const fn line(max: usize) -> Kind {
    Text { max }
}

const fn lines(max: usize) -> Kind {
    Text { max }
}

/// Every endpoint that takes a body.
pub fn endpoints(desk: &Desk) -> Vec<Endpoint> {
    let post = |path: &str, client: &Client, body: Value, fields| Endpoint {
        method: Method::POST,
        path: path.to_owned(),
        client: client.clone(),
        body,
        fields,
    };
    let message = || {
        vec![
            Field("type", Words("must be message"), OPTIONAL),
            Field("content", lines(MessageText::MAX_BYTES), REQUIRED),
            Field("authorType", Words("must be one of visitor, agent"), OPTIONAL),
            Field("clientEventId", OwnId, OPTIONAL),
            Field("metadata", Metadata, OPTIONAL),
        ]
    };
    let says = json!({ "content": MARKER, "type": "message", "clientEventId": MARKER, "metadata": { "a": MARKER } });
    let mail = format!("{MARKER}@example.com");
    let credentials = json!({ "email": mail, "password": MARKER });
    let agent = json!({
        "name": MARKER, "email": mail, "password": MARKER, "role": "agent", "status": "away",
        "acceptingChats": true, "maxConcurrentChats": 3, "avatar": format!("https://example.com/{MARKER}"),
    });
    let session = json!({
        "name": MARKER, "email": mail, "phone": MARKER, "initialMessage": MARKER, "metadata": { "a": MARKER },
    });
    let (anyone, admin, visitor) = (&desk.client, &desk.admin.client, &desk.visitor.client);
    let status = format!("/v1/agents/{}/status", desk.agent.id);
    vec![
        post(
            "/v1/auth/login",
            anyone,
            credentials,
            vec![Field("email", Email, REQUIRED), Field("password", Text1To1024, REQUIRED)],
        ),
        post(
            "/v1/agents",
            admin,
            agent,
            vec![
                Field("name", line(Name::MAX_BYTES), REQUIRED),
                Field("email", Email, REQUIRED),
                Field("password", Text8To128, REQUIRED),
                Field("role", Words("must be one of agent, supervisor, admin"), OPTIONAL),
                Field("status", Words("must be one of online, away, offline"), OPTIONAL),
                Field("acceptingChats", Flag, OPTIONAL),
                Field("maxConcurrentChats", Count, OPTIONAL),
                Field("avatar", Web, OPTIONAL),
            ],
        ),
        Endpoint {
            method: Method::PUT,
            ..post(
                &status,
                admin,
                json!({ "status": "away", "acceptingChats": true }),
                vec![
                    Field("status", Words("must be one of online, away, offline"), REQUIRED),
                    Field("acceptingChats", Flag, OPTIONAL),
                ],
            )
        },
        post(
            "/v1/widget/session",
            anyone,
            session,
            vec![
                Field("name", line(Name::MAX_BYTES), OPTIONAL),
                Field("email", Email, OPTIONAL),
                Field("phone", line(PhoneNumber::MAX_BYTES), OPTIONAL),
                Field("groupId", Id, OPTIONAL),
                Field("initialMessage", lines(MessageText::MAX_BYTES), REQUIRED),
                Field("metadata", Metadata, OPTIONAL),
                Field("sessionToken", Token, OPTIONAL),
            ],
        ),
        post(&desk.messages(), visitor, says.clone(), message()),
        post(&desk.chat("/events"), visitor, says, message()),
        post(
            &desk.chat("/assign"),
            admin,
            json!({ "agentId": desk.agent.id, "reason": MARKER }),
            vec![Field("agentId", Id, REQUIRED), Field("reason", lines(Note::MAX_BYTES), OPTIONAL)],
        ),
        post(
            &desk.chat("/close"),
            admin,
            json!({ "reason": MARKER, "notes": MARKER }),
            vec![Field("reason", line(Name::MAX_BYTES), REQUIRED), Field("notes", lines(Note::MAX_BYTES), OPTIONAL)],
        ),
        post(&desk.chat("/reopen"), visitor, json!({}), vec![]),
    ]
}

impl Endpoint {
    async fn refuses(&self, body: &str, field: &str, message: &str) {
        let bytes = body.as_bytes().to_vec();
        let reply = self.client.send_bytes(self.method.clone(), &self.path, Some("application/json"), bytes).await;
        assert_field(&reply, field, message);
    }

    fn with(&self, name: &str, value: Value) -> String {
        let mut body = self.body.as_object().unwrap().clone();
        body.insert(name.to_owned(), value);
        Value::Object(body).to_string()
    }

    fn without(&self, name: &str) -> String {
        let mut body = self.body.as_object().unwrap().clone();
        body.remove(name);
        Value::Object(body).to_string()
    }

    /// The body with a field before all others, which it may have already.
    fn and(&self, name: &str, value: &Value) -> String {
        let body = self.body.to_string();
        let rest = body[1..].trim_start_matches('}');
        let comma = if rest.is_empty() { "}" } else { "," };
        format!("{{{}:{value}{comma}{rest}", json!(name))
    }

    pub async fn attack(&self) {
        for name in ["surprise", "Content", "__proto__", "constructor", "agent_id", "'; --"] {
            self.refuses(&self.and(name, &json!(MARKER)), name, "is not known").await;
        }
        for Field(name, kind, required) in &self.fields {
            for (value, message) in kind.bad_values(*required) {
                self.refuses(&self.with(name, value), name, message.as_ref()).await;
            }
            if *required {
                self.refuses(&self.without(name), name, "is required").await;
                self.refuses(&self.with(name, Value::Null), name, "must be a string").await;
            }
            if let Some(value) = self.body.get(name) {
                self.refuses(&self.and(name, value), name, "is given twice").await;
            }
        }
    }
}

fn all(values: impl IntoIterator<Item = Value>, message: &str) -> Vec<(Value, String)> {
    values.into_iter().map(|value| (value, message.to_owned())).collect()
}

impl Kind {
    fn bad_values(&self, required: bool) -> Vec<(Value, String)> {
        let no_text = || [json!(5), json!(-1.5), json!(true), json!([]), json!([MARKER]), json!({ "a": MARKER })];
        let mut bad = match self {
            Flag => all([json!(1), json!("true"), json!([]), json!({})], "must be a boolean"),
            Count => all([json!("5"), json!(true), json!(1.5), json!([]), json!(u64::MAX)], "must be a whole number"),
            Metadata => all([json!(5), json!(MARKER), json!(true), json!([]), json!([{}])], "must be an object"),
            _ => all(no_text(), "must be a string"),
        };
        bad.extend(match self {
            Text { max } => texts(*max),
            Web => [texts(AvatarUrl::MAX_BYTES), all(no_pictures(), "must be the address of a picture")].concat(),
            OwnId => [texts(ClientEventId::MAX_BYTES), controls()].concat(),
            Email => [texts(EmailAddress::MAX_BYTES), all(addresses(), "must be an e-mail address")].concat(),
            Id => all(ids(), "must be a UUID"),
            Words(message) => all(words(), message),
            Text8To128 => all([text(0), text(7), text(129)], "must have 8 to 128 characters"),
            Text1To1024 => all([text(0), text(1025), json!("é".repeat(513))], "must have 1 to 1024 bytes"),
            Count => all([json!(0), json!(21), json!(-1), json!(i64::MIN), json!(i64::MAX)], "must be from 1 to 20"),
            Metadata => metadata(),
            Flag | Token => vec![],
        });
        // An optional text of which nothing is seen is an absent one.
        let is_absent = |value: &Value| value.as_str().is_some_and(domain::text::is_blank);
        bad.retain(|(value, _)| required || !is_absent(value));
        bad
    }
}

fn text(length: usize) -> Value {
    json!("x".repeat(length))
}

fn texts(max: usize) -> Vec<(Value, String)> {
    let unseen = ["", " ", "\u{3000}\u{2003} ", "\u{200b}", "\u{feff}\u{ad}", "\u{3164}", "\u{2800}", "\0"];
    [
        all(unseen.map(|text| json!(text)), "must not be empty"),
        all(too_long(max), &format!("must be at most {max} bytes of UTF-8")),
    ]
    .concat()
}

fn too_long(max: usize) -> [Value; 2] {
    // Within the limit of a picture's address, too, it must be one.
    let before = "https://a/";
    [json!(format!("{before}{}", "x".repeat(max))), json!(format!("{before}{}", "é".repeat(max / 2 + 1)))]
}

fn controls() -> Vec<(Value, String)> {
    let controls = ["\0", "\u{1}", "\u{8}", "\u{1b}[31m", "\u{7f}", "\u{85}", "\u{9f}", "\n", "\r", "\t"];
    let values = controls.map(|control| json!(format!("{MARKER}{control}{MARKER}")));
    all(values, "must not contain control characters")
}

fn no_pictures() -> Vec<Value> {
    let bad = [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///x",
        "//a.b/c",
        "\"><img src=x>",
        "no address",
        "https://",
        SQL,
    ];
    bad.iter().chain(&["ftp://a.b/c.png", "https://a b", "https://a\"b", "me.png"]).map(|bad| json!(bad)).collect()
}

fn addresses() -> Vec<Value> {
    let long = format!("{}@example.com", "x".repeat(65));
    let bad = ["anna", "a@", "@b.c", "a@b@c", "a@b..c", "a@-b", "a b@c.de", "<a@b.c>", "\"a\"@b.c", SQL, long.as_str()];
    bad.iter().chain(&["a@b.c, d@e.f", "a@b.c; DROP TABLE agents"]).map(|address| json!(address)).collect()
}

fn ids() -> Vec<Value> {
    let long = "0".repeat(10_000);
    let id = harness::desk::NOBODY;
    let bad = ["", "1", "null", SQL, &id[1..], &format!("{id}0"), &format!(" {id}"), &format!("{id}\0"), &long];
    bad.iter().map(|id| json!(id)).collect()
}

fn words() -> Vec<Value> {
    let bad = ["", "ONLINE", "Message", "online ", "root", "null", MARKER, SQL, "agent\0"];
    bad.iter().map(|word| json!(word)).collect()
}

fn metadata() -> Vec<(Value, String)> {
    let nested = (0..17).fold(json!(1), |inner, _| json!({ "a": inner }));
    let listed = json!({ "a": (0..16).fold(json!(1), |inner, _| json!([inner])) });
    let many: Map<_, _> = (0..600).map(|n| (format!("{n:04}"), json!(0))).collect();
    // {"a":"…"} adds eight bytes.
    let large = json!({ "a": "x".repeat(4096 - 8 + 1) });
    [
        all([large, Value::Object(many)], "must be at most 4096 bytes of JSON"),
        all([nested, listed], "must be nested at most 16 levels deep"),
    ]
    .concat()
}
