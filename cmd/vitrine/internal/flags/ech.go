package flags

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/tls"
)

// ech are the flags of Encrypted Client Hello, and of what hides it in the crowd.
type ech struct {
	config string
	keys   []string
	grease bool
}

func (f *ech) registerClient(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.config, "ech-config", "", "encrypt our hello, and the server's name in it, to these `configs` of the server: base64, as its HTTPS record has them, or a file")
	flags.BoolVar(&f.grease, "grease", false, "send reserved values, what looks like an encrypted hello, and extensions in random order, as browsers do")
}

func (f *ech) registerServer(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.keys, "ech-key", nil, "open encrypted hellos by the key in this `file`, which 'vitrine cert ech' makes. Give the newest first, and old ones after it: clients are told of the first")
}

func (f *ech) apply(config *tls.Config) error {
	config.GREASE, config.ShuffleExtensions = f.grease, f.grease
	if f.config != "" {
		list, err := readECHConfigs(f.config)
		if err != nil {
			return err
		}
		if _, err := tls.CheckECHConfigList(list); err != nil {
			return report.Usagef("%s", report.Rule(err))
		}
		config.EncryptedClientHelloConfigList = list
	}
	for i, name := range f.keys {
		file, err := readPEM("ech-key", name)
		if err != nil {
			return err
		}
		keys, err := tls.ParseECHKeys(file.data)
		if err != nil {
			return report.Usagef("--ech-key: %s: %v", name, err)
		}
		for j := range keys {
			keys[j].SendAsRetry = i == 0
		}
		config.EncryptedClientHelloKeys = append(config.EncryptedClientHelloKeys, keys...)
	}
	return nil
}

// readECHConfigs reads a list in base64, or a file that has it in base64, as it is, or as
// the ECHCONFIG of a PEM file.
func readECHConfigs(given string) ([]byte, error) {
	data, err := os.ReadFile(given)
	if err != nil {
		list, decodeErr := base64.StdEncoding.DecodeString(strings.Trim(given, `"`))
		if decodeErr != nil {
			return nil, report.Usagef("--ech-config: %q is neither a file that can be read nor base64; give what stands after ech= in the server's HTTPS record", given)
		}
		return list, nil
	}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "ECHCONFIG" {
			return block.Bytes, nil
		}
	}
	if list, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(data))); err == nil {
		return list, nil
	}
	return data, nil
}
