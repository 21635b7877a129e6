use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::*;

const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";
const ANNA: AgentId = AgentId::new(Uuid::from_u128(0xA));
const VERA: VisitorId = VisitorId::new(Uuid::from_u128(0xB));
const SESSION: SessionId = SessionId::new(Uuid::from_u128(0xC));
const NOW: Timestamp = Timestamp::from_micros(1_700_000_000_000_000);

fn tokens() -> JwtTokens {
    JwtTokens::new(SECRET).unwrap()
}

fn later(seconds: u64) -> Timestamp {
    NOW.plus(Duration::from_secs(seconds))
}

/// The header and the claims of a token.
fn parts(token: &str) -> (Value, Value) {
    let part = |index| {
        let text: &str = token.split('.').nth(index).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap()
    };
    (part(0), part(1))
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// Properly signed, whatever it says.
fn signed(header: &Value, claims: &Value, secret: &[u8]) -> String {
    let message = format!("{}.{}", encoded(header), encoded(claims));
    let key = EncodingKey::from_secret(secret);
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
    format!("{message}.{signature}")
}

fn agent_claims() -> Value {
    parts(&tokens().issue_agent(ANNA, Role::Agent, SESSION, NOW)).1
}

fn header() -> Value {
    json!({"alg": "HS256", "typ": "JWT"})
}

#[track_caller]
fn assert_refused(token: &str) {
    assert_eq!(tokens().verify(token, NOW), Err(TokenError), "{token}");
}

#[test]
fn agents_token_stands_for_the_agent_with_the_role() {
    for role in [Role::Agent, Role::Supervisor, Role::Admin] {
        let token = tokens().issue_agent(ANNA, role, SESSION, NOW);
        assert_eq!(
            tokens().verify(&token, NOW),
            Ok(Verified {
                principal: Principal::Agent { id: ANNA, role },
                session: Some(SESSION),
                expires_at: later(12 * 3_600)
            })
        );
    }
}

#[test]
fn visitors_token_stands_for_the_visitor() {
    let token = tokens().issue_visitor(VERA, NOW);
    assert_eq!(
        tokens().verify(&token, NOW),
        Ok(Verified { principal: Principal::Visitor { id: VERA }, session: None, expires_at: later(30 * 86_400) })
    );
}

#[test]
fn claims_have_the_stated_names() {
    let (head, claims) = parts(&tokens().issue_agent(ANNA, Role::Supervisor, SESSION, NOW));
    assert_eq!(head, header());
    let jti = claims["jti"].clone();
    let expected = json!({
        "sub": "00000000-0000-0000-0000-00000000000a",
        "kind": "agent",
        "role": "supervisor",
        "sid": "00000000-0000-0000-0000-00000000000c",
        "iat": 1_700_000_000,
        "exp": 1_700_043_200,
        "jti": jti,
    });
    assert_eq!(claims, expected);
}

#[test]
fn same_visitor_and_time_give_the_same_token() {
    assert_eq!(tokens().issue_visitor(VERA, NOW), tokens().issue_visitor(VERA, NOW));
    assert_ne!(
        tokens().issue_visitor(VERA, NOW),
        tokens().issue_visitor(VERA, Timestamp::from_micros(NOW.as_micros() + 1))
    );
}

#[test]
fn token_expires_by_the_time_that_is_passed() {
    let hours = 60 * 60;
    let agent = tokens().issue_agent(ANNA, Role::Admin, SESSION, NOW);
    assert!(tokens().verify(&agent, later(12 * hours - 1)).is_ok());
    assert_eq!(tokens().verify(&agent, later(12 * hours)), Err(TokenError));
    let visitor = tokens().issue_visitor(VERA, NOW);
    assert!(tokens().verify(&visitor, later(30 * 24 * hours - 1)).is_ok());
    assert_eq!(tokens().verify(&visitor, later(30 * 24 * hours)), Err(TokenError));
}

#[test]
fn token_of_a_node_whose_clock_is_ahead_is_accepted() {
    for ahead in [1, 300, 24 * 3_600] {
        let token = tokens().issue_agent(ANNA, Role::Agent, SESSION, later(ahead));
        assert!(tokens().verify(&token, NOW).is_ok(), "{ahead} seconds ahead");
    }
}

#[test]
fn properly_signed_control_is_accepted() {
    assert!(tokens().verify(&signed(&header(), &agent_claims(), SECRET), NOW).is_ok());
}

#[test]
fn token_of_another_secret_is_refused() {
    assert_refused(&signed(&header(), &agent_claims(), b"another secret of thirty-two bytes"));
}

#[test]
fn changed_claims_are_refused() {
    let token = tokens().issue_agent(ANNA, Role::Agent, SESSION, NOW);
    let mut claims = agent_claims();
    claims["role"] = json!("admin");
    let pieces: Vec<&str> = token.split('.').collect();
    assert_refused(&format!("{}.{}.{}", pieces[0], encoded(&claims), pieces[2]));
}

#[test]
fn every_changed_character_is_refused() {
    let token = tokens().issue_agent(ANNA, Role::Agent, SESSION, NOW);
    for index in 0..token.len() {
        let mut changed = token.clone().into_bytes();
        changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
        assert_refused(&String::from_utf8(changed).unwrap());
    }
}

#[test]
fn unsigned_token_is_refused() {
    for alg in ["none", "None", "NONE"] {
        let head = json!({"alg": alg, "typ": "JWT"});
        assert_refused(&format!("{}.{}.", encoded(&head), encoded(&agent_claims())));
        assert_refused(&signed(&head, &agent_claims(), SECRET));
    }
    let token = tokens().issue_agent(ANNA, Role::Agent, SESSION, NOW);
    let unsigned = token.rsplit_once('.').unwrap().0;
    assert_refused(unsigned);
    assert_refused(&format!("{unsigned}."));
}

#[test]
fn other_algorithm_is_refused_even_with_the_right_secret() {
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        let key = EncodingKey::from_secret(SECRET);
        let token = jsonwebtoken::encode(&Header::new(algorithm), &agent_claims(), &key).unwrap();
        assert_refused(&token);
    }
    assert_refused(&signed(&json!({"alg": "RS256", "typ": "JWT"}), &agent_claims(), SECRET));
}

