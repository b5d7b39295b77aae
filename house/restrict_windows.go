package house

// Restrict does nothing here: what is made in a profile directory is the user's alone.
func Restrict() int { return 0 }
