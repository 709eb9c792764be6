package wire

import (
	"bytes"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Every golden, cut at every byte: the error names the field that the cut went
// through and where that field starts. The spans of the whole message tell
// which one that is.
func TestEveryTruncationNamesItsField(t *testing.T) {
	for _, message := range goldenNames() {
		for _, g := range goldens(t, message) {
			t.Run(message+"/"+g.name, func(t *testing.T) {
				rec := new(Recorder)
				m := NewMessage(HandshakeType(g.raw[0]))
				if err := Decode(m, g.body(), g.ctx, rec); err != nil {
					t.Fatal(err)
				}
				for n := range g.body() {
					cut := g.body()[:n:n]
					checkTruncation(t, reflect.New(reflect.TypeOf(m).Elem()).Interface().(Message), cut, g.ctx, rec.Spans)
				}
			})
		}
	}
}

func checkTruncation(t *testing.T, m Message, cut []byte, c Context, whole []Span) {
	t.Helper()
	err := Decode(m, cut, c, nil)
	field, offset := firstCut(whole, len(cut))
	if readsToTheEnd(m, c) || isHello(m) && field == "extensions" && offset == len(cut) && offset < extensionsBody(whole) {
		if err != nil {
			t.Errorf("cut at %d: %v", len(cut), err)
		}
		return
	}
	var s *SyntaxError
	if !errors.As(err, &s) {
		t.Errorf("cut at %d, in %s: error is %v", len(cut), field, err)
	} else if s.Field != field || s.Offset != offset {
		t.Errorf("cut at %d: %v, want %s at %d", len(cut), s, field, offset)
	}
	rec := new(Recorder)
	if recorded := Decode(m, cut, c, rec); !reflect.DeepEqual(recorded, err) {
		t.Errorf("cut at %d: %v, with a recorder %v", len(cut), err, recorded)
	}
	checkSpans(t, rec.Spans, 0, len(cut))
}

// firstCut finds the first field of whole that n bytes do not hold. A vector is
// refused as a whole, once its length is read.
func firstCut(whole []Span, n int) (field string, offset int) {
	for i, s := range whole {
		isLength := !s.Group && s.Name == "length"
		switch {
		case isLength && s.Offset+s.Length > n:
			return whole[i-1].Name, s.Offset
		case isLength && whole[i-1].Offset+whole[i-1].Length > n:
			return whole[i-1].Name, s.Offset + s.Length
		case !s.Group && s.Offset+s.Length > n:
			return s.Name, s.Offset
		}
	}
	return "", 0
}

// isHello reports whether m may end before its extensions, as old ones do.
func isHello(m Message) bool {
	switch m.(type) {
	case *ClientHello, *ServerHello:
		return true
	}
	return false
}

// extensionsBody returns where the first extension starts.
func extensionsBody(whole []Span) int {
	i := slices.IndexFunc(whole, func(s Span) bool { return s.Name == "extensions" })
	return whole[i].Offset + 2
}

// readsToTheEnd reports whether m takes every byte there is.
func readsToTheEnd(m Message, c Context) bool {
	switch m.(type) {
	case *Finished:
		return c.Version != SSL30
	case *ServerKeyExchange:
		return !c.hasServerKeyExchange()
	case *ClientKeyExchange:
		return c.KeyExchange == KeyExchangeNone || c.KeyExchange == KeyExchangeRSA && c.Version == SSL30
	}
	return false
}

func TestTruncationOfTheHeader(t *testing.T) {
	raw := find(t, "ServerHello", "rfc8448-3").raw
	for n := range raw {
		_, err := checkLaws(t, raw[:n], Context{})
		var s *SyntaxError
		if !errors.As(err, &s) {
			t.Errorf("cut at %d: error is %v", n, err)
		}
	}
}

// A byte more than a message has is an error, in the body and after it.
func TestTrailingBytes(t *testing.T) {
	for _, message := range goldenNames() {
		for _, g := range goldens(t, message) {
			body := append(bytes.Clone(g.body()), 0)
			inside := appendOpaque([]byte{g.raw[0]}, 3, body)
			m := NewMessage(HandshakeType(g.raw[0]))
			if _, err := checkLaws(t, inside, g.ctx); (err == nil) != readsToTheEnd(m, g.ctx) {
				t.Errorf("%s/%s, a byte more in the body: %v", message, g.name, err)
			}
			after := append(bytes.Clone(g.raw), 0)
			if _, err := checkLaws(t, after, g.ctx); err == nil {
				t.Errorf("%s/%s, a byte more after the message: accepted", message, g.name)
			}
		}
	}
}

// Each length field of each golden, one too small and one too large. Either
// what follows no longer fits, or the bytes mean something else; never may the
// message be read as the same one, and the laws hold throughout.
func TestLengthsOffByOne(t *testing.T) {
	for _, message := range goldenNames() {
		for _, g := range goldens(t, message) {
			t.Run(message+"/"+g.name, func(t *testing.T) {
				rec := new(Recorder)
				m, err := DecodeMessage(g.raw, g.ctx, rec)
				if err != nil {
					t.Fatal(err)
				}
				for i, s := range rec.Spans {
					if s.Name != "length" || s.Group {
						continue
					}
					for _, by := range []int{-1, 1} {
						changed := bytes.Clone(g.raw)
						addTo(changed[s.Offset:s.Offset+s.Length], by)
						other, err := checkLaws(t, changed, g.ctx)
						if err == nil && reflect.DeepEqual(other, m) {
							t.Errorf("length of %s %+d: the same message", rec.Spans[i-1].Name, by)
						}
						outermost := s.Depth <= 1
						if err == nil && outermost {
							t.Errorf("length of %s %+d: accepted", rec.Spans[i-1].Name, by)
						}
					}
				}
			})
		}
	}
}

// addTo adds by to the number in b, modulo its size.
func addTo(b []byte, by int) {
	v := 0
	for _, c := range b {
		v = v<<8 | int(c)
	}
	v += by
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = byte(v)
		v >>= 8
	}
}

