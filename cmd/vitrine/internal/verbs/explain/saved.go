package explain

import (
	"cmp"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/tracefile"
)

// forTraces are the flags that mean something for a saved trace.
var forTraces = []string{"conn", "format", "json", "open", "output", "redact", "secrets", "summary"}

// explainTrace explains a connection of a trace, or copies the trace.
func (o *options) explainTrace(cmd *cobra.Command, s *source) error {
	s, end := o.redacted(s)
	defer end()
	o.redactor = nil // it is done
	if o.form.name == "ndjson" {
		return o.writeTo(cmd, func(w io.Writer, _ bool) error { return copyTrace(w, s, o.secrets) })
	}
	all, damage := explain.Load(s.in, 0)
	if damage != nil {
		damage = fmt.Errorf("%s: %w", s.name, damage)
	}
	if len(all) == 0 || damage != nil && len(all[len(all)-1].Events) == 0 {
		return damage
	}
	if !o.form.several || cmd.Flags().Changed("conn") {
		account, err := o.choose(cmd, s.name, all)
		if err != nil {
			return err
		}
		all = []*explain.Connection{account}
	}
	var subjects []subject
	for _, account := range all {
		subjects = append(subjects, subject{account: account})
		damage = cmp.Or(damage, findings(account))
	}
	return cmp.Or(o.show(cmd, subjects), damage)
}

// choose returns the connection that --conn says, or the last.
func (o *options) choose(cmd *cobra.Command, name string, all []*explain.Connection) (*explain.Connection, error) {
	if o.conn < 0 || o.conn > len(all) || o.conn == 0 && cmd.Flags().Changed("conn") {
		return nil, report.Usagef("--conn %d: %s holds connections 1 to %d", o.conn, name, len(all))
	}
	if o.conn == 0 && len(all) > 1 {
		fmt.Fprintf(cmd.ErrOrStderr(), "vitrine: %s holds %d connections, and this is the last; --conn says which\n", name, len(all))
	}
	return all[cmp.Or(o.conn, len(all))-1], nil
}

// copyTrace copies a trace, with the values of secrets and keys or without.
func copyTrace(w io.Writer, s *source, secrets bool) error {
	out := tracefile.NewWriter(w, secrets)
	for r := tracefile.NewReader(s.in); ; {
		h, e, err := r.Next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return fmt.Errorf("%s: %w", s.name, err)
		case h != nil:
			err = out.Begin(*h)
		default:
			err = out.Write(e)
		}
		if err != nil {
			return err
		}
	}
}
