package rsa

import (
	std "crypto/rsa"
	"runtime"
	"sync"
	"weak"

	"github.com/vitrine-tls/vitrine/internal/primitive/modexp"
)

// keys has the *entry of each cached that was used. An entry goes when its key does.
var keys sync.Map

// cached is a key, and what computes with it: a test changes that.
type cached struct {
	key weak.Pointer[std.PrivateKey]
	by  modexp.Kernels
}

// An entry is what was made of one key, once.
type entry struct {
	once sync.Once
	made *key // nil if the key is for crypto/rsa
}

// of returns the form of k that the kernels compute with; nil if crypto/rsa is to
// do the work. It can be called by many at once.
func of(k *std.PrivateKey) *key {
	by := modexp.Which()
	if by == modexp.None || k.N == nil {
		return nil
	}
	at := cached{weak.Make(k), by}
	found, ok := keys.Load(at)
	if !ok {
		if found, ok = keys.LoadOrStore(at, new(entry)); !ok {
			runtime.AddCleanup(k, func(at cached) { keys.Delete(at) }, at)
		}
	}
	e := found.(*entry)
	e.once.Do(func() { e.made = newKey(k) })
	if e.made == nil || e.made.from != identityOf(k) {
		return nil
	}
	return e.made
}
