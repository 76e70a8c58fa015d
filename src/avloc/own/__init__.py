"""One's own labels to one's own model: labels and a folder of videos > model folder."""
