//! A cached token through time: fresh, due, stale, failing.

use std::collections::VecDeque;

use tokio::{sync::Semaphore, time::advance};
use tonic::Code;

use super::*;

/// Answers as scripted, each time one permit is given.
#[derive(Clone, Debug)]
struct Script {
    answers: Arc<Mutex<VecDeque<Result<Token, Status>>>>,
    permits: Arc<Semaphore>,
    asked: Arc<Mutex<u32>>,
}

impl Script {
    fn new(answers: impl IntoIterator<Item = Result<Token, Status>>) -> Self {
        Self {
            answers: Arc::new(Mutex::new(answers.into_iter().collect())),
            permits: Arc::new(Semaphore::new(0)),
            asked: Arc::default(),
        }
    }

    fn allow(&self, count: usize) {
        self.permits.add_permits(count);
    }

    fn asked(&self) -> u32 {
        *self.asked.lock().unwrap()
    }
}

impl TokenSource for Script {
    fn fetch(&self) -> BoxFuture<'_, Result<Token, Status>> {
        *self.asked.lock().unwrap() += 1;
        Box::pin(async {
            self.permits.acquire().await.unwrap().forget();
            self.answers.lock().unwrap().pop_front().expect("the script has an answer")
        })
    }
}

fn good(secret: &str, seconds: u64) -> Result<Token, Status> {
    Token::bearer(secret, Some(Duration::from_secs(seconds)))
}

fn bad(text: &str) -> Result<Token, Status> {
    Err(Status::unavailable(text))
}

async fn ask(token: &CachedToken) -> Result<String, Status> {
    let call = CallContext { method: "/s/m", authority: "a" };
    let metadata = token.metadata(call).await?;
    Ok(metadata.get("authorization").unwrap().to_str().unwrap().to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_token_is_fetched_once_and_used_until_shortly_before_its_end() {
    let script = Script::new([good("one", 3600), good("two", 3600)]);
    script.allow(2);
    let token = CachedToken::new(script.clone());
    assert_eq!(script.asked(), 0);
    assert_eq!(ask(&token).await.unwrap(), "Bearer one");
    advance(Duration::from_secs(3600 - 91)).await;
    assert_eq!(ask(&token.clone()).await.unwrap(), "Bearer one");
    assert_eq!(script.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn calls_use_the_old_token_while_it_is_renewed() {
    let script = Script::new([good("one", 3600), good("two", 3600)]);
    script.allow(1);
    let token = CachedToken::new(script.clone());
    ask(&token).await.unwrap();
    advance(Duration::from_secs(3600 - 80)).await;
    for _ in 0..3 {
        assert_eq!(ask(&token).await.unwrap(), "Bearer one");
        tokio::task::yield_now().await;
    }
    assert_eq!(script.asked(), 2);
    script.allow(1);
    tokio::task::yield_now().await;
    assert_eq!(ask(&token).await.unwrap(), "Bearer two");
}

#[tokio::test(start_paused = true)]
async fn a_token_is_not_used_in_its_last_half_minute() {
    let script = Script::new([good("one", 3600), good("two", 3600)]);
    script.allow(2);
    let token = CachedToken::new(script.clone());
    ask(&token).await.unwrap();
    advance(Duration::from_secs(3600 - 29)).await;
    assert_eq!(ask(&token).await.unwrap(), "Bearer two");
}

#[tokio::test(start_paused = true)]
async fn many_calls_wait_for_one_refresh_and_one_that_gives_up_harms_no_other() {
    let script = Script::new([good("one", 3600)]);
    let token = CachedToken::new(script.clone());
    let impatient = tokio::time::timeout(Duration::from_secs(1), ask(&token)).await;
    assert!(impatient.is_err());
    let waiting: Vec<_> = (0..50)
        .map(|_| {
            let token = token.clone();
            tokio::spawn(async move { ask(&token).await })
        })
        .collect();
    tokio::task::yield_now().await;
    script.allow(1);
    for call in waiting {
        assert_eq!(call.await.unwrap().unwrap(), "Bearer one");
    }
    assert_eq!(script.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failure_ends_the_waiting_calls_and_is_repeated_until_the_backoff_is_over() {
    let script = Script::new([bad("no network"), good("one", 3600)]);
    script.allow(2);
    let token = CachedToken::new(script.clone());
    for _ in 0..3 {
        let status = ask(&token).await.unwrap_err();
        assert_eq!((status.code(), status.message()), (Code::Unavailable, "no network"));
    }
    assert_eq!(script.asked(), 1);
    advance(Duration::from_millis(1201)).await;
    assert_eq!(ask(&token).await.unwrap(), "Bearer one");
}

#[tokio::test(start_paused = true)]
async fn a_failed_renewal_is_not_seen_while_the_old_token_is_good() {
    let script = Script::new([good("one", 3600), bad("no network"), good("two", 3600)]);
    script.allow(3);
    let token = CachedToken::new(script.clone());
    ask(&token).await.unwrap();
    advance(Duration::from_secs(3600 - 80)).await;
    for _ in 0..3 {
        assert_eq!(ask(&token).await.unwrap(), "Bearer one");
        tokio::task::yield_now().await;
    }
    assert_eq!(script.asked(), 2);
    advance(Duration::from_secs(2)).await;
    assert_eq!(ask(&token).await.unwrap(), "Bearer one");
    tokio::task::yield_now().await;
    assert_eq!(ask(&token).await.unwrap(), "Bearer two");
}

#[tokio::test(start_paused = true)]
async fn a_token_without_an_end_is_kept() {
    let script = Script::new([Token::bearer("one", None)]);
    script.allow(1);
    let token = CachedToken::new(script.clone());
    ask(&token).await.unwrap();
    advance(Duration::from_secs(1 << 30)).await;
    assert_eq!(ask(&token).await.unwrap(), "Bearer one");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_outlives_the_clock_is_kept() {
    let script = Script::new([good("one", u64::MAX)]);
    script.allow(1);
    let token = CachedToken::new(script.clone());
    ask(&token).await.unwrap();
    advance(Duration::from_secs(1 << 28)).await;
    assert_eq!(ask(&token).await.unwrap(), "Bearer one");
}

#[derive(Debug)]
struct Panics;

impl TokenSource for Panics {
    fn fetch(&self) -> BoxFuture<'_, Result<Token, Status>> {
        Box::pin(async { panic!("on purpose") })
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_panics_fails_the_calls_and_is_asked_again() {
    let token = CachedToken::new(Panics);
    for _ in 0..2 {
        assert_eq!(ask(&token).await.unwrap_err().code(), Code::Unavailable);
    }
}

#[test]
fn a_token_that_no_header_can_carry_is_unauthenticated_and_secrets_are_not_shown() {
    assert_eq!(Token::bearer("a\nb", None).unwrap_err().code(), Code::Unauthenticated);
    assert!(!format!("{:?}", Token::bearer("hush", None).unwrap()).contains("hush"));
}
