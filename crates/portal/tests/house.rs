//! The pages of a location, without a script: what a nurse, a desk and a ward's device see and do there.
//!
//! Not here: the rules of the desk (`domain`), who may what (`domain`), the same in a browser (`browser`).

#![expect(clippy::unwrap_used, clippy::panic, reason = "test code")]

mod support;

use network::Network;
use support::{Node, Serving};
use tests::form::form_to;
use tests::session::Session;

/// A desk, a house, a referrer, a centre; the house speaks for `locations`.
fn network(locations: &str) -> Network {
    let source = |id: &str, name: &str, kind: &str, more: &str| {
        format!(
            "[[source]]\nid = \"urn:test:{id}\"\nname = \"{name}\"\nkind = \"{kind}\"\nregion = \"zk01\"\n{more}\n"
        )
    };
    let text = [
        "[[region]]\ncode = \"zk01\"\nname = \"Noord\"\ndesk = { name = \"Loket Noord\", phone = \"088-1\", hours = \"altijd\" }\n".to_owned(),
        source("desk", "loket", "desk", ""),
        source("location", "ecd-linde", "location", &format!("locations = [{locations}]")),
        source("referrer", "huisarts", "referrer", ""),
    ];
    Network::from_toml("network.toml", &text.concat()).unwrap()
}

/// A new id.
fn id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// A served node with two houses, of two beds in two wards and of one bed, and everybody signed in.
struct Houses {
    node: Node,
    serving: Serving,
    nurse: Session,
    desk: Session,
    device: Session,
}

const LINDE: &str = "/l/zk01-de-linde";
const BEDS: &str = "/doe/locations/zk01-de-linde/beds";

impl Houses {
    async fn start() -> Self {
        Self::of("\"zk01-de-linde\"").await
    }

    async fn of(locations: &str) -> Self {
        let node = Node::of(network(locations));
        let serving = node.serve().await;
        let nurse = Session::sign_in(serving.address, "linde").await;
        let desk = Session::sign_in(serving.address, "loket").await;
        let device = Session::sign_in(serving.address, "tablet").await;
        let houses = Self { node, serving, nurse, desk, device };
        for (house, wards) in [("zk01-de-linde", &["Noord", "Zuid"][..]), ("zk01-de-beuk", &["Oost"])] {
            houses.registers(house, "beds").await;
            for (bed, ward) in (1..).zip(wards) {
                let path = format!("/doe/locations/{house}/beds/{bed}/add");
                let fields = [("facts[care_types][]", "ELV_LC"), ("facts[ward]", *ward)];
                houses.seeds(&path, &fields).await;
            }
        }
        houses
    }

    async fn registers(&self, house: &str, mode: &str) {
        let fields = [
            ("location", house),
            ("site[provider]", "Stichting Zorg"),
            ("site[name]", house),
            ("site[mode]", mode),
            ("site[care_types][]", "ELV_LC"),
        ];
        self.seeds("/doe/regions/zk01/locations", &fields).await;
    }

    /// What the desk says that is not the matter of the test.
    async fn seeds(&self, path: &str, fields: &[(&str, &str)]) {
        let id = id();
        let fields: Vec<(&str, &str)> =
            [("id", &*id), ("naar", "/")].into_iter().chain(fields.iter().copied()).collect();
        let answer = self.desk.post(path, &fields).await;
        assert_eq!(answer.status, 303, "{path}: {}", answer.body);
    }

