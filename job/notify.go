package job

import "slices"

// Notify names the callbacks that are told of a job's events.
type Notify struct {
	Any       []string `json:"any,omitempty"` // of all of these, and of a neutral end
	OnSuccess []string `json:"on-success,omitempty"`
	OnRetry   []string `json:"on-retry,omitempty"`
	OnFailure []string `json:"on-failure,omitempty"`
}

// IsZero tells whether nobody is told.
func (n Notify) IsZero() bool { return n.First() == "" }

// First is one of the callbacks; "" if there is none.
func (n Notify) First() string {
	all := slices.Concat(n.Any, n.OnSuccess, n.OnRetry, n.OnFailure)
	if len(all) == 0 {
		return ""
	}
	return all[0]
}
