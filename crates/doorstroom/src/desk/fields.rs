//! What a person typed for an act or a question, `name=value` by `name=value`, as the node's description has it.
//!
//! A field of a part is `profile[urgency]=urgent`, one of a list `to[0][location]=zk23-de-linde`, as in the forms of the
//! pages. `now` is a moment, `@FILE` (`@-`: standard input) what a file holds. Ids of what is made are made here.

use std::path::PathBuf;

use domain::{EventId, RegionId};
use serde_json::{Map, Value};

use super::described::{Described, Field, Operation, Place, Shape};
use super::{args, client};
use crate::failure::Failure;

/// How many things of one list can be typed: as many as the API takes.
const LIST_MAX: usize = 64;

/// An act or a question, ready to be sent.
#[derive(Debug, Default)]
pub(super) struct Typed {
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Value,
    /// What is made, and the id that was made for it.
    pub(super) made: Vec<(String, String)>,
}

/// Reads what was typed.
///
/// # Errors
/// A field is missing, is not known or does not look as it should; says what is taken.
pub(super) fn read(
    described: &Described,
    operation: &Operation,
    words: &[String],
    region: Option<&RegionId>,
    act: Option<EventId>,
) -> Result<Typed, Failure> {
    let reader = Reader { described, act };
    let typed = reader.all(operation, words, region);
    typed.map_err(|wrong| Failure::usage(format!("{wrong}; {}", described.told(operation))))
}

struct Reader<'a> {
    described: &'a Described,
    /// The id of the act, where it is sent again.
    act: Option<EventId>,
}

impl Reader<'_> {
    fn all(
        &self,
        operation: &Operation,
        words: &[String],
        region: Option<&RegionId>,
    ) -> Result<Typed, String> {
        let mut given = Map::new();
        for word in words {
            let (name, value) =
                word.split_once('=').ok_or_else(|| format!("{word} is not written as name=value"))?;
            let steps = steps(name).ok_or_else(|| format!("{name} is no name of a field"))?;
            let value = match value.strip_prefix('@') {
                Some(file) => args::read_private(&PathBuf::from(file)).map_err(|error| error.to_string())?,
                None => value.to_owned(),
            };
            self.put(&operation.fields, &mut given, name, &steps, value)?;
        }
        if operation.fields.iter().any(|field| field.name == "region" && field.required)
            && let Some(region) = region
        {
            // Whose desk it is was said already.
            given.entry("region").or_insert_with(|| region.as_str().into());
        }
        let mut typed = Typed { path: operation.path.clone(), ..Typed::default() };
        self.complete(&operation.fields, &mut given, "", &mut typed.made)?;
        for field in operation.fields.iter().filter(|field| field.place != Place::Body) {
            let Some(value) = given.remove(&field.name) else { continue };
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            match field.place {
                Place::Path => {
                    typed.path = typed.path.replace(&format!("{{{}}}", field.name), &encoded(&value));
                }
                Place::Query => typed.query.push((field.name.clone(), value)),
                Place::Header => typed.headers.push((field.name.clone(), value)),
                Place::Body => {}
            }
        }
        typed.body = Value::Object(given);
        Ok(typed)
    }

    /// Puts a value where the steps of its name lead.
    fn put(
        &self,
        fields: &[Field],
        into: &mut Map<String, Value>,
        called: &str,
        steps: &[&str],
        value: String,
    ) -> Result<(), String> {
        let unknown = || format!("there is no field {called}");
        let (first, rest) = steps.split_first().ok_or_else(unknown)?;
        let field = fields.iter().find(|field| field.name == *first).ok_or_else(unknown)?;
        let place = into.entry((*first).to_owned()).or_insert(Value::Null);
        self.put_at(&field.schema, place, called, rest, value)
    }

    fn put_at(
        &self,
        schema: &Value,
        place: &mut Value,
        called: &str,
        steps: &[&str],
        value: String,
    ) -> Result<(), String> {
        match self.described.shape(schema) {
            Shape::Fields(fields) => {
                if place.is_null() {
                    *place = Value::Object(Map::new());
                }
                let into = place.as_object_mut().ok_or_else(|| format!("{called} is there in two ways"))?;
                if steps.is_empty() {
                    return Err(format!("{called} has parts: {called}[…]=…"));
                }
                self.put(&fields, into, called, steps, value)
            }
            Shape::List(of) => {
                if place.is_null() {
                    *place = Value::Array(Vec::new());
                }
                let list = place.as_array_mut().ok_or_else(|| format!("{called} is there in two ways"))?;
                let (at, rest) = match steps.split_first() {
                    None => (list.len(), steps),
                    Some((&"", rest)) => (list.len(), rest),
                    Some((at, rest)) => {
                        (at.parse().map_err(|_| format!("{called}: one of a list is a number"))?, rest)
                    }
                };
                if at > list.len() || at >= LIST_MAX {
                    return Err(format!(
                        "{called}: number a list from 0, without holes, to {LIST_MAX} at most"
                    ));
                }
                if at == list.len() {
                    list.push(Value::Null);
                }
                let place = list.get_mut(at).ok_or_else(|| format!("{called} is nowhere"))?;
                self.put_at(&of, place, called, rest, value)
            }
            shape @ (Shape::Code(_)
            | Shape::Moment
            | Shape::Id
            | Shape::Text
            | Shape::Number
            | Shape::YesOrNo) => {
                if !steps.is_empty() {
                    return Err(format!("there is no field {called}"));
                }
                if !place.is_null() {
                    return Err(format!("{called} is there twice"));
                }
                *place = plain(&shape, value)
                    .ok_or_else(|| format!("{called} has to be {}", self.described.looks(schema)))?;
                Ok(())
            }
        }
    }

    /// Makes the ids of what is made, and sees that nothing is missing that has to be there.
    fn complete(
        &self,
        fields: &[Field],
        given: &mut Map<String, Value>,
        within: &str,
        made: &mut Vec<(String, String)>,
    ) -> Result<(), String> {
        for field in fields {
            let called =
                if within.is_empty() { field.name.clone() } else { format!("{within}[{}]", field.name) };
            let shape = self.described.shape(&field.schema);
            match given.get_mut(&field.name) {
                Some(value) => self.complete_at(&shape, value, &called, made)?,
                None if !field.required => {}
                // What exists already is named in the address.
                None if matches!(shape, Shape::Id) && field.place == Place::Body => {
                    let id = client::id_of(self.act, &called);
                    given.insert(field.name.clone(), id.clone().into());
                    made.push((called, id));
                }
                // Whatever is in it may be left out, it may not.
                None if matches!(&shape, Shape::Fields(parts) if parts.iter().all(|part| !part.required)) => {
                    given.insert(field.name.clone(), Value::Object(Map::new()));
                }
                None => return Err(format!("{called} is missing")),
            }
        }
        Ok(())
    }

    fn complete_at(
        &self,
        shape: &Shape,
        value: &mut Value,
        called: &str,
        made: &mut Vec<(String, String)>,
    ) -> Result<(), String> {
        match (shape, value) {
            (Shape::Fields(fields), Value::Object(given)) => self.complete(fields, given, called, made),
            (Shape::List(of), Value::Array(list)) => {
                let shape = self.described.shape(of);
                let each = list.iter_mut().enumerate();
                each.into_iter()
                    .try_for_each(|(at, one)| self.complete_at(&shape, one, &format!("{called}[{at}]"), made))
            }
            _ => Ok(()),
        }
    }
}

