package redact

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"net/netip"
	"regexp"
	"slices"
)

// Redactor makes stand-ins, and remembers which texts have one. It is for one goroutine at
// a time.
type Redactor struct {
	key   [32]byte
	known map[string]bool // texts, in lower case
}

// New returns a Redactor whose stand-ins nobody else has.
func New() *Redactor {
	s := &Redactor{known: map[string]bool{}}
	rand.Read(s.key[:])
	return s
}

// stream returns n bytes that follow from the key and a value of a kind.
func (s *Redactor) stream(kind string, value []byte, n int) []byte {
	mac := hmac.New(sha256.New, s.key[:])
	mac.Write([]byte(kind + "\x00"))
	mac.Write(value)
	sum := mac.Sum(nil)
	block, err := aes.NewCipher(sum[:16])
	out := make([]byte, n)
	if err != nil { // a key of 16 bytes is one
		return out
	}
	cipher.NewCTR(block, sum[16:]).XORKeyStream(out, out)
	return out
}

// bytes is the stand-in for a value that is no text.
func (s *Redactor) bytes(b []byte) []byte {
	out := s.stream("bytes", b, len(b))
	if len(b) > 0 && bytes.Equal(out, b) {
		out[0] ^= 1
	}
	return out
}

// letters is the stand-in for application data.
func (s *Redactor) letters(b []byte) []byte {
	out := s.stream("data", b, len(b))
	for i := range out {
		out[i] = 'a' + out[i]%26
	}
	return out
}

// point is an uncompressed point on a curve where b is one, so that a certificate can
// still be read.
func (s *Redactor) point(b []byte) []byte {
	for _, c := range []ecdh.Curve{ecdh.P256(), ecdh.P384(), ecdh.P521()} {
		size := (len(b) - 1) / 2
		scalar := s.stream("scalar", b, size)
		if len(scalar) == 0 {
			return s.bytes(b)
		}
		scalar[0] = 0 // below the order
		if size == 66 {
			scalar[1] = 0
		}
		if key, err := c.NewPrivateKey(scalar); err == nil && len(key.PublicKey().Bytes()) == len(b) {
			return key.PublicKey().Bytes()
		}
	}
	return s.bytes(b)
}

var (
	ipv4 = regexp.MustCompile(`\b\d{1,3}(\.\d{1,3}){3}\b`)
	ipv6 = regexp.MustCompile(`[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*`)
)

// text is the stand-in for a text: each address and each word has its own, and what
// divides them stays. So a name keeps its dots, and the end that it shares with others.
func (s *Redactor) text(t string) string {
	if len(t) >= 3 {
		s.known[lowerCase(t)] = true
	}
	return s.words(t)
}

func (s *Redactor) words(t string) string {
	for _, addresses := range []*regexp.Regexp{ipv6, ipv4} {
		for _, at := range addresses.FindAllStringIndex(t, -1) {
			if a, err := netip.ParseAddr(t[at[0]:at[1]]); err == nil && a.Zone() == "" {
				return s.words(t[:at[0]]) + s.addressText(a) + s.words(t[at[1]:])
			}
		}
	}
	out := []byte(t)
	for i := 0; i < len(out); i++ {
		end := i
		for end < len(out) && isWord(out[end]) {
			end++
		}
		if end > i {
			copy(out[i:end], s.word(t[i:end]))
			i = end
		}
	}
	return string(out)
}

// lowerCase changes A to Z alone, so that lengths stay.
func lowerCase(t string) string {
	out := []byte(t)
	for i, c := range out {
		if c >= 'A' && c <= 'Z' {
			out[i] += 'a' - 'A'
		}
	}
	return string(out)
}

func isWord(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '_' || c >= 0x80
}

// word is the stand-in for a word, in the same case: digits for a number, else letters.
func (s *Redactor) word(w string) []byte {
	lower := []byte(lowerCase(w))
	first, count := byte('a'), byte(26)
	if !slices.ContainsFunc(lower, func(c byte) bool { return c < '0' || c > '9' }) {
		first, count = '0', 10
	}
	out := s.stream("word", lower, len(lower))
	for i := range out {
		out[i] = first + out[i]%count
	}
	if bytes.Equal(out, lower) {
		out[0] = first + (out[0]-first+1)%count
	}
	for i := range out {
		if w[i] >= 'A' && w[i] <= 'Z' && out[i] >= 'a' {
			out[i] -= 'a' - 'A'
		}
	}
	return out
}

// address is the stand-in for an address as bytes, of 4 or 16.
func (s *Redactor) address(b []byte) []byte {
	a, ok := netip.AddrFromSlice(b)
	if !ok {
		return s.bytes(b)
	}
	return s.otherAddress(a).AsSlice()
}

// addressText is its text, with the original remembered.
func (s *Redactor) addressText(a netip.Addr) string {
	s.known[a.String()] = true
	return s.otherAddress(a).String()
}

// otherAddress is another address, whose text is as long.
func (s *Redactor) otherAddress(a netip.Addr) netip.Addr {
	b := a.AsSlice()
	out := s.stream("address", b, len(b))
	if a.Is4() {
		for i, c := range b {
			switch {
			case c > 99:
				out[i] = 100 + out[i]%156
			case c > 9:
				out[i] = 10 + out[i]%90
			default:
				out[i] %= 10
			}
		}
	} else {
		for i := 0; i < len(b); i += 2 {
			group, other := uint(b[i])<<8|uint(b[i+1]), uint(out[i])<<8|uint(out[i+1])
			least := uint(1) // of as many digits
			for least*16 <= group {
				least *= 16
			}
			if other = least + other%(15*least); group == 0 {
				other = 0
			}
			out[i], out[i+1] = byte(other>>8), byte(other)
		}
	}
	if bytes.Equal(out, b) && a.Is4() {
		out[3] = b[3] ^ 1 // which has as many digits
	}
	other, _ := netip.AddrFromSlice(out)
	return other
}
