"""A client that knows nothing of Patron but an address: it learns the rest by reflection.

Starts the services on free ports in a temporary folder, and with Python's grpcio and with `buf curl` runs a create,
a refusal with its ErrorInfo, and a list.
"""

import base64
import json
import subprocess
import sys
import tempfile
import uuid

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)


def start(binary, folder):
    """The services, and where acquisition listens."""
    server = subprocess.Popen(
        [
            binary, "up", "--data", folder,
            "--acquisition-address", "127.0.0.1:0", "--retention-address", "127.0.0.1:0",
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    for line in server.stdout:
        if line.startswith("acquisition listens on "):
            return server, line.split()[-1]
    raise SystemExit("the services did not start")


def check(what, holds):
    if not holds:
        raise SystemExit(f"not so: {what}")
    print(f"ok: {what}")


def with_grpcio(address):
    channel = grpc.insecure_channel(address)
    database = ProtoReflectionDescriptorDatabase(channel)
    services = database.get_services()
    check("reflection names the services", "patron.acquisition.v1.PropositionService" in services)
    pool = DescriptorPool(database)
    service = pool.FindServiceByName("patron.acquisition.v1.PropositionService")

    def call(method, **fields):
        found = service.methods_by_name[method]
        request = message_factory.GetMessageClass(found.input_type)(**fields)
        reply = message_factory.GetMessageClass(found.output_type)
        return channel.unary_unary(
            f"/{service.full_name}/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=reply.FromString,
        )(request, timeout=10)

    created = call(
        "CreateProposition",
        proposition_id="from-python",
        proposition={"display_name": "From Python"},
        request_id=str(uuid.uuid4()),
    )
    check("a create answers with the resource", created.name == "propositions/from-python")
    try:
        call("PublishProposition", name=created.name, request_id=str(uuid.uuid4()))
        check("an incomplete proposition is not published", False)
    except grpc.RpcError as refusal:
        check("the refusal is FAILED_PRECONDITION", refusal.code() == grpc.StatusCode.FAILED_PRECONDITION)
        details = dict(refusal.trailing_metadata())["grpc-status-details-bin"]
        check("its ErrorInfo says INCOMPLETE", b"INCOMPLETE" in details and b"patron" in details)
    listed = call("ListPropositions", page_size=10)
    check("a list has it", [p.name for p in listed.propositions] == [created.name])


def with_buf(address):
    def call(method, data):
        return subprocess.run(
            [
                "buf", "curl", "--protocol", "grpc", "--http2-prior-knowledge", "-d", json.dumps(data),
                f"http://{address}/patron.acquisition.v1.PropositionService/{method}",
            ],
            capture_output=True,
            text=True,
            timeout=60,
        )

    created = call(
        "CreateProposition",
        {
            "propositionId": "from-buf",
            "proposition": {"displayName": "From buf"},
            "requestId": str(uuid.uuid4()),
        },
    )
    check(f"buf curl creates {created.stderr}", '"propositions/from-buf"' in created.stdout)
    refused = call(
        "PublishProposition", {"name": "propositions/from-buf", "requestId": str(uuid.uuid4())}
    )
    error = json.loads(refused.stdout + refused.stderr)
    check("buf curl sees failed_precondition", error["code"] == "failed_precondition")
    info = base64.b64decode(error["details"][0]["value"] + "==")
    check("buf curl sees the ErrorInfo", b"INCOMPLETE" in info and b"patron" in info)
    listed = call("ListPropositions", {"pageSize": 10})
    check("buf curl lists both", listed.stdout.count("displayName") == 2)


def main():
    with tempfile.TemporaryDirectory(prefix="patron-stranger-") as folder:
        server, address = start(sys.argv[1], folder)
        try:
            with_grpcio(address)
            with_buf(address)
        finally:
            server.terminate()
            status = server.wait(timeout=30)
        check("SIGTERM drains and exits 0", status == 0)


if __name__ == "__main__":
    main()
