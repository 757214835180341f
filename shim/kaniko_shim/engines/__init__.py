"""The engines that build images: each is a room with one door."""
