package record

import (
	"bytes"
	"math"
	"testing"
	"unsafe"

	"github.com/vitrine-tls/vitrine/internal/suite"
	"github.com/vitrine-tls/vitrine/wire"
)

var sizes = []int{0, 1, 15, 16, 17, 255, 256, 257, 1000, MaxPlaintext - 1, MaxPlaintext}

func TestRoundTrip(t *testing.T) {
	for _, c := range append(cases(), protectedCase{name: "clear"}) {
		t.Run(c.name, func(t *testing.T) {
			out, in := new(Half), new(Half)
			if c.p.Suite != nil {
				out, in = keyed(c.p), keyed(c.p)
			}
			for i, n := range sizes {
				content := bytesOf("content", n)
				typ := wire.ContentApplicationData - wire.ContentType(i%4)
				rec := mustSeal(t, out, typ, content, 0)
				if hdr := ParseHeader(rec); hdr.Version != wire.TLS12 || hdr.Length != len(rec)-HeaderLen {
					t.Fatalf("header %+v of a record of %d bytes", hdr, len(rec))
				}
				if over := len(rec) - n; over > out.Overhead() {
					t.Fatalf("%d bytes became %d; Overhead says %d at most", n, len(rec), out.Overhead())
				}
				if bytes.Contains(rec, content) && n > 15 && c.p.Suite != nil && c.hides() {
					t.Fatal("the content is in the record, in the clear")
				}
				gotType, got, padding, err := in.Open(rec)
				if err != nil || padding != 0 {
					t.Fatalf("Open of %d bytes: padding %d, %v", n, padding, err)
				}
				wantContent(t, gotType, typ, got, content)
				if len(got) > 0 && (&got[0] == &content[0] || !aliases(got, rec)) {
					t.Fatal("content must alias the record")
				}
				if want := uint64(i + 1); out.Seq() != want || in.Seq() != want {
					t.Fatalf("sequence numbers %d and %d, want %d", out.Seq(), in.Seq(), want)
				}
			}
		})
	}
}

// aliases reports that inner lies within outer.
func aliases(inner, outer []byte) bool {
	first, last := uintptr(unsafe.Pointer(&outer[0])), uintptr(unsafe.Pointer(&outer[len(outer)-1]))
	p := uintptr(unsafe.Pointer(&inner[0]))
	return first <= p && p <= last
}

func TestSealAppends(t *testing.T) {
	for _, c := range distinct() {
		out, in := keyed(c.p), keyed(c.p)
		buf := []byte("before")
		for range 3 {
			var err error
			if buf, err = out.Seal(buf, wire.ContentHandshake, wire.TLS12, []byte("abc"), 0); err != nil {
				t.Fatal(c.name, err)
			}
		}
		if !bytes.HasPrefix(buf, []byte("before")) {
			t.Fatalf("%s: Seal changed what was in dst: %q", c.name, buf[:6])
		}
		rest := buf[6:]
		for range 3 {
			n := HeaderLen + ParseHeader(rest).Length
			typ, got, _, err := in.Open(rest[:n:n])
			if err != nil {
				t.Fatal(c.name, err)
			}
			wantContent(t, typ, wire.ContentHandshake, got, []byte("abc"))
			rest = rest[n:]
		}
		if len(rest) != 0 {
			t.Fatalf("%s: %d bytes left", c.name, len(rest))
		}
	}
}

func TestEpochs(t *testing.T) {
	for _, c := range distinct() {
		out, in := new(Half), new(Half)
		if out.Epoch() != 0 {
			t.Fatal("the zero Half is epoch 0")
		}
		mustSeal(t, out, wire.ContentHandshake, []byte("clear"), 0)
		out.SetKeys(c.p)
		in.SetKeys(c.p)
		if out.Epoch() != 1 || out.Seq() != 0 {
			t.Fatalf("%s: epoch %d, seq %d after SetKeys", c.name, out.Epoch(), out.Seq())
		}
		first := mustSeal(t, out, wire.ContentHandshake, []byte("one"), 0)
		if _, _, _, err := in.Open(first); err != nil {
			t.Fatal(c.name, err)
		}
		other := c.p
		other.Key = bytesOf("another", len(c.p.Key))
		out.SetKeys(other)
		second := mustSeal(t, out, wire.ContentHandshake, []byte("two"), 0)
		_, _, _, err := in.Open(bytes.Clone(second))
		wantAlert(t, err, wire.AlertBadRecordMAC)
		in.SetKeys(other)
		if _, _, _, err := in.Open(second); err != nil {
			t.Fatal(c.name, err)
		}
		if in.Epoch() != 2 {
			t.Fatalf("%s: epoch %d, want 2", c.name, in.Epoch())
		}
	}
}

