package certcheck

import (
	"bytes"
	"crypto/x509"
	"reflect"
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"
)

// A pool of crypto/x509 does not show its certificates: only Certificate.Verify finds
// them, which refuses before our rules are asked, and says little of why. This file looks
// into it, and reads nothing else. The layout is compared, field by field, with the one
// written here. If a later Go has another, no pool is opened, and the tests fail.
// crypto/x509 then finds the paths, as it does if the operating system's own verifier has
// the authorities.

// anchor is a trusted certificate.
type anchor struct {
	certificate *x509.Certificate
	// condition was put on it by AddCertWithConstraint; nil for none.
	condition func([]*x509.Certificate) error
}

// anchors are an open pool.
type anchors struct {
	byName map[string][]int
	list   []pooled
}

// The fields of x509.CertPool, and of what is in it.
type (
	poolFields struct {
		byName     map[string][]int
		lazyCerts  []pooled
		haveSum    map[[28]byte]bool
		systemPool bool
	}
	pooled struct {
		rawSubject []byte //lint:ignore U1000 it is part of the layout
		constraint func([]*x509.Certificate) error
		getCert    func() (*x509.Certificate, error)
	}
)

var poolsOpen = sameLayout(reflect.TypeFor[x509.CertPool](), reflect.TypeFor[poolFields]())

// sameLayout reports whether two types have the same names and kinds all the way down.
func sameLayout(a, b reflect.Type) bool {
	if a == b {
		return true
	}
	if a.Kind() != b.Kind() || a.Size() != b.Size() {
		return false
	}
	switch a.Kind() {
	case reflect.Struct:
		if a.NumField() != b.NumField() {
			return false
		}
		for i := range a.NumField() {
			f, g := a.Field(i), b.Field(i)
			if f.Name != g.Name || f.Offset != g.Offset || !sameLayout(f.Type, g.Type) {
				return false
			}
		}
		return true
	case reflect.Slice:
		return sameLayout(a.Elem(), b.Elem())
	case reflect.Array:
		return a.Len() == b.Len() && sameLayout(a.Elem(), b.Elem())
	case reflect.Map:
		return sameLayout(a.Key(), b.Key()) && sameLayout(a.Elem(), b.Elem())
	}
	return false
}

// open returns what is in a pool, nil for the system's; false where nobody but crypto/x509
// can look into it.
func open(p *x509.CertPool) (anchors, bool) {
	if p == nil {
		p = systemPool()
	}
	if p == nil || !poolsOpen {
		return anchors{}, false
	}
	fields := (*poolFields)(unsafe.Pointer(p))
	if fields.systemPool && platformVerifies {
		return anchors{}, false
	}
	return anchors{fields.byName, fields.lazyCerts}, true
}

// platformVerifies: the operating system has a verifier of its own, with authorities that
// nobody can list.
const platformVerifies = runtime.GOOS == "windows" || runtime.GOOS == "darwin" || runtime.GOOS == "ios"

// system are the system's authorities, which crypto/x509 copies each time it is asked.
var system atomic.Pointer[systemRead]

type systemRead struct {
	pool *x509.CertPool
	at   time.Time // by the wall, whose clock also runs while the machine sleeps
}

// systemAge is how long the system's authorities are kept before they are asked for again.
const systemAge = time.Minute

// systemPool returns the system's authorities; nil where there are none, which crypto/x509
// then says best.
func systemPool() *x509.CertPool {
	now := time.Now().Round(0)
	if r := system.Load(); r != nil {
		if age := now.Sub(r.at); age >= 0 && age < systemAge {
			return r.pool
		}
	}
	p, err := x509.SystemCertPool()
	if err != nil {
		return nil
	}
	system.Store(&systemRead{p, now})
	return p
}

// above appends the anchors that have the name of c's issuer.
func (a *anchors) above(c *x509.Certificate, found []anchor) []anchor {
	for _, i := range a.byName[string(c.RawIssuer)] {
		if cert, err := a.list[i].getCert(); err == nil && cert != nil {
			found = append(found, anchor{cert, a.list[i].constraint})
		}
	}
	return found
}

// contain reports whether c itself is trusted.
func (a *anchors) contain(c *x509.Certificate) bool {
	for _, i := range a.byName[string(c.RawSubject)] {
		if cert, err := a.list[i].getCert(); err == nil && cert != nil && bytes.Equal(cert.Raw, c.Raw) {
			return true
		}
	}
	return false
}
