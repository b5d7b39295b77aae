package engine

func toRlim(n uint64) uint64 { return min(n, rlimInfinity) }
