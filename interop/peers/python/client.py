"""gRPC's interoperability client on grpcio: runs the case that --test_case names, and fails with what it saw.

grpcio shows a caller neither a message's compressed flag nor a way to send one message of a stream uncompressed:
the server_compressed cases check that the responses decompress to what was asked for, and client_compressed_streaming
is missing.
"""

import json
import queue
import sys
import time

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

import flags
from stubs import empty_pb2, messages_pb2, test_pb2_grpc

REQUEST_SIZES = (27182, 8, 1828, 45904)
RESPONSE_SIZES = (31415, 9, 2653, 58979)
LARGE_REQUEST = 271828
LARGE_RESPONSE = 314159
INITIAL = ("x-grpc-test-echo-initial", "test_initial_metadata_value")
TRAILING = ("x-grpc-test-echo-trailing-bin", b"\xab\xab\xab")
WELL, ILL, NOBODY = (f"grpc.testing.{name}" for name in ("TestService", "Ill", "Nobody"))
STATUSES = health_pb2.HealthCheckResponse
KNOWN = {"": STATUSES.SERVING, WELL: STATUSES.SERVING, ILL: STATUSES.NOT_SERVING}
SPECIAL_MESSAGE = "\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n"


class Failure(Exception):
    """What a case found wrong."""


def same(what, expected, got):
    """Fails unless `got` is what was `expected`."""
    if expected != got:
        raise Failure(f"{what}: expected {expected!r}, got {got!r}")


def fails_with(what, code, call):
    """Runs `call`, which must end with `code`, and returns the error."""
    try:
        result = call()
    except grpc.RpcError as error:
        same(f"{what}, status code ({error.details()})", code, error.code())
        return error
    raise Failure(f"{what}: expected {code}, got an answer: {str(result)[:80]!r}")


def payload(size):
    """A payload of `size` zero bytes."""
    return messages_pb2.Payload(body=bytes(size))


def large_request(**fields):
    """The request of large_unary, with `fields` added."""
    return messages_pb2.SimpleRequest(response_size=LARGE_RESPONSE, payload=payload(LARGE_REQUEST), **fields)


def duplex_request(request_size, response_size):
    """A request of FullDuplexCall for one response."""
    parameters = [messages_pb2.ResponseParameters(size=response_size)]
    return messages_pb2.StreamingOutputCallRequest(response_parameters=parameters, payload=payload(request_size))


def body_of(what, size, response):
    """Fails unless the response carries `size` zero bytes."""
    same(f"{what}, payload size", size, len(response.payload.body))
    if response.payload.body.count(0) != size:
        raise Failure(f"{what}: the payload is not all zeros")


class Pipe:
    """A request stream that is fed one message at a time and open until `close`."""

    def __init__(self):
        self.messages = queue.Queue()

    def send(self, message):
        self.messages.put(message)

    def close(self):
        self.messages.put(None)

    def __iter__(self):
        return iter(self.messages.get, None)


def empty_unary(stub, _):
    same("EmptyCall", empty_pb2.Empty(), stub.EmptyCall(empty_pb2.Empty()))


def large_unary(stub, _):
    body_of("UnaryCall", LARGE_RESPONSE, stub.UnaryCall(large_request()))


def client_streaming(stub, _):
    requests = (messages_pb2.StreamingInputCallRequest(payload=payload(size)) for size in REQUEST_SIZES)
    response = stub.StreamingInputCall(requests)
    same("StreamingInputCall, aggregated_payload_size", sum(REQUEST_SIZES), response.aggregated_payload_size)


def server_streaming(stub, _):
    parameters = [messages_pb2.ResponseParameters(size=size) for size in RESPONSE_SIZES]
    call = stub.StreamingOutputCall(messages_pb2.StreamingOutputCallRequest(response_parameters=parameters))
    responses = list(call)
    same("StreamingOutputCall, number of responses", len(RESPONSE_SIZES), len(responses))
    for size, response in zip(RESPONSE_SIZES, responses):
        body_of("StreamingOutputCall", size, response)


def ping_pong(stub, _):
    pipe = Pipe()
    call = stub.FullDuplexCall(iter(pipe))
    for request_size, response_size in zip(REQUEST_SIZES, RESPONSE_SIZES):
        pipe.send(duplex_request(request_size, response_size))
        body_of("FullDuplexCall", response_size, next(call))
    pipe.close()
    same("FullDuplexCall, responses after the last", [], list(call))


def empty_stream(stub, _):
    same("FullDuplexCall, responses to nothing", [], list(stub.FullDuplexCall(iter(()))))


