use std::time::{Duration, Instant};

use super::*;

const PASSWORD: &str = "correct horse battery staple";

fn hasher() -> Argon2PasswordHasher {
    Argon2PasswordHasher::default()
}

fn bcrypt_hash(password: &str, version: bcrypt::Version) -> String {
    bcrypt::hash_with_result(password, 4).unwrap().format_for_version(version)
}

#[tokio::test]
async fn hash_names_its_parameters_and_has_its_own_salt() {
    let hash = hasher().hash(PASSWORD).await.unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    assert_ne!(hash, hasher().hash(PASSWORD).await.unwrap());
}

#[tokio::test]
async fn hashed_password_is_accepted_and_another_is_not() {
    let hash = hasher().hash(PASSWORD).await.unwrap();
    assert_eq!(hasher().verify(PASSWORD, Some(&hash)).await.unwrap(), PasswordMatch::Yes);
    for wrong in ["", "correct horse battery stapl", "correct horse battery staple ", "Correct horse battery staple"] {
        assert_eq!(hasher().verify(wrong, Some(&hash)).await.unwrap(), PasswordMatch::No, "{wrong:?}");
    }
}

#[tokio::test]
async fn known_argon2_hash_of_another_program_is_accepted() {
    // From the test vectors of the reference implementation.
    let hash = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    assert!(matches!(hasher().verify("password", Some(hash)).await.unwrap(), PasswordMatch::YesRehashed(_)));
    assert_eq!(hasher().verify("Password", Some(hash)).await.unwrap(), PasswordMatch::No);
}

#[tokio::test]
async fn hash_with_outdated_parameters_is_accepted_and_replaced() {
    let weak = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(64, 1, 1, None).unwrap());
    let weak = weak.hash_password(PASSWORD.as_bytes()).unwrap().to_string();
    let PasswordMatch::YesRehashed(strong) = hasher().verify(PASSWORD, Some(&weak)).await.unwrap() else {
        panic!("the outdated hash was not replaced");
    };
    assert_eq!(hasher().verify(PASSWORD, Some(&strong)).await.unwrap(), PasswordMatch::Yes);
    assert_eq!(hasher().verify("wrong", Some(&weak)).await.unwrap(), PasswordMatch::No);
}

#[tokio::test]
async fn bcrypt_hash_is_accepted_and_replaced() {
    for version in [bcrypt::Version::TwoA, bcrypt::Version::TwoB, bcrypt::Version::TwoY] {
        let stored = bcrypt_hash(PASSWORD, version);
        let PasswordMatch::YesRehashed(new) = hasher().verify(PASSWORD, Some(&stored)).await.unwrap() else {
            panic!("{stored} was not replaced");
        };
        assert!(new.starts_with("$argon2id$"));
        assert_eq!(hasher().verify(PASSWORD, Some(&new)).await.unwrap(), PasswordMatch::Yes);
        assert_eq!(hasher().verify("wrong", Some(&stored)).await.unwrap(), PasswordMatch::No);
    }
}

#[tokio::test]
async fn known_bcrypt_hash_of_another_program_is_accepted() {
    // From crypt(3) of libxcrypt.
    let stored = [
        ("rasmuslerdorf", "$2y$07$BCryptRequires22Chrcte/VlQH0piJtjXl.0t1XkA8pw9dMXTpOq"),
        ("pässwörd", "$2a$05$abcdefghijklmnopqrstuuZVEMa1pjhlynBQ1qXmSvGBJpN9h1w8G"),
    ];
    for (password, stored) in stored {
        let outcome = hasher().verify(password, Some(stored)).await.unwrap();
        assert!(matches!(outcome, PasswordMatch::YesRehashed(_)), "{stored}");
    }
}

