//go:build race

package capture

const race = true
