//! A page whose form was not taken, as it is shown again: what was filled in stands in the fields, and above it why.
//!
//! Pure, from the page as it is made for everybody: no form has to know that it can be refused. Not here: what is refused and
//! which page that is (`refused`).

use std::collections::{BTreeMap, BTreeSet};

use super::markup::{Piece, end_of_tag, escaped, piece, pieces};

/// Where the reason stands.
const WHY: &str = "refused-why";
/// The form that was not taken,
const FORM: &str = "refused-form";
/// and the field of it that lacks something.
const FIELD: &str = "refused-field";

/// A form as it was sent. It may say who somebody is, so it can not be printed.
#[derive(Clone, Copy)]
pub(super) struct Sent<'a> {
    /// Where to.
    pub(super) action: &'a str,
    pub(super) fields: &'a [(String, String)],
    /// What the page makes anew each time, such as ids, is as it was sent: sent once more it is the same act.
    pub(super) same_act: bool,
    /// The field that lacks something, by its last name.
    pub(super) lacks: Option<&'a str>,
}

/// What is said above.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    pub(super) title: &'a str,
    pub(super) why: &'a str,
    /// Where more of that is to be seen, and the words of the link to it.
    pub(super) see: Option<(&'a str, &'a str)>,
    pub(super) kept: &'a str,
    /// The words of the link to the form.
    pub(super) link: &'a str,
}

/// The page with the form as it was sent; `None` if the page has that form no longer.
pub(super) fn filled(page: &str, sent: Sent<'_>, told: Told<'_>) -> Option<String> {
    let pieces = pieces(page);
    // Of several, the one that says most by itself: of the location and its ward, that of the ward.
    let those = forms(&pieces).into_iter().rev().filter(|form| form.is(&pieces, sent));
    let form = those.max_by_key(|form| form.fixed(&pieces).count())?;
    let mut values: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, value) in sent.fields {
        values.entry(name).or_default().push(value);
    }
    let (groups, taken, new) = (form.groups(&pieces, &values), BTreeSet::new(), BTreeMap::new());
    let mut edits = Edits { pieces: &pieces, sent, values: &values, groups, taken, new };
    let lacks = edits.fill(&form);
    edits.tell(&form, lacks, told);
    let new =
        |at: usize, piece: &Piece<'_>| edits.new.get(&at).cloned().unwrap_or_else(|| piece.raw.to_owned());
    Some(pieces.iter().enumerate().map(|(at, piece)| new(at, piece)).collect())
}

/// The name of a field of which there are several: `?to[3][offer]`, `on:to[3]`, `items[0][due]@local`.
struct Numbered<'a> {
    before: &'a str,
    list: &'a str,
    number: &'a str,
    after: &'a str,
}

fn numbered(name: &str) -> Option<Numbered<'_>> {
    let bare = name.strip_prefix('?').or_else(|| name.strip_prefix("on:")).unwrap_or(name);
    let before = name.strip_suffix(bare)?;
    let (list, rest) = bare.split_once('[')?;
    let (number, after) = rest.split_once(']')?;
    let counts = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    counts.then_some(Numbered { before, list, number, after })
}

/// The last of the names of a field, as its value is called in an act: `profile[wished_at@local]` is `wished_at`.
fn last_name(name: &str) -> &str {
    let name = name.trim_end_matches("[]").trim_end_matches("@local").trim_end_matches(']');
    name.rsplit('[').next().unwrap_or(name).trim_end_matches("@local")
}

/// A form of a page.
struct Form {
    opens: usize,
    closes: usize,
    /// What is folded around it.
    folds: Vec<usize>,
}

