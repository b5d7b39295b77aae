package journal

import (
	"unicode/utf8"
)

// AppendRaw appends what the program wrote.
func AppendRaw(dst []byte, line Line) []byte {
	dst = append(dst, line.Text...)
	if !line.Partial {
		dst = append(dst, '\n')
	}
	return dst
}

const (
	red     = "\x1b[31m"
	noColor = "\x1b[0m"
)

// AppendHuman appends the line for people: "TIME STREAM: TEXT" and a newline, as in
// the files, but without the mark of a partial line, and with a text that can do a
// terminal no harm (see [AppendPlain]). With color what was written to stderr is
// red.
func AppendHuman(dst []byte, line Line, color bool) []byte {
	color = color && line.Stream == Stderr
	if color {
		dst = append(dst, red...)
	}
	dst = appendHeader(dst, line.Time, line.Stream, false)
	dst = AppendPlain(dst, line.Text)
	if color {
		dst = append(dst, noColor...)
	}
	return append(dst, '\n')
}

// AppendPlain appends the text without its control characters, but for tabs, and
// with U+FFFD for each byte that is no UTF-8.
func AppendPlain(dst, text []byte) []byte {
	for len(text) > 0 {
		n := plainASCII(text)
		dst = append(dst, text[:n]...)
		if text = text[n:]; len(text) == 0 {
			break
		}
		r, size := utf8.DecodeRune(text)
		if !control(r) {
			dst = utf8.AppendRune(dst, r)
		}
		text = text[size:]
	}
	return dst
}

// plainASCII returns how many bytes at the beginning need no look.
func plainASCII(text []byte) int {
	for i, c := range text {
		if (c < ' ' && c != '\t') || c >= 0x7f {
			return i
		}
	}
	return len(text)
}

// control reports C0, DEL and C1.
func control(r rune) bool {
	return r < ' ' && r != '\t' || r >= 0x7f && r < 0xa0
}
