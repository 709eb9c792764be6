package keyprocess_test

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/proxy/keyprocess"
)

func ExampleStart() {
	_, err := keyprocess.Start(keyprocess.Options{Command: []string{"/no/such/program", "proxy", "keys"}})
	fmt.Println(err != nil)
	// Output: true
}
