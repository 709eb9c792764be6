//go:build !unix

package harden

func become(string, string) error { return lacks("change of user") }
