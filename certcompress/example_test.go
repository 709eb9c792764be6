package certcompress_test

import (
	"fmt"

	"github.com/vitrine-tls/vitrine/certcompress"
)

// A Config lists what it compresses certificates with, best first:
// tls.Config{CertificateCompression: offered}.
func ExampleZlib() {
	offered := []certcompress.Algorithm{certcompress.Zlib()}
	fmt.Println(offered[0].ID)
	// Output: zlib
}
