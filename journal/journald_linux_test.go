package journal

import (
	"bytes"
	"crypto/rand"
	"fmt"
	mrand "math/rand/v2"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"jobman/job"
	"jobman/test/settings"
)

// TestJournald is with a real journald, in a lab where there is none here.
func TestJournald(t *testing.T) {
	if settings.Here == "" {
		settings.Each(t, settings.Options{})
		return
	}
	t.Run("what is written to its streams is read", streamsAreRead)
	t.Run("what is copied is as it was", copiesAreExact)
	t.Run("a stream that is not read to its end is noticed", unreadIsNoticed)
	t.Run("it is found", func(t *testing.T) {
		if found := Probe(); !found.Runs {
			t.Error(found.Why)
		}
	})
}

func identifier() string { return "jobman-test-" + rand.Text() }

// send writes to a stream of its own, and closes it.
func send(t *testing.T, identifier string, s Stream, text []byte) {
	t.Helper()
	fd, err := DialStream(StreamIdentifier(identifier, s), "", s)
	if err != nil {
		t.Fatal(err)
	}
	f := os.NewFile(uintptr(fd), "stream")
	wrote(t)(f.Write(text))
	f.Close()
}

func storedLines(t *testing.T, identifier string, opt ReadOptions) (string, *Stored) {
	t.Helper()
	var lines []Line
	s, err := ReadJournald(withTimeout(t), identifier, true, opt, func(l Line) error {
		l.Text = bytes.Clone(l.Text)
		lines = append(lines, l)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return text(lines), s
}

func streamsAreRead(t *testing.T) {
	id := identifier()
	long := bytes.Repeat([]byte("0123456789abcdef"), 9000) // three entries
	send(t, id, Stdout, append(append([]byte("one\n\ntwo\t<3>\n\xff\x01\na\x00b\n"), long...), "\nend"...))
	send(t, id, Stderr, []byte("err\nnot the last\n"))
	if err := EndStreams(t.Context(), Origin{Ref: job.Ref{Run: 1}, Identifier: "test"}, id); err != nil {
		t.Fatal(err)
	}
	out := fmt.Sprintf("o:one|o:two\t<3>|o:\xff\x01|o:a\x00b|o:%s|", long)
	for _, c := range []struct {
		opt  ReadOptions
		want string
	}{
		{ReadOptions{Tail: All, Streams: StreamSet(Stdout)}, out + "o+:end|"},
		{ReadOptions{Tail: All, Streams: StreamSet(Stderr)}, "e:err|e:not the last|"},
		{ReadOptions{Tail: 1, Streams: StreamSet(Stderr)}, "e:not the last|"},
		{ReadOptions{Tail: 2, Streams: StreamSet(Stdout)}, fmt.Sprintf("o:%s|o+:end|", long)},
		{ReadOptions{Tail: 0}, ""},
		{ReadOptions{Tail: All, Since: time.Now().Add(time.Hour)}, ""},
	} {
		got, s := storedLines(t, id, c.opt)
		if got != c.want || !s.Complete(c.opt.Streams) {
			t.Errorf("%+v: complete %v, got\n%.300q\nwant\n%.300q", c.opt, s.Ended, got, c.want)
		}
	}
	if got, s := storedLines(t, identifier(), ReadOptions{Tail: All}); got != "" || s.Complete(0) {
		t.Errorf("of a run that is not there: %q, %+v", got, s)
	}
}

func copiesAreExact(t *testing.T) {
	id := identifier()
	random := mrand.New(mrand.NewPCG(1, 2))
	c := newCopier(&Origin{Identifier: StreamIdentifier(id, Stdout), Ref: job.Ref{Run: 1}})
	var want string
	for i := range 200 {
		line := make([]byte, random.IntN(100))
		for k := range line {
			if line[k] = byte(random.IntN(256)); line[k] == '\n' || line[k] == 0 {
				line[k] = ' '
			}
		}
		line = append(line, byte('a'+i%26))
		c.add(append(appendHeader(nil, time.Now(), Stdout, false), append(line, '\n')...))
		want += fmt.Sprintf("o:%s|", line)
	}
	c.closing = patience
	c.close()
	if c.lacks() {
		t.Fatalf("%+v", c.missed)
	}
	awaitRead(withTimeout(t), true)
	if got, _ := storedLines(t, id, ReadOptions{Tail: All, Streams: StreamSet(Stdout)}); got != want {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

func unreadIsNoticed(t *testing.T) {
	// A stand-in for journald, which does not read: the real one can't be told to.
	path := t.TempDir() + "/socket"
	listen, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(listen) //nolint:errcheck // it is a stand-in
	if err := unix.Bind(listen, &unix.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(listen, 8); err != nil {
		t.Fatal(err)
	}
	state := func() (streams bool) {
		t.Helper()
		streams, _, err := unreadOf(path, nativeSocket)
		if err != nil {
			t.Fatal(err)
		}
		return streams
	}
	if state() {
		t.Error("nobody has connected, and something is unread")
	}
	client, err := dial(unix.SOCK_STREAM, path)
	if err != nil {
		t.Fatal(err)
	}
	if !state() {
		t.Error("a connection that is not accepted goes unnoticed")
	}
	server, _, err := unix.Accept(listen)
	if err != nil {
		t.Fatal(err)
	}
	if state() {
		t.Error("a stream that may go on is no reason to wait")
	}
	wrote(t)(unix.Write(client, []byte("line\n")))
	if err := unix.Close(client); err != nil {
		t.Fatal(err)
	}
	if !state() {
		t.Error("a stream that has ended and is not read goes unnoticed")
	}
	if err := unix.Close(server); err != nil {
		t.Fatal(err)
	}
	if state() {
		t.Error("a stream that was read is still taken for unread")
	}
}
