"""Runs template.yaml on this machine: the AWS stand-in MiniStack, the stack deployed to it, a short URL in front."""
