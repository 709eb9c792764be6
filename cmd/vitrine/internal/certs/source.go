package certs

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/tls"
	"github.com/vitrine-tls/vitrine/wire"
)

// Source is where certificates were read.
type Source struct {
	// Target is HOST:PORT, or a file's name.
	Target string
	// Host is the name that was asked for; empty for a file.
	Host  string
	Items []Item
	// Staples are the OCSP responses that came with a server's certificates.
	Staples [][]byte
}

// Reader are the flags on how to read certificates.
type Reader struct {
	timeout      flags.Timeout
	tls          flags.TLS
	reach        flags.Reach
	passwordFile string
	// Stdin is what - stands for.
	Stdin io.Reader

	configured sync.Once // a verb may open many at once
	base       *tls.Config
	failed     error
}

// Register adds the flags to a verb.
func (r *Reader) Register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&r.passwordFile, "password-file", "", "the password of PKCS#12 and encrypted keys is the first line of this `file`")
	r.tls.RegisterVersions(cmd)
	r.reach.Register(cmd)
	r.timeout.Register(cmd, 10*time.Second, "time limit for connecting and the handshake together, like 5 (seconds) or 1m30s")
}

// Open reads from a file, from standard input for -, or from a server: name is then what to
// ask for, empty for the host of target. A file that exists counts first.
func (r *Reader) Open(ctx context.Context, target, name string) (*Source, error) {
	if err := cmp.Or(r.timeout.Check(), r.reach.Check()); err != nil {
		return nil, err
	}
	isFile, err := flags.NamesFile(target)
	switch {
	case err != nil:
		return nil, err
	case isFile:
		return r.openFile(target)
	}
	at, err := flags.ParseTarget(target)
	if err != nil {
		return nil, err
	}
	if name, err = flags.ALabels(cmp.Or(name, at.Host)); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout.Duration)
	defer cancel()
	config, err := r.config(name)
	if err != nil {
		return nil, err
	}
	return dial(ctx, r.reach, at, config)
}

// config is for a connection that only shows certificates, of which none is verified.
func (r *Reader) config(name string) (*tls.Config, error) {
	r.configured.Do(func() { r.base = &tls.Config{}; r.failed = r.tls.Apply(r.base) })
	if r.failed != nil {
		return nil, r.failed
	}
	config := r.base.Clone()
	if config.SignatureSchemes == nil { // what a server has is shown, whatever its key is
		config.SignatureSchemes = flags.AllSchemes()
	}
	config.ServerName, config.InsecureSkipVerify, config.Legacy.SmallRSA = name, true, true
	config.NextProtos = []string{"h2", "http/1.1"}
	return config, nil
}

// Schemes are those of --sigalgs, and what --legacy allows, by which certificates may be
// signed beside the usual ones.
func (r *Reader) Schemes() ([]wire.SignatureScheme, error) {
	if _, err := r.config(""); err != nil {
		return nil, err
	}
	var schemes []wire.SignatureScheme
	for _, id := range r.base.SignatureSchemes {
		schemes = append(schemes, wire.SignatureScheme(id))
	}
	if r.base.Legacy.SHA224Signatures {
		schemes = append(schemes, wire.RSAPKCS1SHA224, wire.ECDSASHA224)
	}
	return schemes, nil
}

func (r *Reader) openFile(name string) (*Source, error) {
	password, err := r.password()
	if err != nil {
		return nil, err
	}
	var data []byte
	if name == "-" {
		name = "standard input"
		data, err = io.ReadAll(r.Stdin)
	} else {
		data, err = os.ReadFile(name)
	}
	if err != nil {
		return nil, report.Usagef("%v", err)
	}
	items, err := Parse(data, password)
	if err != nil {
		return nil, report.Usagef("%s: %v", name, err)
	}
	return &Source{Target: name, Items: items}, nil
}

func (r *Reader) password() ([]byte, error) {
	if r.passwordFile == "" {
		return nil, nil
	}
	text, err := os.ReadFile(r.passwordFile)
	if err != nil {
		return nil, report.Usagef("--password-file: %v", err)
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), nil
}

// Chain are the certificates of a source in DER, in their order.
func (s *Source) Chain() (chain [][]byte) {
	for _, i := range s.Items {
		if i.Kind == ACertificate {
			chain = append(chain, i.DER)
		}
	}
	return chain
}

// Describe says what the certificates of the source hold, on the day now.
func (s *Source) Describe(now time.Time) (list []Certificate) {
	for _, i := range s.Items {
		if i.Kind == ACertificate {
			list = append(list, i.Describe(now))
		}
	}
	return list
}

// Describe says what a certificate holds, on the day now.
func (i Item) Describe(now time.Time) Certificate {
	if i.Certificate == nil {
		return lenient(i.DER, i.Err, now)
	}
	return Describe(i.Certificate, now)
}
