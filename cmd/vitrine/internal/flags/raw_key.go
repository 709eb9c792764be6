package flags

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/tls"
)

// RawKey are the flags of a client that takes a server's raw public key in place of a
// certificate (RFC 7250): one that is pinned, or the one that was there the first time.
type RawKey struct {
	On   bool
	pins []string
	file string

	// New is the key that was seen for the first time and is remembered now, Known that
	// it was the remembered one, or pinned. They are set in the handshake.
	New, Known bool
}

// Register adds the flags to a verb.
func (f *RawKey) Register(cmd *cobra.Command) {
	set := cmd.Flags()
	set.BoolVar(&f.On, "raw-public-key", false, "take the server's bare key in place of a certificate: the one of the first time, which is remembered in --known-keys")
	set.StringSliceVar(&f.pins, "pin", nil, "take no bare key but these, by their `digests`, like SHA256:base64; nothing is remembered then")
	set.StringVar(&f.file, "known-keys", "", "the `file` of remembered keys (default: known_keys in vitrine's configuration folder)")
}

// Apply has config take raw public keys of the server at target, and nothing else.
func (f *RawKey) Apply(cmd *cobra.Command, config *tls.Config, target string) error {
	switch {
	case !f.On && (len(f.pins) > 0 || f.file != ""):
		return report.Usagef("--pin and --known-keys are for --raw-public-key; add it")
	case !f.On:
		return nil
	case len(f.pins) > 0 && f.file != "":
		return report.Usagef("--pin says which keys are right, so nothing is looked up in --known-keys; leave one out")
	}
	for _, text := range f.pins {
		pin, err := parsePin(text)
		if err != nil {
			return err
		}
		config.RawPublicKeys.Pins = append(config.RawPublicKeys.Pins, pin)
	}
	config.RawPublicKeys.Accept = []tls.CertificateType{tls.CertificateTypeRawPublicKey}
	if len(f.pins) > 0 {
		f.Known = true
		return nil
	}
	if f.file == "" {
		base, err := os.UserConfigDir()
		if err != nil {
			return report.Usagef("there is no configuration folder to remember keys in (%v): name a file by --known-keys", err)
		}
		f.file = filepath.Join(base, "vitrine", "known_keys")
	}
	config.RawPublicKeys.Verify = func(key tls.PeerKey) error { return f.remember(target, key.Pin()) }
	return nil
}

func parsePin(text string) (pin [32]byte, err error) {
	digest, ok := strings.CutPrefix(text, "SHA256:")
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(digest, "="))
	if !ok || err != nil || len(b) != len(pin) {
		return pin, report.Usagef("--pin %q is no digest of a key: write SHA256: and 43 characters of base64, as 'vitrine connect --raw-public-key' prints it", text)
	}
	return [32]byte(b), nil
}

// remember compares the key with the one of before, and writes down one that is new. A
// line of the file is a target and a pin.
func (f *RawKey) remember(target string, pin [32]byte) error {
	text, err := os.ReadFile(f.file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the remembered keys cannot be read, so this one is not taken: %w", err)
	}
	line := 0
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		line++
		fields := strings.Fields(lines.Text())
		if len(fields) != 2 || fields[0] != target {
			continue
		}
		if fields[1] == tls.PinString(pin) {
			f.Known = true
			return nil
		}
		return fmt.Errorf("the key of %s has changed: it was %s and is now %s. Somebody may be in between. If its owner says that the key is new, remove line %d of %s",
			target, fields[1], tls.PinString(pin), line, f.file)
	}
	f.New = true
	return f.write(target, pin)
}

// write adds a line, all at once.
func (f *RawKey) write(target string, pin [32]byte) error {
	if err := os.MkdirAll(filepath.Dir(f.file), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(f.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(file, "%s %s\n", target, tls.PinString(pin))
	return errors.Join(err, file.Close())
}
