//go:build !unix

package harden

func become(string, string) error { return lacks("change of user") }

// withoutWaiting is nothing where no file is a pipe.
const withoutWaiting = 0
