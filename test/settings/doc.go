// Package settings runs a test on real parts in each of the settings that
// jobman works in: under the systemd of the system, under that of a user, and
// without either, under the fork supervisor. It needs Linux.
package settings