/// The steps of a name: `to[0][offer]` is `to`, `0`, `offer`.
fn steps(name: &str) -> Option<Vec<&str>> {
    let Some((first, rest)) = name.split_once('[') else { return Some(Vec::from([name])) };
    let rest = rest.strip_suffix(']')?;
    Some([first].into_iter().chain(rest.split("][")).collect())
}

/// A value that has no parts; `None` if it does not look so.
fn plain(shape: &Shape, value: String) -> Option<Value> {
    match shape {
        Shape::Moment if value == "now" => Some(client::now().into()),
        Shape::Code(codes) => codes.contains(&value).then(|| value.into()),
        Shape::Number => value.parse::<i64>().ok().map(Into::into),
        Shape::YesOrNo => value.parse::<bool>().ok().map(Into::into),
        Shape::Id => value.parse::<uuid::Uuid>().ok().map(|_| value.into()),
        Shape::Moment => value.parse::<domain::Timestamp>().ok().map(|_| value.into()),
        Shape::Text => Some(value.into()),
        Shape::Fields(_) | Shape::List(_) => None,
    }
}

/// A part of an address: what would end it or lead elsewhere is written otherwise.
fn encoded(part: &str) -> String {
    let keep = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    part.bytes()
        .map(|byte| if keep(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A node that can make a referral, ask for places and be asked who is there.
    fn described() -> Described {
        let document = json!({
            "paths": {
                "/api/v1/referrals": { "post": { "operationId": "refer", "summary": "A place is needed.",
                    "requestBody": { "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Refer" } } } } } },
                "/api/v1/regions/{region}/board": { "get": { "operationId": "board", "summary": "The board.", "parameters": [
                    { "name": "region", "in": "path", "required": true, "schema": { "type": "string" } },
                    { "name": "at", "in": "query", "schema": { "type": ["string", "null"], "format": "date-time" } },
                    { "name": "Doorstroom-Position", "in": "header", "schema": { "type": "integer" } }] } },
            },
            "components": { "schemas": {
                "Number": { "type": "string", "format": "uuid" },
                "Urgency": { "type": "string", "enum": ["crisis", "planned"] },
                "Profile": { "type": "object", "required": ["urgency"], "properties": {
                    "urgency": { "$ref": "#/components/schemas/Urgency", "description": "How soon." },
                    "needs": { "type": "array", "items": { "type": "string" } },
                    "consent": { "type": "boolean" } } },
                "Asked": { "type": "object", "required": ["offer", "location"], "properties": {
                    "offer": { "$ref": "#/components/schemas/Number" },
                    "location": { "type": "string" },
                    "days": { "type": ["integer", "null"] } } },
                "Refer": { "type": "object", "required": ["id", "region", "referral", "profile"], "properties": {
                    "id": { "type": "string" },
                    "region": { "type": "string", "examples": ["zk23"] },
                    "referral": { "$ref": "#/components/schemas/Number" },
                    "profile": { "$ref": "#/components/schemas/Profile" },
                    "of": { "oneOf": [{ "type": "null" }, { "$ref": "#/components/schemas/Number" }] },
                    "to": { "type": "array", "items": { "$ref": "#/components/schemas/Asked" } } } },
            } },
        });
        Described::read(&document, "/api/v1").unwrap()
    }

    fn typed(name: &str, is_act: bool, words: &[&str]) -> Result<Typed, String> {
        let described = described();
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        let operation = described.find(name, is_act).map_err(|wrong| wrong.to_string())?;
        read(&described, operation, &words, Some(&"zk23".parse().unwrap()), None)
            .map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn what_is_typed_becomes_the_body_and_ids_of_what_is_made_are_made() {
        let words = [
            "profile[urgency]=crisis",
            "profile[needs][]=lift",
            "profile[needs][]=night=yes",
            "profile[consent]=true",
            "to[0][location]=zk23-de-linde",
            "to[0][days]=14",
        ];
        let Typed { path, body, made, .. } = typed("refer", true, &words).unwrap();
        assert_eq!((path.as_str(), &body["region"]), ("/referrals", &json!("zk23")));
        let profile = json!({ "urgency": "crisis", "needs": ["lift", "night=yes"], "consent": true });
        assert_eq!((&body["profile"], &body["to"][0]["days"]), (&profile, &json!(14)));
        let names: Vec<&str> = made.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["referral", "to[0][offer]"]);
        assert_eq!((&body["referral"], body.get("of")), (&json!(made[0].1), None));
    }

    #[test]
    fn what_is_wrong_is_told_with_all_that_is_taken() {
        let wrong = |words: &[&str]| typed("refer", true, words).unwrap_err();
        assert!(wrong(&[]).starts_with("profile is missing; it takes:\n"), "{}", wrong(&[]));
        assert!(wrong(&[]).contains("  profile[urgency]=crisis|planned  How soon."), "{}", wrong(&[]));
        assert!(wrong(&["profile[consent]=true"]).starts_with("profile[urgency] is missing"));
        for (word, told) in [
            ("profile[urgency]=soon", "profile[urgency] has to be crisis|planned"),
            ("profile[consent]=ja", "profile[consent] has to be true|false"),
            ("profile=x", "profile has parts"),
            ("to[1][location]=x", "to[1][location]: number a list from 0"),
            ("id=019391f2-6f00-7a11-8c11-0d2f7a3b9c01", "there is no field id"),
            ("naam=x", "there is no field naam"),
            ("naam", "naam is not written as name=value"),
            ("of=7", "of has to be UUID"),
        ] {
            assert!(wrong(&[word]).starts_with(told), "{word}: {}", wrong(&[word]));
        }
        assert!(typed("board", true, &[]).unwrap_err().contains("`desk ask board` has"));
        assert!(typed("borad", false, &[]).unwrap_err().contains("`desk ask` lists"));
    }

    #[test]
    fn a_part_of_an_address_stays_one() {
        let asked = typed("board", false, &["region=a/../b", "at=2026-03-05T14:00:00+01:00"]).unwrap();
        assert_eq!(asked.path, "/regions/a%2F..%2Fb/board");
        assert_eq!(asked.query, [("at".to_owned(), "2026-03-05T14:00:00+01:00".to_owned())]);
        assert_eq!(typed("board", false, &[]).unwrap().path, "/regions/zk23/board");
    }
}
