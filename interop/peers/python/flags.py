"""The command-line flags of gRPC's interoperability programs, as the client and the server here read them."""

import argparse


def boolean(text):
    """Reads `true` or `false`, in any case."""
    answers = {"true": True, "1": True, "false": False, "0": False}
    if text.lower() not in answers:
        raise argparse.ArgumentTypeError(f"{text!r} is neither true nor false")
    return answers[text.lower()]


def add_boolean(parser, name, description):
    """Adds `--name`, which may stand alone or be given `=true` or `=false`."""
    parser.add_argument(name, type=boolean, nargs="?", const=True, default=False, help=description)


def client():
    """The client's flags."""
    parser = argparse.ArgumentParser(description="gRPC's interoperability client on grpcio")
    parser.add_argument("--server_host", default="localhost")
    parser.add_argument("--server_port", type=int, default=10000)
    parser.add_argument("--server_host_override", default="")
    parser.add_argument("--test_case", default="large_unary")
    add_boolean(parser, "--use_tls", "encrypt the connection")
    add_boolean(parser, "--use_test_ca", "trust --ca_file instead of the system's roots")
    parser.add_argument("--ca_file", default="")
    parser.add_argument("--soak_iterations", type=int, default=10)
    parser.add_argument("--soak_max_failures", type=int, default=0)
    parser.add_argument("--soak_per_iteration_max_acceptable_latency_ms", type=int, default=1000)
    parser.add_argument("--soak_overall_timeout_seconds", type=int, default=10)
    parser.add_argument("--soak_min_time_ms_between_rpcs", type=int, default=0)
    parser.add_argument("--soak_request_size", type=int, default=271828)
    parser.add_argument("--soak_response_size", type=int, default=314159)
    return parser.parse_args()


def server():
    """The server's flags."""
    parser = argparse.ArgumentParser(description="gRPC's interoperability server on grpcio")
    parser.add_argument("--port", type=int, default=10000)
    add_boolean(parser, "--use_tls", "encrypt connections")
    parser.add_argument("--tls_cert_file", default="")
    parser.add_argument("--tls_key_file", default="")
    return parser.parse_args()
