//! What pages say, from message files (Fluent), one set per language, compiled in.
//!
//! A text without a value in it is looked up as it is; one with values is put together. Not here: names that people gave
//! (`text`), sentences of the rules (`domain`). Tests: every message that is asked for is there, in both languages with the
//! same values.

use std::collections::HashMap;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};

use crate::words::Lang;

/// The files of a language, in the order of the menu.
macro_rules! files {
    ($lang:literal) => {
        [
            include_str!(concat!("../messages/", $lang, "/site.ftl")),
            include_str!(concat!("../messages/", $lang, "/codes.ftl")),
            include_str!(concat!("../messages/", $lang, "/signin.ftl")),
            include_str!(concat!("../messages/", $lang, "/desk.ftl")),
            include_str!(concat!("../messages/", $lang, "/house.ftl")),
            include_str!(concat!("../messages/", $lang, "/setup.ftl")),
            include_str!(concat!("../messages/", $lang, "/centre.ftl")),
            include_str!(concat!("../messages/", $lang, "/flow.ftl")),
            include_str!(concat!("../messages/", $lang, "/audit.ftl")),
            include_str!(concat!("../messages/", $lang, "/notices.ftl")),
            include_str!(concat!("../messages/", $lang, "/behind.ftl")),
        ]
    };
}

const DUTCH: [&str; 11] = files!("nl");
const ENGLISH: [&str; 11] = files!("en");

/// The messages of one language.
struct Messages {
    /// Those without values, made once.
    fixed: HashMap<String, String>,
    bundle: FluentBundle<FluentResource>,
}

static MESSAGES: LazyLock<[Messages; 2]> =
    LazyLock::new(|| [Messages::read("nl", &DUTCH), Messages::read("en", &ENGLISH)]);

impl Messages {
    fn read(tag: &str, files: &[&str]) -> Self {
        let mut bundle = FluentBundle::new_concurrent(tag.parse().into_iter().collect());
        // Marks around values are for mixed directions; names stand in `bdi` here.
        bundle.set_use_isolating(false);
        let mut keys = Vec::new();
        for text in files {
            // What can not be read is left out; a test sees that nothing is.
            let resource = match FluentResource::try_new((*text).to_owned()) {
                Ok(resource) | Err((resource, _)) => resource,
            };
            keys.extend(resource.entries().filter_map(|entry| match entry {
                fluent_syntax::ast::Entry::Message(message) => Some(message.id.name.to_owned()),
                fluent_syntax::ast::Entry::Term(_)
                | fluent_syntax::ast::Entry::Comment(_)
                | fluent_syntax::ast::Entry::GroupComment(_)
                | fluent_syntax::ast::Entry::ResourceComment(_)
                | fluent_syntax::ast::Entry::Junk { .. } => None,
            }));
            let _ = bundle.add_resource(resource);
        }
        let mut messages = Self { fixed: HashMap::new(), bundle };
        for key in keys {
            if let Some(text) = messages.put(&key, None) {
                messages.fixed.insert(key, text);
            }
        }
        messages
    }

    /// The message with these values; `None` if there is none, or a value is missing.
    fn put(&self, key: &str, values: Option<&FluentArgs<'_>>) -> Option<String> {
        let pattern = self.bundle.get_message(key)?.value()?;
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, values, &mut errors).into_owned();
        errors.is_empty().then_some(text)
    }
}

fn of(lang: Lang) -> &'static Messages {
    let [dutch, english] = &*MESSAGES;
    match lang {
        Lang::Nl => dutch,
        Lang::En => english,
    }
}

/// A message without values. One that is not there is shown as its key: a page with one odd word is better than none.
pub(crate) fn say(lang: Lang, key: &str) -> &'static str {
    of(lang).fixed.get(key).map_or("⚠", String::as_str)
}

/// A message with values.
pub(crate) fn say_with(lang: Lang, key: &str, values: &[(&str, &str)]) -> String {
    let mut given = FluentArgs::new();
    for (name, value) in values {
        // A number is one, so that a message can say one bed, two beds.
        let value = value.parse::<i64>().map_or_else(|_| FluentValue::from(*value), FluentValue::from);
        given.set(*name, value);
    }
    of(lang).put(key, Some(&given)).unwrap_or_else(|| "⚠".to_owned())
}

/// The word for a code of the contract, such as `care`, `ELV_LC`; a code without a word is said as it is.
pub(crate) fn code(lang: Lang, list: &str, code: &str) -> String {
    of(lang).fixed.get(&format!("{list}-{code}")).cloned().unwrap_or_else(|| crate::text::shown(code))
}

