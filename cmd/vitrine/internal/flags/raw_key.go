package flags

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"

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

	// New says that the key was seen for the first time, and Keep remembers it; Known that
	// it was the remembered one, or pinned. They are set in the handshake.
	New, Known bool

	target  string
	pin     [32]byte // the new one
	unended bool     // the file's last line lacks its end
	kept    bool
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
	f.target = target
	config.RawPublicKeys.Verify = func(key tls.PeerKey) error { return f.check(key.Pin()) }
	return nil
}

func parsePin(text string) (pin [32]byte, err error) {
	digest, ok := strings.CutPrefix(text, "SHA256:")
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(digest, "="))
	if !ok || err != nil || len(b) != len(pin) {
		return pin, report.Usagef("--pin %q is not a digest of a key: write SHA256: and 43 characters of base64, as 'vitrine connect --raw-public-key' prints it", text)
	}
	return [32]byte(b), nil
}

// check compares the key with the one of before. A line of the file is a target and a pin.
func (f *RawKey) check(pin [32]byte) error {
	text, err := os.ReadFile(f.file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the remembered keys cannot be read, so this one is not taken: %w", err)
	}
	known, at, err := lookUp(string(text), written(f.target))
	switch {
	case err != nil:
		return fmt.Errorf("%w of %s, so this key is not taken: mend or remove the line", err, f.file)
	case known != "" && known != tls.PinString(pin):
		return fmt.Errorf("the key of %s has changed: it was %s and is now %s. Somebody may be in between. If its owner says that the key is new, remove line %d of %s",
			f.target, known, tls.PinString(pin), at, f.file)
	case known != "":
		f.Known = true
		return nil
	case f.New && f.pin != pin:
		return fmt.Errorf("the server at %s shows another key on each connection: %s and %s", f.target, tls.PinString(f.pin), tls.PinString(pin))
	}
	f.New, f.pin = true, pin
	f.unended = len(text) > 0 && text[len(text)-1] != '\n'
	return nil
}

// lookUp finds the pin of a target, as it is written, and the line that it stands in. A line
// that cannot be read could be the target's: it is an error.
func lookUp(text, target string) (pin string, at int, err error) {
	for line := range strings.Lines(text) {
		at++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		i := strings.LastIndexAny(line, " \t")
		name := strings.TrimSpace(line[:max(i, 0)])
		whole, unquoted := strconv.Unquote(name)
		if _, err := parsePin(line[i+1:]); err != nil || name == "" || unquoted != nil && written(name) != name {
			return "", at, fmt.Errorf("line %d cannot be read", at)
		}
		if name == target || unquoted == nil && written(whole) == target {
			return line[i+1:], at, nil
		}
	}
	return "", 0, nil
}

// written is a target as the file has it: quoted where it could be taken for something else.
func written(target string) string {
	if strings.ContainsFunc(target, func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) || r == '"' || r == '#' }) {
		return strconv.Quote(target)
	}
	return target
}

// Keep writes down a key that is new, all at once. It is for a handshake that is complete: before, its
// server has not proved that the key is its own.
func (f *RawKey) Keep() error {
	if !f.New || f.kept {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(f.file), 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(f.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	line := written(f.target) + " " + tls.PinString(f.pin) + "\n"
	if f.unended {
		line = "\n" + line
	}
	_, err = file.WriteString(line)
	f.kept = true
	return errors.Join(err, file.Close())
}
