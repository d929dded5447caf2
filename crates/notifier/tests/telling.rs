//! People are told over a real log, by a real SMTP server of the test and a push service of the test.
#![expect(clippy::unwrap_used, reason = "test code")]

mod support;

use std::time::Duration;

use notifier::{Lang, Notifier};
use support::{Desk, EIK, LINDE, minutes, registered, secrets, setup, within};
use tests::push::{Device, PushService};
use tests::smtp::SmtpServer;

const NL: &str = "Er is iets voor u in Doorstroom";
const EN: &str = "There is something for you in Doorstroom";

// What is due first is told first. So that nothing was told is seen when something that falls due later was.

#[tokio::test(flavor = "multi_thread")]
async fn an_offer_nobody_looked_at_is_mailed_once_and_one_that_was_seen_never() {
    let smtp = SmtpServer::start().await;
    let desk = Desk::start();
    let notifier = Notifier::open(desk.folder(), setup(Some(&smtp), false)).unwrap();
    notifier.book().set_mail("linde", Some("linde@test.example"), Lang::Nl).unwrap();
    notifier.book().set_mail("eik", Some("eik@test.example"), Lang::En).unwrap();
    let running = desk.run(&notifier);
    desk.offer(1, LINDE, 60).await;
    desk.offer(2, EIK, 60).await;
    desk.seen(2, EIK).await;
    desk.offer(3, EIK, 59).await;
    desk.offer(4, EIK, 65).await;
    let mailed = || smtp.mails().into_iter().flat_map(|mail| mail.to).collect::<Vec<_>>();
    let (linde, eik) = ("linde@test.example", "eik@test.example");
    desk.pass(minutes(9));
    within(|| !mailed().is_empty()).await;
    assert_eq!(mailed(), [eik], "nobody is written to before a sixth of the time");
    desk.pass(minutes(3));
    within(|| mailed().len() == 2).await;
    // Whatever else happens, the same is not mailed again.
    desk.pass(minutes(5));
    within(|| mailed().len() >= 3).await;
    assert_eq!(mailed(), [eik, linde, eik]);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_told_is_not_told_again_after_a_restart() {
    let (smtp, service) = (SmtpServer::start().await, PushService::start().await);
    let setup = setup(Some(&smtp), true);
    let desk = Desk::start();
    let notifier = Notifier::open(desk.folder(), setup.clone()).unwrap();
    for house in ["linde", "eik"] {
        let device = registered(&Device::default(), &service.address(house), Lang::Nl);
        notifier.book().add_device(house, device, desk.now()).unwrap();
        notifier.book().set_mail(house, Some(&format!("{house}@test.example")), Lang::Nl).unwrap();
    }
    let key = notifier.push_key().unwrap().to_owned();
    let running = desk.run(&notifier);
    desk.offer(1, LINDE, 60).await;
    within(|| service.received().len() == 1).await;
    desk.pass(minutes(11));
    within(|| smtp.mails().len() == 1).await;
    // Killed, as far as the files know: nothing is written when it stops.
    running.kill().await;
    let again = Notifier::open(desk.folder(), setup).unwrap();
    assert_eq!(again.push_key(), Some(&*key), "devices are registered for this key");
    let running = desk.run(&again);
    desk.offer(2, EIK, 51).await;
    desk.pass(minutes(2));
    within(|| service.received().len() >= 2 && smtp.mails().len() >= 2).await;
    let pushed: Vec<String> = service.received().into_iter().map(|push| push.path).collect();
    let mailed: Vec<String> = smtp.mails().into_iter().flat_map(|mail| mail.to).collect();
    assert_eq!(pushed, ["/linde", "/eik"]);
    assert_eq!(mailed, ["linde@test.example", "eik@test.example"]);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_and_a_push_say_the_same_few_words_and_nothing_of_whom_or_where() {
    let (smtp, service) = (SmtpServer::start().await, PushService::start().await);
    let setup = setup(Some(&smtp), true);
    let desk = Desk::start();
    let notifier = Notifier::open(desk.folder(), setup).unwrap();
    let (dutch, english) = (Device::default(), Device::default());
    notifier.book().set_mail("linde", Some("l@test.example"), Lang::Nl).unwrap();
    notifier.book().set_mail("linde-2", Some("l2@test.example"), Lang::En).unwrap();
    for (account, device, lang, path) in
        [("linde", &dutch, Lang::Nl, "nl"), ("linde-2", &english, Lang::En, "en")]
    {
        let device = registered(device, &service.address(path), lang);
        notifier.book().add_device(account, device, desk.now()).unwrap();
    }
    let running = desk.run(&notifier);
    desk.offer(1, LINDE, 60).await;
    within(|| service.received().len() == 2).await;
    desk.pass(minutes(11));
    within(|| smtp.mails().len() == 2).await;
    for push in service.received() {
        let (device, words) = if push.path == "/nl" { (&dutch, NL) } else { (&english, EN) };
        assert_eq!(device.open(&push.body), words);
        assert_eq!(push.header("content-encoding"), "aes128gcm");
        let ttl: u64 = push.header("ttl").parse().unwrap();
        assert!(ttl <= 3600);
        let claims = push.claims(notifier.push_key().unwrap());
        assert_eq!(claims["aud"], service.origin());
        assert_eq!(claims["sub"], "mailto:node@test.example");
        let left = claims["exp"].as_i64().unwrap() - support::machine_seconds();
        assert!((60..=24 * 3600).contains(&left), "{left}");
    }
    for mail in smtp.mails() {
        let words = if mail.to == ["l@test.example"] { NL } else { EN };
        assert_eq!((mail.from.as_str(), mail.header("subject")), (support::NODE, words));
        assert_eq!(mail.text.trim_end(), format!("{words}."));
        assert_eq!(mail.header("auto-submitted"), "auto-generated");
        // The id of a message is random letters, which may say anything.
        let head = mail.head.to_lowercase();
        let head: Vec<&str> = head.lines().filter(|line| !line.starts_with("message-id:")).collect();
        let sent = format!("{} {}", head.join(" "), mail.text.to_lowercase());
        for told in secrets() {
            assert!(!sent.contains(&told.to_lowercase()), "{told} is in {sent}");
        }
    }
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_device_that_its_service_no_longer_knows_is_taken_out() {
    let service = PushService::start().await;
    let desk = Desk::start();
    let notifier = Notifier::open(desk.folder(), setup(None, true)).unwrap();
    for path in ["gone", "away", "kept"] {
        let device = registered(&Device::default(), &service.address(path), Lang::Nl);
        notifier.book().add_device("linde", device, desk.now()).unwrap();
    }
    service.answers("/gone", 410);
    service.answers("/away", 404);
    let running = desk.run(&notifier);
    desk.offer(1, LINDE, 60).await;
    within(|| notifier.book().of("linde").devices.len() == 1).await;
    desk.offer(2, LINDE, 60).await;
    within(|| service.received().len() == 4).await;
    assert_eq!(service.received()[3].path, "/kept");
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_away_is_tried_again_and_where_it_leads_to_is_not_gone_to() {
    let service = PushService::start().await;
    let desk = Desk::start();
    let notifier = Notifier::open(desk.folder(), setup(None, true)).unwrap();
    for (account, path) in [("linde", "a"), ("eik", "b")] {
        let device = registered(&Device::default(), &service.address(path), Lang::Nl);
        notifier.book().add_device(account, device, desk.now()).unwrap();
    }
    service.answers("/a", 503);
    let running = desk.run(&notifier);
    desk.offer(1, LINDE, 60).await;
    within(|| service.received().len() == 1).await;
    service.answers("/a", 201);
    desk.pass_until(minutes(1), || service.received().len() == 2).await;
    service.answers("/a", 307);
    desk.offer(2, LINDE, 60).await;
    within(|| service.received().len() == 3).await;
    desk.pass(minutes(5));
    desk.offer(3, EIK, 60).await;
    let paths = || service.received().into_iter().map(|push| push.path).collect::<Vec<_>>();
    within(|| paths().iter().any(|path| path == "/b")).await;
    assert_eq!(paths(), ["/a", "/a", "/a", "/b"]);
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_is_away_holds_up_no_push_and_costs_no_mail() {
    let (smtp, service) = (SmtpServer::start().await, PushService::start().await);
    let setup = setup(Some(&smtp), true);
    let desk = Desk::start();
    let notifier = Notifier::open(desk.folder(), setup).unwrap();
    notifier.book().set_mail("linde", Some("linde@test.example"), Lang::Nl).unwrap();
    let device = registered(&Device::default(), &service.address("a"), Lang::Nl);
    notifier.book().add_device("linde", device, desk.now()).unwrap();
    smtp.busy(true);
    let running = desk.run(&notifier);
    desk.offer(1, LINDE, 60).await;
    desk.pass(minutes(11));
    within(|| smtp.turned_away() == 1).await;
    desk.offer(2, LINDE, 600).await;
    within(|| service.received().len() == 2).await;
    smtp.busy(false);
    desk.pass_until(Duration::from_secs(30), || smtp.mails().len() == 1).await;
    running.stop().await;
}
