package tls

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/handshake"
	suitelib "github.com/vitrine-tls/vitrine/internal/suite"
)

// Without AES instructions ChaCha20-Poly1305 comes first, and nothing else moves.
func TestPreferredSuites(t *testing.T) {
	names := func(aes bool) (out []string) {
		for _, s := range preferred(slices.DeleteFunc(suitelib.All(), func(s *suitelib.Suite) bool { return !s.Default }), aes) {
			out = append(out, s.Name)
		}
		return out
	}
	isChaCha := func(name string) bool { return strings.Contains(name, "CHACHA20") }
	with, without := names(true), names(false)
	n := slices.IndexFunc(without, func(name string) bool { return !isChaCha(name) })
	first, rest := slices.DeleteFunc(slices.Clone(with), func(name string) bool { return !isChaCha(name) }), slices.DeleteFunc(slices.Clone(with), isChaCha)
	if n < 2 || isChaCha(with[0]) || !slices.Equal(without[:n], first) || !slices.Equal(without[n:], rest) {
		t.Errorf("with AES instructions %v, without them %v", with, without)
	}
}

// What a Config without settings does, as a file: a change of policy must show
// as a change of text. SECURITY.md has the reasons.
func TestDefaultsAreThoseOnFile(t *testing.T) {
	var h handshake.Config
	if err := (&Config{ServerName: "example.test"}).resolveClient(&h, nil); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	section := func(name string, n int, item func(int) any) {
		fmt.Fprintf(&b, "%s\n", name)
		for i := range n {
			fmt.Fprintf(&b, "\t%v\n", item(i))
		}
	}
	section("versions", len(h.Versions), func(i int) any { return h.Versions[i] })
	all := slices.DeleteFunc(suitelib.All(), func(x *suitelib.Suite) bool { return !slices.Contains(h.Suites, x) })
	section("suites, in the order for machines with AES instructions", len(all), func(i int) any { return all[i] })
	section("groups", len(h.Groups), func(i int) any { return h.Groups[i] })
	section("signature schemes", len(h.Schemes), func(i int) any { return h.Schemes[i] })
	section("switches", 1, func(int) any { return fmt.Sprintf("%+v", Legacy{}) })
	fmt.Fprintf(&b, "handshake timeout\n\t%v\n", handshakeTimeout)

	const file = "testdata/defaults.txt"
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the defaults have changed; if that is meant, %s must say:\n%s", file, &b)
	}
}