#[tokio::test]
async fn bcrypt_hash_of_a_long_password_is_kept() {
    let long = "x".repeat(80);
    let stored = bcrypt_hash(&long, bcrypt::Version::TwoB);
    assert_eq!(hasher().verify(&long, Some(&stored)).await.unwrap(), PasswordMatch::Yes);
    let short_enough = "x".repeat(72);
    assert!(matches!(hasher().verify(&short_enough, Some(&stored)).await.unwrap(), PasswordMatch::YesRehashed(_)));
}

#[tokio::test]
async fn hash_of_no_known_kind_is_refused() {
    let broken = ["", "plain", "$2x$04$abcdefghijklmnopqrstuu", "$2b$04$short", "$argon2id$broken", "$1$md5$x"];
    for stored in broken {
        let refused = hasher().verify(PASSWORD, Some(stored)).await;
        assert!(matches!(refused, Err(HashError::UnknownHash)), "{stored:?}: {refused:?}");
    }
}

#[tokio::test]
async fn unknown_user_costs_a_full_verification() {
    let hasher = hasher();
    let hash = hasher.hash(PASSWORD).await.unwrap();
    let mut wrong = Duration::MAX;
    let mut unknown = Duration::MAX;
    // The least of several is what the work costs when nothing else runs on this core.
    for _ in 0..7 {
        let start = Instant::now();
        assert_eq!(hasher.verify("wrong", Some(&hash)).await.unwrap(), PasswordMatch::No);
        wrong = wrong.min(start.elapsed());
        let start = Instant::now();
        assert_eq!(hasher.verify("wrong", None).await.unwrap(), PasswordMatch::No);
        unknown = unknown.min(start.elapsed());
    }
    assert!(unknown > wrong / 2 && unknown < wrong * 2, "unknown user {unknown:?}, wrong password {wrong:?}");
}

#[test]
fn dummy_hash_has_the_present_parameters() {
    for cost in [HashingCost::default(), HashingCost { memory_kib: 64, passes: 1 }] {
        assert!(cost.is_of(&PasswordHash::new(&cost.dummy()).unwrap()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_caller_too_many_is_told_to_come_back() {
    let hasher = Argon2PasswordHasher::new(HashingLimits { running: 1, waiting: 2 }, HashingCost::default());
    let calls = (0..12).map(|_| {
        let hasher = hasher.clone();
        tokio::spawn(async move { hasher.hash(PASSWORD).await })
    });
    let outcomes = futures::future::join_all(calls.collect::<Vec<_>>()).await;
    let hashed = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Ok(_)))).count();
    let busy = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Err(HashError::Busy)))).count();
    assert!(hashed >= 3 && busy >= 1 && hashed + busy == 12, "{hashed} hashed, {busy} refused as busy");
    assert!(hasher.hash(PASSWORD).await.is_ok(), "places are given back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn caller_that_gave_up_keeps_its_place_until_the_work_is_done() {
    let hasher = Argon2PasswordHasher::new(HashingLimits { running: 1, waiting: 0 }, HashingCost::default());
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let (begin, begun) = tokio::sync::oneshot::channel();
    let work = move || {
        let _ = begin.send(());
        wait.recv().map_err(failed)
    };
    let call = tokio::spawn({
        let hasher = hasher.clone();
        async move { hasher.run(work).await }
    });
    begun.await.unwrap();
    call.abort();
    assert!(call.await.is_err());
    assert!(matches!(hasher.hash(PASSWORD).await, Err(HashError::Busy)));
    release.send(()).unwrap();
    while hasher.running.available_permits() == 0 {
        tokio::task::yield_now().await;
    }
    assert!(hasher.hash(PASSWORD).await.is_ok());
}

#[tokio::test]
async fn hashing_leaves_the_thread_free() {
    let hasher = hasher();
    let hash = tokio::spawn(async move { hasher.hash(PASSWORD).await });
    let mut turns = 0;
    while !hash.is_finished() {
        tokio::task::yield_now().await;
        turns += 1;
    }
    assert!(turns > 10, "only {turns} turns on the one thread while it hashed");
}
