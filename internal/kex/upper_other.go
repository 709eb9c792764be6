//go:build !vitrine_std && !amd64

package kex

func leaveAVX() {}
