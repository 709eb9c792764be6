package serve

import (
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/authority"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/terminal"
)

// start announces the server, and returns the log of its connections.
func (o *options) start(cmd *cobra.Command, dir string, urls []string, ca *authority.Authority) *slog.Logger {
	if !o.json {
		o.announce(cmd.ErrOrStderr(), dir, urls, ca)
		return slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{ReplaceAttr: short}))
	}
	log := slog.New(slog.NewJSONHandler(cmd.OutOrStdout(), &slog.HandlerOptions{ReplaceAttr: short}))
	fields := []any{slog.String("folder", dir), slog.String("url", urls[0]), slog.Any("urls", urls)}
	if ca != nil {
		fields = append(fields, slog.String("authority", ca.File()), slog.Bool("authority_is_new", ca.New))
	}
	log.Info("serving", fields...)
	return log
}

// announce says what is served, what to trust, and what to try.
func (o *options) announce(w io.Writer, dir string, urls []string, ca *authority.Authority) {
	fmt.Fprintf(w, "serving %q on %s\n", dir, terminal.PaletteFor(w).Bold(urls[0]))
	for _, url := range urls[1:] {
		fmt.Fprintf(w, "  and    %s\n", url)
	}
	if o.inspect {
		fmt.Fprintf(w, "  see    %s%s\n", strings.TrimSuffix(urls[0], "/"), inspectPath)
	}
	identity := ""
	if o.clientAuth == "require" {
		identity = "--cert FILE --key FILE "
	}
	at := strings.TrimSuffix(strings.TrimPrefix(urls[0], "https://"), "/")
	switch {
	case !o.tls.LacksCertificate() && ca != nil:
		fmt.Fprintf(w, "  trust  %s\n", ca.File())
		if ca.New {
			fmt.Fprintf(w, "  new    this development authority was made just now; clients must trust it once, like\n         %s\n", ca.TrustCommand())
		}
		fmt.Fprintf(w, "  try    curl --cacert %s %s%s\n", authority.ShellQuote(ca.File()), identity, urls[0])
	case !o.tls.LacksCertificate():
		fmt.Fprintf(w, "  try    curl %s%s\n", identity, urls[0])
	case len(o.tls.PSKs) > 0:
		fmt.Fprintf(w, "  try    vitrine connect %s --psk IDENTITY:HEX\n", at)
	default:
		fmt.Fprintf(w, "  try    vitrine connect %s --insecure --suites %s --legacy anonymous\n", at, o.tls.Listed[0])
	}
}
