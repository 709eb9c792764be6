package record

import (
	"bytes"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

func TestSetLimit(t *testing.T) {
	for _, c := range distinct() {
		for _, limit := range []int{64, 512, MaxPlaintext - 1, MaxPlaintext, MaxPlaintext + 1, MaxPlaintext + 2} {
			most := min(limit, MaxPlaintext)
			if c.p.Version == wire.TLS13 {
				most = min(limit-1, MaxPlaintext)
			}
			in := new(Half)
			in.SetLimit(limit)
			in.SetKeys(c.p) // the limit survives it
			typ, got, _, err := in.Open(mustSeal(t, keyed(c.p), wire.ContentHandshake, bytesOf("content", most), 0))
			if err != nil {
				t.Fatalf("%s: %d bytes with limit %d: %v", c.name, most, limit, err)
			}
			wantContent(t, typ, wire.ContentHandshake, got, bytesOf("content", most))
			if most == MaxPlaintext {
				continue
			}
			in.SetKeys(c.p)
			_, _, _, err = in.Open(mustSeal(t, keyed(c.p), wire.ContentHandshake, bytesOf("content", most+1), 0))
			wantAlert(t, err, wire.AlertRecordOverflow)
			in.SetKeys(c.p)
			in.SetLimit(0)
			if _, _, _, err = in.Open(mustSeal(t, keyed(c.p), wire.ContentHandshake, bytesOf("content", most+1), 0)); err != nil {
				t.Errorf("%s: without the limit: %v", c.name, err)
			}
		}
	}
}

// In TLS 1.3 the limit counts padding. RFC 8449 §4.
func TestLimitCountsPadding(t *testing.T) {
	for padding, good := range map[int]bool{89: true, 90: false} {
		in := keyed(params13)
		in.SetLimit(100)
		_, _, got, err := in.Open(mustSeal(t, keyed(params13), wire.ContentAlert, make([]byte, 10), padding))
		if good && (err != nil || got != padding) {
			t.Errorf("padding %d: %d, %v", padding, got, err)
		} else if !good {
			wantAlert(t, err, wire.AlertRecordOverflow)
		}
	}
}

// What is sent before there are keys has no limit: "Unprotected messages are not
// subject to this limit", RFC 8449 §4.
func TestLimitIsForProtected(t *testing.T) {
	in := new(Half)
	in.SetLimit(64)
	if _, _, _, err := in.Open(mustSeal(t, new(Half), wire.ContentHandshake, make([]byte, 65), 0)); err != nil {
		t.Error(err)
	}
}

// Compressed content may be longer than what it was made of, and no longer.
func TestCompressedLength(t *testing.T) {
	for _, c := range distinct() {
		if c.p.Version == wire.TLS13 {
			continue
		}
		p := c.p
		p.Compression = wire.CompressionDeflate
		in := keyed(p)
		in.SetLimit(64)
		content := bytesOf("content", MaxCompressed)
		typ, got, _, err := in.Open(mustSeal(t, keyed(p), wire.ContentAlert, content, 0))
		if err != nil {
			t.Fatal(c.name, err)
		}
		wantContent(t, typ, wire.ContentAlert, got, content)
		_, err = keyed(p).Seal(nil, wire.ContentAlert, wire.TLS12, append(content, 0), 0)
		wantAlert(t, err, wire.AlertInternalError)
		_, _, _, err = keyed(c.p).Open(mustSeal(t, keyed(p), wire.ContentAlert, content, 0))
		wantAlert(t, err, wire.AlertRecordOverflow)

		out := keyed(p)
		s, err := out.protection().newSealer(out)
		if err != nil {
			t.Fatal(c.name, err)
		}
		rec, err := s.seal(nil, Header{Type: wire.ContentAlert, Version: wire.TLS12}, 0, bytes.Clone(append(content, 0)), 0)
		if err != nil {
			t.Fatal(c.name, err)
		}
		_, _, _, err = keyed(p).Open(rec)
		wantAlert(t, err, wire.AlertRecordOverflow)
	}
}
