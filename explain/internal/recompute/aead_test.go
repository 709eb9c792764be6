package recompute

import (
	"reflect"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/internal/suite"
)

// No AEAD here comes from internal/primitive, as the record layer's may.
func TestAEADsAreIndependent(t *testing.T) {
	for _, s := range suite.All() {
		if !s.IsAEAD() {
			continue
		}
		a, err := newAEAD(s.Cipher, make([]byte, s.Cipher.KeyLen))
		if err != nil {
			t.Fatal(err)
		}
		if from := reflect.TypeOf(a).Elem().PkgPath(); strings.Contains(from, "/internal/primitive/") {
			t.Errorf("%s is that of %s", s.Cipher.Name, from)
		}
	}
}
