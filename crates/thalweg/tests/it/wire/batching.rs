//! Calls share system calls on a runtime with several threads too. Only the counters tell.

use std::{sync::mpsc, thread};

use thalweg::{Channel, Server};
use thalweg_proto::demo::greeter_server::GreeterServer;
use tokio::{runtime, task::JoinSet};

use crate::support::{greeter::Backend, hello};

/// Callers at a time.
const CALLERS: usize = 64;
/// What each of them calls.
const CALLS: usize = 50;

/// A server with a thread of its own. Its port.
fn serve() -> u16 {
    let (port, started) = mpsc::channel();
    thread::spawn(move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let service = GreeterServer::new(Backend::new("alone"));
            let server = Server::builder().add_service(service).listen("127.0.0.1:0").bind().await.unwrap();
            port.send(server.local_port().unwrap()).unwrap();
            server.run().await;
        });
    });
    started.recv().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_on_two_threads_share_the_writes_of_their_connection() {
    let channel = Channel::builder(format!("127.0.0.1:{}", serve())).build().unwrap();
    hello(&channel, "ann").await.unwrap();
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let channel = channel.clone();
        callers.spawn(async move {
            for _ in 0..CALLS {
                hello(&channel, "ann").await.unwrap();
            }
        });
    }
    callers.join_all().await;
    let counters = channel.connection_stats()[0].counters;
    let per_write = counters.streams_started / counters.writes;
    assert!(per_write >= 10, "{counters:?}");
}