fn forms(pieces: &[Piece<'_>]) -> Vec<Form> {
    let (mut found, mut folds) = (Vec::<Form>::new(), Vec::new());
    for (at, piece) in pieces.iter().enumerate() {
        match piece.name {
            "details" => folds.push(at),
            "/details" => {
                folds.pop();
            }
            "form" => found.push(Form { opens: at, closes: pieces.len(), folds: folds.clone() }),
            "/form" => {
                if let Some(form) = found.last_mut() {
                    form.closes = at;
                }
            }
            _ => {}
        }
    }
    found
}

/// What an entry of a list says by itself: what stands before and after its number, and the value.
type Fixed<'a> = (&'a str, &'a str, &'a str);
/// Of a list in a form: which number it has there, and which it was sent with.
type Groups<'a> = BTreeMap<(&'a str, &'a str), &'a str>;

impl Form {
    fn inner<'p, 'a>(
        &self,
        pieces: &'p [Piece<'a>],
    ) -> impl Iterator<Item = (usize, &'p Piece<'a>)> + use<'p, 'a> {
        let (opens, closes) = (self.opens, self.closes);
        pieces.iter().enumerate().filter(move |(at, _)| *at > opens && *at < closes)
    }

    /// What it says by itself: which bed, which location.
    fn fixed<'p, 'a>(
        &self,
        pieces: &'p [Piece<'a>],
    ) -> impl Iterator<Item = (&'p str, &'p str)> + use<'p, 'a> {
        let hidden = self
            .inner(pieces)
            .filter(|(_, piece)| piece.name == "input" && piece.kind() == "hidden" && !piece.has("data-new"));
        hidden.filter_map(|(_, piece)| Some((piece.get("name")?, piece.get("value").unwrap_or_default())))
    }

    /// Whether it is the one that was sent.
    fn is(&self, pieces: &[Piece<'_>], sent: Sent<'_>) -> bool {
        let goes = pieces.get(self.opens).and_then(|form| form.get("action")) == Some(sent.action)
            || self.inner(pieces).any(|(_, piece)| piece.get("formaction") == Some(sent.action));
        goes && self
            .fixed(pieces)
            .filter(|(name, _)| numbered(name).is_none())
            .all(|(name, value)| says(sent, name, value))
    }

    /// The lists of it have another order by now: each entry is found by what it says by itself.
    fn groups<'p>(&self, pieces: &'p [Piece<'_>], values: &Values<'p>) -> Groups<'p> {
        let mut known: BTreeMap<(&str, &str), Vec<Fixed<'_>>> = BTreeMap::new();
        for (_, piece) in self.inner(pieces) {
            let Some(of) = piece.get("name").and_then(numbered) else { continue };
            let fixed = known.entry((of.list, of.number)).or_default();
            if piece.kind() == "hidden" && !piece.has("data-new") {
                fixed.push((of.before, of.after, piece.get("value").unwrap_or_default()));
            }
        }
        let numbers: BTreeSet<(&str, &str)> =
            values.keys().filter_map(|name| numbered(name)).map(|of| (of.list, of.number)).collect();
        let same = |list: &str, number: &str, fixed: &[Fixed<'_>]| {
            fixed.iter().all(|(before, after, value)| {
                let said = values.get(format!("{before}{list}[{number}]{after}").as_str());
                said.is_some_and(|said| said.contains(value))
            })
        };
        let found = known.into_iter().filter_map(|((list, number), fixed)| {
            let mut those = numbers.iter().filter(|(of, _)| *of == list);
            let sent_as = if fixed.is_empty() {
                those.find(|(_, sent_as)| *sent_as == number)
            } else {
                those.find(|(_, sent_as)| same(list, sent_as, &fixed))
            };
            Some(((list, number), sent_as?.1))
        });
        found.collect()
    }
}

/// Whether this was sent; what is empty was not said.
fn says(sent: Sent<'_>, name: &str, value: &str) -> bool {
    sent.fields.iter().any(|(key, said)| key == name && said == value)
}

/// What was sent, by the names of the fields; of several of one name in their order.
type Values<'a> = BTreeMap<&'a str, Vec<&'a str>>;