// Lengths within the input but outside the bounds of the grammar.
func TestBoundsOfVectors(t *testing.T) {
	hello := func(edit func(m *ClientHello)) []byte {
		m := decode[*ClientHello](t, "ClientHello", "rfc8448-3")
		edit(m)
		return m.Append(nil, Context{})
	}
	for _, c := range []struct {
		name, field string
		m           Message
		body        []byte
		ctx         Context
	}{
		{"session ID of 33 bytes", "legacy_session_id", new(ClientHello),
			hello(func(m *ClientHello) { m.SessionID = make([]byte, 33) }), Context{}},
		{"no suites", "cipher_suites", new(ClientHello), hello(func(m *ClientHello) { m.CipherSuites = nil }), Context{}},
		{"no compression methods", "legacy_compression_methods", new(ClientHello),
			hello(func(m *ClientHello) { m.CompressionMethods = nil }), Context{}},
		{"empty certificate", "cert_data", new(Certificate), []byte{0, 0, 0, 3, 0, 0, 0}, Context{Version: TLS13}},
		{"empty ticket in TLS 1.3", "ticket", new(NewSessionTicket), make([]byte, 4+4+1+2+2), Context{Version: TLS13}},
		{"no certificate types", "certificate_types", new(CertificateRequest), []byte{0, 0, 0}, Context{Version: TLS10}},
		{"empty point", "point", new(ClientKeyExchange), []byte{0}, Context{Version: TLS12, KeyExchange: KeyExchangeECDHE}},
	} {
		err := Decode(c.m, c.body, c.ctx, nil)
		var s *SyntaxError
		if !errors.As(err, &s) || s.Field != c.field || !strings.Contains(s.Reason, "outside") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
