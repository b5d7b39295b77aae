// Package crash kills jobman at each point that matters and looks at what
// becomes of the job (docs/design.md, "Exactly once").
package crash
