package record

import (
	"bytes"
	"crypto/cipher"
	"crypto/hmac"
	"fmt"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// cbcCases are the cases that MAC, then encrypt: one for each version, MAC and
// length of block.
func cbcCases() []protectedCase {
	var all []protectedCase
	seen := map[string]bool{}
	for _, c := range distinct() {
		if c.p.Suite.Cipher.Block == nil || c.p.EncryptThenMAC {
			continue
		}
		if kind := fmt.Sprint(c.p.Version, c.p.Suite.MAC.Name, c.p.Suite.Cipher.BlockLen); !seen[kind] {
			seen[kind] = true
			all = append(all, c)
		}
	}
	return all
}

// sealPlain encrypts a plaintext, whole blocks, as it stands.
func sealPlain(p Params, plain []byte) []byte {
	blockLen := p.Suite.Cipher.BlockLen
	iv, inRecord := bytesOf("iv", blockLen), blockLen
	if p.Version <= wire.TLS10 {
		inRecord = 0 // it is that of the key block
	}
	rec := AppendHeader(nil, Header{wire.ContentApplicationData, wire.TLS12, inRecord + len(plain)})
	rec = append(append(rec, iv[:inRecord]...), plain...)
	block, _ := p.Suite.Cipher.Block(p.Key)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(rec[HeaderLen+inRecord:], rec[HeaderLen+inRecord:])
	return rec
}

// plainOf is content, its MAC in the first record of an epoch, and padding that says n.
func plainOf(p Params, content []byte, n int) []byte {
	return append(append(bytes.Clone(content), macOf(p, content)...), bytes.Repeat([]byte{byte(n)}, n+1)...)
}

// macOf is the MAC of content in the first record of an epoch.
func macOf(p Params, content []byte) []byte {
	h, length := p.Suite.MAC.Hash, []byte{byte(len(content) >> 8), byte(len(content))}
	if p.Version == wire.SSL30 {
		pads := map[string]int{"MD5": 48, "SHA-1": 40}[h.Name]
		digest := h.New()
		for _, part := range [][]byte{p.MAC, bytes.Repeat([]byte{0x36}, pads), make([]byte, 8), {23}, length, content} {
			digest.Write(part)
		}
		inner := digest.Sum(nil)
		digest.Reset()
		for _, part := range [][]byte{p.MAC, bytes.Repeat([]byte{0x5c}, pads), inner} {
			digest.Write(part)
		}
		return digest.Sum(nil)
	}
	return hmacOf(h.New, p.MAC, make([]byte, 8), []byte{23, 3, 3}, length, content)
}

// Every padding that TLS allows opens, and no other.
func TestCBCPadding(t *testing.T) {
	for _, c := range cbcCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, n := range []int{0, 1, 2, 7, 16, 63, 64, 65, 100, 200, 255, 256, 300, 511, 512, 1000, MaxPlaintext - 1, MaxPlaintext} {
				if n > 1000 && c.p.Suite.Cipher.BlockLen == 8 {
					continue // 3DES is slow, and with the same MACs AES has shown it
				}
				content := bytesOf("content", n)
				for padding := range 256 {
					plain := plainOf(c.p, content, padding)
					if len(plain)%c.p.Suite.Cipher.BlockLen != 0 {
						continue
					}
					if c.p.Version == wire.SSL30 && padding >= c.p.Suite.Cipher.BlockLen {
						wantBadMAC(t, c.p, sealPlain(c.p, plain), "%d bytes, padding %d", n, padding)
						continue
					}
					typ, got, _, err := keyed(c.p).Open(sealPlain(c.p, plain))
					if err != nil {
						t.Fatalf("%d bytes, padding %d: %v", n, padding, err)
					}
					wantContent(t, typ, wire.ContentApplicationData, got, content)
					spoilPadding(t, c.p, plain, padding)
				}
			}
		})
	}
}

// spoilPadding changes each byte of plain's padding in turn. TLS minds every one of
// them, SSL 3.0 only the last: that is POODLE.
func spoilPadding(t *testing.T, p Params, plain []byte, padding int) {
	for i := len(plain) - 1 - padding; i < len(plain); i++ {
		for _, flip := range []byte{1, 0x80} {
			plain[i] ^= flip
			if p.Version == wire.SSL30 && i < len(plain)-1 {
				if _, _, _, err := keyed(p).Open(sealPlain(p, plain)); err != nil {
					t.Fatalf("padding %d, byte %d of %d flipped by %#x: %v", padding, i, len(plain), flip, err)
				}
			} else {
				wantBadMAC(t, p, sealPlain(p, plain), "padding %d, byte %d of %d flipped by %#x", padding, i, len(plain), flip)
			}
			plain[i] ^= flip
		}
		if i > len(plain)-padding && i < len(plain)-2 {
			i += 30 // enough of a long padding
		}
	}
}

