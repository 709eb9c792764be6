//go:build race

package explain

const race = true
