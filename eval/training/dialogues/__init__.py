"""Our own dialogues for fitting: chats of two named people, put together from pieces in this folder, with labelled questions."""