// The secrets are copied in, and a new epoch leaves none of the old ones.
func TestSetKeysCopiesAndForgets(t *testing.T) {
	for _, c := range distinct() {
		p := c.p
		p.Key, p.IV, p.MAC = bytes.Clone(p.Key), bytes.Clone(p.IV), bytes.Clone(p.MAC)
		out := keyed(p)
		clear(p.Key)
		clear(p.IV)
		clear(p.MAC)
		if _, _, _, err := keyed(c.p).Open(mustSeal(t, out, wire.ContentAlert, []byte{1, 0}, 0)); err != nil {
			t.Fatalf("%s: the keys were not copied: %v", c.name, err)
		}
		out.SetKeys(Params{})
		if out.key != [maxKey]byte{} || out.iv != [maxIV]byte{} || out.mac != [maxMAC]byte{} || out.ciphers != nil {
			t.Fatalf("%s: old secrets remain", c.name)
		}
	}
}

func TestIdle(t *testing.T) {
	if size := unsafe.Sizeof(Half{}); size > 144 {
		t.Errorf("a Half takes %d bytes", size)
	}
	for _, c := range distinct() {
		out, in := keyed(c.p), keyed(c.p)
		for range 3 {
			typ, got, _, err := in.Open(mustSeal(t, out, wire.ContentApplicationData, []byte("x"), 0))
			if err != nil {
				t.Fatal(c.name, err)
			}
			wantContent(t, typ, wire.ContentApplicationData, got, []byte("x"))
			out.Idle()
			in.Idle()
			_, runs := out.ciphers.(*streamed)
			if (out.ciphers != nil || in.ciphers != nil) && !runs {
				t.Fatalf("%s: Idle keeps the cipher objects", c.name)
			}
		}
	}
}

func TestTooLong(t *testing.T) {
	for _, c := range append(distinct(), protectedCase{name: "clear"}) {
		h := new(Half)
		limit := MaxPlaintext
		if c.p.Suite != nil {
			h = keyed(c.p)
			limit = MaxCiphertext12
			if c.p.Version == wire.TLS13 {
				limit = MaxCiphertext13
			}
		}
		_, err := h.Seal(nil, wire.ContentApplicationData, wire.TLS12, make([]byte, MaxPlaintext+1), 0)
		wantAlert(t, err, wire.AlertInternalError)
		if h.MaxFragment() != limit {
			t.Errorf("%s: MaxFragment %d, want %d", c.name, h.MaxFragment(), limit)
		}
		rec := AppendHeader(nil, Header{wire.ContentApplicationData, wire.TLS12, limit + 1})
		_, _, _, err = h.Open(append(rec, make([]byte, limit+1)...))
		wantAlert(t, err, wire.AlertRecordOverflow)
		if c.p.Suite != nil {
			rec = AppendHeader(nil, Header{wire.ContentApplicationData, wire.TLS12, limit})
			_, _, _, err = h.Open(append(rec, make([]byte, limit)...))
			wantAlert(t, err, wire.AlertBadRecordMAC)
		}
	}
}

// A record can be well sealed and still hold more than 2^14 bytes.
func TestContentTooLong(t *testing.T) {
	for _, c := range distinct() {
		out := keyed(c.p)
		s, err := out.protection().newSealer(out)
		if err != nil {
			t.Fatal(c.name, err)
		}
		hdr := Header{Type: wire.ContentApplicationData, Version: wire.TLS12}
		rec, err := s.seal(make([]byte, 0, 20000), hdr, 0, make([]byte, MaxPlaintext+1), 0)
		if err != nil {
			t.Fatal(c.name, err)
		}
		_, _, _, err = keyed(c.p).Open(rec)
		wantAlert(t, err, wire.AlertRecordOverflow)
	}
}