def custom_metadata(stub, _):
    def check(what, call):
        same(f"{what}, initial metadata", INITIAL[1], dict(call.initial_metadata()).get(INITIAL[0]))
        same(f"{what}, trailing metadata", TRAILING[1], dict(call.trailing_metadata()).get(TRAILING[0]))

    response, call = stub.UnaryCall.with_call(large_request(), metadata=(INITIAL, TRAILING))
    body_of("UnaryCall", LARGE_RESPONSE, response)
    check("UnaryCall", call)
    call = stub.FullDuplexCall(iter([duplex_request(LARGE_REQUEST, LARGE_RESPONSE)]), metadata=(INITIAL, TRAILING))
    for response in call:
        body_of("FullDuplexCall", LARGE_RESPONSE, response)
    check("FullDuplexCall", call)


def status_code_and_message(stub, _):
    message = "test status message"
    asked = messages_pb2.EchoStatus(code=grpc.StatusCode.UNKNOWN.value[0], message=message)
    unary = messages_pb2.SimpleRequest(response_status=asked)
    error = fails_with("UnaryCall", grpc.StatusCode.UNKNOWN, lambda: stub.UnaryCall(unary))
    same("UnaryCall, status message", message, error.details())
    duplex = messages_pb2.StreamingOutputCallRequest(response_status=asked)
    call = stub.FullDuplexCall(iter([duplex]))
    error = fails_with("FullDuplexCall", grpc.StatusCode.UNKNOWN, lambda: list(call))
    same("FullDuplexCall, status message", message, error.details())


def special_status_message(stub, _):
    asked = messages_pb2.EchoStatus(code=grpc.StatusCode.UNKNOWN.value[0], message=SPECIAL_MESSAGE)
    request = messages_pb2.SimpleRequest(response_status=asked)
    error = fails_with("UnaryCall", grpc.StatusCode.UNKNOWN, lambda: stub.UnaryCall(request))
    same("UnaryCall, status message", SPECIAL_MESSAGE, error.details())


def unimplemented_method(stub, _):
    call = lambda: stub.UnimplementedCall(empty_pb2.Empty())
    fails_with("UnimplementedCall", grpc.StatusCode.UNIMPLEMENTED, call)


def unimplemented_service(_, target):
    with target.channel() as channel:
        stub = test_pb2_grpc.UnimplementedServiceStub(channel)
        call = lambda: stub.UnimplementedCall(empty_pb2.Empty())
        fails_with("UnimplementedService.UnimplementedCall", grpc.StatusCode.UNIMPLEMENTED, call)


def cancel_after_begin(stub, _):
    pipe = Pipe()
    call = stub.StreamingInputCall.future(iter(pipe))
    call.cancel()
    pipe.close()
    same("StreamingInputCall, status code", grpc.StatusCode.CANCELLED, call.code())


def cancel_after_first_response(stub, _):
    pipe = Pipe()
    call = stub.FullDuplexCall(iter(pipe))
    pipe.send(duplex_request(REQUEST_SIZES[0], RESPONSE_SIZES[0]))
    body_of("FullDuplexCall", RESPONSE_SIZES[0], next(call))
    call.cancel()
    fails_with("FullDuplexCall", grpc.StatusCode.CANCELLED, lambda: next(call))
    pipe.close()


def timeout_on_sleeping_server(stub, _):
    pipe = Pipe()
    call = stub.FullDuplexCall(iter(pipe), timeout=0.001)
    pipe.send(messages_pb2.StreamingOutputCallRequest(payload=payload(REQUEST_SIZES[0])))
    fails_with("FullDuplexCall", grpc.StatusCode.DEADLINE_EXCEEDED, lambda: next(call))
    pipe.close()


def client_compressed_unary(stub, _):
    yes, no = messages_pb2.BoolValue(value=True), messages_pb2.BoolValue(value=False)
    probe = lambda: stub.UnaryCall(large_request(expect_compressed=yes))
    fails_with("UnaryCall, the uncompressed probe", grpc.StatusCode.INVALID_ARGUMENT, probe)
    compressed = stub.UnaryCall(large_request(expect_compressed=yes), compression=grpc.Compression.Gzip)
    body_of("UnaryCall, compressed", LARGE_RESPONSE, compressed)
    body_of("UnaryCall, uncompressed", LARGE_RESPONSE, stub.UnaryCall(large_request(expect_compressed=no)))


def server_compressed_unary(stub, _):
    for value in (True, False):
        asked = messages_pb2.BoolValue(value=value)
        response = stub.UnaryCall(large_request(response_compressed=asked))
        body_of(f"UnaryCall, response_compressed {value}", LARGE_RESPONSE, response)


def server_compressed_streaming(stub, _):
    sizes = (31415, 92653)
    parameters = [
        messages_pb2.ResponseParameters(size=size, compressed=messages_pb2.BoolValue(value=compressed))
        for size, compressed in zip(sizes, (True, False))
    ]
    call = stub.StreamingOutputCall(messages_pb2.StreamingOutputCallRequest(response_parameters=parameters))
    responses = list(call)
    same("StreamingOutputCall, number of responses", len(sizes), len(responses))
    for size, response in zip(sizes, responses):
        body_of("StreamingOutputCall", size, response)


