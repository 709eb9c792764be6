//go:build unix && !linux

package tls

// Elsewhere sockets do not tell how much they take.
func socketRoom(uintptr) (room int, ok bool) { return 0, false }