func TestNotWhole(t *testing.T) {
	rec := mustSeal(t, new(Half), wire.ContentHandshake, []byte("abc"), 0)
	for _, bad := range [][]byte{nil, rec[:4], rec[:5], rec[:7], append(bytes.Clone(rec), 0)} {
		_, _, _, err := new(Half).Open(bad)
		wantAlert(t, err, wire.AlertInternalError)
	}
}

func TestSequenceNumbersEnd(t *testing.T) {
	for _, c := range distinct() {
		out, in := keyed(c.p), keyed(c.p)
		_, end := bounds(c.p.Suite)
		out.seq, in.seq = end-1, end-1
		rec := mustSeal(t, out, wire.ContentAlert, []byte{1, 0}, 0)
		if _, _, _, err := in.Open(bytes.Clone(rec)); err != nil {
			t.Fatal(c.name, err)
		}
		_, err := out.Seal(nil, wire.ContentAlert, wire.TLS12, nil, 0)
		wantAlert(t, err, wire.AlertInternalError)
		_, _, _, err = in.Open(rec)
		wantAlert(t, err, wire.AlertInternalError)
	}
}

func TestLimit(t *testing.T) {
	h := keyed(newCase(suite.ByID(wire.TLS_AES_128_GCM_SHA256), wire.TLS13, false).p)
	h.seq = limit13 - 1
	if h.Limit() {
		t.Error("the limit is too early")
	}
	mustSeal(t, h, wire.ContentAlert, []byte{1, 0}, 0)
	if !h.Limit() || h.Spent() {
		t.Error("after 2^23 records the keys must be updated, but can be used")
	}
	if float64(h.Seq()) > math.Pow(2, 24.5) || h.Seq() > 1<<23 {
		t.Error("RFC 8446 §5.5 allows 2^24.5 records, RFC 9147 §4.5.3 2^23 with AES-CCM")
	}
	if new(Half).Limit() {
		t.Error("there is no limit in the clear")
	}
}

func TestNoProtection(t *testing.T) {
	good := newCase(suite.ByID(wire.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA), wire.TLS12, false).p
	for name, change := range map[string]func(*Params){
		"no suite":   func(p *Params) { p.Suite = nil },
		"no version": func(p *Params) { p.Version = 0 },
		"TLS 1.3":    func(p *Params) { p.Version = wire.TLS13 },
		"short key":  func(p *Params) { p.Key = p.Key[1:] },
		"long IV":    func(p *Params) { p.IV = append(p.IV, 1) },
		"no MAC key": func(p *Params) { p.MAC = nil },
	} {
		p := good
		change(&p)
		h := keyed(p)
		rec, err := h.Seal([]byte("dst"), wire.ContentAlert, wire.TLS12, []byte{1, 0}, 0)
		wantAlert(t, err, wire.AlertInternalError)
		if string(rec) != "dst" {
			t.Errorf("%s: a failed Seal returned %q", name, rec)
		}
		_, _, _, err = h.Open(mustSeal(t, new(Half), wire.ContentAlert, []byte{1, 0}, 0))
		wantAlert(t, err, wire.AlertInternalError)
	}
}

func TestOpenInto(t *testing.T) {
	for _, c := range distinct() {
		for _, n := range []int{1, 100, MaxPlaintext} {
			out := keyed(c.p)
			content := bytesOf("content", n)
			rec := mustSeal(t, out, wire.ContentApplicationData, content, 0)
			need := n
			if c.p.Version == wire.TLS13 {
				need++
			}
			for room, want := range map[int]bool{need: c.p.Suite.IsAEAD(), need + 50: c.p.Suite.IsAEAD(), need - 1: false} {
				dst := make([]byte, room)
				typ, got, _, into, err := keyed(c.p).OpenInto(dst, bytes.Clone(rec))
				if err != nil || into != want {
					t.Fatalf("%s: room %d for %d: into %v, %v", c.name, room, need, into, err)
				}
				wantContent(t, typ, wire.ContentApplicationData, got, content)
				if into && &got[0] != &dst[0] {
					t.Fatalf("%s: the content is not at the start of dst", c.name)
				}
			}
		}
	}
}
