// Vitrine serves, connects to and explains TLS. See vitrine help.
package main

import "os"

func main() {
	os.Exit(run(newRoot(), os.Args[1:]))
}