/// The same for a code that has a word for everything it does not know.
pub(crate) fn word(lang: Lang, list: &str, code: &str) -> Option<&'static str> {
    of(lang).fixed.get(&format!("{list}-{code}")).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;

    use super::*;

    /// Each message with the values it asks for.
    fn asked(files: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
        let mut found = BTreeMap::new();
        for text in files {
            let resource =
                FluentResource::try_new((*text).to_owned()).expect("a file that can be read whole");
            for line in text.lines() {
                assert!(!line.contains("TODO"));
            }
            for entry in resource.entries() {
                if let fluent_syntax::ast::Entry::Message(message) = entry {
                    let said = fluent_syntax::serializer::serialize(&fluent_syntax::ast::Resource {
                        body: vec![entry.clone()],
                    });
                    let values = said.split('$').skip(1);
                    let values = values.map(|rest| {
                        rest.chars().take_while(|c| c.is_alphanumeric() || *c == '-').collect::<String>()
                    });
                    let before = found.insert(message.id.name.to_owned(), values.collect());
                    assert!(before.is_none(), "{} is there twice", message.id.name);
                }
            }
        }
        found
    }

    #[test]
    fn both_languages_have_the_same_messages_with_the_same_values() {
        assert_eq!(asked(&DUTCH), asked(&ENGLISH));
    }

    /// Every key that source and templates ask for by name.
    fn used(folder: &Path, keys: &mut BTreeSet<String>, dynamic: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                used(&path, keys, dynamic);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for call in [".t(\"", " t(\"", "(t(\"", ".tf(\"", "say(lang, \"", "say_with(lang, \"", ".key(\""]
            {
                for rest in text.split(call).skip(1) {
                    keys.extend(rest.split('"').next().map(str::to_owned));
                }
            }
            for rest in text.split(".code(\"").skip(1) {
                dynamic.extend(rest.split('"').next().map(str::to_owned));
            }
        }
    }

    #[test]
    fn every_message_that_is_asked_for_is_there() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let (mut keys, mut lists) = (BTreeSet::new(), BTreeSet::new());
        used(&root.join("templates"), &mut keys, &mut lists);
        used(&root.join("src"), &mut keys, &mut lists);
        let known = asked(&DUTCH);
        let missing: Vec<_> = keys
            .iter()
            .filter(|key| key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'))
            .filter(|key| !known.contains_key(*key))
            .collect();
        assert!(missing.is_empty(), "{missing:?}");
        for list in lists.iter().filter(|list| list.chars().all(|c| c.is_ascii_lowercase())) {
            assert!(known.keys().any(|key| key.starts_with(&format!("{list}-"))), "no words for {list}");
        }
    }

    #[test]
    fn every_code_of_the_contract_has_a_word() {
        use domain::{
            AgeBand, CareType, ClosedReason, ContactKind, DeclineCode, Destination, DivertedReason,
        };
        use domain::{Feature, ItemState, Origin, PlanItem, Purpose, RaisedTo, Role, StopReason, Urgency};
        use domain::{WaitingFor, WithdrawnReason};
        let lists: [(&str, &[&str]); 18] = [
            ("care", CareType::KNOWN),
            ("age", AgeBand::KNOWN),
            ("closed", ClosedReason::KNOWN),
            ("contact", ContactKind::KNOWN),
            ("decline", DeclineCode::KNOWN),
            ("destination", Destination::KNOWN),
            ("diverted", DivertedReason::KNOWN),
            ("feature", Feature::KNOWN),
            ("step", ItemState::KNOWN),
            ("origin", Origin::KNOWN),
            ("plan", PlanItem::KNOWN),
            ("purpose", Purpose::KNOWN),
            ("raised", RaisedTo::KNOWN),
            ("role", Role::KNOWN),
            ("stop", StopReason::KNOWN),
            ("urgency", Urgency::KNOWN),
            ("waits", WaitingFor::KNOWN),
            ("withdrawn", WithdrawnReason::KNOWN),
        ];
        for (list, codes) in lists {
            for code in codes {
                assert!(
                    word(Lang::Nl, list, code).is_some() && word(Lang::En, list, code).is_some(),
                    "{list} {code}"
                );
            }
        }
    }

    #[test]
    fn a_value_is_put_where_it_belongs() {
        assert_eq!(say_with(Lang::En, "signed-in-as", &[("name", "jansen")]), "Signed in as jansen");
    }
}
