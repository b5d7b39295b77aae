package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// errBudget: a budget was exceeded by more than the slack; the table says which.
var errBudget = errors.New("over budget")

// slack is what a busy machine is forgiven.
const slack = 1.25

// samples are measurements of one thing.
type samples []float64

func (s samples) median() float64 {
	sorted := slices.Sorted(slices.Values(s))
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// String is the median and the spread.
func (s samples) String() string {
	if len(s) == 1 {
		return fmt.Sprintf("%.1f", s[0])
	}
	return fmt.Sprintf("%.1f  %.1f-%.1f", s.median(), slices.Min(s), slices.Max(s))
}

// row is one line of the table. The budget is one of the ratio where there is a
// reference, unless absolute says that it is one of the measurement.
type row struct {
	name     string
	unit     string
	measured samples
	against  string
	with     samples
	budget   float64
	absolute bool
	size     bool // no time: a busy machine is no excuse, nor a reason not to fail
}

func (r row) ratio() float64 {
	if len(r.with) == 0 {
		return 0
	}
	return r.measured.median() / r.with.median()
}

// over is by how much the budget is exceeded: 1 is just met.
func (r row) over() float64 {
	switch {
	case r.budget == 0:
		return 0
	case r.absolute:
		return r.measured.median() / r.budget
	}
	return r.ratio() / r.budget
}

func (r row) verdict() string {
	switch over := r.over(); {
	case r.budget == 0:
		return ""
	case over <= 1:
		return "ok"
	case over <= slack:
		return "over"
	}
	return "OVER"
}

// fails tells whether the run fails because of this row. A time that has no
// reference says as much about the machine as about jobman.
func (r row) fails() bool { return r.over() > slack && (!r.absolute || r.size) }

// printRows prints the table, and returns errBudget where a row fails.
func printRows(rows []row) error {
	var err error
	table := [][]string{{"", "median  min-max", "reference", "median  min-max", "ratio", "budget", ""}}
	for _, r := range rows {
		line := []string{r.name, r.measured.String() + " " + r.unit, r.against, "", "", "", r.verdict()}
		if len(r.with) > 0 {
			line[3], line[4] = r.with.String()+" "+r.unit, fmt.Sprintf("%.2f", r.ratio())
		}
		if r.budget > 0 {
			line[5] = fmt.Sprintf("%.4g", r.budget)
			if r.absolute {
				line[5] += " " + r.unit
			}
		}
		if r.fails() {
			err = errBudget
		}
		table = append(table, line)
	}
	widths := make([]int, len(table[0]))
	for _, line := range table {
		for i, cell := range line {
			widths[i] = max(widths[i], len(cell))
		}
	}
	for i, line := range table {
		if i == 1 {
			fmt.Print("|")
			for _, w := range widths {
				fmt.Print(strings.Repeat("-", w+2), "|")
			}
			fmt.Println()
		}
		fmt.Print("|")
		for i, cell := range line {
			fmt.Printf(" %-*s |", widths[i], cell)
		}
		fmt.Println()
	}
	return err
}
