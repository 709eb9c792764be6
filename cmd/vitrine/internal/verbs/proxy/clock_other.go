//go:build !linux

package proxy

import "time"

var began = time.Now()

// monotonic is a time that never goes back; systemd, which compares it, is of Linux alone.
func monotonic() time.Duration { return time.Since(began) }
