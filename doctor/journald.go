package doctor

// Journal is what there is of journald, and what jobs want of it.
type Journal struct {
	Runs  bool
	Why   string // how that was found out
	Scope string
	Sink  string // the log.sink that the configuration sets for all jobs, or "auto"
	Burst int    // LogRateLimitBurst= of user@.service, 0: it is journald's own
}

// lifted is from which burst on a limit is none for jobs: journald takes some
// 85,000 lines a second at most, and its interval is 30 s.
const lifted = 2_000_000

// Journald judges where output goes. journald counts all units of a user together
// and drops what is above its limit, whatever the units say; in the system's scope
// the unit of a run lifts it.
func Journald(j Journal) Finding {
	const about = "output"
	switch {
	case !j.Runs && j.Sink == "journal":
		return Bad(about, "the configuration sets log.sink to journal, and %s: jobs are refused", j.Why).try("jobman config show --origin")
	case !j.Runs:
		return Fine(about, "is kept in files (%s)", j.Why)
	case j.Sink == "file":
		return Fine(about, "is kept in files, as log.sink says")
	case j.Scope == "user" && j.Burst < lifted && j.Sink == "journal":
		return Warn(about, "is kept in journald alone, which drops lines above a rate that all programs of a user share").
			try("%s", dropIn("jobman-journal", `LogRateLimitIntervalSec=1s\nLogRateLimitBurst=100000000`))
	case j.Sink == "journal":
		return Fine(about, "is kept in journald alone, without a rate limit")
	case j.Scope == "user" && j.Burst < lifted:
		return Fine(about, "is kept in files, with a copy in journald up to its rate limit (%s)", j.Why)
	}
	return Fine(about, "is kept in files, with a copy in journald (%s)", j.Why)
}
