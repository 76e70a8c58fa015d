"""Files as a camera writes them > each searched once it has stopped growing > each event told once."""
