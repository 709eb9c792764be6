//go:build !linux

package harden

import (
	"fmt"
	"strings"
)

// lacks is the error of a part that this system has none of.
func lacks(what ...string) error {
	return fmt.Errorf("this system has no %s", strings.Join(what, " and no "))
}
