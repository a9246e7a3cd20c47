"""REALTALK: chats of real people."""
