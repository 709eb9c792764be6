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
	if o.open && o.output == "" {
		var err error
		if o.output, err = temporary(); err != nil {
			return err
		}
	}
	if err := o.writeTo(cmd, func(w io.Writer, color bool) error { return o.render(w, all, color) }); err != nil {
		return err
	}
	o.warnOfSecrets(cmd, o.form.name == "html" && !o.redact && holdsSecrets(all))
	if o.open {
		return openPage(cmd, o.output)
	}
	return nil
}

// look is how the flags say that connections are shown.
func (o *options) look(color bool) look {
	return look{summary: o.summary, color: color, secrets: o.secrets, lang: o.lang}
}

// warnOfSecrets says that the file which is written holds secrets: because they were asked
// for, or anyway.
func (o *options) warnOfSecrets(cmd *cobra.Command, anyway bool) {
	if (o.secrets || anyway) && o.output != "" && o.output != "-" {
		fmt.Fprintf(cmd.ErrOrStderr(), "vitrine: %s holds the connection's secrets: guard it like a key\n", o.output)
	}
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
	file, err := create(o.output)
	if err != nil {
		return err
	}
	return errors.Join(write(file, false), file.Close())
}

// create makes a file that only its owner can read, also where it was there before.
func create(name string) (*os.File, error) {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, report.Unwritable("-o", err)
	}
	if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
		if err := file.Chmod(0o600); err != nil {
			return nil, errors.Join(err, file.Close())
		}
	}
	return file, nil
}
