//! The table of cases: a name from the descriptions, and what runs under it.

use super::{
    cancel, compression, expect::Failure, files, health, metadata, options::ClientOptions, soak, status, streaming,
    target::Target, unary,
};

/// Runs the case that the options name.
///
/// # Errors
///
/// What the case found wrong, or that there is no such case.
pub async fn run(options: ClientOptions) -> Result<(), Failure> {
    let case = options.test_case.clone();
    let target = Target::new(options)?;
    match case.as_str() {
        "empty_unary" => unary::empty(&target).await,
        "large_unary" => unary::large(&target).await,
        "client_streaming" => streaming::client_streaming(&target).await,
        "server_streaming" => streaming::server_streaming(&target).await,
        "ping_pong" => streaming::ping_pong(&target).await,
        "empty_stream" => streaming::empty_stream(&target).await,
        "custom_metadata" => metadata::custom(&target).await,
        "status_code_and_message" => status::code_and_message(&target).await,
        "special_status_message" => status::special_message(&target).await,
        "unimplemented_method" => status::unimplemented_method(&target).await,
        "unimplemented_service" => status::unimplemented_service(&target).await,
        "cancel_after_begin" => cancel::after_begin(&target).await,
        "cancel_after_first_response" => cancel::after_first_response(&target).await,
        "timeout_on_sleeping_server" => cancel::timeout_on_sleeping_server(&target).await,
        "rpc_soak" => soak::rpc(&target).await,
        "channel_soak" => soak::channel(&target).await,
        "client_compressed_unary" => compression::client_unary(&target).await,
        "server_compressed_unary" => compression::server_unary(&target).await,
        "client_compressed_streaming" => compression::client_streaming(&target).await,
        "server_compressed_streaming" => compression::server_streaming(&target).await,
        "health_check" => health::check(&target).await,
        "health_list" => health::list(&target).await,
        "health_aware_channel" => health::aware_channel(&target).await,
        "file_message" => files::message(&target).await,
        "file_large" => files::large(&target).await,
        "file_crowd" => files::crowd(&target).await,
        "file_upload" => files::upload(&target).await,
        "file_cut_off" => files::cut_off(&target).await,
        "file_untyped" => files::untyped(&target).await,
        "file_missing" => files::missing(&target).await,
        "file_unfinished" => files::unfinished(&target).await,
        _ => Err(Failure::new("--test_case", "a case that needs no cloud account", format!("{case:?}"))),
    }
}
