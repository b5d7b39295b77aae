// Package test holds what is tested about the house as a whole: its arrows and its
// doors. The lab is in lab, the end-to-end scripts are in e2e.
package test
