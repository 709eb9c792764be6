package flags

import (
	"github.com/vitrine-tls/vitrine/certcompress"
	"github.com/vitrine-tls/vitrine/certcompress/brotli"
	"github.com/vitrine-tls/vitrine/certcompress/zstd"
)

// Compressions are the algorithms by which the command sends and takes certificates, best
// first. RFC 8879.
func Compressions() []certcompress.Algorithm {
	return []certcompress.Algorithm{brotli.Algorithm(), zstd.Algorithm(), certcompress.Zlib()}
}
