package journal

import (
	"context"
	"fmt"
	"time"
)

// StreamIdentifier is the SYSLOG_IDENTIFIER of the lines of a stream of a run whose
// sink is journald alone.
func StreamIdentifier(identifier string, s Stream) string { return identifier + "-" + s.String() }

// endField marks an entry that says that a run's stream is complete. Its value is
// the run's identifier.
const endField = "JOBMAN_ENDED"

// endWithin bounds how long EndStreams waits for journald.
const endWithin = 2 * time.Second

// EndStreams is for whoever records the end of a run whose sink is journald alone:
// it waits until journald has read all that the run wrote, and says so in the
// journal, once for each stream and at its level. So the output is complete once
// the end is recorded; and where journald drops these entries too, it was dropping
// the run's lines, since it counts those of a level and a unit together.
func EndStreams(ctx context.Context, o Origin, identifier string) error {
	ctx, cancel := context.WithTimeout(ctx, endWithin)
	defer cancel()
	awaitRead(ctx, false)
	n, err := newNative()
	if err != nil {
		return fmt.Errorf("tell journald of the end: %w", err)
	}
	defer n.close()
	for _, s := range []Stream{Stdout, Stderr} {
		entry := appendField(o.fields(s), endField, identifier)
		entry = appendField(entry, "MESSAGE", fmt.Sprintf("run %d: end of %v", o.Ref.Run, s))
		deadline := time.Now().Add(endWithin)
		if err := n.send(entry, func() time.Time { return deadline }); err != nil {
			return fmt.Errorf("tell journald of the end: %w", err)
		}
	}
	// It must find this process, or it does not know whose limit to count it by.
	awaitRead(ctx, true)
	return nil
}
