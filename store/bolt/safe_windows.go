package bolt

// nofollow: Windows lets no ordinary user make links.
const nofollow = 0

// checkSafe: a user's profile is their own by its access list.
func checkSafe(string) error { return nil }
