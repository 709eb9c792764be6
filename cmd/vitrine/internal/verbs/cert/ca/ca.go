// Package ca is the verb cert ca: a development authority in a folder.
package ca

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/internal/devca"
)

// subcommands are in the order in which help shows them.
var subcommands = []func() *cobra.Command{newInit, newIssue, newRevoke, newCRL, newOCSP, newTrust, newUntrust}

// New makes the verb.
func New() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ca",
		Short: "Run a development authority: certificates, revocation, OCSP",
		Long: `Run a development authority in a folder: a root, an intermediate that issues
certificates for servers and clients, a CRL and an OCSP responder.

The authority can certify this machine's names, those in .localhost, .test,
.local, .home.arpa and .internal, private addresses, and what init permits.
Nobody can show a forged certificate for another name to a client that trusts
its root. Its keys are not encrypted: the folder is for development.`,
	}
	flags.Group(cmd, "vitrine cert ca init --dir ca")
	for _, sub := range subcommands {
		cmd.AddCommand(sub())
	}
	return cmd
}

// common are the flags of all of them.
type common struct {
	dir  string
	json bool
}

func (c *common) register(cmd *cobra.Command) {
	set := cmd.Flags()
	set.SortFlags = false
	set.StringVar(&c.dir, "dir", "", "the authority's `folder`")
	set.BoolVar(&c.json, "json", false, "write the result as JSON to standard output")
}

// folder is the one of --dir, as an absolute path.
func (c *common) folder() (string, error) {
	if c.dir == "" {
		return "", report.Usagef("say with --dir in which folder the authority is")
	}
	return filepath.Abs(c.dir)
}

// open opens the authority.
func (c *common) open() (*devca.CA, string, error) {
	dir, err := c.folder()
	if err != nil {
		return nil, "", err
	}
	ca, err := devca.Manage(dir)
	if err != nil {
		return nil, "", report.Usagef("--dir: %v", err)
	}
	return ca, dir, nil
}

// write writes a result: as JSON, or in words.
func (c *common) write(w io.Writer, result interface{ text() string }) error {
	if c.json {
		return report.JSON(w, result)
	}
	_, err := io.WriteString(w, result.text())
	return err
}

func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	return hex.EncodeToString(sum[:])
}

// days are checked to be at least one.
func checkDays(days int) error {
	if days < 1 {
		return report.Usagef("--days %d: give at least one", days)
	}
	return nil
}

func line(format string, args ...any) string { return fmt.Sprintf(format, args...) + "\n" }
