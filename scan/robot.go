package scan

import (
	"context"
	"math/big"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// premasters are what an RSA premaster may be padded like: right, and wrong in the ways in
// which servers were found to tell that it is. They are made for a modulus of n bytes.
// PKCS #1 v1.5; https://robotattack.org.
var premasters = []struct {
	name string
	make func(n int, v wire.Version) []byte
}{
	{"right", func(n int, v wire.Version) []byte { return padded(n, v) }},
	{"wrong first bytes", func(n int, v wire.Version) []byte { b := padded(n, v); b[0], b[1] = 0x41, 0x17; return b }},
	{"a zero too early", func(n int, v wire.Version) []byte { b := padded(n, v); b[11] = 0; return b }},
	{"no zero at all", func(n int, v wire.Version) []byte { b := padded(n, v); b[n-49] = 0x11; return nonZero(b, n-48) }},
	{"another version", func(n int, v wire.Version) []byte { b := padded(n, v); b[n-48], b[n-47] = 2, 2; return b }},
}

// secretOf is a premaster with the version in it, and no zero behind that.
func secretOf(v wire.Version) []byte {
	b := make([]byte, 48)
	for i := range b {
		b[i] = byte(i) | 1
	}
	b[0], b[1] = byte(v>>8), byte(v)
	return b
}

// padded is 0, 2, bytes that are not zero, 0, and the premaster.
func padded(n int, v wire.Version) []byte {
	b := make([]byte, n)
	b[1] = 2
	for i := 2; i < n-49; i++ {
		b[i] = byte(i%255) + 1
	}
	copy(b[n-48:], secretOf(v))
	return b
}

// nonZero makes every byte from i on something else than zero.
func nonZero(b []byte, i int) []byte {
	for ; i < len(b); i++ {
		if b[i] == 0 {
			b[i] = 0x11
		}
	}
	return b
}

// sendPremaster sends a ClientKeyExchange with an encrypted premaster that is padded in
// some way, and whole goes on with a change_cipher_spec and a Finished that cannot open.
type sendPremaster struct {
	which int
	whole bool
}

func (s sendPremaster) run(c *conversation) error {
	key, err := c.rsaKey()
	if err != nil {
		return err
	}
	n := (key.N.BitLen() + 7) / 8
	if n < 64 {
		return fail(Unsupported, "the server's key of %d bits is too small for a premaster", key.N.BitLen())
	}
	m := new(big.Int).SetBytes(premasters[s.which].make(n, c.built.hello.LegacyVersion))
	// What is wrong can be as large as the modulus.
	m.Mod(m, key.N)
	sealed := m.Exp(m, big.NewInt(int64(key.E)), key.N).FillBytes(make([]byte, n))
	if err := c.sendMessage(&wire.ClientKeyExchange{Exchange: sealed}); err != nil || !s.whole {
		return err
	}
	if err := c.send(wire.ContentChangeCipherSpec, []byte{wire.ChangeCipherSpecContent}); err != nil {
		return err
	}
	return c.send(wire.ContentHandshake, make([]byte, 64))
}

// rsaSuites are those of a version with which the client encrypts the premaster.
func (x *audit) rsaSuites(v wire.Version) []wire.CipherSuite {
	return x.with(v, func(name string) bool { return strings.HasPrefix(name, "TLS_RSA_WITH_") })
}

// robot compares what a server says to premasters that are padded rightly and wrongly.
// Where it tells them apart, and again does, it answers the question by which Bleichenbacher's
// attack decrypts.
func (x *audit) robot(ctx context.Context) (bool, string) {
	v := x.best12()
	suites := x.rsaSuites(v)
	if len(suites) == 0 {
		return false, ""
	}
	for _, whole := range []bool{true, false} {
		said, steady := x.robotTwice(ctx, suites, v, whole)
		switch {
		case said == nil:
			return false, "the probe ended early"
		case !differ(said):
			continue
		case !steady:
			return false, "it answers the same differently"
		}
		var evidence []string
		for i, s := range said {
			evidence = append(evidence, premasters[i].name+": "+s)
		}
		x.found("robot", nil, evidence...)
		return true, ""
	}
	return false, ""
}

// robotTwice asks again where answers differ, until the server has said the same twice, and
// each time waits longer: a slow answer looks like none.
func (x *audit) robotTwice(ctx context.Context, suites []wire.CipherSuite, v wire.Version, whole bool) (said []string, steady bool) {
	wait := 2 * quiet
	said = x.robotSaid(ctx, suites, v, whole, wait)
	for range 3 {
		if said == nil || !differ(said) {
			return said, true
		}
		wait *= 2
		before := said
		if said = x.robotSaid(ctx, suites, v, whole, wait); slices.Equal(said, before) {
			return said, true
		}
	}
	return said, false
}

func differ(said []string) bool {
	for _, s := range said {
		if s != said[0] {
			return true
		}
	}
	return false
}

// robotSaid is what the server says to each premaster; nil where a probe did not come to
// that. Of a server that says nothing for so long it takes that for its answer.
func (x *audit) robotSaid(ctx context.Context, suites []wire.CipherSuite, v wire.Version, whole bool, silence time.Duration) []string {
	said := make([]string, len(premasters))
	var wait sync.WaitGroup
	for i := range premasters {
		wait.Go(func() {
			steps := []Step{sendPremaster{i, whole}, Await{For: silence, Done: func(*Answer) bool { return false }}}
			a := x.do(ctx, Probe{Name: "a premaster with " + premasters[i].name, Hello: Offer(v, suites...), Until: Flight, Then: steps})
			if a != nil && a.End == Reached {
				said[i] = endOf(a)
			}
		})
	}
	wait.Wait()
	if slices.Contains(said, "") {
		return nil
	}
	return said
}

// endOf says how a server ended a conversation during the steps.
func endOf(a *Answer) string {
	words := string(a.After)
	for _, alert := range a.Alerts {
		words = "alert " + alert.Code.String()
	}
	// A close and a reset behind an alert differ by chance alone: by what was still unread.
	return words
}
