// Package dbusctl is the backend over systemd's D-Bus interface,
// org.freedesktop.systemd1(5): it starts, stops and observes the units that
// package units builds. It talks over the bus, else over the manager's private
// socket, which needs no bus daemon.
//
// It is the only home of godbus and go-systemd. On other systems than Linux it
// is empty.
package dbusctl
