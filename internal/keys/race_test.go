//go:build race

package keys

// The race detector makes sync.Pool drop values at random, so that counting
// allocations tells nothing.
func init() { raceEnabled = true }
