//! A form that is refused, without a script: the page it stood on comes back with everything that was filled in, and says why.
//!
//! Not here: how it is put into a page (`site::filled`), why something is refused (`domain`).

#![expect(clippy::unwrap_used, reason = "test code")]

mod support;

use support::houses::houses;
use support::{Node, Serving};
use tests::browser::Browser;
use tests::form::{Form, form_to, forms};
use tests::http::Answer;
use tests::session::Session;

const PRIVATE: &str = "Mevrouw \"Jansen\" <Kerkstraat 1>\n& haar zoon";

async fn started() -> (Node, Serving) {
    let node = Node::of(support::network::network());
    node.record(&houses()).await;
    let serving = node.serve().await;
    (node, serving)
}

/// A referral, filled in.
fn referral(page: &str) -> Form {
    form_to(page, "/doe/referrals")
        .with("profile[urgency]", "urgent")
        .with("profile[origin]", "gp")
        .with("profile[care_type]", "ELV_LC")
        .with("profile[area]", "97")
        .with("profile[age_band]", "80-84")
        .with("profile[consent]", "true")
        .with("not_a_double", "true")
        .with("private", PRIVATE)
}

/// What a form says, in no order; what is empty was not said.
fn said(form: &Form) -> Vec<(String, String)> {
    let mut fields: Vec<_> = form.fields.iter().filter(|(_, value)| !value.is_empty()).cloned().collect();
    fields.sort();
    fields
}

/// The answer to a refused form says so above the page, and the form in it says what was sent.
fn comes_back(answer: &Answer, sent: &Form, status: u16) -> Form {
    assert_eq!(answer.status, status, "{}", answer.body);
    let alert = "<div class=\"banner refused\" id=\"refused\" role=\"alert\" tabindex=\"-1\" autofocus>";
    assert!(answer.body.contains(alert), "{}", answer.body);
    let form = form_to(&answer.body, &sent.action);
    assert_eq!(said(&form), said(sent), "{}", answer.body);
    form
}

/// What stands in the box above the page.
fn alert(answer: &Answer) -> &str {
    answer.body.split("id=\"refused\"").nth(1).unwrap().split("</div>").next().unwrap()
}

/// Makes a referral; its page.
async fn referred(desk: &Session) -> String {
    referral(&desk.page("/r/zk01/aanmelding/nieuw").await).with("profile[urgency]", "crisis").send(desk).await
}

