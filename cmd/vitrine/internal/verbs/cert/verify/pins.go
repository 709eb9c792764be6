package verify

import (
	"encoding/base64"
	"encoding/hex"
	"strings"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
)

// pins reads hashes of keys, in hex as cert show prints them, or as curl takes them.
func pins(texts []string) (all []certcheck.Pin, err error) {
	for _, text := range texts {
		var sum []byte
		if encoded, ok := strings.CutPrefix(text, "sha256//"); ok {
			sum, err = base64.StdEncoding.DecodeString(encoded)
		} else {
			sum, err = hex.DecodeString(strings.ReplaceAll(text, ":", ""))
		}
		if err != nil || len(sum) != len(certcheck.Pin{}) {
			return nil, report.Usagef("--pin %q is not a SHA-256 of a key; give 64 hexadecimal digits, as cert show --json has in pin_sha256, or sha256//BASE64", text)
		}
		all = append(all, certcheck.Pin(sum))
	}
	return all, nil
}
