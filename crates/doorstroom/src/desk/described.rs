//! The API as the node itself describes it: every act and question by its name, what each is told, and what that looks like.
//!
//! Read from the node's OpenAPI document, so that a terminal can do what its node can. Not here: what a person typed
//! (`fields`), how it is sent (`client`).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::failure::Failure;

/// The field of every act that is its id: the command makes it.
const ID: &str = "id";
/// How deep a description refers to others.
const REFERENCES_MAX: usize = 16;

/// What a node can do and answer.
#[derive(Debug)]
pub(super) struct Described {
    operations: BTreeMap<String, Operation>,
    schemas: Map<String, Value>,
}

/// One act or question.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    /// Its address below the API's, with its parts in braces.
    pub(super) path: String,
    pub(super) is_act: bool,
    /// It answers for as long as somebody listens.
    pub(super) is_stream: bool,
    /// What it does, in a sentence.
    pub(super) summary: String,
    /// What it is told, in the order of the description.
    pub(super) fields: Vec<Field>,
}

/// Something an act or question is told.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) required: bool,
    /// What it means, in a sentence; empty where the name says it.
    about: String,
    pub(super) schema: Value,
}

/// Where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Path,
    Query,
    Header,
    Body,
}

/// What a value looks like.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    Fields(Vec<Field>),
    List(Value),
    Code(Vec<String>),
    Moment,
    /// A UUID.
    Id,
    Text,
    Number,
    YesOrNo,
}

impl Described {
    /// What an OpenAPI document says; its addresses begin with `prefix`.
    ///
    /// # Errors
    /// It is no such document.
    pub(super) fn read(document: &Value, prefix: &str) -> Result<Self, Failure> {
        let strange = || Failure::said("the node's description of its API can not be read");
        let paths = document.get("paths").and_then(Value::as_object).ok_or_else(strange)?;
        let schemas = document.pointer("/components/schemas").and_then(Value::as_object);
        let mut described =
            Self { operations: BTreeMap::new(), schemas: schemas.ok_or_else(strange)?.clone() };
        for (path, item) in paths {
            for (method, operation) in item.as_object().ok_or_else(strange)? {
                let name = text(operation, "operationId");
                let path = path.strip_prefix(prefix).unwrap_or(path).to_owned();
                let read = described.operation(path, method == "post", operation);
                described.operations.insert(name, read);
            }
        }
        Ok(described)
    }

    fn operation(&self, path: String, is_act: bool, operation: &Value) -> Operation {
        let parameters = list(operation, "parameters").iter().filter_map(|parameter| {
            let place = match &*text(parameter, "in") {
                "path" => Place::Path,
                "query" => Place::Query,
                "header" => Place::Header,
                _ => return None,
            };
            Some(Field {
                name: text(parameter, "name"),
                place,
                required: parameter.get("required").and_then(Value::as_bool).unwrap_or(false),
                about: text(parameter, "description"),
                schema: parameter.get("schema").cloned().unwrap_or_default(),
            })
        });
        let mut fields: Vec<Field> = parameters.collect();
        if let Some(body) = operation.pointer("/requestBody/content/application~1json/schema")
            && let Shape::Fields(body) = self.shape(body)
        {
            fields.extend(body.into_iter().filter(|field| field.name != ID));
        }
        Operation {
            path,
            is_act,
            is_stream: operation.pointer("/responses/200/content/text~1event-stream").is_some(),
            summary: text(operation, "summary"),
            fields,
        }
    }

    /// The act, or the question, of this name.
    ///
    /// # Errors
    /// There is none; says where they are listed.
    pub(super) fn find(&self, name: &str, is_act: bool) -> Result<&Operation, Failure> {
        let (ours, theirs) = if is_act { ("act", "ask") } else { ("ask", "act") };
        match self.operations.get(name) {
            Some(found) if found.is_act == is_act => Ok(found),
            Some(_) => {
                Err(Failure::usage(format!("`desk {ours}` has no {name}; `desk {theirs} {name}` has")))
            }
            None => Err(Failure::usage(format!("there is no {name}; `desk {ours}` lists all that there is"))),
        }
    }

