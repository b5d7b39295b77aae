package main

import "strings"

// bash hands words to completions as they are typed, quotes and all, and takes
// candidates in the same way: what stands after an open quote is to be quoted as in
// there.

// quoting is how a word is quoted at the cursor.
type quoting byte

const (
	plain  quoting = 0
	single quoting = '\''
	double quoting = '"'
)

// quotingOf tells which quote is open at the end of a word.
func quotingOf(word string) quoting {
	_, open := unquoted(word)
	return open
}

// unquote takes the quotes of a word, which may lack its end, away.
func unquote(word string) string {
	s, _ := unquoted(word)
	return s
}

func unquoted(word string) (string, quoting) {
	var b strings.Builder
	open := plain
	for i := 0; i < len(word); i++ {
		c := word[i]
		switch {
		case open != plain && c == byte(open):
			open = plain
		case open == single:
			b.WriteByte(c)
		case c == '\\' && i+1 < len(word) && (open == plain || strings.IndexByte("$`\"\\", word[i+1]) >= 0):
			i++
			b.WriteByte(word[i])
		case c == '\\' && i+1 == len(word):
		case open == plain && (c == '\'' || c == '"'):
			open = quoting(c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), open
}

// quote quotes text as it has to be within the quotes that are open. Readline ends
// them, but not where the text seems to do that already.
func (q quoting) quote(s string) string {
	switch q {
	case single:
		s = strings.ReplaceAll(s, "'", `'\''`)
	case double:
		s = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(s)
	default:
		return escape(s)
	}
	if strings.HasSuffix(s, string(q)) {
		s += string(q)
	}
	return s
}

// escape quotes what means something outside of quotes.
func escape(s string) string {
	var b strings.Builder
	for _, c := range s {
		if strings.ContainsRune(" \t!\"#$&'()*;<>?[\\]^`{|}~", c) {
			b.WriteByte('\\')
		}
		b.WriteRune(c)
	}
	return b.String()
}
