package session

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/wire"
)

// The blob, in the presentation language of RFC 8446 §3. It belongs to this
// implementation alone: peers see it sealed or not at all. Any change to it
// gets a new number, and numbers that are not known are refused, so that
// servers of two releases can share one store.
//
// The terms come first and together: they are the same in all sessions that a
// virtual host makes with one kind of client, so that [Memory] keeps them once.
//
//	enum { v3(3), (255) } BlobFormat;
//	opaque Certificate<1..2^24-1>;
//	opaque Response<0..2^24-1>;
//	opaque SCT<1..2^16-1>;
//	opaque Extra<0..2^24-1>;
//
//	struct {
//	    ProtocolVersion version;
//	    CipherSuite     suite;
//	    uint8           flags;         /* 1 extended master secret, 2 encrypt-then-MAC, 4 details, 8 PSK,
//	                                      16 raw key, 32 delegated, the last two with 4 */
//	    NamedGroup      group;
//	    SignatureScheme signature_scheme;
//	    uint64          lifetime;      /* milliseconds */
//	    uint32          max_early_data;
//	    opaque          binding[32];
//	    opaque          alpn<0..2^8-1>;
//	    opaque          server_name<0..2^16-1>;
//	} Terms;                           /* at most 2^16-1 bytes */
//
//	struct {
//	    BlobFormat      format;
//	    uint16          terms_length;
//	    Terms           terms;
//	    int48           created_at;    /* milliseconds since 1970, UTC */
//	    uint32          age_add;
//	    opaque          secret<1..2^8-1>;
//	    select (terms.flags & 8) {     /* set where it began with a pre-shared key */
//	        case 8:
//	            opaque psk_identity<0..2^16-1>;
//	            opaque psk_hint<0..2^16-1>;
//	            opaque psk_digest[32];
//	    };
//	    select (terms.flags & 4) {     /* set where one of these is not empty */
//	        case 4:
//	            Certificate peer_chain<0..2^24-1>;   /* at most 16; with flag 16 one SubjectPublicKeyInfo */
//	            Response    ocsp;
//	            Response    issuer_ocsp<0..2^24-1>;  /* at most 15 */
//	            SCT         scts<0..2^16-1>;
//	            Extra       extra<0..2^24-1>;
//	            select (terms.flags & 32) {
//	                case 32: opaque delegated_credential<1..2^16-1>;
//	            };
//	    };
//	} Blob;                            /* at most 2^20 bytes */
const (
	blobFormat = 3
	blobHead   = 3 // format and terms_length
	maxBlob    = 1 << 20

	fixedTerms   = 2 + 2 + 1 + 2 + 2 + 8 + 4 + 32 + 1 + 2 // without what alpn and server_name contain
	fixedSession = 6 + 4 + 1                              // created_at, age_add and the length of secret
	maxChain     = 16

	flagExtendedMasterSecret = 1
	flagEncryptThenMAC       = 2
	flagDetails              = 4
	flagPSK                  = 8
	flagRawKey               = 16
	flagDelegated            = 32

	maxLifetime = math.MaxInt64 / int64(time.Millisecond)
	maxCreated  = 1<<47 - 1 // and the least is -maxCreated-1: the years 1 to 6429
)

// sharedPrefix is how many bytes at the blob's front are its terms, which other
// blobs have too: 0 for what is no blob of this format.
func sharedPrefix(blob []byte) int {
	if len(blob) < blobHead || blob[0] != blobFormat {
		return 0
	}
	if n := blobHead + int(binary.BigEndian.Uint16(blob[1:])); n <= len(blob) {
		return n
	}
	return 0
}

