package faults

import "github.com/vitrine-tls/vitrine/internal/proof/programs"

// stride is how many bytes lie between two faults of one kind: none, but where time
// is short.
func stride() int {
	switch {
	case race:
		return 61
	case programs.Brief():
		return 17
	}
	return 1
}
