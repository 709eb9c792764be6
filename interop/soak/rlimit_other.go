//go:build !linux

package main

import "errors"

// needFiles refuses: what a process uses is read from Linux's /proc.
func needFiles(uint64) error { return errors.New("this section runs on Linux only") }
