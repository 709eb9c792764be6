//go:build valgrind && linux && amd64

package main

import (
	"bytes"
	"crypto/cipher"
	"crypto/des"
	"errors"
	"fmt"

	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

// suites are one for each cipher that has something of ours about it. CBC is
// there once, since cbcMACs says with what.
var suites = []wire.CipherSuite{
	wire.TLS_RSA_WITH_3DES_EDE_CBC_SHA, wire.TLS_RSA_WITH_RC4_128_SHA, wire.TLS_RSA_WITH_NULL_SHA256,
	wire.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, wire.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
	wire.TLS_RSA_WITH_AES_128_CCM, wire.TLS_RSA_WITH_AES_128_CCM_8,
	wire.TLS_AES_128_GCM_SHA256, wire.TLS_CHACHA20_POLY1305_SHA256, wire.TLS_AES_128_CCM_8_SHA256,
}

var versions = []wire.Version{wire.SSL30, wire.TLS10, wire.TLS11, wire.TLS12, wire.TLS13}

// cbcMACs are suites with the four hashes of MACs, and where CBC may have them:
// that with MD5 has other ciphers only, but the code does not know.
var cbcMACs = []struct {
	suite wire.CipherSuite
	from  wire.Version
}{
	{wire.TLS_RSA_WITH_NULL_MD5, wire.SSL30},
	{wire.TLS_RSA_WITH_NULL_SHA, wire.SSL30},
	{wire.TLS_RSA_WITH_NULL_SHA256, wire.TLS10},
	{wire.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384, wire.TLS10},
}

// recordOperations are to seal and to open records of every construction.
func recordOperations() (all []operation) {
	add := func(p record.Params) {
		name := fmt.Sprintf("%v %s", p.Version, p.Suite.Cipher.Name)
		if p.Suite.MAC != nil {
			name += " " + p.Suite.MAC.Hash.Name
		}
		if p.EncryptThenMAC {
			name += " encrypt-then-MAC"
		}
		all = append(all,
			operation{"record/" + name + " seal", func() error { return sealSecret(p) }},
			operation{"record/" + name + " good", func() error { return openGood(p) }},
			operation{"record/" + name + " changed", func() error { return openChanged(p) }})
		if p.Suite.Cipher.Block != nil && !p.EncryptThenMAC {
			all = append(all,
				operation{"record/" + name + " wrong MAC", func() error { return openForged(p, true) }},
				operation{"record/" + name + " wrong padding", func() error { return openForged(p, false) }})
		}
	}
	cbc := suite.ByID(wire.TLS_RSA_WITH_AES_128_CBC_SHA)
	for _, v := range versions {
		for _, m := range cbcMACs {
			if m.from <= v && v < wire.TLS13 {
				s := *cbc
				s.MAC = suite.ByID(m.suite).MAC
				add(params(v, &s, false))
				if v > wire.SSL30 {
					add(params(v, &s, true))
				}
			}
		}
		for _, id := range suites {
			if s := suite.ByID(id); s.Allows(v) {
				add(params(v, s, false))
			}
		}
	}
	return all
}

// params are keys of a suite.
func params(v wire.Version, s *suite.Suite, etm bool) record.Params {
	p := record.Params{Version: v, Suite: s, EncryptThenMAC: etm}
	p.Key = bytes.Repeat([]byte{1}, s.Cipher.KeyLen)
	p.IV = bytes.Repeat([]byte{2}, s.Cipher.FixedIVLen)
	if v <= wire.TLS10 {
		p.IV = bytes.Repeat([]byte{2}, s.Cipher.BlockLen)
	}
	if s.MAC != nil {
		p.MAC = bytes.Repeat([]byte{3}, s.MAC.Len)
	}
	return p
}

func half(p record.Params) *record.Half {
	h := new(record.Half)
	h.SetKeys(p)
	return h
}

// secretHalf has the keys, and thereby every plaintext, as secrets.
func secretHalf(p record.Params) *record.Half {
	p.Key, p.IV, p.MAC = secretCopy(p.Key), secretCopy(p.IV), secretCopy(p.MAC)
	return half(p)
}

// secretOpener is a secretHalf for opening. What DES and RC4 look up in tables is
// marked no longer, so there their output is marked, and not their key.
func secretOpener(p record.Params) *record.Half {
	s, c, std := *p.Suite, *p.Suite.Cipher, p.Suite.Cipher
	s.Cipher = &c
	tables := true
	switch {
	case c.Stream != nil:
		c.Stream = func(key []byte) (cipher.Stream, error) {
			stream, err := std.Stream(key)
			return secretStream{stream}, err
		}
	case c.Block != nil && c.BlockLen == des.BlockSize:
		c.Block = func(key []byte) (cipher.Block, error) {
			block, err := std.Block(key)
			return secretBlock{block}, err
		}
	default:
		tables = false
	}
	p.Suite, p.Key, p.IV, p.MAC = &s, bytes.Clone(p.Key), secretCopy(p.IV), secretCopy(p.MAC)
	if !tables {
		secret(p.Key)
	}
	return half(p)
}

type secretStream struct{ cipher.Stream }

func (s secretStream) XORKeyStream(dst, src []byte) {
	s.Stream.XORKeyStream(dst, src)
	secret(dst[:len(src)])
}

type secretBlock struct{ cipher.Block }

func (s secretBlock) Decrypt(dst, src []byte) {
	s.Block.Decrypt(dst, src)
	secret(dst[:s.BlockSize()])
}

// lengths of content: none, less than a block, those around which the MAC and
// the blocks that may be the last begin, and more than all padding.
var lengths = []int{0, 5, 64, 300, 1000}

func sealSecret(p record.Params) error {
	sealer, opener := secretHalf(p), half(p)
	for _, n := range lengths {
		content := bytes.Repeat([]byte{4}, n)
		rec, err := sealer.Seal(nil, wire.ContentApplicationData, wire.TLS12, secretCopy(content), 0)
		if err != nil {
			return err
		}
		public(rec) // it goes out
		if _, got, _, err := opener.Open(rec); err != nil || !bytes.Equal(got, content) {
			return fmt.Errorf("%d bytes: %x, %v", n, got, err)
		}
	}
	return nil
}

func openGood(p record.Params) error {
	sealer, opener := half(p), secretOpener(p)
	for _, n := range lengths {
		content := bytes.Repeat([]byte{4}, n)
		rec, err := sealer.Seal(nil, wire.ContentApplicationData, wire.TLS12, content, 0)
		if err != nil {
			return err
		}
		_, got, _, err := opener.Open(rec)
		publicSlice(&got) // the application sees both, the record is authentic
		if err != nil || !equal(got, content) {
			return fmt.Errorf("%d bytes: %x, %v", n, got, err)
		}
	}
	return nil
}

// openChanged changes one byte of a record: at its end, of the MAC or the
// padding, and at its start, of what is authenticated.
func openChanged(p record.Params) error {
	for _, n := range lengths {
		for _, atEnd := range []bool{true, false} {
			rec, err := half(p).Seal(nil, wire.ContentApplicationData, wire.TLS12, bytes.Repeat([]byte{4}, n), 0)
			if err != nil {
				return err
			}
			at := record.HeaderLen
			if atEnd {
				at = len(rec) - 1
			}
			rec[at] ^= 1
			if err := refused(secretOpener(p), rec); err != nil {
				return fmt.Errorf("%d bytes: %w", n, err)
			}
		}
	}
	return nil
}

// openForged opens records of a CBC suite with a wrong MAC, under padding of
// many lengths that is right, or wrong in a byte or in being too long.
func openForged(p record.Params, goodPadding bool) error {
	for _, n := range []int{64, 272, 512} {
		for _, padding := range []int{0, 7, 15, 16, 43, 100, 200, 255} {
			if goodPadding && padding+1+p.Suite.MAC.Len > n {
				continue
			}
			plain := bytes.Repeat([]byte{byte(padding)}, n)
			if !goodPadding && padding > 0 {
				plain[n-2] ^= 1
			}
			rec, err := forge(p, plain)
			if err != nil {
				return err
			}
			if err := refused(secretOpener(p), rec); err != nil {
				return fmt.Errorf("padding of %d in %d bytes: %w", padding, n, err)
			}
		}
	}
	return nil
}

// forge encrypts whole blocks as the first record under p.
func forge(p record.Params, plain []byte) ([]byte, error) {
	block, err := p.Suite.Cipher.Block(p.Key)
	if err != nil {
		return nil, err
	}
	iv, fragment := p.IV, []byte(nil)
	if len(iv) == 0 {
		iv = make([]byte, block.BlockSize())
		fragment = iv
	}
	sealed := make([]byte, len(plain))
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(sealed, plain)
	fragment = append(bytes.Clone(fragment), sealed...)
	rec := record.AppendHeader(nil, record.Header{Type: wire.ContentApplicationData, Version: p.Version, Length: len(fragment)})
	return append(rec, fragment...), nil
}

// refused wants the record not to open.
func refused(h *record.Half, rec []byte) error {
	_, _, _, err := h.Open(rec)
	var e *record.Error
	if !errors.As(err, &e) || e.Alert != wire.AlertBadRecordMAC {
		return fmt.Errorf("got %v, want %v", err, wire.AlertBadRecordMAC)
	}
	return nil
}
