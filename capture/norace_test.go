//go:build !race

package capture

const race = false
