//! Values that a schema of the document allows.

use std::collections::HashMap;

use harness::Rng;
use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::string::{RegexGeneratorStrategy, string_regex};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::{Map, Value, json};

use crate::document::resolve;

const TIMES: [&str; 5] = [
    "2020-01-01T00:00:00Z",
    "2024-02-29T23:59:59.999999Z",
    "2026-12-01T10:00:00+02:00",
    "2038-01-19T03:14:08Z",
    "1970-01-01T00:00:00.000001Z",
];

/// Supplies values that only the state of the server makes good ones: ids, tokens, addresses. `None` leaves the choice to
/// the schema.
pub trait Known {
    fn value(&mut self, rng: &mut Rng, name: &str) -> Option<Value>;
}

/// Makes values from schemas. The same seed makes the same values.
pub struct Values {
    rng: Rng,
    texts: TestRunner,
    patterns: HashMap<&'static str, RegexGeneratorStrategy<String>>,
}

impl Values {
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed, 1);
        let bytes: Vec<u8> = (0..4).flat_map(|_| rng.next().to_le_bytes()).collect();
        let texts = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
        Self { rng, texts, patterns: HashMap::new() }
    }

    /// A value that the schema allows, for a field or parameter of this name.
    pub fn make(&mut self, schema: &'static Value, name: &str, known: &mut impl Known) -> Value {
        let schema = resolve(schema);
        if let Some(options) = alternatives(schema) {
            let option = self.rng.pick(options);
            let is_null = resolve(option)["type"] == "null";
            let option = if is_null && self.rng.percent(70) { &options[0] } else { option };
            return self.make(option, name, known);
        }
        if let Some(constant) = schema.get("const") {
            return constant.clone();
        }
        if let Some(options) = schema["enum"].as_array() {
            return self.rng.pick(options).clone();
        }
        if schema["format"] == "date-time" {
            return json!(self.rng.pick(&TIMES));
        }
        match self.kind(schema) {
            "null" => Value::Null,
            "boolean" => json!(self.rng.percent(50)),
            "integer" => self.integer(schema),
            "array" => self.array(schema, name, known),
            "object" if schema.get("properties").is_none() && schema["additionalProperties"] != false => {
                self.anything(2)
            }
            "object" => self.object(schema, known),
            _ => known.value(&mut self.rng, name).unwrap_or_else(|| json!(self.text(schema))),
        }
    }

    /// One of the types that a schema names, seldom null.
    fn kind(&mut self, schema: &'static Value) -> &'static str {
        match &schema["type"] {
            Value::Array(kinds) if self.rng.percent(10) => kinds.last().and_then(Value::as_str).unwrap_or("null"),
            Value::Array(kinds) => kinds[0].as_str().expect("types are texts"),
            kind => kind.as_str().unwrap_or("object"),
        }
    }

    fn integer(&mut self, schema: &Value) -> Value {
        let least = schema["minimum"].as_i64().unwrap_or(0);
        let most = schema["maximum"].as_i64().unwrap_or(i64::MAX);
        let near = i64::try_from(self.rng.below(100)).expect("it is less than 100");
        json!(match self.rng.below(10) {
            0 => least,
            1 => most,
            _ => least.saturating_add(near).min(most),
        })
    }

    fn array(&mut self, schema: &'static Value, name: &str, known: &mut impl Known) -> Value {
        let least = schema["minItems"].as_u64().unwrap_or(0);
        let count = usize::try_from(least).expect("few") + self.rng.below(4);
        let mut items: Vec<Value> = vec![];
        for _ in 0..count {
            let item = self.make(&schema["items"], name, known);
            if schema["uniqueItems"] != true || !items.contains(&item) {
                items.push(item);
            }
        }
        json!(items)
    }

    fn object(&mut self, schema: &'static Value, known: &mut impl Known) -> Value {
        let branch = schema["oneOf"].as_array().map(|branches| self.rng.pick(branches));
        let required = |name: &str| {
            let lists = [Some(schema), branch].into_iter().flatten();
            lists.flat_map(|list| list["required"].as_array().into_iter().flatten()).any(|required| required == name)
        };
        let excluded = |name: &str| branch.is_some_and(|branch| branch["properties"][name]["type"] == "null");
        let mut members = Map::new();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if required(name) {
                members.insert(name.clone(), self.required(property, name, known));
            } else if !excluded(name) && self.rng.percent(35) {
                members.insert(name.clone(), self.make(property, name, known));
            }
        }
        Value::Object(members)
    }

    /// A value that is not null, which a property of a chosen alternative must not be.
    fn required(&mut self, property: &'static Value, name: &str, known: &mut impl Known) -> Value {
        let mut tries = std::iter::repeat_with(|| self.make(property, name, known)).take(100);
        tries.find(|value| !value.is_null()).expect("a required field has other values than null")
    }

    /// Any JSON object, this deep.
    fn anything(&mut self, depth: usize) -> Value {
        let values = [json!("é\u{1F600}"), json!(-1.5), json!(true), json!(null), json!([1, "2"]), json!("")];
        let mut members = Map::new();
        for number in 0..self.rng.below(4) {
            let deeper = depth > 0 && self.rng.percent(30);
            let value = if deeper { self.anything(depth - 1) } else { self.rng.pick(&values).clone() };
            members.insert(format!("key {number}"), value);
        }
        Value::Object(members)
    }

    /// A text that fits pattern and lengths; the lengths count bytes, which is stricter than characters.
    fn text(&mut self, schema: &'static Value) -> String {
        let limit =
            |name: &str, default| schema[name].as_u64().map_or(default, |limit| usize::try_from(limit).expect("small"));
        let (least, most) = (limit("minLength", 1), limit("maxLength", 60).min(limit("x-maxBytes", usize::MAX)));
        if schema["format"] == "email" {
            return format!("{:x}@example.com", self.rng.next());
        }
        let Some(pattern) = schema["pattern"].as_str() else { return self.plain(least, most) };
        if schema["maxLength"].is_u64() && self.rng.percent(3) {
            return "x".repeat(most);
        }
        for _ in 0..20 {
            let text = self.of_pattern(pattern);
            // For JSON Schema (ECMA 262) U+FEFF is white space, for the generator it is not.
            if (least..=most).contains(&text.len()) && !text.contains('\u{FEFF}') {
                return text;
            }
        }
        self.plain(least, most)
    }

    fn plain(&mut self, least: usize, most: usize) -> String {
        let length = least.max(8).min(most);
        (0..length).map(|_| char::from(b'a' + u8::try_from(self.rng.below(26)).expect("a letter"))).collect()
    }

    fn of_pattern(&mut self, pattern: &'static str) -> String {
        let strategy = self.patterns.entry(pattern).or_insert_with(|| {
            let inner = pattern.trim_start_matches('^').trim_end_matches('$');
            string_regex(inner).unwrap_or_else(|error| panic!("{pattern}: {error}"))
        });
        strategy.new_tree(&mut self.texts).expect("patterns can be met").current()
    }
}

