//! Forms of a page, as a browser without a script has them: each field with what it holds, to be changed and sent.
#![expect(clippy::missing_panics_doc, reason = "test code: a page that is not understood is the failed test")]

use crate::http::Answer;
use crate::session::Session;

/// A form of a page.
#[derive(Clone, Debug)]
pub struct Form {
    /// Where it is sent.
    pub action: String,
    /// What it says, by the names of its fields.
    pub fields: Vec<(String, String)>,
    /// Where its buttons send it instead.
    pub buttons: Vec<String>,
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let rest = tag.split(&format!(" {name}=\"")).nth(1)?;
    Some(unescaped(rest.split('"').next()?))
}

fn unescaped(text: &str) -> String {
    text.replace("&#34;", "\"")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&lt;", "<")
        .replace("&#60;", "<")
        .replace("&gt;", ">")
        .replace("&#62;", ">")
        .replace("&amp;", "&")
        .replace("&#38;", "&")
}

/// The forms of a page.
#[must_use]
pub fn forms(page: &str) -> Vec<Form> {
    page.split("<form ").skip(1).map(|rest| form(rest.split("</form>").next().unwrap())).collect()
}

fn form(text: &str) -> Form {
    let (head, body) = text.split_once('>').unwrap();
    let action = attribute(&format!(" {head}"), "action").unwrap();
    let (mut fields, mut buttons) = (Vec::new(), Vec::new());
    for (at, _) in body.match_indices('<') {
        let rest = &body[at..];
        let tag = rest.split('>').next().unwrap();
        buttons.extend(attribute(tag, "formaction"));
        let Some(name) = attribute(tag, "name") else { continue };
        if tag.starts_with("<input") {
            let kind = attribute(tag, "type").unwrap_or_default();
            let ticks = kind == "checkbox" || kind == "radio";
            if !ticks || tag.contains(" checked") {
                fields.push((name, attribute(tag, "value").unwrap_or_default()));
            }
        } else if tag.starts_with("<select") {
            let options = rest.split("</select>").next().unwrap();
            let all: Vec<&str> = options.split("<option").skip(1).collect();
            let chosen = all.iter().find(|option| option.split('>').next().unwrap().contains(" selected"));
            let value = chosen.or(all.first()).and_then(|option| attribute(option, "value"));
            fields.push((name, value.unwrap_or_default()));
        } else if tag.starts_with("<textarea") {
            let text = rest.split('>').nth(1).unwrap().split('<').next().unwrap();
            // A browser does not show the first end of line.
            fields.push((name, unescaped(text.strip_prefix('\n').unwrap_or(text))));
        }
    }
    Form { action, fields, buttons }
}

/// The form that is sent to this address, by itself or by one of its buttons.
#[must_use]
pub fn form_to(page: &str, action: &str) -> Form {
    let found = forms(page);
    let known: Vec<_> = found.iter().map(|form| form.action.clone()).collect();
    let goes = |form: &Form| form.action == action || form.buttons.iter().any(|button| button == action);
    let form = found.into_iter().find(goes);
    assert!(form.is_some(), "no form to {action}: {known:?}");
    Form { action: action.to_owned(), ..form.unwrap() }
}

impl Form {
    /// Says something in a field; what it held before is replaced.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(field, _)| field != name || name.ends_with("[]"));
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends it, and gets the page it leads to.
    pub async fn send(self, session: &Session) -> String {
        let fields: Vec<(&str, &str)> =
            self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        session.does(&self.action, &fields).await
    }

    /// Sends it, and gets whatever comes.
    pub async fn try_send(&self, session: &Session) -> Answer {
        let fields: Vec<(&str, &str)> =
            self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        session.post(&self.action, &fields).await
    }
}
