// Package words writes numbers and lists as every rendering of an account has
// them.
package words

import (
	"fmt"
	"strings"
)

// Between separates the few words that a line of the ladder has.
const Between = " · "

// Where something begins to be missing, an account says so.
const (
	NotCaptured = "… not captured"
	NotKept     = "… not kept"
	FromHere    = "from here on: "
)

// Join puts Between between the parts that are not empty.
func Join(parts ...string) string {
	var kept []string
	for _, p := range parts {
		if p != "" {
			kept = append(kept, p)
		}
	}
	return strings.Join(kept, Between)
}

// Count is "1 suite", "9 suites".
func Count[N int | int64](n N, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return Thousands(n) + " " + thing + "s"
}

// Size is "9 bytes".
func Size[N int | int64](n N) string { return Count(n, "byte") }

// Thousands writes 12345 as 12,345.
func Thousands[N int | int64](n N) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
