//go:build !linux

package config

// cannotLock says why this process may not hold its memory in place, and what to do.
func cannotLock() string {
	return "memory is locked on Linux alone; write keys: process, or leave keys out"
}
