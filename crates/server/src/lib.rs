//! The edge that both services share: validation, refusals, page tokens, health, lifecycle.
