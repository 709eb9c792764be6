package record

import (
	"bytes"
	"compress/zlib"
	"io"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

func TestDeflate(t *testing.T) {
	c, d := NewCompressor(), NewDecompressor()
	var stream, all []byte
	random := bytesOf("random", MaxPlaintext)
	for i, content := range [][]byte{
		nil, []byte("GET / HTTP/1.1\r\n"), []byte("GET / HTTP/1.1\r\n"), random, random[:MaxPlaintext-1], nil, {0},
		make([]byte, MaxPlaintext), random, bytes.Repeat([]byte("ab"), MaxPlaintext/2), random[100:5000],
	} {
		fragment := c.Append([]byte("before"), content)
		if !bytes.HasPrefix(fragment, []byte("before")) {
			t.Fatalf("record %d: Append changed what was in dst", i)
		}
		fragment = fragment[6:]
		if n := len(fragment); n > len(content)+1024 || n > MaxCompressed {
			t.Fatalf("record %d: %d bytes became %d", i, len(content), n)
		}
		got, err := d.Append([]byte("before"), fragment)
		if err != nil || string(got) != "before"+string(content) {
			t.Fatalf("record %d: %d bytes became %d, %v", i, len(content), len(got)-6, err)
		}
		stream, all = append(stream, fragment...), append(all, content...)
	}
	wantZlib(t, stream, all)
}

// wantZlib fails unless stream, which never ends, is all compressed.
func wantZlib(t *testing.T, stream, all []byte) {
	t.Helper()
	r, err := zlib.NewReader(bytes.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err != io.ErrUnexpectedEOF || !bytes.Equal(got, all) {
		t.Fatalf("the standard library reads %d bytes of %d, %v", len(got), len(all), err)
	}
}

// A second record like the first is short, because the history is kept.
func TestDeflateHistory(t *testing.T) {
	c := NewCompressor()
	content := bytesOf("random", 1000)
	first, second := len(c.Append(nil, content)), len(c.Append(nil, content))
	if first < 1000 || second > 50 {
		t.Errorf("%d, then %d bytes", first, second)
	}
}

// Made with zlib 1.3 through Python's zlib.compressobj(9) and Z_SYNC_FLUSH.
var zlibRecords = []struct{ fragment, content string }{
	{"78da725428cb2c29cacc4b55c82c56485448cf492c2e56484e2c4ed55300000000ffff", "A vitrine is a glass case. "},
	{"", ""},
	{"72c42565a5509e91580212cdcc2bce4c01cb1714e597a42697a4a6e82900000000ffff", "A vitrine is a glass case: what is inside is protected. "},
	{"6260646266616563e7e0e4e2e6e1e5e317101412161115139790949296919593575054525651555307000000ffff", string(count(40))},
}

func count(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

func TestInflateZlib(t *testing.T) {
	d := NewDecompressor()
	for _, v := range zlibRecords {
		if got, err := d.Append(nil, unhex(v.fragment)); err != nil || string(got) != v.content {
			t.Errorf("%s: %q, %v", v.fragment, got, err)
		}
	}
}

func TestInflateRefused(t *testing.T) {
	good := NewCompressor().Append(nil, []byte("abc"))
	for name, fragment := range map[string][]byte{
		"one byte":                 {0x78},
		"no zlib header":           good[2:],
		"another method":           append([]byte{0x79, 0x02}, good[2:]...),
		"a window of 64 KB":        append([]byte{0x88, 0x1c}, good[2:]...),
		"a preset dictionary":      append([]byte{0x78, 0xbb}, good[2:]...),
		"a wrong check":            append([]byte{0x78, 0x9d}, good[2:]...),
		"an end":                   unhex("78da4b4c4a0600"),
		"an end and a checksum":    unhex("78da4b4c4a0600024d0127"),
		"an end and a flush":       append(unhex("78da4b4c4a0600"), 0, 0, 0, 0xff, 0xff),
		"an end that is a flush":   append(bytes.Clone(good[:len(good)-5]), 1, 0, 0, 0xff, 0xff),
		"a block of unknown type":  append(bytes.Clone(good[:2]), 7, 0, 0, 0xff, 0xff),
		"a distance too far":       append(unhex("789c 4b04e2"), 0, 0, 0, 0xff, 0xff),
		"a wrong length of stored": append(unhex("789c 00 0100 ffff 41"), 0, 0, 0, 0xff, 0xff),
		"less stored than it says": append(unhex("789c 00 ff00 00ff 41"), 0, 0, 0, 0xff, 0xff),
		"a cut table of codes":     unhex("789c 04e001"),
	} {
		got, err := NewDecompressor().Append([]byte("before"), fragment)
		if string(got) != "before" {
			t.Errorf("%s: %q", name, got)
		}
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		wantAlert(t, err, wire.AlertDecompressionFailure)
	}
	if got, err := NewDecompressor().Append(nil, good); err != nil || string(got) != "abc" {
		t.Errorf("what all were made from: %q, %v", got, err)
	}
}

// bomb is a fragment of MaxCompressed bytes that holds some 16 MB.
func bomb() []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	for b.Len() < MaxPlaintext {
		w.Write(make([]byte, 1<<16))
		w.Flush()
	}
	return b.Bytes()
}

func TestInflateBounds(t *testing.T) {
	d := NewDecompressor()
	got, err := d.Append(nil, bomb())
	wantAlert(t, err, wire.AlertDecompressionFailure)
	if got != nil || d.known > historyLen {
		t.Errorf("%d bytes, and %d of history", len(got), d.known)
	}
	if read := d.blocks.pos; read > 200 {
		t.Errorf("%d bytes of a bomb were read", read)
	}
	// A block that is neither flushed nor followed by anything comes in one piece.
	stored := append([]byte{0x78, 0x9c, 0, 0x01, 0x40, 0xfe, 0xbf}, make([]byte, MaxPlaintext+1)...)
	_, err = NewDecompressor().Append(nil, stored)
	wantAlert(t, err, wire.AlertDecompressionFailure)
	for _, v := range []struct {
		limit, size int
		alert       wire.AlertCode
	}{
		{0, MaxPlaintext, 0}, {0, MaxPlaintext + 1, wire.AlertDecompressionFailure},
		{100, 100, 0}, {100, 101, wire.AlertRecordOverflow}, {100, MaxPlaintext, wire.AlertRecordOverflow},
		{100, MaxPlaintext + 1, wire.AlertDecompressionFailure}, {1 << 20, MaxPlaintext, 0}, {1 << 20, MaxPlaintext + 1, wire.AlertDecompressionFailure},
	} {
		for _, content := range [][]byte{make([]byte, v.size), bytesOf("random", v.size)} {
			d := NewDecompressor()
			d.SetLimit(v.limit)
			got, err := d.Append(nil, NewCompressor().Append(nil, content))
			if v.alert != 0 {
				wantAlert(t, err, v.alert)
			} else if err != nil || !bytes.Equal(got, content) {
				t.Errorf("%+v: %d bytes, %v", v, len(got), err)
			}
		}
	}
}

// FuzzDeflate sends two records there and back.
func FuzzDeflate(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1"), []byte("GET /"))
	f.Add([]byte{}, bytesOf("random", MaxPlaintext))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		c, d := NewCompressor(), NewDecompressor()
		for _, content := range [][]byte{first, second} {
			content = content[:min(len(content), MaxPlaintext)]
			fragment := c.Append(nil, content)
			if got, err := d.Append(nil, fragment); err != nil || !bytes.Equal(got, content) || len(fragment) > len(content)+1024 {
				t.Fatalf("%d bytes became %d, and those %d, %v", len(content), len(fragment), len(got), err)
			}
		}
	})
}
