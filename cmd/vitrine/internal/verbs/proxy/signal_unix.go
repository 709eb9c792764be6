//go:build unix

package proxy

import (
	"os"
	"os/signal"
	"syscall"
)

// notifySuccession sends the signal that starts a successor to signals.
func notifySuccession(signals chan<- os.Signal) { signal.Notify(signals, syscall.SIGUSR2) }