    /// Every act, or every question, by its name.
    pub(super) fn all(&self, is_act: bool) -> impl Iterator<Item = (&str, &Operation)> {
        let of_kind = self.operations.iter().filter(move |(_, operation)| operation.is_act == is_act);
        of_kind.map(|(name, operation)| (name.as_str(), operation))
    }

    /// What a value of this schema looks like.
    pub(super) fn shape(&self, schema: &Value) -> Shape {
        let schema = self.meant(schema);
        if let Some(codes) = schema.get("enum").and_then(Value::as_array) {
            return Shape::Code(codes.iter().filter_map(Value::as_str).map(str::to_owned).collect());
        }
        let is = |name: &str| match schema.get("type") {
            Some(Value::Array(any)) => any.iter().any(|one| one == name),
            one => one.is_some_and(|one| one == name),
        };
        if is("object") {
            return Shape::Fields(fields_of(schema));
        }
        if is("array") {
            return Shape::List(schema.get("items").cloned().unwrap_or_default());
        }
        match schema.get("format").and_then(Value::as_str) {
            Some("uuid") => Shape::Id,
            Some("date-time") => Shape::Moment,
            Some(_) | None if is("integer") || is("number") => Shape::Number,
            Some(_) | None if is("boolean") => Shape::YesOrNo,
            Some(_) | None => Shape::Text,
        }
    }

    /// The schema that is meant: what it refers to, and of something that may be left out, what it is.
    fn meant<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let mut schema = schema;
        for _ in 0..REFERENCES_MAX {
            let any = ["oneOf", "anyOf", "allOf"].iter().find_map(|name| schema.get(*name)?.as_array());
            let referred = schema
                .get("$ref")
                .and_then(Value::as_str)
                .and_then(|name| self.schemas.get(name.rsplit('/').next().unwrap_or(name)));
            let real =
                any.and_then(|any| any.iter().find(|one| one.get("type").is_none_or(|of| of != "null")));
            match referred.or(real) {
                Some(next) => schema = next,
                None => break,
            }
        }
        schema
    }

    /// What can be told, a line each: for somebody who did not know.
    pub(super) fn told(&self, operation: &Operation) -> String {
        let mut lines = Vec::new();
        for field in &operation.fields {
            self.tell(field, &field.name, &mut lines);
        }
        if lines.is_empty() {
            "it takes nothing".to_owned()
        } else {
            format!("it takes:\n{}", lines.join("\n"))
        }
    }

    fn tell(&self, field: &Field, called: &str, lines: &mut Vec<String>) {
        let (called, schema) = if let Shape::List(of) = self.shape(&field.schema) {
            (format!("{called}[0]"), of)
        } else {
            (called.to_owned(), field.schema.clone())
        };
        if let Shape::Fields(fields) = self.shape(&schema) {
            for inner in fields {
                self.tell(&inner, &format!("{called}[{}]", inner.name), lines);
            }
            return;
        }
        let must = if field.required { "" } else { " (if any)" };
        let looks = self.looks(&schema);
        let about = field.about.split_whitespace().collect::<Vec<_>>().join(" ");
        lines.push(format!("  {called}={looks}{must}  {about}").trim_end().to_owned());
    }

    /// What a value looks like, in a word or an example.
    pub(super) fn looks(&self, schema: &Value) -> String {
        match self.shape(schema) {
            Shape::Code(codes) => codes.join("|"),
            Shape::Moment => "TIME".to_owned(),
            Shape::Id => "UUID".to_owned(),
            Shape::Number => "NUMBER".to_owned(),
            Shape::YesOrNo => "true|false".to_owned(),
            Shape::Fields(_) => "[…]".to_owned(),
            Shape::List(_) => "[0]".to_owned(),
            Shape::Text => {
                let example = list(self.meant(schema), "examples").first().and_then(Value::as_str);
                example.unwrap_or("TEXT").to_owned()
            }
        }
    }
}

fn fields_of(schema: &Value) -> Vec<Field> {
    let required = list(schema, "required");
    let properties = schema.get("properties").and_then(Value::as_object);
    let field = |(name, schema): (&String, &Value)| Field {
        name: name.clone(),
        place: Place::Body,
        required: required.iter().any(|one| one == name),
        about: text(schema, "description"),
        schema: schema.clone(),
    };
    properties.into_iter().flatten().map(field).collect()
}

fn text(of: &Value, name: &str) -> String {
    of.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn list<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    of.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}