/// The schemas of which a value fits one; those that only add to the properties of a whole are left to [`Values::object`].
fn alternatives(schema: &'static Value) -> Option<&'static Vec<Value>> {
    let exclusive = || schema["oneOf"].as_array().filter(|_| schema.get("properties").is_none());
    schema["anyOf"].as_array().or_else(exclusive)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::operations;

    struct Nothing;

    impl Known for Nothing {
        fn value(&mut self, _rng: &mut Rng, name: &str) -> Option<Value> {
            let is_id = name.ends_with("Id") || name.ends_with("Ids");
            is_id.then(|| json!("01890000-0000-7000-8000-000000000001"))
        }
    }

    fn bodies() -> Vec<&'static Value> {
        operations().into_iter().filter_map(|operation| operation.body).collect()
    }

    fn made(seed: u64) -> Vec<Value> {
        let mut values = Values::new(seed);
        bodies().into_iter().map(|schema| values.make(schema, "", &mut Nothing)).collect()
    }

    fn validator(schema: &Value) -> jsonschema::Validator {
        let whole = json!({ "allOf": [schema], "components": &api::rest::document()["components"] });
        jsonschema::draft202012::new(&whole).unwrap()
    }

    #[test]
    fn made_bodies_are_allowed_and_come_again_with_their_seed() {
        let validators: Vec<_> = bodies().into_iter().map(validator).collect();
        for seed in 0..50 {
            for (validator, body) in validators.iter().zip(made(seed)) {
                let errors: Vec<_> = validator.iter_errors(&body).map(|error| error.to_string()).collect();
                assert!(errors.is_empty(), "{errors:?} in {body}");
            }
        }
        assert_eq!(made(7), made(7));
        assert_ne!(made(7), made(8));
    }
}
