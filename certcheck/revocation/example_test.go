package revocation_test

import (
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/certcheck/revocation"
)

// The words of a configuration become a mode.
func ExampleParseMode() {
	mode, ok := revocation.ParseMode("hard")
	fmt.Println(mode, ok)
	_, ok = revocation.ParseMode("harder")
	fmt.Println(ok)
	// Output:
	// hard true
	// false
}

// A list that is none is refused.
func ExampleParseCRL() {
	_, err := revocation.ParseCRL([]byte(strings.Repeat("x", 8)))
	fmt.Println(err != nil)
	// Output: true
}
