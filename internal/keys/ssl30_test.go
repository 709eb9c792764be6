package keys

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"os"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/wire"
)

// vectors reads lines of a name and a value in hexadecimal.
func vectors(t *testing.T, file string) map[string][]byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	v := make(map[string][]byte)
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name != "#" {
			v[name] = unhex(value)
		}
	}
	return v
}

func TestSSL30Vectors(t *testing.T) {
	v := vectors(t, "testdata/ssl30.txt")
	master := SSL30.Master(MD5SHA1, nil, v["premaster"], v["client_random"], v["server_random"])
	block := make([]byte, 136)
	SSL30.fill(MD5SHA1, block, master, v["client_random"], v["server_random"])
	transcript := MD5SHA1.New()
	transcript.Write(v["messages"])
	for _, c := range []struct {
		name string
		got  []byte
	}{
		{"master", master},
		{"key_block", block},
		{"client_finished", SSL30.Finished(MD5SHA1, nil, master, wire.Client, transcript)},
		{"server_finished", SSL30.Finished(MD5SHA1, nil, master, wire.Server, transcript)},
		{"certificate_verify", SSL30.CertificateVerify(nil, master, transcript)},
	} {
		if len(c.got) == 0 || !bytes.Equal(c.got, v[c.name]) {
			t.Errorf("%s: got %x, want %x", c.name, c.got, v[c.name])
		}
	}
}

// expansion30 is RFC 6101 §6.2.2 as it is written.
func expansion30(n int, secret, random1, random2 []byte) (out []byte) {
	for i := 1; len(out) < n; i++ {
		letters := strings.Repeat(string(rune('A'+i-1)), i)
		inner := sha1.Sum(append([]byte(letters), bytes.Join([][]byte{secret, random1, random2}, nil)...))
		outer := md5.Sum(append(bytes.Clone(secret), inner[:]...))
		out = append(out, outer[:]...)
	}
	return out[:n]
}

// The transcript may end anywhere in a block, and be long.
func TestFinished30AtAnyLength(t *testing.T) {
	master := bytes.Repeat([]byte{0xa5}, MasterSecretLen)
	for n := range 200 {
		messages := bytes.Repeat([]byte{byte(n)}, n*7)
		transcript := MD5SHA1.New()
		transcript.Write(messages)
		inner := md5.Sum(bytes.Join([][]byte{messages, []byte("CLNT"), master, bytes.Repeat([]byte{0x36}, 48)}, nil))
		want := md5.Sum(bytes.Join([][]byte{master, bytes.Repeat([]byte{0x5c}, 48), inner[:]}, nil))
		innerSHA := sha1.Sum(bytes.Join([][]byte{messages, []byte("CLNT"), master, bytes.Repeat([]byte{0x36}, 40)}, nil))
		wantSHA := sha1.Sum(bytes.Join([][]byte{master, bytes.Repeat([]byte{0x5c}, 40), innerSHA[:]}, nil))
		if got := SSL30.Finished(MD5SHA1, nil, master, wire.Client, transcript); !bytes.Equal(got, append(want[:], wantSHA[:]...)) {
			t.Fatalf("after %d bytes: got %x, want %x %x", len(messages), got, want, wantSHA)
		}
	}
}
