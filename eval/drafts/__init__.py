"""Drafts of small real models over contexts as recall ships them: collected once, labelled, and what systems would make of them."""