fn first_to(page: &str, end: &str) -> Form {
    forms(page).into_iter().find(|form| form.action.ends_with(end)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_referral_that_lacks_something_comes_back_as_it_was_typed_and_is_taken_when_it_is_complete() {
    let (node, serving) = started().await;
    let desk = Session::sign_in(serving.address, "loket").await;
    let whole = referral(&desk.page("/r/zk01/aanmelding/nieuw").await);
    let sent = whole
        .with("profile[constraints][]", "isolation")
        .with("profile[constraints][]", "bariatric")
        .with("profile[origin]", "");
    let answer = sent.try_send(&desk).await;
    let again = comes_back(&answer, &sent, 422);
    assert!(alert(&answer).contains("Er ontbreekt nog iets"), "{}", alert(&answer));
    assert!(alert(&answer).contains("href=\"#refused-field\""), "{}", alert(&answer));
    assert!(answer.body.contains("name=\"profile[origin]\" required=\"\" id=\"refused-field\" aria-invalid=\"true\" aria-describedby=\"refused-why\""), "{}", answer.body);
    assert!(answer.body.contains("<title>Er ontbreekt nog iets · "), "{}", answer.body);
    // Nothing personal anywhere else, and nothing kept.
    assert!(!answer.head.contains("Jansen") && !answer.head.contains("set-cookie"), "{}", answer.head);
    assert!(answer.head.contains("cache-control: no-store"), "{}", answer.head);
    let page = again.with("profile[origin]", "gp").send(&desk).await;
    assert!(page.contains("Aangemeld") && !page.contains("Jansen"), "{page}");
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_rules_refuse_comes_back_in_the_language_of_the_page() {
    let (node, serving) = started().await;
    let desk = Session::sign_in(serving.address, "loket").await;
    let first = referral(&desk.page("/r/zk01/aanmelding/nieuw").await);
    first.clone().send(&desk).await;
    let page = desk.page("/r/zk01/aanmelding/nieuw?lang=en").await;
    // Perhaps it is the same person: that has to be said.
    let sent = referral(&page).with("not_a_double", "");
    let answer = sent.try_send(&desk).await;
    comes_back(&answer, &sent, 409);
    assert!(answer.body.contains("<html lang=\"en\">"), "{}", answer.body);
    assert!(alert(&answer).contains("This can not be done") && alert(&answer).contains("What you filled in"));
    // The other one is one step away, for whoever may look at it.
    let other = &first.fields.iter().find(|(name, _)| name == "naar").unwrap().1;
    let link = format!("<a href=\"{other}\">Look at that referral</a>");
    assert!(alert(&answer).contains(&link), "{}", alert(&answer));
    let doctor = Session::sign_in(serving.address, "huisarts").await;
    let page = doctor.page("/r/zk01/aanmelding/nieuw").await;
    let answer = referral(&page).with("not_a_double", "").try_send(&doctor).await;
    assert!(answer.status == 409 && !alert(&answer).contains("href=\"/aanmelding/"), "{}", alert(&answer));
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_weighing_the_offers_and_an_answer_by_telephone_come_back_as_they_were() {
    let (node, serving) = started().await;
    let desk = Session::sign_in(serving.address, "loket").await;
    let page = referred(&desk).await;
    let weighing = first_to(&page, "/triage")
        .with("answer:specialist", "false")
        .with("answer:psychiatric", "false")
        .with("decided_by", "nurse")
        .with("consulted", "doctor")
        .with("set_aside", "ELV_HC")
        .with("reason", "na overleg <met> de zoon");
    let answer = weighing.try_send(&desk).await;
    comes_back(&answer, &weighing, 409);
    assert!(answer.body.contains("<details id=\"set-aside\" open=\"\">"), "{}", answer.body);
    // Only the weighing says why it was refused.
    assert_eq!(answer.body.matches("id=\"refused-form\"").count(), 1);
    // The question as it is asked, in the language of the page.
    let question =
        "De vraag &#39;Is er een Wlz-indicatie, of wordt die binnen twee weken verwacht?&#39; moet nog";
    assert!(alert(&answer).contains(question), "{}", alert(&answer));
    let address = page.split("name=\"van\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let english = weighing.clone().with("van", &format!("{address}?lang=en")).try_send(&desk).await;
    assert!(alert(&english).contains("Is there a long-term care indication"), "{}", alert(&english));

    let offers = first_to(&page, "/offers").with("on:to[1]", "1").with("answer_by@local", "straks");
    let answer = offers.try_send(&desk).await;
    comes_back(&answer, &offers, 422);
    assert!(alert(&answer).contains("kunnen wij niet lezen"), "{}", alert(&answer));
    let page = offers.with("answer_by@local", "").send(&desk).await;

    let by_phone = first_to(&page, "/accept").with("spoken_with", "nurse").with("from@local", "overmorgen");
    let answer = by_phone.try_send(&desk).await;
    comes_back(&answer, &by_phone, 422);
    let details = answer.body.split("<details id=\"phone-").nth(1).unwrap();
    assert!(details.split('>').next().unwrap().ends_with("open=\"\""), "{details}");
    let lacks = first_to(&page, "/decline").with("spoken_with", "nurse");
    let answer = lacks.try_send(&desk).await;
    comes_back(&answer, &lacks, 422);
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_entry_and_a_discharge_of_a_house_come_back_as_they_were() {
    let (node, serving) = started().await;
    let nurse = Session::sign_in(serving.address, "linde").await;
    let house = nurse.page("/l/zk01-de-linde").await;
    let beds = "/doe/locations/zk01-de-linde/beds";
    let late = form_to(&house, &format!("{beds}/2/vacated")).with("occurred_at@local", "2999-01-01T12:00");
    let answer = late.try_send(&nurse).await;
    comes_back(&answer, &late, 422);
    assert!(alert(&answer).contains("in de toekomst"), "{}", alert(&answer));
    let bed = answer.body.split("id=\"bed-2\"").nth(1).unwrap().split("</li>").next().unwrap();
    assert!(bed.contains("id=\"refused-form\"") && bed.contains("id=\"meer-2\" open=\"\""), "{bed}");

    let admit = forms(&house).into_iter().find(|form| form.action == "/doe/stays").unwrap();
    let page = admit.send(&nurse).await;
    let stay = page.split("href=\"/verblijf/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let discharge =
        form_to(&nurse.page(&format!("/verblijf/{stay}")).await, &format!("/doe/stays/{stay}/discharge"))
            .with("destination", "home-with-care")
            .with("care_hours_at_home", "12")
            .with("occurred_at@local", "2001-01-01T12:00")
            .with("ready", "true");
    let answer = discharge.try_send(&nurse).await;
    comes_back(&answer, &discharge, 422);
    assert!(alert(&answer).contains("langer dan 31 dagen"), "{}", alert(&answer));
    let page = discharge.with("occurred_at@local", "").send(&nurse).await;
    assert!(page.contains("/cancel-discharge"), "{page}");
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_is_the_same_act_when_it_is_sent_again_and_another_if_its_id_was_used() {
    let (node, serving) = started().await;
    let desk = Session::sign_in(serving.address, "loket").await;
    let page = desk.page("/r/zk01/aanmelding/nieuw").await;
    let first = referral(&page);
    let id = first.fields.iter().find(|(name, _)| name == "id").unwrap().1.clone();
    first.send(&desk).await;
    let other = referral(&desk.page("/r/zk01/aanmelding/nieuw").await).with("id", &id);
    let answer = other.try_send(&desk).await;
    assert_eq!(answer.status, 409, "{}", answer.body);
    let again = form_to(&answer.body, "/doe/referrals");
    assert!(again.fields.iter().all(|(name, value)| name != "id" || *value != id), "{again:?}");
    assert!(again.fields.contains(&("private".to_owned(), PRIVATE.to_owned())), "{again:?}");
    assert!(again.send(&desk).await.contains("Aangemeld"));
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_the_form_is_no_longer_on_its_page_what_was_written_is_given_back_to_take_over() {
    let (node, serving) = started().await;
    let desk = Session::sign_in(serving.address, "loket").await;
    let page = referred(&desk).await;
    let give_up = first_to(&page, "/give-up").with("reason", "nergens plek, familie weet het");
    let other = first_to(&page, "/withdraw").with("reason", "recovered");
    other.send(&desk).await;
    let answer = give_up.try_send(&desk).await;
    assert_eq!(answer.status, 409, "{}", answer.body);
    assert!(answer.body.contains("nergens plek, familie weet het"), "{}", answer.body);
    assert!(answer.body.contains("Terug naar de pagina"), "{}", answer.body);
    // No other page is shown in its place, and nothing that is none.
    for van in ["https://evil.example/", "/volgen/r/zk01", "/r/zk02/werklijst", "/doe/referrals"] {
        let answer = give_up.clone().with("van", van).try_send(&desk).await;
        assert!(answer.status == 409 && !answer.body.contains("id=\"refused\""), "{van}: {}", answer.body);
    }
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_signed_out_meanwhile_comes_back_to_the_page_with_the_form() {
    let (node, serving) = started().await;
    let desk = Session::sign_in(serving.address, "loket").await;
    let form = referral(&desk.page("/r/zk01/aanmelding/nieuw").await);
    assert_eq!(desk.post("/uitloggen", &[]).await.status, 303);
    let answer = form.try_send(&desk).await;
    assert_eq!(answer.status, 303);
    let door = "/inloggen?naar=%2Fr%2Fzk01%2Faanmelding%2Fnieuw&verloren=1";
    assert_eq!(answer.header("location"), Some(door));
    // Nothing is recorded and nothing of it kept: that is said there.
    let page = desk.page(door).await;
    let told = "role=\"alert\">Er is niets vastgelegd";
    assert!(page.contains(told) && page.contains("wat u invulde is niet bewaard"), "{page}");
    assert!(page.contains("name=\"naar\" value=\"/r/zk01/aanmelding/nieuw\""), "{page}");
    assert!(!page.contains("Jansen") && !desk.page("/inloggen").await.contains(told), "{page}");
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_script_too_a_likely_double_leads_to_the_other_referral() {
    let (node, serving) = started().await;
    let at = format!("http://{}", serving.address);
    let mut browser = Browser::open(&format!("{at}/")).await;
    browser.sign_in(&at, "loket").await;
    let fill = "(() => { const form = document.querySelector('form[data-act]');
        form.elements['profile[urgency]'].value = 'urgent';
        form.elements['profile[origin]'].value = 'gp';
        form.elements['profile[care_type]'].value = 'ELV_LC';
        form.elements['profile[age_band]'].value = '80-84';
        form.elements['profile[area]'].value = '97';
        form.elements['profile[consent]'].checked = true;
        form.querySelector('button.main').click(); })()";
    browser.go(&format!("{at}/r/zk01/aanmelding/nieuw")).await;
    browser.evaluate(fill).await;
    browser.until("location.pathname.startsWith('/aanmelding/')").await;
    let first = browser.evaluate("location.pathname").await;
    browser.go(&format!("{at}/r/zk01/aanmelding/nieuw")).await;
    browser.evaluate(fill).await;
    browser.until("document.querySelector('output a')?.textContent === 'Bekijk die aanmelding'").await;
    assert_eq!(browser.evaluate("document.querySelector('output a').pathname").await, first);
    assert_eq!(browser.evaluate("!window.violations").await, true);
    browser.close().await;
    serving.stop().await;
    node.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_said_in_words_with_the_clock_on_the_wall() {
    let (node, serving) = started().await;
    let desk = Session::sign_in(serving.address, "loket").await;
    let page = referred(&desk).await;
    let offers = first_to(&page, "/offers").with("on:to[0]", "1").with("on:to[1]", "1");
    let much_later = jiff::Timestamp::from_microsecond(node.app.desk.now().as_micros() + 240 * 3_600_000_000);
    let local = much_later.unwrap().strftime("%Y-%m-%dT%H:%M").to_string();
    let answer = offers.clone().with("answer_by@local", &local).try_send(&desk).await;
    assert!(
        alert(&answer).contains("(hoe lang een locatie ten hoogste heeft om te antwoorden)"),
        "{}",
        alert(&answer)
    );
    let page = offers.send(&desk).await;
    let never = ["zk01-de-linde", "zk01-de-beuk"].map(|house| {
        let number = if house.ends_with("linde") { 980 } else { 981 };
        let windows = format!(r#""location":"{house}","windows":[]"#);
        support::event(number, "location.windows-set", house, &windows)
    });
    let position = node.record(&never).await;
    assert!(node.app.desk.state().wait_for(position).await);
    let answer = first_to(&page, "/accept").with("spoken_with", "nurse").try_send(&desk).await;
    let why = alert(&answer);
    assert!(why.contains("neemt op dat moment (") && !why.contains("Z)"), "{why}");
    serving.stop().await;
    node.stop().await;
}
