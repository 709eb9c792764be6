//go:build !unix

package harden

import "github.com/vitrine-tls/vitrine/proxy/config"

func become(config.Process) error { return lacks("change of user") }

// Prepare does nothing where the user cannot be changed.
func Prepare(*config.Config) error { return nil }

// withoutWaiting is nothing where no file is a pipe.
const withoutWaiting = 0
