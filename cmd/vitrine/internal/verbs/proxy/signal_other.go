//go:build !unix

package proxy

import "os"

// notifySuccession does nothing: sockets cannot be handed over here.
func notifySuccession(chan<- os.Signal) {}
