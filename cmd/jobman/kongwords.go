package main

import (
	"regexp"
	"strings"
)

// kong words its errors for those who write programs; plainly words them for those who
// use one.
func plainly(text string) string {
	for _, r := range rewordings() {
		text = r.was.ReplaceAllStringFunc(text, func(found string) string {
			return r.is(r.was.FindStringSubmatch(found)[1:])
		})
	}
	return text
}

// rewording is what to put for what matches.
type rewording struct {
	was *regexp.Regexp
	is  func(parts []string) string
}

// rewordings are made when there is an error: to compile them takes its time.
func rewordings() []rewording {
	return []rewording{
		{regexp.MustCompile(`expected a valid \d+ bit u?int but got ("[^"]*")`), func(p []string) string { return p[0] + " is no whole number" }},
		{regexp.MustCompile(`expected a float but got ("[^"]*") \(\w+\)`), func(p []string) string { return p[0] + " is no number" }},
		{regexp.MustCompile(`bool value must be [\w, ]+ but got ("[^"]*")`), func(p []string) string { return p[0] + " is neither true nor false" }},
		{regexp.MustCompile(`^(--[\w.-]+) must be one of (\S+) but got (".*")$`), func(p []string) string {
			return p[0] + " " + p[2] + ": give " + orList(strings.Split(strings.ReplaceAll(p[1], `"`, ""), ","))
		}},
		{regexp.MustCompile(`^expected "(.*)"$`), func(p []string) string { return upperArguments(p[0]) + " is missing" }},
		{regexp.MustCompile(`^(\[?<[\w-]+>[^:]*): `), func(p []string) string { return upperArguments(p[0]) + ": " }},
		{regexp.MustCompile(`^unexpected argument (.*)$`), func(p []string) string { return p[0] + " is a word too many" }},
	}
}

// upperArguments turns <job> ... into JOB...
func upperArguments(text string) string {
	return strings.ToUpper(strings.NewReplacer("<", "", ">", "", "[", "", "]", "", " ...", "...").Replace(text))
}

// orList joins words with commas and an or; an empty word is left out.
func orList(words []string) string {
	var list []string
	for _, w := range words {
		if w != "" {
			list = append(list, w)
		}
	}
	if len(list) < 2 {
		return strings.Join(list, "")
	}
	return strings.Join(list[:len(list)-1], ", ") + " or " + list[len(list)-1]
}
