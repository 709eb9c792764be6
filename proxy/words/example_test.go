package words_test

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/proxy/words"
	"github.com/vitrine-tls/vitrine/tls"
)

func ExampleAgreement() {
	var c tls.Config
	err := words.Agreement{Min: "tls1.3", Groups: []string{"x25519"}}.Apply(&c)
	fmt.Println(tls.VersionName(c.MinVersion), c.CurvePreferences, err)
	// Output: TLS 1.3 [X25519] <nil>
}