// Append appends the session's blob to dst. It fails where a field is beyond
// its bounds or the blob would be over 1 MiB. It keeps no slice of dst.
func (s *Session) Append(dst []byte) ([]byte, error) {
	created := s.CreatedAt.UnixMilli()
	switch {
	case len(s.Secret) == 0:
		return nil, errors.New("session: no secret to keep")
	case s.Lifetime < 0:
		return nil, fmt.Errorf("session: negative lifetime %v", s.Lifetime)
	case created > maxCreated || created < -maxCreated-1:
		return nil, fmt.Errorf("session: created in the year %d, which the blob cannot say", s.CreatedAt.Year())
	case len(s.PeerChain) > maxChain:
		return nil, fmt.Errorf("session: %d certificates in the peer's chain, at most %d are kept", len(s.PeerChain), maxChain)
	case len(s.PeerChain) > 0 && len(s.PeerKey) > 0:
		return nil, errors.New("session: the peer has both a chain and a raw public key")
	case len(s.IssuerOCSP) >= maxChain:
		return nil, fmt.Errorf("session: %d OCSP responses for issuers, at most %d are kept", len(s.IssuerOCSP), maxChain-1)
	}
	w := writer{buf: slices.Grow(dst, s.blobLen())}
	w.uint(1, blobFormat)
	w.uint(2, 0) // terms_length, once it is known
	s.appendTerms(&w)
	terms := w.buf[len(dst)+1:]
	if n := len(terms) - 2; n < 1<<16 {
		binary.BigEndian.PutUint16(terms, uint16(n))
	} else if w.err == nil {
		w.err = fmt.Errorf("session: server_name of %d bytes does not fit the blob", len(s.ServerName))
	}
	w.uint(6, uint64(created))
	w.uint(4, uint64(s.AgeAdd))
	w.vector("secret", 1, s.Secret)
	if s.PSK != nil {
		w.vector("psk_identity", 2, s.PSK.Identity)
		w.vector("psk_hint", 2, s.PSK.Hint)
		w.buf = append(w.buf, s.PSK.Digest[:]...)
	}
	if s.hasDetails() {
		w.list("peer_chain", 3, 3, 1, s.peer())
		w.vector("ocsp", 3, s.OCSP)
		w.list("issuer_ocsp", 3, 3, 0, s.IssuerOCSP)
		w.list("scts", 2, 2, 1, s.SCTs)
		w.list("extra", 3, 3, 0, s.Extra)
	}
	if len(s.Delegated) > 0 {
		w.vector("delegated_credential", 2, s.Delegated)
	}
	if w.err == nil && len(w.buf)-len(dst) > maxBlob {
		w.err = fmt.Errorf("session: blob of %d bytes, at most %d are kept", len(w.buf)-len(dst), maxBlob)
	}
	if w.err != nil {
		return nil, w.err
	}
	return w.buf, nil
}

// blobLen is how long the blob of s will be, so that it is allocated once.
func (s *Session) blobLen() int {
	n := blobHead + fixedTerms + len(s.ALPN) + len(s.ServerName) + fixedSession + len(s.Secret)
	if s.PSK != nil {
		n += 2 + len(s.PSK.Identity) + 2 + len(s.PSK.Hint) + len(s.PSK.Digest)
	}
	if s.hasDetails() {
		n += listLen(3, 3, s.peer()) + 3 + len(s.OCSP) + listLen(3, 3, s.IssuerOCSP) + listLen(2, 2, s.SCTs) + listLen(3, 3, s.Extra)
	}
	if len(s.Delegated) > 0 {
		n += 2 + len(s.Delegated)
	}
	return n
}

func listLen(outer, inner int, items [][]byte) int {
	n := outer
	for _, item := range items {
		n += inner + len(item)
	}
	return n
}

func (s *Session) hasDetails() bool {
	return len(s.PeerChain) > 0 || len(s.PeerKey) > 0 || len(s.OCSP) > 0 || len(s.IssuerOCSP) > 0 || len(s.SCTs) > 0 || len(s.Extra) > 0 || len(s.Delegated) > 0
}

// peer is what stands in peer_chain.
func (s *Session) peer() [][]byte {
	if len(s.PeerKey) > 0 {
		return [][]byte{s.PeerKey}
	}
	return s.PeerChain
}

