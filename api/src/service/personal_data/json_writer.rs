use serde::Serialize;

/// Writes a JSON document piece by piece. It knows which objects and arrays are open, and so where commas belong.
#[derive(Default)]
pub(super) struct JsonWriter {
    text: String,
    open: Vec<Open>,
    is_after_name: bool,
}

struct Open {
    end: char,
    is_empty: bool,
}

impl JsonWriter {
    pub(super) fn begin_object(&mut self) {
        self.begin('{', '}');
    }

    pub(super) fn begin_array(&mut self) {
        self.begin('[', ']');
    }

    /// Writes the name of an object's next member; its value follows.
    pub(super) fn name(&mut self, name: &str) -> serde_json::Result<&mut Self> {
        self.value(&name)?;
        self.text.push(':');
        self.is_after_name = true;
        Ok(self)
    }

    /// Writes a member's value or an array's next element.
    pub(super) fn value(&mut self, value: &impl Serialize) -> serde_json::Result<()> {
        self.separate();
        self.text.push_str(&serde_json::to_string(value)?);
        Ok(())
    }

    /// Ends the innermost object or array.
    pub(super) fn end(&mut self) {
        if let Some(open) = self.open.pop() {
            self.text.push(open.end);
        }
    }

    /// The number of bytes that were written and not taken yet.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Takes the text written so far.
    pub(super) fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }

    fn begin(&mut self, begin: char, end: char) {
        self.separate();
        self.text.push(begin);
        self.open.push(Open { end, is_empty: true });
    }

    fn separate(&mut self) {
        if std::mem::take(&mut self.is_after_name) {
            return;
        }
        if let Some(open) = self.open.last_mut()
            && !std::mem::take(&mut open.is_empty)
        {
            self.text.push(',');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_values_are_separated_by_commas() {
        let mut json = JsonWriter::default();
        json.begin_object();
        json.name("a").unwrap().value(&1).unwrap();
        json.name("b").unwrap().begin_array();
        json.value(&"x").unwrap();
        json.begin_object();
        json.end();
        json.begin_array();
        json.value(&[2, 3]).unwrap();
        json.value(&4).unwrap();
        json.end();
        json.end();
        json.name("c\"").unwrap().begin_array();
        json.end();
        json.end();
        assert_eq!(json.take(), r#"{"a":1,"b":["x",{},[[2,3],4]],"c\"":[]}"#);
    }

    #[test]
    fn text_can_be_taken_at_any_place() {
        let mut json = JsonWriter::default();
        json.begin_array();
        json.value(&1).unwrap();
        let first = json.take();
        json.value(&2).unwrap();
        json.end();
        assert_eq!((first.as_str(), json.take().as_str()), ("[1", ",2]"));
    }
}
