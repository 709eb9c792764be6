package handshake

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
)

func sum256(parts ...string) []byte {
	h := sha256.New()
	for _, p := range parts {
		h.Write([]byte(p))
	}
	return h.Sum(nil)
}

// The hash is that of all messages, those before the suite was known too.
func TestTranscript(t *testing.T) {
	var tr transcript
	for range 2 { // a second handshake uses the same hashes
		tr.add([]byte("hello"))
		if got := tr.with(suite.SHA256, []byte("part"), nil); !bytes.Equal(got, sum256("hello", "part")) {
			t.Error("a binder before the suite is known")
		}
		tr.use(suite.SHA256)
		tr.use(suite.SHA256)
		if len(tr.raw) > 0 {
			t.Error("the bytes are kept")
		}
		tr.add([]byte("answer"))
		if got := tr.with(suite.SHA256, []byte("part"), nil); !bytes.Equal(got, sum256("hello", "answer", "part")) {
			t.Error("with")
		}
		if got := tr.sum([]byte("x")); !bytes.Equal(got, append([]byte("x"), sum256("hello", "answer")...)) {
			t.Error("sum")
		}
		tr.add([]byte("more"))
		if got := tr.sum(nil); !bytes.Equal(got, sum256("hello", "answer", "more")) {
			t.Error("sum changed the hash")
		}
		tr.reset()
	}
	tr.keep = true
	tr.add([]byte("hello"))
	tr.use(suite.SHA384)
	tr.add([]byte("answer"))
	want := sha512.Sum384([]byte("helloanswer"))
	if !bytes.Equal(tr.sum(nil), want[:]) || string(tr.raw) != "helloanswer" {
		t.Errorf("kept %q", tr.raw)
	}
	tr.keep = false
	if tr.drop(); len(tr.raw) > 0 {
		t.Error("the bytes are still kept")
	}
	if tr.add([]byte("x")); len(tr.raw) > 0 {
		t.Error("bytes are kept again")
	}
}

// After a HelloRetryRequest the first ClientHello counts as its hash alone.
// RFC 8446 §4.4.1.
func TestTranscriptAfterARetry(t *testing.T) {
	var tr transcript
	tr.add([]byte("first"))
	tr.use(suite.SHA256)
	tr.retry(make([]byte, 64))
	tr.add([]byte("retry"))
	if got := tr.sum(nil); !bytes.Equal(got, sum256("\xfe\x00\x00\x20"+string(sum256("first")), "retry")) {
		t.Errorf("%x", got)
	}
}
