//! Variables that a client leaves out. An argument, or a field of an input, that such a variable stands for is absent
//! (GraphQL, October 2021, 3.10 and 6.4.1), while the library would take it for null.

use std::collections::HashSet;

use async_graphql::parser::types::{
    Directive, DocumentOperations, ExecutableDocument, Field, OperationDefinition, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned, Variables};
use async_graphql_value::Value;

type Arguments = Vec<(Positioned<Name>, Positioned<Value>)>;

/// Takes what is left out from the wanted operation and the fragments.
pub(super) fn remove(document: &mut ExecutableDocument, operation_name: Option<&str>, variables: &Variables) {
    let Some(operation) = wanted(&mut document.operations, operation_name) else { return };
    let omitted = take_definitions(operation, variables);
    if omitted.is_empty() {
        return;
    }
    from_selections(&mut operation.selection_set.node, &omitted);
    for fragment in document.fragments.values_mut() {
        from_selections(&mut fragment.node.selection_set.node, &omitted);
    }
}

fn wanted<'a>(
    operations: &'a mut DocumentOperations,
    operation_name: Option<&str>,
) -> Option<&'a mut OperationDefinition> {
    match (operations, operation_name) {
        (DocumentOperations::Single(operation), _) => Some(&mut operation.node),
        (DocumentOperations::Multiple(operations), Some(name)) => {
            operations.get_mut(name).map(|operation| &mut operation.node)
        }
        (DocumentOperations::Multiple(operations), None) => {
            operations.values_mut().next().map(|operation| &mut operation.node)
        }
    }
}

/// Takes the definitions of variables that have no value and need none: the validation refuses those that nothing uses.
fn take_definitions(operation: &mut OperationDefinition, variables: &Variables) -> HashSet<Name> {
    let mut omitted = HashSet::new();
    operation.variable_definitions.retain(|definition| {
        let definition = &definition.node;
        let is_omitted = definition.var_type.node.nullable
            && definition.default_value.is_none()
            && !variables.contains_key(&definition.name.node);
        if is_omitted {
            omitted.insert(definition.name.node.clone());
        }
        !is_omitted
    });
    omitted
}

fn from_selections(set: &mut SelectionSet, omitted: &HashSet<Name>) {
    for selection in &mut set.items {
        from_directives(selection.node.directives_mut(), omitted);
        match &mut selection.node {
            Selection::Field(field) => from_field(&mut field.node, omitted),
            Selection::InlineFragment(fragment) => from_selections(&mut fragment.node.selection_set.node, omitted),
            Selection::FragmentSpread(_) => {}
        }
    }
}

fn from_field(field: &mut Field, omitted: &HashSet<Name>) {
    from_arguments(&mut field.arguments, omitted);
    from_selections(&mut field.selection_set.node, omitted);
}

fn from_directives(directives: &mut [Positioned<Directive>], omitted: &HashSet<Name>) {
    for directive in directives {
        from_arguments(&mut directive.node.arguments, omitted);
    }
}

fn from_arguments(arguments: &mut Arguments, omitted: &HashSet<Name>) {
    arguments.retain(|(_, value)| !is_omitted(&value.node, omitted));
    for (_, value) in arguments {
        from_value(&mut value.node, omitted);
    }
}

fn from_value(value: &mut Value, omitted: &HashSet<Name>) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !is_omitted(value, omitted));
            fields.values_mut().for_each(|value| from_value(value, omitted));
        }
        Value::List(items) => {
            for item in items {
                if is_omitted(item, omitted) {
                    *item = Value::Null;
                }
                from_value(item, omitted);
            }
        }
        Value::Variable(_)
        | Value::Null
        | Value::Number(_)
        | Value::String(_)
        | Value::Boolean(_)
        | Value::Binary(_)
        | Value::Enum(_) => {}
    }
}

fn is_omitted(value: &Value, omitted: &HashSet<Name>) -> bool {
    matches!(value, Value::Variable(name) if omitted.contains(name))
}
