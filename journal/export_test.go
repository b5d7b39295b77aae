package journal

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// exportOf is what journalctl prints, with a field of bytes, one that is no matter
// here, and an entry that is cut off.
const exportOf = "__CURSOR=c1\n__REALTIME_TIMESTAMP=1000001\n_PID=7\nMESSAGE=a=b\nSYSLOG_IDENTIFIER=x-stdout\n_SYSTEMD_UNIT=u.service\n\n" +
	"\n__CURSOR=c2\n__REALTIME_TIMESTAMP=1000002\nMESSAGE\n\x04\x00\x00\x00\x00\x00\x00\x00\n\xff\n\n\n_LINE_BREAK=nul\nN_DROPPED=12\n\n" +
	"__CURSOR=c3\n__REALTIME_TIMESTAMP=1000003\nMESSAGE=cut o"

func TestEntriesAreReadAsJournalctlExportsThem(t *testing.T) {
	r := newExportReader(strings.NewReader(exportOf))
	e, err := r.next()
	if err != nil || e.cursor != "c1" || !e.time.Equal(time.UnixMicro(1000001)) || string(e.message) != "a=b" || e.identifier != "x-stdout" || e.unit != "u.service" {
		t.Errorf("%+v, %v", e, err)
	}
	e, err = r.next()
	if err != nil || e.cursor != "c2" || string(e.message) != "\n\xff\n\n" || e.lineBreak != "nul" || e.dropped != 12 || e.identifier != "" {
		t.Errorf("%+v, %v", e, err)
	}
	if e, err = r.next(); !errors.Is(err, io.EOF) {
		t.Errorf("an entry that is cut off: %+v, %v", e, err)
	}
}

func TestALongFieldOfTextIsRead(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	e, err := newExportReader(strings.NewReader("MESSAGE=" + long + "\n\n")).next()
	if err != nil || string(e.message) != long {
		t.Errorf("%d bytes, %v", len(e.message), err)
	}
}

func TestDamageInTheJournalIsAnError(t *testing.T) {
	for _, text := range []string{"MESSAGE\n\xff\xff\xff\xff\xff\xff\xff\xff", "__REALTIME_TIMESTAMP=x\n\n", "N_DROPPED=x\n\n"} {
		if e, err := newExportReader(strings.NewReader(text)).next(); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%q: %+v, %v", text, e, err)
		}
	}
}

func FuzzExport(f *testing.F) {
	f.Add(exportOf)
	f.Fuzz(func(_ *testing.T, text string) {
		r := newExportReader(strings.NewReader(text))
		for {
			if _, err := r.next(); err != nil {
				return
			}
		}
	})
}
