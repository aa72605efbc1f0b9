"""The generated code of `grpc.testing`, which lies outside the package `grpc` that grpcio installs.

The matrix generates it into a folder on PYTHONPATH before it starts a peer.
"""

import pkgutil

import grpc

grpc.__path__ = pkgutil.extend_path(grpc.__path__, "grpc")

from grpc.testing import empty_pb2, messages_pb2, test_pb2_grpc  # noqa: E402

__all__ = ["empty_pb2", "messages_pb2", "test_pb2_grpc"]
