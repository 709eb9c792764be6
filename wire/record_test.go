package wire

import (
	"bytes"
	"testing"
)

func TestRecordHeader(t *testing.T) {
	raw := []byte{22, 3, 1, 2, 0, 1, 0, 1}
	rec := new(Recorder)
	typ, v, n, err := DecodeRecordHeader(raw, rec)
	if typ != ContentHandshake || v != TLS10 || n != 512 || err != nil {
		t.Error(typ, v, n, err)
	}
	checkSpans(t, rec.Spans, 0, RecordHeaderLen)
	for n := range RecordHeaderLen {
		_, _, _, err := DecodeRecordHeader(raw[:n], nil)
		if err == nil {
			t.Errorf("%d bytes were accepted", n)
		}
		checkSyntaxError(t, err, n)
	}
}

func FuzzRecordHeader(f *testing.F) {
	for _, raw := range []string{"\x16\x03\x01\x02\x00\x01", "\x17\x03\x03\x40\x00", "GET / HTTP/1.1", "\x80\x2e\x01\x00\x02"} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		typ, v, n, err := DecodeRecordHeader(raw, nil)
		checkSyntaxError(t, err, min(len(raw), RecordHeaderLen))
		rec := new(Recorder)
		typ2, v2, n2, err2 := DecodeRecordHeader(raw, rec)
		checkSpans(t, rec.Spans, 0, min(len(raw), RecordHeaderLen))
		if (err == nil) != (len(raw) >= RecordHeaderLen) || (err == nil) != (err2 == nil) || typ != typ2 || v != v2 || n != n2 {
			t.Error(err, err2)
		}
		if err != nil {
			return
		}
		again := AppendU16(AppendU16([]byte{byte(typ)}, v), uint16(n))
		if !bytes.Equal(again, raw[:RecordHeaderLen]) {
			t.Errorf("%x became %x", raw[:RecordHeaderLen], again)
		}
	})
}

func TestAlert(t *testing.T) {
	a, err := DecodeAlert([]byte{2, 40}, nil)
	if err != nil || a != (Alert{LevelFatal, AlertHandshakeFailure}) || a.Code.String() != "handshake_failure" || a.Level.String() != "fatal" {
		t.Error(a, err)
	}
	for _, content := range [][]byte{nil, {1}, {1, 0, 0}, {1, 0, 1, 0}} {
		if _, err := DecodeAlert(content, nil); err == nil {
			t.Errorf("%x was accepted", content)
		}
	}
}

func FuzzAlert(f *testing.F) {
	f.Add([]byte{1, 0})
	f.Add([]byte{2, 255})
	f.Add([]byte{1, 0, 1})
	f.Fuzz(func(t *testing.T, content []byte) {
		a, err := DecodeAlert(content, nil)
		checkSyntaxError(t, err, len(content))
		rec := new(Recorder)
		if b, err2 := DecodeAlert(content, rec); a != b || (err == nil) != (err2 == nil) {
			t.Error(a, err, b, err2)
		}
		checkSpans(t, rec.Spans, 0, len(content))
		if err == nil && !bytes.Equal(a.Append(nil), content) {
			t.Errorf("%x became %x", content, a.Append(nil))
		}
	})
}
