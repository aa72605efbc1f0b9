//! The cases about statuses: echoed, spelt strangely, and UNIMPLEMENTED.

use thalweg_proto::interop::{EchoStatus, Empty, SimpleRequest, StreamingOutputCallRequest};
use tonic::{Code, Status};

use super::{
    expect::{Failure, failed, same},
    target::Target,
};

const MESSAGE: &str = "test status message";
const SPECIAL_MESSAGE: &str = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n";

pub(super) async fn code_and_message(target: &Target) -> Result<(), Failure> {
    message_is("UnaryCall", MESSAGE, target.stub().unary_call(asking(MESSAGE)).await)?;
    let what = "FullDuplexCall";
    let request = StreamingOutputCallRequest { response_status: echo(MESSAGE), ..Default::default() };
    let outcome = match target.stub().full_duplex_call(tokio_stream::once(request)).await {
        Ok(responses) => responses.into_inner().message().await,
        Err(status) => Err(status),
    };
    message_is(what, MESSAGE, outcome)
}

pub(super) async fn special_message(target: &Target) -> Result<(), Failure> {
    message_is("UnaryCall", SPECIAL_MESSAGE, target.stub().unary_call(asking(SPECIAL_MESSAGE)).await)
}

pub(super) async fn unimplemented_method(target: &Target) -> Result<(), Failure> {
    let outcome = target.stub().unimplemented_call(Empty {}).await;
    failed("UnimplementedCall", Code::Unimplemented, outcome).map(drop)
}

pub(super) async fn unimplemented_service(target: &Target) -> Result<(), Failure> {
    let outcome = target.missing_service().unimplemented_call(Empty {}).await;
    failed("UnimplementedService.UnimplementedCall", Code::Unimplemented, outcome).map(drop)
}

fn asking(message: &str) -> SimpleRequest {
    SimpleRequest { response_status: echo(message), ..Default::default() }
}

fn echo(message: &str) -> Option<EchoStatus> {
    Some(EchoStatus { code: Code::Unknown as i32, message: message.to_owned() })
}

fn message_is<T>(what: &str, expected: &str, outcome: Result<T, Status>) -> Result<(), Failure> {
    let status = failed(what, Code::Unknown, outcome)?;
    same(&format!("{what}, status message"), expected, status.message())
}
