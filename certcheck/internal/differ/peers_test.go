package differ

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/certcheck"
	"github.com/vitrine-tls/vitrine/internal/proof/programs"
	"github.com/vitrine-tls/vitrine/wire"
)

// verdict is "ok", or a word for why a chain was refused.
type verdict string

const (
	accepted   verdict = "ok"
	unreadable verdict = "unreadable"
)

// peer judges chains.
type peer struct {
	name  string
	judge func(t *testing.T, all []*handover) []verdict
}

var peers = []peer{
	{"crypto/x509", byStandard},
	{"OpenSSL", func(t *testing.T, all []*handover) []verdict { return byProgram(t, "openssl", "-lcrypto", all) }},
	{"GnuTLS", func(t *testing.T, all []*handover) []verdict { return byProgram(t, "gnutls", "-lgnutls", all) }},
}

// ours is what certcheck says under a profile.
func ours(h *handover, profile certcheck.Profile) verdict {
	certs, err := certcheck.Parse(append([][]byte{h.leaf}, h.others...))
	roots, rootsErr := pool(h.roots)
	if err = errors.Join(err, rootsErr); err != nil {
		return unreadable + ": " + because(err)
	}
	o := certcheck.Options{Roots: roots, Time: moment, Name: h.name, Profile: profile, Anew: true,
		Schemes: []wire.SignatureScheme{wire.ECDSASHA224, wire.RSAPKCS1SHA224}} // which every peer has
	_, err = certcheck.Verify(context.Background(), certs, o)
	var refused *certcheck.Error
	switch {
	case err == nil:
		return accepted
	case errors.As(err, &refused) && refused.Rule != nil:
		return verdict(refused.Rule.Name)
	}
	return "no path"
}

// because is what crypto/x509 could not read, without what varies.
func because(err error) verdict {
	text := err.Error()
	var refused *certcheck.Error
	if errors.As(err, &refused) {
		if text = refused.Reason; refused.Err != nil {
			text = refused.Err.Error()
		}
	}
	text = strings.TrimPrefix(strings.TrimPrefix(text, "x509: "), "crypto/x509 refused it: ")
	return verdict(varying.ReplaceAllString(text, "…"))
}

var varying = regexp.MustCompile(`"[^"]*"|\b[\d.]*\d\b|\b[f0]{4,}\S*`)

func pool(all [][]byte) (*x509.CertPool, error) {
	roots := x509.NewCertPool()
	for _, der := range all {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		roots.AddCert(c)
	}
	return roots, nil
}

// byStandard asks crypto/x509.
func byStandard(_ *testing.T, all []*handover) (verdicts []verdict) {
	for _, h := range all {
		verdicts = append(verdicts, standard(h))
	}
	return verdicts
}

func standard(h *handover) verdict {
	roots, rootsErr := pool(h.roots)
	others, othersErr := pool(h.others)
	c, err := x509.ParseCertificate(h.leaf)
	if errors.Join(err, rootsErr, othersErr) != nil {
		return unreadable
	}
	_, err = c.Verify(x509.VerifyOptions{Roots: roots, Intermediates: others, CurrentTime: moment, DNSName: h.name})
	var invalid x509.CertificateInvalidError
	var wrongName x509.HostnameError
	var unknown x509.UnknownAuthorityError
	var critical x509.UnhandledCriticalExtension
	switch {
	case err == nil:
		return accepted
	case errors.As(err, &invalid):
		return verdict(map[x509.InvalidReason]string{
			x509.NotAuthorizedToSign: "not authorized to sign", x509.Expired: "expired",
			x509.CANotAuthorizedForThisName: "name constraints", x509.TooManyIntermediates: "path length",
			x509.IncompatibleUsage: "usage", x509.NameMismatch: "name mismatch", x509.TooManyConstraints: "too many constraints",
			x509.CANotAuthorizedForExtKeyUsage: "usage", x509.NoValidChains: "no valid chain",
		}[invalid.Reason])
	case errors.As(err, &wrongName):
		return "name"
	case errors.As(err, &unknown):
		return "unknown authority"
	case errors.As(err, &critical):
		return "critical extension"
	}
	return verdict("other: " + err.Error())
}

// byProgram has a program of testdata judge all chains, in one process. Where it cannot be
// compiled the peer is missing: the test is skipped, but fails in CI.
func byProgram(t *testing.T, source, library string, all []*handover) []verdict {
	programs.SkipIfOff(t)
	program := filepath.Join(t.TempDir(), source)
	build := exec.Command("cc", "-O1", "-o", program, filepath.Join("testdata", source+".c"), library)
	if out, err := build.CombinedOutput(); err != nil {
		programs.Missing(t, fmt.Sprintf("%s cannot be built: %v\n%s", source, err, out))
	}
	cmd := exec.CommandContext(t.Context(), program)
	var out, said bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(encode(all)), &out, &said
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%s", source, err, &said)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != len(all) {
		t.Fatalf("%s judged %d chains of %d", source, len(lines), len(all))
	}
	verdicts := make([]verdict, len(lines))
	for i, line := range lines {
		verdicts[i] = verdict(line)
	}
	return verdicts
}

// encode writes chains as testdata/cases.h reads them.
func encode(all []*handover) (b []byte) {
	put := func(v []byte) { b = append(binary.BigEndian.AppendUint32(b, uint32(len(v))), v...) }
	list := func(vs [][]byte) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(vs)))
		for _, v := range vs {
			put(v)
		}
	}
	for _, h := range all {
		b = binary.BigEndian.AppendUint32(b, uint32(moment.Unix()))
		put([]byte(h.name))
		list(append([][]byte{h.leaf}, h.others...))
		list(h.roots)
	}
	return b
}
