package explain

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/terminal"
)

// toStdout reports that the account goes to standard output.
func (o *options) toStdout() bool { return o.output == "" || o.output == "-" }

// show writes connections where and as the flags say: all of them where the form holds
// several, else the last.
func (o *options) show(cmd *cobra.Command, all []subject) error {
	if !o.form.several {
		all = all[len(all)-1:]
	}
	if o.secrets && o.output != "" {
		fmt.Fprintf(cmd.ErrOrStderr(), "vitrine: %s holds the connection's secrets: guard it like a key\n", o.output)
	}
	return o.writeTo(cmd, func(w io.Writer, color bool) error {
		return o.form.write(w, all, look{summary: o.summary, color: color, secrets: o.secrets})
	})
}

// writeTo calls write for standard output, by the pager, or for the file of --output.
func (o *options) writeTo(cmd *cobra.Command, write func(w io.Writer, color bool) error) error {
	out := cmd.OutOrStdout()
	if o.output == "-" || o.output == "" && o.form.unread {
		return write(out, false)
	}
	if o.output == "" {
		var buffer bytes.Buffer
		if err := write(&buffer, terminal.PaletteFor(out).On); err != nil {
			return err
		}
		return terminal.Page(cmd.InOrStdin(), out, buffer.Bytes())
	}
	file, err := os.OpenFile(o.output, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return report.Usagef("-o: %v", err)
	}
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() { // it may have been there before
		if err := file.Chmod(0o600); err != nil {
			return errors.Join(err, file.Close())
		}
	}
	return errors.Join(write(file, false), file.Close())
}
