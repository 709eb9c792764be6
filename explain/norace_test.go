//go:build !race

package explain

const race = false
