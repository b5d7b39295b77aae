package job

// Notify names the callbacks that are told of a job's events.
type Notify struct {
	Any       []string `json:"any,omitempty"` // of all of these, and of a neutral end
	OnSuccess []string `json:"on-success,omitempty"`
	OnRetry   []string `json:"on-retry,omitempty"`
	OnFailure []string `json:"on-failure,omitempty"`
}

// IsZero tells whether nobody is told.
func (n Notify) IsZero() bool { return len(n.Names()) == 0 }
