package proxy

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/proxy/config"
	"github.com/vitrine-tls/vitrine/proxy/harden"
	"github.com/vitrine-tls/vitrine/proxy/keyprocess"
)

// guard knows what the process may still do.
type guard struct {
	file  string
	paths harden.Paths
}

// protect gives up what the proxy does not need any more, and says what that was.
func protect(c *config.Config, file string, say func(string)) (*guard, error) {
	g := &guard{file, harden.Of(*c, file)}
	said, err := harden.Apply(c.Process, g.paths)
	if len(said) > 0 {
		say("hardened: " + strings.Join(said, "; "))
	}
	return g, err
}

// permits refuses a configuration for which the process would have to do more than it still may.
func (g *guard) permits(c *config.Config) error {
	if err := onlyPEM(c); err != nil {
		return err
	}
	if !harden.Confined() {
		return nil
	}
	if more := g.paths.Beyond(harden.Of(*c, g.file)); len(more) > 0 {
		return fmt.Errorf("the sandbox of this process does not allow %s; start a new process (--take-over loses no connection)", strings.Join(more, ", "))
	}
	return nil
}

// newKeys makes the command that vitrine proxy starts for process.keys: process.
func newKeys() *cobra.Command {
	return &cobra.Command{
		Use:    "keys",
		Short:  "Hold the private keys for vitrine proxy, which starts this by itself",
		Args:   flags.Arguments(0, 0, "vitrine proxy --config proxy.yaml"),
		Hidden: true,
		RunE:   func(*cobra.Command, []string) error { return keyprocess.Serve(os.Stdin, os.Stdout) },
	}
}

// onlyPEM refuses certificates whose keys would be made or opened in this process.
func onlyPEM(c *config.Config) error {
	if c.Process.Keys != "process" {
		return nil
	}
	for _, l := range c.Listeners {
		if l.TLS == nil {
			continue
		}
		for _, certificate := range l.TLS.Certificates {
			if certificate.Cert == "" {
				return errors.New("a process for private keys reads them from files in PEM: give cert and key, and no pkcs12, acme or development")
			}
		}
	}
	return nil
}