    /// A crisis referral that asks De Linde for a place; the addresses of referral and offer.
    async fn asked(&self) -> (String, String) {
        let (referral, offer) = (id(), id());
        let made = [
            ("region", "zk01"),
            ("referral", &*referral),
            ("profile[origin]", "gp"),
            ("profile[urgency]", "crisis"),
            ("profile[care_type]", "ELV_LC"),
            ("profile[age_band]", "80-84"),
            ("profile[channel]", "phone"),
            ("profile[consent]", "true"),
            ("not_a_double", "true"),
            ("private", "Mevrouw Jansen, Kerkstraat 1"),
        ];
        self.seeds("/doe/referrals", &made).await;
        let path = format!("/doe/referrals/{referral}");
        let to =
            [("to[0][offer]", &*offer), ("to[0][location]", "zk01-de-linde"), ("to[0][care_type]", "ELV_LC")];
        self.seeds(&format!("{path}/offers"), &to).await;
        (referral, format!("{path}/offers/{offer}"))
    }

    /// The number of beds that can be offered, as the board of the region has it for everybody.
    async fn offerable(&self) -> u32 {
        let head = self.node.log.reader().head().position;
        assert!(self.node.app.availability.wait_for(head).await);
        let board = self.desk.page("/r/zk01").await;
        let sums = board.split("class=\"sums\"").nth(1).unwrap();
        let cell = sums.split("class=\"n lv l").nth(1).unwrap();
        cell.split(['>', '<']).nth(1).unwrap().parse().unwrap()
    }

    async fn stop(self) {
        self.serving.stop().await;
        self.node.stop().await;
    }
}

/// Fills in a form of this page and sends it, as by the button that goes to `action`; gets the page it leads to.
async fn fills(session: &Session, page: &str, action: &str, said: &[(&str, &str)]) -> String {
    let form = said.iter().fold(form_to(page, action), |form, (name, value)| form.with(name, value));
    form.send(session).await
}

/// What the fields of a form hold.
fn fields_of(page: &str, action: &str) -> Vec<(String, String)> {
    form_to(page, action).fields
}

/// What the page says of a bed.
fn of_bed<'a>(page: &'a str, bed: &str) -> &'a str {
    let rest = page.split(&format!("id=\"bed-{bed}\"")).nth(1).unwrap_or_else(|| panic!("no bed {bed}"));
    rest.split("</li>").next().unwrap()
}

/// Whether the page says that a bed is so.
fn is(page: &str, bed: &str, how: &str) -> bool {
    of_bed(page, bed).contains(&format!("class=\"how\">{how}</span>"))
}

/// A part of the page.
fn part<'a>(page: &'a str, name: &str) -> &'a str {
    let rest = page.split(&format!("data-part=\"{name}\"")).nth(1).unwrap_or_else(|| panic!("no {name}"));
    rest.split("</section>").next().unwrap()
}