def soak(target, new_channel_each_time):
    """Large unary calls in a row, each within its latency, with no more failures than allowed."""
    options = target.options
    request = messages_pb2.SimpleRequest(
        response_size=options.soak_response_size, payload=payload(options.soak_request_size)
    )
    end = time.monotonic() + options.soak_overall_timeout_seconds
    failures, done, channel = [], 0, target.channel()
    while done < options.soak_iterations and time.monotonic() < end:
        start = time.monotonic()
        if new_channel_each_time:
            channel.close()
            channel = target.channel()
        try:
            response = test_pb2_grpc.TestServiceStub(channel).UnaryCall(request, timeout=end - start)
            body_of("UnaryCall", options.soak_response_size, response)
        except (grpc.RpcError, Failure) as error:
            failures.append(f"iteration {done}: {error}")
        elapsed = (time.monotonic() - start) * 1000
        if elapsed > options.soak_per_iteration_max_acceptable_latency_ms:
            failures.append(f"iteration {done}: took {elapsed:.0f} ms")
        done += 1
        time.sleep(max(0, start + options.soak_min_time_ms_between_rpcs / 1000 - time.monotonic()))
    channel.close()
    same("soak, iterations within the overall timeout", options.soak_iterations, done)
    if len(failures) > options.soak_max_failures:
        raise Failure(f"soak: expected at most {options.soak_max_failures} failures, got {failures}")


def rpc_soak(_, target):
    soak(target, new_channel_each_time=False)


def channel_soak(_, target):
    soak(target, new_channel_each_time=True)


def health_check(_, target):
    with target.channel() as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        about = lambda service: health_pb2.HealthCheckRequest(service=service)
        for service, status in KNOWN.items():
            same(f"Check {service!r}", status, stub.Check(about(service)).status)
        fails_with("Check of an unknown service", grpc.StatusCode.NOT_FOUND, lambda: stub.Check(about(NOBODY)))
        for service, status in (*KNOWN.items(), (NOBODY, STATUSES.SERVICE_UNKNOWN)):
            call = stub.Watch(about(service))
            same(f"Watch {service!r}", status, next(call).status)
            call.cancel()


def health_list(_, target):
    with target.channel() as channel:
        listed = health_pb2_grpc.HealthStub(channel).List(health_pb2.HealthListRequest()).statuses
        same("List", KNOWN, {service: response.status for service, response in listed.items()})


def health_aware_channel(_, target):
    def empty_call(service):
        config = {"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": service}}
        with target.channel(("grpc.service_config", json.dumps(config))) as channel:
            test_pb2_grpc.TestServiceStub(channel).EmptyCall(empty_pb2.Empty(), timeout=10)

    empty_call(WELL)
    for service, state in ((ILL, "does not serve"), (NOBODY, "is unknown")):
        call = lambda: empty_call(service)
        fails_with(f"EmptyCall to a service that {state}", grpc.StatusCode.UNAVAILABLE, call)


CASES = {
    case.__name__: case
    for case in (
        empty_unary,
        large_unary,
        client_streaming,
        server_streaming,
        ping_pong,
        empty_stream,
        custom_metadata,
        status_code_and_message,
        special_status_message,
        unimplemented_method,
        unimplemented_service,
        cancel_after_begin,
        cancel_after_first_response,
        timeout_on_sleeping_server,
        client_compressed_unary,
        server_compressed_unary,
        server_compressed_streaming,
        rpc_soak,
        channel_soak,
        health_check,
        health_list,
        health_aware_channel,
    )
}


class Target:
    """Where the calls go."""

    def __init__(self, options):
        self.options = options
        self.address = f"{options.server_host}:{options.server_port}"

    def channel(self, *settings):
        """A channel with a connection of its own, and with more settings."""
        settings = [("grpc.use_local_subchannel_pool", 1), *settings]
        if not self.options.use_tls:
            return grpc.insecure_channel(self.address, settings)
        if self.options.server_host_override:
            settings.append(("grpc.ssl_target_name_override", self.options.server_host_override))
        roots = None
        if self.options.use_test_ca:
            with open(self.options.ca_file, "rb") as file:
                roots = file.read()
        return grpc.secure_channel(self.address, grpc.ssl_channel_credentials(roots), settings)


def main():
    options = flags.client()
    case = CASES.get(options.test_case)
    if case is None:
        sys.exit(f"no case {options.test_case!r}; there are {', '.join(CASES)}")
    target = Target(options)
    with target.channel() as channel:
        try:
            case(test_pb2_grpc.TestServiceStub(channel), target)
        except (Failure, grpc.RpcError) as failure:
            sys.exit(f"{options.test_case}: {failure}")


if __name__ == "__main__":
    main()