func (s *Session) appendTerms(w *writer) {
	var flags uint64
	if s.ExtendedMasterSecret {
		flags |= flagExtendedMasterSecret
	}
	if s.EncryptThenMAC {
		flags |= flagEncryptThenMAC
	}
	if s.hasDetails() {
		flags |= flagDetails
	}
	if s.PSK != nil {
		flags |= flagPSK
	}
	if len(s.PeerKey) > 0 {
		flags |= flagRawKey
	}
	if len(s.Delegated) > 0 {
		flags |= flagDelegated
	}
	w.uint(2, uint64(s.Version))
	w.uint(2, uint64(s.Suite))
	w.uint(1, flags)
	w.uint(2, uint64(s.Group))
	w.uint(2, uint64(s.SignatureScheme))
	w.uint(8, uint64(s.Lifetime.Milliseconds()))
	w.uint(4, uint64(s.MaxEarlyData))
	w.buf = append(w.buf, s.Binding[:]...)
	w.vector("alpn", 1, []byte(s.ALPN))
	w.vector("server_name", 2, []byte(s.ServerName))
}

// Parse reads a blob. The session's slices alias b, which must not change
// while the session is in use. Whatever Parse accepts, Append writes back
// byte for byte.
func Parse(b []byte) (*Session, error) {
	s := new(Session)
	if err := s.Parse(b); err != nil {
		return nil, err
	}
	return s, nil
}

// Parse is the function Parse, but reads into s, whatever was in it. Names that s has
// already are not allocated again. After an error the content of s means nothing.
func (s *Session) Parse(b []byte) error {
	if len(b) > maxBlob {
		return fmt.Errorf("session: blob of %d bytes, at most %d are read", len(b), maxBlob)
	}
	r := reader{buf: b}
	if f := r.uint("format", 1); r.err == nil && f != blobFormat {
		return fmt.Errorf("session: blob of format %d, only %d is known", f, blobFormat)
	}
	*s = Session{ALPN: s.ALPN, ServerName: s.ServerName}
	flags := s.parseTerms(&r)
	details := flags&flagDetails != 0
	s.CreatedAt = time.UnixMilli(int64(r.uint("created_at", 6)<<16) >> 16) // the sign is in the 48th bit
	s.AgeAdd = uint32(r.uint("age_add", 4))
	s.Secret = r.vector("secret", 1, 1)
	if flags&flagPSK != 0 {
		s.PSK = &PSK{Identity: r.vector("psk_identity", 2, 0), Hint: r.vector("psk_hint", 2, 0)}
		copy(s.PSK.Digest[:], r.bytes("psk_digest", len(s.PSK.Digest)))
	}
	if details {
		s.setPeer(&r, flags, r.list("peer_chain", 3, 3, 1))
		s.OCSP = r.vector("ocsp", 3, 0)
		s.IssuerOCSP = r.list("issuer_ocsp", 3, 3, 0)
		s.SCTs = r.list("scts", 2, 2, 1)
		s.Extra = r.list("extra", 3, 3, 0)
		if flags&flagDelegated != 0 {
			s.Delegated = r.vector("delegated_credential", 2, 1)
		}
	}
	switch {
	case r.err != nil:
		return r.err
	case len(r.buf) > 0:
		return fmt.Errorf("session: %d bytes after the blob's end", len(r.buf))
	case details && !s.hasDetails():
		return errors.New("session: the details in the blob are all empty")
	case len(s.PeerChain) > maxChain:
		return fmt.Errorf("session: %d certificates in the blob, at most %d are read", len(s.PeerChain), maxChain)
	case len(s.IssuerOCSP) >= maxChain:
		return fmt.Errorf("session: %d OCSP responses for issuers in the blob, at most %d are read", len(s.IssuerOCSP), maxChain-1)
	}
	return nil
}

// setPeer takes what stands in peer_chain.
func (s *Session) setPeer(r *reader, flags uint64, list [][]byte) {
	switch {
	case flags&flagRawKey == 0:
		s.PeerChain = list
	case len(list) == 1:
		s.PeerKey = list[0]
	case r.err == nil:
		r.err = fmt.Errorf("session: %d raw public keys in the blob, where one is due", len(list))
	}
}

