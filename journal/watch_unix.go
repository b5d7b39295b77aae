//go:build unix

package journal

import "time"

// pollAnyway is how often the files are looked at although changes are told: on
// network file systems those made by other hosts are not.
const pollAnyway = time.Second
