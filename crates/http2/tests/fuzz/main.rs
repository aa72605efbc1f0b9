//! The fuzz targets of `fuzz/` over their corpora: whatever was once found to be of interest stays without a panic.

mod targets;

use std::{fs, path::Path};

/// Runs a target over all files of its corpus, and says which file it was if it fails.
fn run_over_corpus(name: &str, target: fn(&[u8])) {
    struct Named(String);
    impl Drop for Named {
        fn drop(&mut self) {
            if std::thread::panicking() {
                println!("it was {}", self.0);
            }
        }
    }
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
    let mut count = 0;
    for entry in fs::read_dir(corpus).expect("every target has a corpus") {
        let file = entry.expect("it can be listed").path();
        let _named = Named(file.display().to_string());
        target(&fs::read(file).expect("it can be read"));
        count += 1;
    }
    assert!(count > 10, "only {count} files");
}

#[test]
fn frames_of_the_corpus_are_what_they_were_after_being_written_again() {
    run_over_corpus("frames", targets::frames);
}

#[test]
fn header_blocks_of_the_corpus_say_the_same_after_being_encoded_again() {
    run_over_corpus("hpack", targets::hpack);
}

#[test]
fn a_client_withstands_the_servers_of_the_corpus() {
    run_over_corpus("client", targets::client);
}

#[test]
fn a_server_withstands_the_clients_of_the_corpus() {
    run_over_corpus("server", targets::server);
}

#[test]
fn every_target_withstands_random_bytes() {
    for seed in 0..500 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let bytes: Vec<u8> = (0..rng.usize(..600)).map(|_| rng.u8(..)).collect();
        [targets::frames, targets::hpack, targets::client, targets::server].iter().for_each(|target| target(&bytes));
    }
}