// A wrong MAC with right padding, wrong padding with a right MAC, both wrong, and
// no room for a MAC: one error, and the same work for the same length of record.
func TestCBCFailuresAreAlike(t *testing.T) {
	for _, c := range cbcCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, size := range []int{64, 80, 256, 320, 1024} {
				if works := worksOf(t, c.p, size); len(works) != 1 {
					t.Errorf("%d bytes: the work depends on the secret: %v", size, works)
				}
			}
		})
	}
}

// worksOf opens all kinds of plaintexts of size bytes, checks the outcomes, and
// returns which work the hash had with them, and one that caused it.
func worksOf(t *testing.T, good Params, size int) map[string]string {
	var log []string
	p := good
	s, mac := *p.Suite, *p.Suite.MAC
	mac.Hash = spied(mac.Hash, &log)
	s.MAC, p.Suite = &mac, &s

	works := map[string]string{}
	open := func(what string, plain []byte, opens bool) {
		h := keyed(p)
		rec := sealPlain(p, plain)
		h.Open(bytes.Clone(rec)) // builds the cipher objects
		h.seq, log = 0, log[:0]
		copy(h.iv[:], p.IV)
		_, _, _, err := h.Open(rec)
		if (err == nil) != opens || err != nil && err != error(errBadMAC) {
			t.Fatalf("%d bytes, %s: %v", size, what, err)
		}
		works[fmt.Sprint(log)] = what
	}
	for padding := range 256 {
		if n := size - mac.Len - 1 - padding; n >= 0 {
			plain := plainOf(good, make([]byte, n), padding)
			open("good", plain, p.Version != wire.SSL30 || padding < p.Suite.Cipher.BlockLen)
			plain[n] ^= 1
			open("MAC wrong", plain, false)
		}
		open("garbage", append(bytesOf("garbage", size-1), byte(padding)), false)
		open("padding only", bytes.Repeat([]byte{byte(padding)}, size), false)
	}
	return works
}

// Padding is the shortest, and the IV is not the sequence number nor the last block.
func TestCBCSeal(t *testing.T) {
	for _, c := range distinct() {
		blockLen := c.p.Suite.Cipher.BlockLen
		if blockLen == 0 {
			continue
		}
		for n := range 50 {
			padded := n + c.p.Suite.MAC.Len
			if c.p.EncryptThenMAC {
				padded = n
			}
			want := HeaderLen + blockLen - len(c.p.IV) + n + c.p.Suite.MAC.Len + blockLen - padded%blockLen
			if got := len(mustSeal(t, keyed(c.p), wire.ContentAlert, make([]byte, n), 0)); got != want {
				t.Errorf("%s: %d bytes make a record of %d, want %d", c.name, n, got, want)
			}
		}
	}
}

// macAfter seals what is after the header of rec as encrypt-then-MAC does, whatever it is.
func macAfter(p Params, rec []byte) []byte {
	mac := hmac.New(p.Suite.MAC.Hash.New, p.MAC)
	mac.Write(append(make([]byte, 8), rec[:HeaderLen]...))
	mac.Write(rec[HeaderLen:])
	n := len(rec) - HeaderLen + mac.Size()
	return append(AppendHeader(nil, Header{wire.ContentApplicationData, wire.TLS12, n}), mac.Sum(rec[HeaderLen:])...)
}

// With encrypt-then-MAC a peer that has the keys can still send what is wrong inside.
func TestEtMInside(t *testing.T) {
	p := newCase(suite.ByID(wire.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA), wire.TLS12, true).p
	for _, v := range []struct {
		tail []byte
		good bool
	}{{[]byte{0}, true}, {[]byte{1, 1}, true}, {[]byte{0, 1}, false}, {[]byte{16}, false}, {bytes.Repeat([]byte{15}, 16), true}} {
		plain := append(bytes.Repeat([]byte{'x'}, 16-len(v.tail)), v.tail...)
		_, content, _, err := keyed(p).Open(macAfter(p, sealPlain(p, plain)))
		if v.good && (err != nil || len(content) != 16-len(v.tail)) || !v.good && err != errBadMAC {
			t.Errorf("padding %v: %q, %v", v.tail, content, err)
		}
	}
	for n := range 50 {
		if n != 32 && n != 48 { // whole blocks after the IV
			rec := append(AppendHeader(nil, Header{wire.ContentApplicationData, wire.TLS12, n}), make([]byte, n)...)
			wantBadMAC(t, p, macAfter(p, rec), "%d bytes of IV and ciphertext", n)
		}
	}
}