/// The page of a stay that is over says where somebody went and what happened until then: the newest first, and nothing of before
/// the stay.
fn tells_where_to_and_what_happened(page: &str, discharge: &str) {
    assert!(page.contains("<dt>Waarheen</dt><dd>Naar huis met zorg</dd>"), "{page}");
    assert!(page.contains("Ontslagen") && !page.contains(discharge), "{page}");
    let history = part(page, "history");
    let at = |said: &str| history.find(said).unwrap_or_else(|| panic!("no {said}: {history}"));
    assert!(at("Ontslagen bij zk01-de-linde, naar: naar huis met zorg.") < at("Opgenomen: zk01-de-linde."));
    assert!(!history.contains("Aangemeld") && !history.contains("zegt een plek toe"), "{history}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nurse_frees_a_bed_without_a_script_and_the_board_of_the_region_shows_one_more() {
    let houses = Houses::start().await;
    let nurse = &houses.nurse;
    let page = nurse.page(LINDE).await;
    assert!(is(&page, "1", "vrij") && page.contains("Loket Noord"), "{page}");
    let page = fills(nurse, &page, &format!("{BEDS}/1/vacated"), &[]).await;
    assert!(is(&page, "1", "wordt schoongemaakt"));
    let before = houses.offerable().await;
    let page = fills(nurse, &page, &format!("{BEDS}/1/freed"), &[]).await;
    assert!(is(&page, "1", "vrij") && page.contains("Vastgelegd op positie"));
    assert_eq!(houses.offerable().await, before + 1);
    houses.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_tap_is_taken_back_and_only_by_whoever_made_it() {
    let houses = Houses::start().await;
    let page = houses.nurse.page(LINDE).await;
    assert!(!of_bed(&page, "1").contains("ongedaan"), "nothing was said of it yet");
    let page = fills(&houses.nurse, &page, &format!("{BEDS}/1/contaminated"), &[]).await;
    assert!(is(&page, "1", "besmet"));
    assert!(
        !of_bed(&houses.desk.page(LINDE).await, "1").contains("ongedaan"),
        "another's word is not the desk's"
    );
    let corrects = of_bed(&page, "1").split("name=\"corrects\" value=\"").nth(1).unwrap();
    let corrects = corrects.split('"').next().unwrap().to_owned();
    let undo = format!("{BEDS}/1/correct");
    let page = fills(&houses.nurse, &page, &undo, &[("corrects", &corrects)]).await;
    let bed = of_bed(&page, "1");
    assert!(is(&page, "1", "vrij") && !bed.contains("ongedaan"), "{bed}");
    houses.stop().await;
}

/// A day as a page has it.
fn as_shown(day: jiff::civil::Date) -> String {
    let months = ["jan", "feb", "mrt", "apr", "mei", "jun", "jul", "aug", "sep", "okt", "nov", "dec"];
    format!("{} {}", day.day(), months.get(usize::try_from(day.month() - 1).unwrap()).unwrap())
}

/// The day it is in the Netherlands.
fn today() -> jiff::civil::Date {
    let now = jiff::Timestamp::from_microsecond(eventlog::Clock::now(&eventlog::SystemClock)).unwrap();
    now.to_zoned(jiff::tz::get!("Europe/Amsterdam")).date()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bed_goes_out_of_use_with_a_reason_and_what_happened_before_is_told_late() {
    let houses = Houses::start().await;
    let page = houses.nurse.page(LINDE).await;
    // Yesterday at noon, as a clock in the Netherlands has it.
    let noon = today().yesterday().unwrap().at(12, 0, 0, 0);
    let typed = noon.strftime("%Y-%m-%dT%H:%M").to_string();
    let late = [("reason", "maintenance"), ("occurred_at@local", &*typed)];
    let page = fills(&houses.nurse, &page, &format!("{BEDS}/1/closed"), &late).await;
    let bed = of_bed(&page, "1");
    assert!(is(&page, "1", "buiten gebruik") && bed.contains("/1/opened"), "{bed}");
    assert!(!bed.contains("place[bed]"), "nobody comes into a bed that is out of use: {bed}");
    let head = houses.node.log.reader().head().position;
    let record =
        houses.node.log.reader().read(eventlog::Query { after: head - 1, ..eventlog::Query::default() });
    let record = record.last().unwrap().unwrap();
    let told = noon
        .to_zoned(jiff::tz::get!("Europe/Amsterdam"))
        .unwrap()
        .timestamp()
        .strftime("%Y-%m-%dT%H:00:00.000Z")
        .to_string();
    assert!(String::from_utf8_lossy(&record.bytes).contains(&told), "{told}");
    let page = fills(&houses.nurse, &page, &format!("{BEDS}/1/opened"), &[]).await;
    assert!(is(&page, "1", "vrij"));
    houses.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn admissions_of_a_ward_are_stopped_in_one_act_and_go_on_again() {
    let houses = Houses::start().await;
    let page = houses.nurse.page(LINDE).await;
    let stop = "/doe/locations/zk01-de-linde/stop";
    let page = fills(&houses.nurse, &page, stop, &[("reason", "infection"), ("ward", "Zuid")]).await;
    assert!(is(&page, "2", "opnamestop") && is(&page, "1", "vrij"));
    assert!(houses.desk.page("/locaties").await.contains("Opnamestop op één afdeling"));
    assert!(part(&page, "stops").contains("Zuid"));
    // Whoever is in its beds, the ward says so itself, and so does its house on the board.
    let ward = part(&page, "ward-2");
    assert!(ward.contains("Zuid") && ward.contains("Opnamestop") && ward.contains("Infectie"), "{ward}");
    assert!(houses.node.app.availability.wait_for(houses.node.log.head().position).await);
    assert!(houses.desk.page("/r/zk01").await.contains("Opnamestop op afdeling <bdi>Zuid</bdi>"));
    let resume = "/doe/locations/zk01-de-linde/resume";
    let page = fills(&houses.nurse, &page, resume, &[]).await;
    assert!(is(&page, "2", "vrij"));
    let page = fills(&houses.nurse, &page, stop, &[("reason", "staffing")]).await;
    assert!(is(&page, "1", "opnamestop") && is(&page, "2", "opnamestop"));
    assert!(part(&page, "stops").contains("hele huis") && part(&page, "today").contains("<b>0</b>"));
    assert!(part(&page, "stops").contains("Personeel, sinds"));
    // A desk sees why on its board; who is not signed in sees that, and not why.
    assert!(houses.node.app.availability.wait_for(houses.node.log.head().position).await);
    let board = houses.desk.page("/r/zk01").await;
    assert!(board.contains("Opnamestop") && board.contains("Personeel, sinds"), "{board}");
    let public = Session::nobody(houses.serving.address).page("/r/zk01").await;
    assert!(public.contains("Opnamestop") && !public.contains("Personeel, sinds"), "{public}");
    houses.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_comes_in_without_the_doctor_s_agreement_unless_that_is_said() {
    let houses = Houses::start().await;
    let (referral, offer) = houses.asked().await;
    let nurse = &houses.nurse;
    let page = nurse.page(LINDE).await;
    let page = fills(nurse, &page, &format!("{offer}/seen"), &[]).await;
    let page = fills(nurse, &page, &format!("{offer}/accept"), &[]).await;
    assert!(part(&page, "arrivals").contains("name=\"sure:agreement\" value=\"1\" required"), "{page}");
    let admission = form_to(part(&page, "arrivals"), "/doe/stays");
    let asked = admission.try_send(nurse).await;
    assert!(asked.status == 409 && asked.body.contains("nog geen akkoord gegeven"), "{}", asked.body);
    assert!(
        part(&nurse.page(LINDE).await, "arrivals").contains("akkoord arts ontbreekt"),
        "nothing was recorded"
    );
    let page = admission.with("sure:agreement", "1").send(nurse).await;
    assert!(part(&page, "arrivals").contains("niemand verwacht"), "{page}");
    let desk = houses.desk.page(&format!("/aanmelding/{referral}")).await;
    assert!(desk.contains("Zonder akkoord van de opnemend arts"), "{desk}");
    houses.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_is_promised_in_two_posts_and_whoever_comes_is_admitted_and_goes_home() {
    let houses = Houses::start().await;
    let (referral, offer) = houses.asked().await;
    let nurse = &houses.nurse;
    let page = nurse.page(LINDE).await;
    assert!(part(&page, "asked").contains("Bekijk de aanvraag") && !part(&page, "asked").contains("80–84"));
    let page = fills(nurse, &page, &format!("{offer}/seen"), &[]).await;
    assert!(part(&page, "asked").contains("80–84"));
    let page = fills(nurse, &page, &format!("{offer}/accept"), &[]).await;
    assert!(part(&page, "asked").contains("Er wacht geen aanvraag"));
    let arrivals = part(&page, "arrivals");
    assert!(arrivals.contains(&format!("/aanmelding/{referral}/wie")), "{arrivals}");
    // The page of the whole referral is not theirs: no link leads there.
    assert!(!arrivals.contains(&format!("/aanmelding/{referral}\"")), "{arrivals}");
    assert!(!page.contains("Jansen"));
    // A place is kept, so somebody is expected on it.
    assert!(page.contains("gereserveerd"));
    let page = fills(nurse, &page, &format!("{offer}/agree"), &[]).await;
    let page = fills(nurse, part(&page, "arrivals"), "/doe/stays", &[]).await;
    assert!(part(&page, "arrivals").contains("niemand verwacht"));
    let stay = page.split("/verblijf/").nth(1).unwrap().split('"').next().unwrap().to_owned();

    let path = format!("/verblijf/{stay}");
    let page = nurse.page(&path).await;
    assert!(page.contains("Verblijf, bed") && page.contains(&format!("/aanmelding/{referral}/wie")));
    assert!(!page.contains(&format!("/aanmelding/{referral}\"")), "{page}");
    assert!(!page.contains("Jansen"));
    let act = |what: &str| format!("/doe/stays/{stay}/{what}");
    let due = today()
        .saturating_add(jiff::SignedDuration::from_hours(8 * 24))
        .strftime("%Y-%m-%dT12:00")
        .to_string();
    let plan = [("items[1][state]", "arranged"), ("items[1][due]@local", &*due)];
    let page = fills(nurse, &page, &act("plan"), &plan).await;
    let kept = fields_of(&page, &act("plan"));
    assert!(kept.contains(&("items[1][due]@local".into(), due.clone())), "{kept:?}");
    assert!(kept.contains(&("items[1][state]".into(), "arranged".into())), "{kept:?}");
    let home = today().saturating_add(jiff::SignedDuration::from_hours(7 * 24));
    let typed = home.strftime("%Y-%m-%dT10:00").to_string();
    let page = fills(nurse, &page, &act("expected"), &[("expected_at@local", &*typed)]).await;
    let shown = as_shown(home);
    let place = part(&page, "place");
    assert!(place.contains(&shown) && place.contains("10:00"), "{shown}: {place}");
    let page = fills(nurse, &page, &act("waiting"), &[("what", "home-care")]).await;
    assert!(part(&page, "place").contains("Zorg thuis"));
    let page =
        fills(nurse, &page, &act("funding"), &[("funding", "wlz"), ("what", ""), ("since@local", "")]).await;
    assert!(part(&page, "place").contains("<dd><bdi>Wlz</bdi></dd>"), "{page}");
    let page = fills(nurse, &page, &act("triage"), &[("outcome", "ELV_HC")]).await;
    assert!(part(&page, "place").contains("<dt>Opnieuw gewogen</dt><dd>ELV hoog complex"), "{page}");
    let other = if page.contains("bed 1</h1>") { "2" } else { "1" };
    let page = fills(nurse, &page, &act("move"), &[("to[bed]", other)]).await;
    assert!(page.contains(&format!("bed {other}</h1>")));
    // That move never was; then it was after all.
    let before = if other == "1" { "2" } else { "1" };
    let page = fills(nurse, &page, &act("cancel-move"), &[("from[bed]", before)]).await;
    assert!(page.contains(&format!("bed {before}</h1>")));
    let page = fills(nurse, &page, &act("move"), &[("to[bed]", other)]).await;
    assert!(page.contains(&format!("bed {other}</h1>")));
    let house = nurse.page(LINDE).await;
    let stays = part(&house, "stays");
    assert!(
        stays.contains(&shown)
            && stays.contains("10:00")
            && stays.contains("Zorg thuis")
            && stays.contains("1/5"),
        "{stays}"
    );

    let home = [("destination", "home-with-care"), ("ready", "true")];
    let page = fills(nurse, &page, &act("discharge"), &home).await;
    tells_where_to_and_what_happened(&page, &act("discharge"));
    assert!(is(&nurse.page(LINDE).await, other, "vrij"));
    let page = fills(nurse, &page, &act("cancel-discharge"), &[]).await;
    assert!(page.contains(&act("discharge")));
    houses.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_promise_and_an_admission_of_the_last_tap_are_taken_back_where_they_were_tapped() {
    let houses = Houses::start().await;
    let (_, offer) = houses.asked().await;
    let nurse = &houses.nurse;
    // Somebody came in without a referral: that was the wrong bed.
    let page = nurse.page(LINDE).await;
    let page = fills(nurse, of_bed(&page, "1"), "/doe/stays", &[]).await;
    assert!(is(&page, "1", "bezet") && of_bed(&page, "1").contains("Opname ongedaan maken"));
    let seen = houses.desk.page(LINDE).await;
    assert!(!of_bed(&seen, "1").contains("Opname ongedaan"), "the tap is another's");
    let cancel = |page: &str| {
        let stay = page.split("/doe/stays/").nth(1).unwrap().split('/').next().unwrap();
        format!("/doe/stays/{stay}/cancel-admission")
    };
    let undone = of_bed(&page, "1").to_owned();
    let undo = cancel(undone.split_once("class=\"say\"").unwrap().1);
    let page = fills(nurse, &undone, &undo, &[]).await;
    assert!(is(&page, "1", "vrij"), "{}", of_bed(&page, "1"));

    // A promise: the admission is taken back first, which leaves the place kept; then the promise.
    let page = fills(nurse, &page, &format!("{offer}/seen"), &[]).await;
    let page = fills(nurse, &page, &format!("{offer}/accept"), &[("bed", "2")]).await;
    let page = fills(nurse, &page, &format!("{offer}/agree"), &[]).await;
    let page = fills(nurse, part(&page, "arrivals"), "/doe/stays", &[]).await;
    assert!(is(&page, "2", "bezet") && part(&page, "arrivals").contains("niemand verwacht"));
    let undone = of_bed(&page, "2").to_owned();
    let undo = cancel(undone.split_once("class=\"say\"").unwrap().1);
    let page = fills(nurse, &undone, &undo, &[]).await;
    assert!(is(&page, "2", "gereserveerd") && !part(&page, "arrivals").contains("niemand verwacht"));
    let page = fills(nurse, &page, &format!("{offer}/take-back"), &[("code", "not-free-after-all")]).await;
    assert!(is(&page, "2", "vrij") && part(&page, "arrivals").contains("niemand verwacht"));
    houses.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_on_the_telephone_is_the_desk_s_to_write_and_the_location_s_to_contest() {
    let houses = Houses::start().await;
    let (_, offer) = houses.asked().await;
    let page = houses.desk.page(LINDE).await;
    assert!(!page.contains(&format!("{offer}/seen")), "a desk does not look in the location's name");
    let said = [("code", "no-staff"), ("spoken_with", "nurse")];
    fills(&houses.desk, &page, &format!("{offer}/decline"), &said).await;
    let page = houses.nurse.page(LINDE).await;
    let answered = part(&page, "answered");
    assert!(answered.contains("Nee: Geen personeel") && answered.contains("gesproken met: Verpleegkundige"));
    let page = fills(&houses.nurse, &page, &format!("{offer}/contest"), &[("role", "nurse")]).await;
    assert!(part(&page, "answered").contains("antwoord betwist"));
    houses.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ward_s_device_sees_beds_and_asks_for_a_person_for_more() {
    let houses = Houses::start().await;
    houses.asked().await;
    let stay = id();
    let place = [
        ("stay", &*stay),
        ("place[location]", "zk01-de-linde"),
        ("place[bed]", "2"),
        ("place[care_type]", "ELV_LC"),
    ];
    houses.seeds("/doe/stays", &place).await;
    let page = houses.device.page(LINDE).await;
    assert!(page.contains("/inloggen?naar=") && page.contains("Meld u aan"));
    for hidden in
        ["data-part=\"asked\"", "data-part=\"stays\"", "data-part=\"stops\"", "/verblijf/", "/doe/stays"]
    {
        assert!(!page.contains(hidden), "{hidden}");
    }
    let page = fills(&houses.device, &page, &format!("{BEDS}/1/vacated"), &[]).await;
    assert!(is(&page, "1", "wordt schoongemaakt") && is(&page, "2", "bezet"));
    let asked = houses.device.get(&format!("/verblijf/{stay}")).await;
    assert_eq!(asked.status, 303);
    assert!(asked.header("location").unwrap().starts_with("/inloggen?naar=%2Fverblijf%2F"), "{}", asked.head);
    houses.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ward_s_device_can_not_change_stop_or_take_away_a_location_or_its_beds() {
    let houses = Houses::start().await;
    let head = || houses.node.log.reader().head().position;
    let before = head();
    let (house, id) = ("/doe/locations/zk01-de-linde", id());
    let site = [
        ("site[provider]", "p"),
        ("site[name]", "De Tablet"),
        ("site[mode]", "beds"),
        ("site[care_types][]", "ELV_LC"),
    ];
    for (path, fields) in [
        ("/leave", &[][..]),
        ("/change", &site),
        ("/stop", &[("reason", "staffing")]),
        ("/resume", &[]),
        ("/intake-limit", &[("period", "day"), ("max", "0")]),
        ("/beds/1/removed", &[]),
        ("/beds/9/add", &[("facts[care_types][]", "ELV_LC")]),
        ("/beds/1/change", &[("facts[care_types][]", "GRZ")]),
    ] {
        let fields: Vec<(&str, &str)> =
            [("id", &*id), ("naar", LINDE)].into_iter().chain(fields.iter().copied()).collect();
        let answer = houses.device.post(&format!("{house}{path}"), &fields).await;
        assert_ne!(answer.status, 422, "{path}: {}", answer.body);
        assert_eq!(head(), before, "{path}: {} {}", answer.status, answer.body);
    }
    // What its page offers it does.
    for (path, fields) in [
        ("/confirm", &[][..]),
        ("/beds/1/vacated", &[]),
        ("/beds/1/closed", &[("reason", "maintenance")]),
        ("/beds/1/change", &[("facts[reserve]", "true")]),
    ] {
        let (before, id) = (head(), self::id());
        let fields: Vec<(&str, &str)> =
            [("id", &*id), ("naar", LINDE)].into_iter().chain(fields.iter().copied()).collect();
        let answer = houses.device.post(&format!("{house}{path}"), &fields).await;
        assert_eq!((answer.status, head()), (303, before + 1), "{path}: {}", answer.body);
    }
    houses.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_location_and_a_stay_there_look_like_none() {
    let houses = Houses::start().await;
    let stay = id();
    let place = [
        ("stay", &*stay),
        ("place[location]", "zk01-de-beuk"),
        ("place[bed]", "1"),
        ("place[care_type]", "ELV_LC"),
    ];
    houses.seeds("/doe/stays", &place).await;
    let stays = (format!("/verblijf/{stay}"), format!("/verblijf/{}", id()));
    for (others, nothing) in [("/l/zk01-de-beuk", "/l/zk01-niets"), (&stays.0, &stays.1)] {
        assert_eq!(houses.desk.get(others).await.status, 200);
        let (others, nothing) = (houses.nurse.get(others).await, houses.nurse.get(nothing).await);
        assert_eq!((others.status, nothing.status), (404, 404));
        assert_eq!(others.body, nothing.body);
    }
    let referrer = Session::sign_in(houses.serving.address, "huisarts").await;
    assert_eq!(referrer.get(LINDE).await.status, 403);
    assert_eq!(referrer.get("/locaties").await.status, 403);
    let nobody = tests::http::get(houses.serving.address, LINDE).await;
    assert_eq!(
        (nobody.status, nobody.header("location")),
        (303, Some("/inloggen?naar=%2Fl%2Fzk01-de-linde"))
    );
    houses.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_works_for_several_locations_has_a_list_of_them() {
    let houses = Houses::start().await;
    let (own, region) = (houses.nurse.page("/locaties").await, houses.desk.page("/locaties").await);
    assert!(own.contains(LINDE) && !own.contains("/l/zk01-de-beuk"));
    let at = |name: &str| region.find(name).unwrap();
    assert!(at("/l/zk01-de-beuk") < at(LINDE), "by name");
    assert!(region.contains("van 2 bedden") && region.contains("van één bed"));
    houses.stop().await;
    let both = Houses::of("\"*\"").await;
    let page = both.nurse.page("/locaties").await;
    assert!(page.contains(LINDE) && page.contains("/l/zk01-de-beuk"));
    both.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_location_without_bed_records_counts_and_says_that_all_still_holds() {
    let houses = Houses::of("\"*\"").await;
    houses.registers("zk01-de-berk", "counts").await;
    let path = "/l/zk01-de-berk";
    let counts = "/doe/locations/zk01-de-berk/counts";
    let page = houses.nurse.page(path).await;
    let first = [
        ("on:counts[0]", "on"),
        ("?counts[0][physical]", "12"),
        ("?counts[0][occupied]", "9"),
        ("?counts[0][offerable]", "3"),
    ];
    let page = fills(&houses.nurse, &page, counts, &first).await;
    let kept = fields_of(&page, counts);
    assert!(kept.contains(&("counts[0][occupied]".into(), "9".into())), "{kept:?}");
    let page = fills(&houses.nurse, &page, counts, &[("counts[0][offerable]", "2")]).await;
    assert!(part(&page, "today").contains("<b>2</b>"));
    let before = houses.node.log.reader().head().position;
    fills(&houses.nurse, &page, "/doe/locations/zk01-de-berk/confirm", &[]).await;
    assert_eq!(houses.node.log.reader().head().position, before + 1);
    houses.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_speaks_both_languages_and_what_was_said_to_be_empty_asks_for_the_discharge() {
    let houses = Houses::start().await;
    let path = format!("{LINDE}?lang=en");
    let page = houses.nurse.page(&path).await;
    assert!(page.contains("All of it still holds") && !page.contains("klopt nog") && !page.contains('⚠'));
    let page = fills(&houses.nurse, of_bed(&page, "1"), "/doe/stays", &[]).await;
    assert!(is(&page, "1", "occupied"), "the language is kept: {page}");
    let page = fills(&houses.nurse, &page, &format!("{BEDS}/1/vacated"), &[]).await;
    assert!(part(&page, "stays").contains("record the discharge"));
    let stay = page.split("/verblijf/").nth(1).unwrap().split(['"', '?']).next().unwrap();
    let page = houses.nurse.page(&format!("/verblijf/{stay}")).await;
    assert!(page.contains("Dit bed is leeg gemeld") && !page.contains('⚠'));
    let cancel = format!("/doe/stays/{stay}/cancel-admission");
    let page = fills(&houses.nurse, &page, &cancel, &[]).await;
    assert!(part(&page, "stays").contains("Er verblijft niemand"), "{page}");
    houses.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_house_of_sixty_beds_is_a_page_under_100_kb_and_each_bed_opens() {
    let houses = Houses::start().await;
    for bed in 3..=60 {
        houses.seeds(&format!("{BEDS}/{bed}/add"), &[("facts[care_types][]", "ELV_LC")]).await;
    }
    let page = houses.nurse.page(LINDE).await;
    assert!(page.len() < 100_000, "{} bytes", page.len());
    let closed = format!("{BEDS}/42/closed");
    assert!(!page.contains(&closed) && page.contains("href=\"/l/zk01-de-linde?bed=42#bed-42\""));
    let page = houses.nurse.page(&format!("{LINDE}?bed=42")).await;
    let page = fills(&houses.nurse, &page, &closed, &[("reason", "infection")]).await;
    assert!(is(&page, "42", "buiten gebruik"));
    houses.stop().await;
}
