package main

import (
	"fmt"
	"strings"

	"jobman/job"
	"jobman/store"
)

// Where no verb is written the first word is a command. Some such lines are
// surely meant otherwise, and would do harm or only puzzle; they are refused
// with the line to type instead.

// guessed tells whether the first word was taken for a command because no verb was
// written.
func (w words) guessed() bool { return w.implicit && !w.dashed && len(w.args) > 0 }

// shellLine tells whether the command is one word that only a shell can make sense of.
func (w words) shellLine() bool {
	return len(w.args) == 1 && strings.ContainsAny(w.args[0], " \t\n|&;<>()$`*?")
}

// usual are words that people try because other tools have them.
var usual = map[string]string{"ps": "list", "status": "list", "stop": "kill", "cancel": "kill"}

// trap looks for those that need no store.
func (a *app) trap() error {
	w := a.words
	if !w.guessed() {
		return nil
	}
	if verb, ok := usual[w.args[0]]; ok && len(w.args) == 1 {
		line := "jobman " + verb
		if verb == "kill" {
			line += " JOB"
		}
		return usage("%q is no verb of jobman; to run the program, write jobman -- %[1]s", w.args[0]).try("%s", line)
	}
	return nil
}

// isIDWord tells what a table shows of an id, or more of it.
func isIDWord(word string) bool { return len(word) >= 8 && job.IsIDPrefix(word) }

// trapID refuses a line without a verb in which a later word is the id of a
// job: jobman rm 3f2a91c4.
func (a *app) trapID() error {
	w := a.words
	if !w.guessed() {
		return nil
	}
	for _, word := range w.args[1:] {
		if !isIDWord(word) {
			continue
		}
		found, err := a.store.Query(a.ctx, store.Filter{IDPrefix: word})
		if err != nil {
			return err
		}
		if len(found) > 0 {
			return usage("%s is a job, and %q no verb of jobman; to run the program, write jobman -- %s",
				word, w.args[0], quote(job.Texts(w.args))).try("jobman help")
		}
	}
	return nil
}

// commandNotFound explains that there is no such program.
func (a *app) commandNotFound(why error) error {
	w := a.words
	p := usage("%v", pathCause(why))
	if len(w.args) == 0 {
		return p // it is of a line of --from
	}
	word := w.args[0]
	switch {
	case w.shellLine():
		return p.try("jobman run -- sh -c %s", quote([]job.Text{job.Text(word)}))
	case w.guessed():
		if verb := nearestVerb(word); verb != "" {
			p.text = fmt.Sprintf("%s is neither a verb nor a program", word)
			return p.try("jobman %s", strings.Join(append([]string{verb}, w.args[1:]...), " "))
		}
	}
	return p
}

// nearestVerb is the verb that a word is a misspelling of, or "".
func nearestVerb(word string) string {
	var g grammar
	k, err := newParser(&g, helpWriter{})
	if err != nil {
		return ""
	}
	var verbs []string
	for _, n := range k.Model.Children {
		verbs = append(verbs, n.Name)
	}
	return nearest(word, verbs)
}

// nearest is the name that a word is a misspelling of, or "".
func nearest(word string, names []string) string {
	best, least := "", 3
	for _, name := range names {
		if d := job.Distance(word, name); d < least && 2*d <= max(len(word), len(name)) {
			best, least = name, d
		}
	}
	return best
}
