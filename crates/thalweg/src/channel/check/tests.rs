//! How a check tells its news.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use thalweg_core::lb::Health;

use super::{Latest, News};

#[test]
fn whoever_does_not_take_the_news_is_nudged_once_and_finds_the_latest() {
    let (latest, nudges) = (Arc::<Latest>::default(), Arc::<AtomicUsize>::default());
    let nudge = || {
        nudges.fetch_add(1, Relaxed);
    };
    let mut news = News { latest: latest.clone(), told: Health::Pending, nudge };
    let sick = Health::NotServing("reports NOT_SERVING".into());
    news.tell(&Health::Pending);
    assert_eq!((latest.take(), nudges.load(Relaxed)), (None, 0), "it is known already");
    for _ in 0..1000 {
        news.tell(&Health::Serving);
        news.tell(&sick);
    }
    assert_eq!((latest.take(), nudges.load(Relaxed)), (Some(sick.clone()), 1));
    news.tell(&sick);
    assert_eq!((latest.take(), nudges.load(Relaxed)), (None, 1));
    news.tell(&Health::Serving);
    assert_eq!((latest.take(), nudges.load(Relaxed)), (Some(Health::Serving), 2));
}
