package engine

func toRlim(n uint64) int64 { return int64(min(n, rlimInfinity)) }