/// What becomes of the pieces of a page.
struct Edits<'p, 'a> {
    pieces: &'p [Piece<'a>],
    sent: Sent<'p>,
    values: &'p Values<'p>,
    groups: Groups<'p>,
    /// What is in a field already, by name and place: several fields of one name take what was sent in turn, as a browser sends it.
    taken: BTreeSet<(&'p str, usize)>,
    new: BTreeMap<usize, String>,
}

impl<'p> Edits<'p, '_> {
    /// The first of what was sent in the field of this name that is in no field yet, and is so; nothing if the page means another
    /// by the name.
    fn take(&mut self, name: &str, is: impl Fn(&str) -> bool) -> Option<&'p str> {
        let sent_as = match numbered(name) {
            None => name.to_owned(),
            Some(of) => {
                let number = self.groups.get(&(of.list, of.number))?;
                format!("{}{}[{number}]{}", of.before, of.list, of.after)
            }
        };
        let (name, values) = self.values.get_key_value(sent_as.as_str())?;
        let mut left =
            values.iter().enumerate().filter(|(at, value)| !self.taken.contains(&(*name, *at)) && is(value));
        let (at, value) = left.next()?;
        self.taken.insert((*name, at));
        Some(*value)
    }

    /// The next of what was sent in fields of this name.
    fn next(&mut self, name: &str) -> Option<&'p str> {
        self.take(name, |_| true)
    }

    /// Whether this box was ticked.
    fn ticked(&mut self, name: &str, value: &str) -> bool {
        self.take(name, |sent| sent == value).is_some()
    }

    /// Puts what was sent into the fields, and unfolds what has something in it. Where the field is that lacks something.
    fn fill(&mut self, form: &Form) -> Option<usize> {
        let (mut folds, mut lacks) = (Vec::new(), None);
        let mut choice: Option<&str> = None;
        let pieces = self.pieces;
        for (at, piece) in form.inner(pieces) {
            let name = piece.get("name").unwrap_or_default();
            let filled = match piece.name {
                "details" => {
                    folds.push(at);
                    false
                }
                "/details" => {
                    folds.pop();
                    false
                }
                "input" => self.input(at, piece, name),
                "textarea" => self.text(at, piece, name),
                "select" => {
                    let known = |value: &&str| {
                        pieces
                            .iter()
                            .skip(at)
                            .take_while(|one| one.name != "/select")
                            .any(|one| one.name == "option" && one.get("value") == Some(*value))
                    };
                    choice = self.next(name).filter(known);
                    choice.is_some_and(|choice| !choice.is_empty())
                }
                "option" if choice.is_some() => {
                    let chosen = piece.get("value") == choice;
                    self.new.insert(at, piece.with(&[("selected", chosen.then_some(""))]));
                    false
                }
                "/select" => {
                    choice = None;
                    false
                }
                _ => false,
            };
            if filled {
                self.unfold(&folds);
            }
            let is_field = matches!(piece.name, "input" | "select" | "textarea") && piece.kind() != "hidden";
            if is_field && lacks.is_none() && self.sent.lacks.is_some_and(|lacks| lacks == last_name(name)) {
                self.unfold(&folds);
                lacks = Some(at);
            }
        }
        lacks
    }

    fn unfold(&mut self, folds: &[usize]) {
        for at in folds {
            if let Some(fold) = self.pieces.get(*at) {
                self.new.insert(*at, fold.with(&[("open", Some(""))]));
            }
        }
    }

    /// Whether something is in it now.
    fn input(&mut self, at: usize, piece: &Piece<'_>, name: &str) -> bool {
        match piece.kind() {
            "hidden" => {
                let kept = self.next(name).filter(|_| piece.has("data-new") && self.sent.same_act);
                if let Some(value) = kept {
                    self.new.insert(at, piece.with(&[("value", Some(value))]));
                }
                false
            }
            "checkbox" | "radio" => {
                let ticked = self.ticked(name, piece.get("value").unwrap_or("on"));
                self.new.insert(at, piece.with(&[("checked", ticked.then_some(""))]));
                ticked
            }
            "password" | "file" => false,
            _ => {
                let Some(value) = self.next(name) else { return false };
                self.new.insert(at, piece.with(&[("value", Some(value))]));
                !value.is_empty()
            }
        }
    }

    fn text(&mut self, at: usize, piece: &Piece<'_>, name: &str) -> bool {
        let Some(value) = self.next(name) else { return false };
        // A page does not show the first end of line.
        self.new.insert(at, format!("{}\n{}", piece.raw, escaped(value)));
        let shown = self.pieces.iter().enumerate().skip(at.saturating_add(1));
        for (inside, _) in shown.take_while(|(_, one)| one.name != "/textarea") {
            self.new.insert(inside, String::new());
        }
        !value.is_empty()
    }

    /// Says above the page, in its title and at the field what is wrong.
    fn tell(&mut self, form: &Form, lacks: Option<usize>, told: Told<'_>) {
        self.unfold(&form.folds);
        let pieces = self.pieces;
        let mut to = FORM.to_owned();
        if let Some(piece) = pieces.get(form.opens) {
            match piece.get("id") {
                Some(id) => id.clone_into(&mut to),
                None => {
                    self.new.insert(form.opens, piece.with(&[("id", Some(FORM))]));
                }
            }
        }
        if let Some((at, field)) = lacks.and_then(|at| Some((at, pieces.get(at)?))) {
            let tag = self.new.get(&at).map_or(field.raw, String::as_str);
            let (tag, after) = tag.split_at_checked(end_of_tag(tag)).unwrap_or((tag, ""));
            let field = piece(tag);
            let about =
                field.get("aria-describedby").map_or_else(|| WHY.to_owned(), |more| format!("{WHY} {more}"));
            // One of several to choose from is not wrong by itself.
            let invalid = (field.kind() != "radio").then_some("true");
            let id = field.get("id").unwrap_or(FIELD).to_owned();
            let tag = field.with(&[
                ("id", Some(&id)),
                ("aria-invalid", invalid),
                ("aria-describedby", Some(&about)),
            ]);
            self.new.insert(at, tag + after);
            to = id;
        }
        let Told { title, why, see, kept, link } = told;
        let [title, why, kept, link, to] = [title, why, kept, link, &to].map(escaped);
        let see =
            see.map(|(address, words)| format!(" <a href=\"{}\">{}</a>", escaped(address), escaped(words)));
        let see = see.unwrap_or_default();
        let said = format!(
            "<div class=\"banner refused\" id=\"refused\" role=\"alert\" tabindex=\"-1\" autofocus><p id=\"{WHY}\"><b>{title}.</b> {why}{see}</p>\
             <p>{kept} <a href=\"#{to}\">{link}</a></p></div>"
        );
        let heading = format!("{title} · ");
        for (at, piece) in pieces.iter().enumerate() {
            let after = match piece.name {
                "main" => &said,
                "title" => &heading,
                _ => continue,
            };
            self.new.insert(at, format!("{}{after}", piece.raw));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLD: Told<'_> = Told {
        title: "Dit kan niet",
        why: "Vol & \"dicht\"",
        see: None,
        kept: "Het staat er nog:",
        link: "verder",
    };

    fn fields(fields: &[(&str, &str)]) -> Vec<(String, String)> {
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn sent<'a>(action: &'a str, fields: &'a [(String, String)]) -> Sent<'a> {
        Sent { action, fields, same_act: true, lacks: None }
    }

    fn page(form: &str) -> String {
        format!("<!doctype html><title>Wie</title><main id=\"main\" class=\"a\"><h1>Wie</h1>{form}</main>")
    }

    #[test]
    fn every_kind_of_field_has_what_was_sent_and_nothing_of_it_is_markup() {
        let page = page(
            "<form action=\"/doe/a\"><input type=\"hidden\" name=\"id\" value=\"new\" data-new><input type=\"hidden\" name=\"where\" value=\"linde\">\
             <input name=\"area\" value=\"35\"><input type=\"datetime-local\" name=\"at@local\">\
             <textarea name=\"private\"></textarea><input type=\"password\" name=\"secret\">\
             <input type=\"radio\" name=\"u\" value=\"crisis\"><input type=\"radio\" name=\"u\" value=\"planned\" checked>\
             <input type=\"checkbox\" name=\"c[]\" value=\"a\" checked><input type=\"checkbox\" name=\"c[]\" value=\"b\">\
             <select name=\"s\"><option value=\"\" selected>-</option><option value=\"one\">1</option><option value=\"two\">2</option></select></form>",
        );
        let said = fields(&[
            ("id", "old"),
            ("where", "linde"),
            ("area", "\"><script>alert(1)</script>"),
            ("at@local", "gisteren"),
            ("private", "\nJansen </textarea><b>'&"),
            ("secret", "geheim"),
            ("u", "crisis"),
            ("c[]", "b"),
            ("s", "two"),
        ]);
        let again = filled(&page, sent("/doe/a", &said), TOLD).unwrap();
        assert!(again.contains("name=\"id\" data-new=\"\" value=\"old\""), "{again}");
        assert!(
            again.contains("name=\"area\" value=\"&#34;&#62;&#60;script&#62;alert(1)&#60;/script&#62;\""),
            "{again}"
        );
        assert!(again.contains("name=\"at@local\" value=\"gisteren\""), "{again}");
        assert!(
            again.contains("name=\"private\">\n\nJansen &#60;/textarea&#62;&#60;b&#62;&#39;&#38;</textarea>"),
            "{again}"
        );
        assert!(
            again.contains("value=\"crisis\" checked") && again.contains("value=\"planned\">"),
            "{again}"
        );
        assert!(again.contains("value=\"a\">") && again.contains("value=\"b\" checked"), "{again}");
        assert!(
            again.contains("value=\"two\" selected") && again.contains("<option value=\"\">-"),
            "{again}"
        );
        assert!(!again.contains("geheim") && !again.contains("<script"), "{again}");
        let alert = "<main id=\"main\" class=\"a\"><div class=\"banner refused\" id=\"refused\" role=\"alert\" tabindex=\"-1\" autofocus><p id=\"refused-why\"><b>Dit kan niet.</b> Vol &#38; &#34;dicht&#34;</p>";
        assert!(again.contains(alert) && again.contains("<a href=\"#refused-form\">verder</a>"), "{again}");
        assert!(again.contains("<title>Dit kan niet · Wie"), "{again}");
        let anew = Sent { same_act: false, ..sent("/doe/a", &said) };
        assert!(filled(&page, anew, TOLD).unwrap().contains("value=\"new\""));
    }

    #[test]
    fn of_several_forms_to_one_address_it_is_the_one_with_the_same_bed_and_what_is_folded_opens() {
        let form = |bed: u8| {
            format!(
                "<details class=\"d{bed}\"><form action=\"/doe/stays\"><input type=\"hidden\" name=\"bed\" value=\"{bed}\"><details class=\"in{bed}\"><input name=\"late@local\"></details><button formaction=\"/doe/beds/{bed}\">x</button></form></details>"
            )
        };
        let page = page(&(form(1) + &form(2)));
        let said = fields(&[("bed", "2"), ("late@local", "t")]);
        let again = filled(&page, sent("/doe/stays", &said), TOLD).unwrap();
        assert!(
            again
                .contains("<details class=\"d2\" open=\"\"><form action=\"/doe/stays\" id=\"refused-form\">"),
            "{again}"
        );
        assert!(
            again.contains("<details class=\"in2\" open=\"\">") && again.contains("<details class=\"in1\">"),
            "{again}"
        );
        let by_button = filled(&page, sent("/doe/beds/2", &said), TOLD).unwrap();
        assert_eq!(by_button, again);
        assert_eq!(
            filled(&page, sent("/doe/stays", &fields(&[("bed", "3")])), TOLD),
            None,
            "that bed is gone"
        );
        assert_eq!(filled(&page, sent("/doe/other", &said), TOLD), None);
    }

    #[test]
    fn a_tick_stays_at_its_location_when_the_list_has_another_order_by_now() {
        let entry = |number: u8, location: &str| {
            format!(
                "<input type=\"checkbox\" name=\"on:to[{number}]\" value=\"1\"><input type=\"hidden\" name=\"?to[{number}][offer]\" value=\"new{number}\" data-new><input type=\"hidden\" name=\"?to[{number}][location]\" value=\"{location}\">"
            )
        };
        let page =
            page(&format!("<form action=\"/doe/offers\">{}{}</form>", entry(0, "beuk"), entry(1, "es")));
        let said = fields(&[
            ("on:to[0]", "1"),
            ("?to[0][offer]", "first"),
            ("?to[0][location]", "linde"),
            ("on:to[2]", "1"),
            ("?to[1][offer]", "second"),
            ("?to[1][location]", "beuk"),
            ("?to[2][offer]", "third"),
            ("?to[2][location]", "es"),
        ]);
        let again = filled(&page, sent("/doe/offers", &said), TOLD).unwrap();
        assert!(
            again.contains("name=\"on:to[0]\" value=\"1\">")
                && again.contains("name=\"on:to[1]\" value=\"1\" checked"),
            "{again}"
        );
        assert!(
            again.contains("value=\"second\"")
                && again.contains("value=\"third\"")
                && !again.contains("value=\"first\""),
            "{again}"
        );
    }

    #[test]
    fn fields_of_one_name_have_what_was_sent_in_each_also_a_choice_beside_boxes() {
        let page = page(
            "<form action=\"/doe/a\"><input name=\"w[]\" value=\"a\"><input name=\"w[]\" value=\"b\"><input name=\"w[]\" value=\"\">\
             <select name=\"c[]\"><option value=\"\">-</option><option value=\"one\">1</option><option value=\"two\">2</option></select>\
             <input type=\"checkbox\" name=\"c[]\" value=\"one\"><input type=\"checkbox\" name=\"c[]\" value=\"two\"></form>",
        );
        let said = fields(&[("w[]", "Noord"), ("w[]", ""), ("w[]", "Oost"), ("c[]", "one"), ("c[]", "two")]);
        let again = filled(&page, sent("/doe/a", &said), TOLD).unwrap();
        let wards: Vec<&str> =
            again.split("name=\"w[]\" value=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(wards, ["Noord", "", "Oost"], "{again}");
        assert!(
            again.contains("value=\"one\" selected") && !again.contains("value=\"two\" selected"),
            "{again}"
        );
        assert!(
            again.contains("value=\"two\" checked") && !again.contains("value=\"one\" checked"),
            "{again}"
        );
    }

    #[test]
    fn the_field_that_lacks_something_is_pointed_at() {
        let page = page(
            "<form action=\"/doe/a\"><input name=\"x\"><select name=\"p[origin]\" aria-describedby=\"hint\"><option value=\"\">-</option></select><input name=\"p[wished_at@local]\"></form>",
        );
        let said = fields(&[("x", "1")]);
        let lacks =
            |field| filled(&page, Sent { lacks: Some(field), ..sent("/doe/a", &said) }, TOLD).unwrap();
        let origin = lacks("origin");
        assert!(origin.contains("<select name=\"p[origin]\" id=\"refused-field\" aria-invalid=\"true\" aria-describedby=\"refused-why hint\">"), "{origin}");
        assert!(origin.contains("<a href=\"#refused-field\">"), "{origin}");
        assert!(lacks("wished_at").contains("<input name=\"p[wished_at@local]\" id=\"refused-field\""));
        assert!(lacks("nothing").contains("href=\"#refused-form\""));
    }
}
