"""The paper's tables and claims as data, and what runs them: grid > key > runs > tables > claims > results page."""
