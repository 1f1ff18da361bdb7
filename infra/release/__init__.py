"""The way to AWS: packages built by the SAM CLI, a stack deployed by it, a circuit sent to the stack's address."""