#[test]
fn truncated_token_is_refused_at_every_length() {
    let token = tokens().issue_visitor(VERA, NOW);
    for length in 0..token.len() {
        assert_refused(&token[..length]);
    }
}

#[test]
fn text_that_is_no_token_is_refused() {
    for text in ["", ".", "..", "...", "a.b.c", "Bearer x", "\u{0}", "ä.ö.ü", &"x".repeat(100_000)] {
        assert_refused(text);
    }
}

#[test]
fn signed_claims_that_make_no_sense_are_refused() {
    let change = |name: &str, value: Value| {
        let mut claims = agent_claims();
        claims[name] = value;
        signed(&header(), &claims, SECRET)
    };
    assert_refused(&change("kind", json!("root")));
    assert_refused(&change("kind", Value::Null));
    assert_refused(&change("role", json!("owner")));
    assert_refused(&change("sub", json!("anna")));
    assert_refused(&change("exp", Value::Null));
    assert_refused(&change("exp", json!("9999999999")));
    for name in ["kind", "role", "sub", "exp", "iat", "jti"] {
        let mut claims = agent_claims();
        claims.as_object_mut().unwrap().remove(name);
        assert_refused(&signed(&header(), &claims, SECRET));
    }
}

#[test]
fn token_is_not_valid_before_the_time_that_it_names() {
    let from = |nbf: Value| {
        let mut claims = agent_claims();
        claims["nbf"] = nbf;
        signed(&header(), &claims, SECRET)
    };
    assert!(tokens().verify(&from(json!(NOW.as_seconds())), NOW).is_ok());
    for nbf in [json!(NOW.as_seconds() + 1), json!(i64::MAX), json!(u64::MAX), json!("soon"), json!(1.5e12)] {
        assert_refused(&from(nbf));
    }
}

#[test]
fn token_with_an_extension_that_must_be_understood_is_refused() {
    for crit in [json!(["exp"]), json!(["b64"]), json!([]), json!("exp")] {
        let head = json!({"alg": "HS256", "typ": "JWT", "crit": crit, "b64": false});
        assert_refused(&signed(&head, &agent_claims(), SECRET));
    }
}

#[test]
fn visitors_token_with_a_role_stays_a_visitors() {
    let mut claims = parts(&tokens().issue_visitor(VERA, NOW)).1;
    claims["role"] = json!("admin");
    let token = signed(&header(), &claims, SECRET);
    assert_eq!(
        tokens().verify(&token, NOW),
        Ok(Verified { principal: Principal::Visitor { id: VERA }, session: None, expires_at: later(30 * 86_400) })
    );
}

#[test]
fn short_secret_is_refused() {
    assert_eq!(JwtTokens::new(&SECRET[..31]).err(), Some(SecretTooShort { length: 31 }));
    assert!(JwtTokens::new(b"").is_err());
}

#[test]
fn debug_output_holds_no_secret() {
    assert!(!format!("{:?}", tokens()).contains("0123"));
}
