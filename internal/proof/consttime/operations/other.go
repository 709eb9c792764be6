//go:build !(valgrind && linux && amd64)

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "operations: this is for linux/amd64, built with -tags valgrind; go test ./internal/proof/consttime does that")
	os.Exit(2)
}
