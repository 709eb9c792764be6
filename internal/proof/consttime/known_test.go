package consttime

import "strings"

// A place is a line where a report is no leak. Any other line of the same
// function that branches is one.
type place struct {
	in   string // the function: the innermost that is not the standard library's
	line string // its source
	at   string // the standard library's function with the branch, or how its name begins; empty if the line has it
	why  string
}

func (p place) is(r report) bool {
	f, at := r.culprit(), r.at()
	return p.in == f.function && p.line == f.text && (p.at == "") == (at == "") && strings.HasPrefix(at, p.at)
}

const (
	verdict   = "whether it is right is what we say next, and all that is decided"
	authentic = "it is authentic, and its length is how much the application gets"
	never     = "it is never so but for a broken caller or peer, which the error tells of"
	shown     = "it is computed from a secret, and sent in the clear"
)

var known = []place{
	// What the peer, and everybody, is told: it is right, or it is not.
	{"internal/record.(*cbcOpener).open", "if subtle.ConstantTimeCompare(ours, c.theirs)&int(ok) != 1 {", "", verdict},
	{"internal/record.(*etm).open", "if !hmac.Equal(e.mac.append(e.sum[:0], seq, hdr, sealed), theirs) {", "", verdict},
	{"internal/record.(*etm).open", "if ok == 0 {", "", "the padding of what is authentic, which only a broken peer gets wrong"},
	{"internal/record.(*streamed).open", "if !hmac.Equal(s.mac.append(s.sum[:0], seq, hdr, content), theirs) {", "", verdict},
	{"internal/record.(*aead12).open", "content, err := a.Open(room, a.nonceFor(explicit, seq), sealed, a.data[:])", "crypto/internal/fips140/aes/gcm.open", verdict},
	{"internal/record.(*aead13).open", "inner, err := a.Open(room, a.xorNonce(seq), sealed, header)", "crypto/internal/fips140/aes/gcm.open", verdict},
	{"internal/suite.(*ccm).Open", "if subtle.ConstantTimeCompare(c.mac[:c.tagLen], ciphertext[n:]) != 1 {", "", verdict},
	{"golang.org/x/crypto/chacha20poly1305.(*chacha20poly1305).open", "if !chacha20Poly1305Open(out, state[:], ciphertext, additionalData) {", "", verdict},
	{"session.(*xaes).open", "return x.own.aead.Open(dst, nil, rest, aad)", "crypto/internal/fips140/aes/gcm.open", verdict},
	{"internal/handshake.recvFinished", "if subtle.ConstantTimeCompare(want, msg.(*wire.Finished).VerifyData) != 1 {", "", verdict},
	{"internal/handshake.(*State).checkBinder", "if subtle.ConstantTimeCompare(s.binder(p, partial), s.Offer.PSKs.Binders[index]) != 1 {", "", verdict},

	// The length of what a record holds, once it has opened.
	{"internal/record.(*cbcOpener).open", "return opened{typ: hdr.Type, content: plain[:n]}, nil", "", authentic},
	{"internal/record.(*etm).open", "return opened{typ: hdr.Type, content: plain[:n]}, nil", "", authentic},
	{"internal/record.(*Half).OpenInto", "if err == nil && len(o.content)+o.padding > h.most() {", "", authentic},
	{"internal/record.(*aead13).open", "for end > 0 && inner[end-1] == 0 {", "", "it is authentic; that the time may tell how much of it is padding is known to RFC 8446 §E.3, which sees no way out"},

	// What only looks like a secret.
	{"session.(*TicketKeys).Open.func1", "i := slices.IndexFunc(t.keys, func(k *ticketKey) bool { return bytes.Equal(k.name[:], ticket[:nameSize]) })", "memeqbody", shown},
	{"session.(*TicketKeys).Open", "i := slices.IndexFunc(t.keys, func(k *ticketKey) bool { return bytes.Equal(k.name[:], ticket[:nameSize]) })", "slices.IndexFunc", shown},
	{"internal/kex.(*DH).within", "c := bytes.Compare(v[:n], d.p[:n])", "cmpbody", shown},
	{"internal/kex.(*DH).within", "return c < 0 || c == 0 && v[n] < d.p[n]-1 // p is odd", "", shown},
	{"github.com/cloudflare/circl/pke/kyber/internal/common.(*Poly).DeriveUniform", "if t1 < uint16(Q) {", "", shown},
	{"github.com/cloudflare/circl/pke/kyber/internal/common.(*Poly).DeriveUniform", "if t2 < uint16(Q) {", "", shown},
	{"github.com/cloudflare/circl/pke/kyber/internal/common.PolyDeriveUniformX4", "if t[k] < uint16(Q) {", "", shown},

	// What is the same for every secret.
	{"internal/kex.(*DHPrivate).agree", "if d.isTrivial(z) == 1 { // not for a safe prime", "", never},
	{"internal/kex.(*x25519Key).finish", "if subtle.ConstantTimeCompare(shared, zero[:]) == 1 {", "", never},
	{"internal/kex.SealPremaster", "encrypted, err = rsa.EncryptPKCS1v15(rand.Reader, key, premaster[:])", "crypto/internal/fips140/bigmod.(*Nat).SetBytes", never},
	{"internal/kex.stdKey.finish", "shared, err := k.ECDH(point)", "crypto/internal/fips140/nistec.(*P256Point).bytesX", never},
	{"internal/kex.stdKey.finish", "shared, err := k.ECDH(point)", "crypto/internal/fips140/nistec.(*P384Point).bytesX", never},
	{"internal/kex.stdKey.finish", "shared, err := k.ECDH(point)", "crypto/internal/fips140/nistec.(*P521Point).bytesX", never},
	{"internal/kex.stdKey.finish", "shared, err := k.ECDH(point)", "crypto/internal/fips140/nistec.(*p384Table).Select", never},
	{"internal/kex.stdKey.finish", "shared, err := k.ECDH(point)", "crypto/internal/fips140/nistec.(*p521Table).Select", never},
	{"filippo.io/edwards25519.(*Scalar).signedRadix16", "if b[31] > 127 {", "", never},
	{"filippo.io/edwards25519.checkInitialized", "if p.x == (field.Element{}) && p.y == (field.Element{}) {", "memeqbody", never},

	// What leaks.
	{"internal/kex.stripZeros", `func stripZeros(b []byte) []byte { return bytes.TrimLeft(b, "\x00") }`, "bytes.trimLeftByte",
		"RFC 5246 §8.1.2 strips the zeros of a premaster of DHE, and so tells their number (Raccoon); it is of no use, since no key is used twice"},
	{"internal/record.(*blocks).encrypt", "b.CryptBlocks(plain, plain)", "crypto/des.feistel",
		"the standard library's DES looks up in tables; it is off by default"},
	{"internal/suite.newRC4", "return rc4.NewCipher(key)", "crypto/rc4.NewCipher",
		"RC4 is a table that the key has shuffled; it is off by default"},
}
