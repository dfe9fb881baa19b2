//! The contract: generated protobuf and gRPC code, and the descriptor set.
