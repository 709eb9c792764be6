package record

import (
	"bytes"
	"crypto/hmac"
	"fmt"
	"hash"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
)

// macKinds are the rules with every hash that they are used with, and the
// same MAC made in a way that does not hide the length.
var macKinds = func() (all []macKind) {
	for _, h := range suite.Hashes {
		all = append(all, macKind{"HMAC " + h.Name, macTLS, h, func(key []byte) hash.Hash { return hmac.New(h.New, key) }})
	}
	for _, h := range []*suite.Hash{suite.MD5, suite.SHA1} {
		all = append(all, macKind{"SSL 3.0 " + h.Name, macSSL30, h, func(key []byte) hash.Hash { return newMACSSL30(h, key) }})
	}
	return all
}()

type macKind struct {
	name   string
	rule   *macRule
	hash   *suite.Hash
	public func(key []byte) hash.Hash
}

// header is as long as the rule's.
func (k macKind) header() []byte {
	return bytesOf("header", len(k.rule.header(new([pseudoHeaderLen]byte), 0, Header{}, 0)))
}

func mustHMACCT(t testing.TB, rule *macRule, h *suite.Hash, key []byte) *hmacCT {
	m, err := newHMACCT(rule, h, key)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Every secret length in every length of data that has blocks in another place.
func TestHMACCT(t *testing.T) {
	for _, k := range macKinds {
		h := k.hash
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			key, data := bytesOf("key", h.Size), bytesOf("data", MaxPlaintext+64)
			m, std := mustHMACCT(t, k.rule, h, key), k.public(key)
			want := make([][]byte, len(data)+1)
			check := func(total, n int) {
				if want[n] == nil {
					std.Reset()
					std.Write(k.header())
					std.Write(data[:n])
					want[n] = std.Sum(nil)
				}
				if got := m.mac(k.header(), data[:total], n); !bytes.Equal(got, want[n]) {
					t.Fatalf("HMAC of the first %d of %d bytes: %x, want %x", n, total, got, want[n])
				}
			}
			for total := range 2*h.BlockSize + maxSecretBytes + 10 {
				for n := max(0, total-maxSecretBytes); n <= total; n++ {
					check(total, n)
				}
			}
			for total := MaxPlaintext; total <= len(data); total += 13 {
				for n := total - maxSecretBytes; n <= total; n++ {
					check(total, n)
				}
			}
		})
	}
}

// spy notes what is done with a hash: which calls, with how many bytes.
type spy struct {
	statefulHash
	log *[]string
}

func (s spy) note(what string, n int) { *s.log = append(*s.log, fmt.Sprint(what, n)) }

func (s spy) Write(b []byte) (int, error) {
	s.note("write", len(b))
	return s.statefulHash.Write(b)
}

func (s spy) Sum(b []byte) []byte {
	s.note("sum", len(b))
	return s.statefulHash.Sum(b)
}

func (s spy) AppendBinary(b []byte) ([]byte, error) {
	s.note("state", len(b))
	return s.statefulHash.AppendBinary(b)
}

func (s spy) UnmarshalBinary(b []byte) error {
	s.note("restore", len(b))
	return s.statefulHash.UnmarshalBinary(b)
}

// spied is h, noting in log.
func spied(h *suite.Hash, log *[]string) *suite.Hash {
	s := *h
	s.New = func() hash.Hash { return spy{h.New().(statefulHash), log} }
	return &s
}

// The hash does the same work for every secret length: the same calls with the
// same numbers of bytes, so the same number of compressions.
func TestHMACCTWorkIsPublic(t *testing.T) {
	for _, k := range macKinds {
		var log []string
		m := mustHMACCT(t, k.rule, spied(k.hash, &log), bytesOf("key", k.hash.Size))
		for _, total := range []int{0, 1, 31, 100, 242, 243, 255, 256, 300, 1000, MaxPlaintext} {
			var want string
			for n := max(0, total-maxSecretBytes); n <= total; n++ {
				log = log[:0]
				m.mac(k.header(), make([]byte, total), n)
				got := fmt.Sprint(log)
				if want == "" {
					want = got
				}
				if got != want {
					t.Fatalf("%s, %d of %d bytes: %v, but %v", k.name, n, total, got, want)
				}
			}
		}
	}
}

// A hash that keeps its state to itself is refused when the keys are set up.
func TestHMACCTNeedsState(t *testing.T) {
	h := *suite.SHA256
	h.New = func() hash.Hash { return struct{ hash.Hash }{suite.SHA256.New()} }
	if _, err := newHMACCT(macTLS, &h, nil); err == nil {
		t.Fatal("no error")
	}
}
