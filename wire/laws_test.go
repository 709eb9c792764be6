package wire

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"testing"
)

// checkLaws decodes raw with and without a recorder and checks what must hold
// for every input, good or bad. It returns what DecodeMessage returned.
func checkLaws(t testing.TB, raw []byte, c Context) (Message, error) {
	t.Helper()
	m, err := DecodeMessage(raw, c, nil)
	rec := &Recorder{Base: 1000}
	recorded, recordedErr := DecodeMessage(raw, c, rec)

	checkSpans(t, rec.Spans, rec.Base, len(raw))
	checkSyntaxError(t, err, len(raw))
	if !reflect.DeepEqual(err, recordedErr) {
		t.Errorf("error without recorder: %v\nwith recorder:          %v", err, recordedErr)
	}
	if err != nil {
		return m, err
	}
	if !reflect.DeepEqual(m, recorded) {
		t.Errorf("without recorder: %+v\nwith recorder:    %+v", m, recorded)
	}
	if again := AppendMessage(nil, m, c); !bytes.Equal(again, raw) {
		t.Errorf("parsed:   %x\nappended: %x", raw, again)
	}
	return m, nil
}

// checkReuse parses body into m, which has held another message before, and
// compares with a fresh message: nothing of the old one may show.
func checkReuse(t testing.TB, m Message, body []byte, c Context) {
	t.Helper()
	fresh := reflect.New(reflect.TypeOf(m).Elem()).Interface().(Message)
	errReused, errFresh := Decode(m, body, c, nil), Decode(fresh, body, c, nil)
	if !reflect.DeepEqual(errReused, errFresh) {
		t.Errorf("error of a reused %T: %v, of a fresh one: %v", m, errReused, errFresh)
	}
	// Printed, since a reused slice is empty where a fresh one is nil.
	if errFresh == nil && fmt.Sprintf("%#v", printable(m)) != fmt.Sprintf("%#v", printable(fresh)) {
		t.Errorf("reused: %+v\nfresh:  %+v", m, fresh)
	}
}

// printable replaces empty slices by nil ones, so that they print alike.
func printable(m Message) Message {
	copied := reflect.New(reflect.TypeOf(m).Elem())
	copied.Elem().Set(reflect.ValueOf(m).Elem())
	for i := range copied.Elem().NumField() {
		if f := copied.Elem().Field(i); f.Kind() == reflect.Slice && f.Len() == 0 {
			f.SetZero()
		}
	}
	return copied.Interface().(Message)
}

// checkSpans checks that the leaves tile size bytes from base on exactly once,
// and that each group covers just what stands in it.
func checkSpans(t testing.TB, spans []Span, base, size int) {
	t.Helper()
	next := base
	var open []Span
	closeTo := func(depth int) {
		for len(open) > depth {
			g := open[len(open)-1]
			if g.Offset+g.Length != next {
				t.Errorf("group %s ends at %d, its parts at %d", g.Name, g.Offset+g.Length, next)
			}
			open = open[:len(open)-1]
		}
	}
	for _, s := range spans {
		if s.Depth > len(open) || s.Name == "" || s.Length < 0 {
			t.Fatalf("impossible span %+v inside %d groups", s, len(open))
		}
		closeTo(s.Depth)
		if s.Offset != next {
			t.Fatalf("%s starts at %d, the field before it ends at %d", s.Name, s.Offset, next)
		}
		if s.Group {
			open = append(open, s)
		} else {
			next += s.Length
		}
	}
	closeTo(0)
	if next != base+size {
		t.Errorf("the spans end at %d, the input at %d", next, base+size)
	}
}

// checkSyntaxError checks that err, if any, says what is wrong and where.
func checkSyntaxError(t testing.TB, err error, size int) {
	t.Helper()
	if err == nil {
		return
	}
	var s *SyntaxError
	switch {
	case !errors.As(err, &s):
		t.Errorf("error is a %T: %v", err, err)
	case s.Field == "" || s.Reason == "" || s.Offset < 0 || s.Offset > size:
		t.Errorf("error tells too little, of %d bytes: %+v", size, *s)
	}
}

// versions are those whose grammars a fuzz target chooses from.
var versions = []Version{0, SSL30, TLS10, TLS11, TLS12, TLS13}

// fuzzMessage fuzzes the body of messages of type ht in every grammar. The
// corpus starts from the goldens.
func fuzzMessage(f *testing.F, ht HandshakeType) {
	message := messageFile(ht)
	for _, g := range goldens(f, message) {
		for i, v := range versions {
			if v == g.ctx.Version {
				f.Add(g.body(), uint8(i), uint8(g.ctx.KeyExchange)|uint8(g.ctx.CertificateType)<<6)
			}
		}
	}
	reused := NewMessage(ht)
	f.Fuzz(func(t *testing.T, body []byte, version, kex uint8) {
		c := Context{
			Version:     versions[int(version)%len(versions)],
			KeyExchange: KeyExchange(int(kex&0x7f) % len(keyExchanges)),
		}
		if kex&0x80 != 0 {
			c.CertificateType = CertificateTypeRawPublicKey
		}
		raw := appendOpaque([]byte{byte(ht)}, 3, body)
		checkLaws(t, raw, c)
		checkReuse(t, reused, body, c)
	})
}

// Whatever context a message is read in, right or wrong, the laws hold.
func TestLawsInEveryContext(t *testing.T) {
	for _, message := range goldenNames() {
		for _, g := range goldens(t, message) {
			for _, v := range versions {
				for k := range KeyExchange(len(keyExchanges)) {
					for _, certificate := range []CertificateType{CertificateTypeX509, CertificateTypeRawPublicKey} {
						checkLaws(t, g.raw, Context{Version: v, KeyExchange: k, From: g.ctx.From, CertificateType: certificate})
					}
				}
			}
		}
	}
}