// parseTerms reads the terms and returns their flags.
func (s *Session) parseTerms(from *reader) (flags uint64) {
	r := reader{buf: from.vector("terms", 2, 1), err: from.err}
	s.Version = wire.Version(r.uint("version", 2))
	s.Suite = wire.CipherSuite(r.uint("suite", 2))
	flags = r.uint("flags", 1)
	s.ExtendedMasterSecret = flags&flagExtendedMasterSecret != 0
	s.EncryptThenMAC = flags&flagEncryptThenMAC != 0
	s.Group = wire.NamedGroup(r.uint("group", 2))
	s.SignatureScheme = wire.SignatureScheme(r.uint("signature_scheme", 2))
	lifetime := r.uint("lifetime", 8)
	s.Lifetime = time.Duration(lifetime) * time.Millisecond
	s.MaxEarlyData = uint32(r.uint("max_early_data", 4))
	copy(s.Binding[:], r.bytes("binding", len(s.Binding)))
	r.name("alpn", 1, &s.ALPN)
	r.name("server_name", 2, &s.ServerName)
	switch {
	case r.err != nil:
	case len(r.buf) > 0:
		r.err = fmt.Errorf("session: %d bytes after the end of the blob's terms", len(r.buf))
	case flags&(flagRawKey|flagDelegated) != 0 && flags&flagDetails == 0:
		r.err = errors.New("session: the blob's flags speak of details that it has not")
	case flags >= 2*flagDelegated:
		r.err = fmt.Errorf("session: unknown flags 0x%02x in the blob", flags)
	case lifetime > uint64(maxLifetime):
		r.err = errors.New("session: lifetime in the blob out of range")
	}
	from.err = r.err
	return flags
}

// name reads a string, which is made only if it is another than that at s.
func (r *reader) name(what string, size int, s *string) {
	if b := r.vector(what, size, 0); string(b) != *s {
		*s = string(b)
	}
}

// writer appends fields and remembers the first that did not fit.
type writer struct {
	buf []byte
	err error
}

func (w *writer) uint(size int, v uint64) {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], v)
	w.buf = append(w.buf, b[8-size:]...)
}

// vector writes b after its length in size bytes.
func (w *writer) vector(name string, size int, b []byte) {
	if w.err == nil && len(b) >= 1<<(8*size) {
		w.err = fmt.Errorf("session: %s of %d bytes does not fit the blob", name, len(b))
	}
	w.uint(size, uint64(len(b)))
	w.buf = append(w.buf, b...)
}

// list writes items, each at least least bytes long, each after its length in
// inner bytes, all after their length in outer bytes.
func (w *writer) list(name string, outer, inner, least int, items [][]byte) {
	total := 0
	for _, item := range items {
		total += inner + len(item)
		if w.err == nil && len(item) < least {
			w.err = fmt.Errorf("session: empty item in %s", name)
		}
	}
	if w.err == nil && total >= 1<<(8*outer) {
		w.err = fmt.Errorf("session: %s of %d bytes does not fit the blob", name, total)
	}
	w.uint(outer, uint64(total))
	for _, item := range items {
		w.vector(name, inner, item)
	}
}

// reader takes fields off the front of buf. After the first error it returns zeros.
type reader struct {
	buf []byte
	err error
}

func (r *reader) bytes(name string, n int) []byte {
	if r.err == nil && n > len(r.buf) {
		r.err = fmt.Errorf("session: blob ends inside %s", name)
	}
	if r.err != nil {
		return nil
	}
	b := r.buf[:n:n]
	r.buf = r.buf[n:]
	return b
}

func (r *reader) uint(name string, size int) uint64 {
	var b [8]byte
	copy(b[8-size:], r.bytes(name, size))
	return binary.BigEndian.Uint64(b[:])
}

func (r *reader) vector(name string, size, least int) []byte {
	b := r.bytes(name, int(r.uint(name, size)))
	if r.err == nil && len(b) < least {
		r.err = fmt.Errorf("session: %s is empty in the blob", name)
	}
	if len(b) == 0 {
		return nil
	}
	return b
}

func (r *reader) list(name string, outer, inner, least int) (items [][]byte) {
	in := reader{buf: r.vector(name, outer, 0), err: r.err}
	for in.err == nil && len(in.buf) > 0 {
		items = append(items, in.vector(name, inner, least))
	}
	r.err = in.err
	return items
}
