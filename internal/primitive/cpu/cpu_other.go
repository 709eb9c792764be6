//go:build !amd64 || purego

package cpu

func found() features { return features{} }
